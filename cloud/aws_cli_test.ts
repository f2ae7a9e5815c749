/** The AWS CLI, a client that is not ours, against a whole embedded cloud; ignored where there is none. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readEndpoint, UNSEALED } from "./cloud_fixture.ts";
import { serveCloud } from "./serve.ts";

const [PATH, HOME] = ["PATH", "HOME"].map((name) => Deno.env.get(name) ?? "");

function hasAws(): boolean {
  try {
    return new Deno.Command("aws", { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

type Aws = (args: string[], env?: Record<string, string>) => Promise<Ran>;

async function withAws(test: (aws: Aws, directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  const cloud = await serveCloud({ directory: `${directory}/cloud`, ...UNSEALED });
  try {
    const { accessKeyId, secretAccessKey, region } = await readEndpoint(`${directory}/cloud`);
    await test(async (args, env = {}) => {
      const output = await new Deno.Command("aws", {
        args,
        cwd: directory,
        clearEnv: true,
        stdin: "null",
        env: {
          PATH: PATH ?? "",
          HOME: HOME ?? "",
          LC_ALL: "C.UTF-8",
          AWS_CONFIG_FILE: "/dev/null",
          AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
          AWS_PAGER: "",
          AWS_MAX_ATTEMPTS: "1",
          AWS_ENDPOINT_URL: cloud.endpoint,
          AWS_REGION: region,
          AWS_DEFAULT_REGION: region,
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: secretAccessKey,
          ...env,
        },
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
      return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
    }, directory);
  } finally {
    await cloud.close();
    await Deno.remove(directory, { recursive: true });
  }
}

async function good(running: Promise<Ran>): Promise<string> {
  const ran = await running;
  assertEquals([ran.code, ran.stderr], [0, ""]);
  return ran.stdout;
}

// In CI without the CLI the reports say: skipped: no aws.
const ignore = !hasAws();
const name = (text: string) => ignore ? `${text} (skipped: no aws)` : text;

Deno.test(name("the AWS CLI copies files to S3 and back"), { ignore }, async () => {
  await withAws(async (aws, directory) => {
    await good(aws(["s3", "mb", "s3://bkt"]));
    // Above 8 MB the CLI makes a multipart upload and reads in ranges.
    const big = new Uint8Array(20_000_000).map((_, index) => index * 7 + (index >> 12));
    await Deno.writeFile(`${directory}/big`, big);
    await Deno.writeTextFile(`${directory}/a b+é`, "small");
    await Promise.all([
      good(aws(["s3", "cp", "big", "s3://bkt/dir/big", "--quiet"])),
      good(aws(["s3", "cp", "a b+é", "s3://bkt/a b+é", "--quiet"])),
    ]);
    const [small, listing] = await Promise.all([
      good(aws(["s3", "cp", "s3://bkt/a b+é", "-"])),
      good(aws(["s3", "ls", "s3://bkt", "--recursive"])),
      good(aws(["s3", "cp", "s3://bkt/dir/big", "back", "--quiet"])),
    ]);
    assertEquals(small, "small");
    const lines = listing.split("\n").map((line) => line.slice(20).trim());
    assertEquals(lines, ["5 a b+é", "20000000 dir/big"]);
    assert((await Deno.readFile(`${directory}/back`)).every((byte, index) => byte === big[index]));
    await good(aws(["s3", "rb", "s3://bkt", "--force"]));
  });
});

Deno.test(name("the AWS CLI learns who it is, and that a wrong secret is wrong"), {
  ignore,
}, async () => {
  await withAws(async (aws) => {
    const wrong = { AWS_SECRET_ACCESS_KEY: "wrong" };
    const [identity, refusedByS3, refusedBySts] = await Promise.all([
      good(aws(["sts", "get-caller-identity", "--query", "Arn", "--output", "text"])),
      aws(["s3", "ls"], wrong),
      aws(["sts", "get-caller-identity"], wrong),
    ]);
    assertEquals(identity, "arn:aws:iam::000000000000:root");
    assertStringIncludes(refusedByS3.stderr, "(SignatureDoesNotMatch)");
    assertStringIncludes(refusedBySts.stderr, "(SignatureDoesNotMatch)");
  });
});

Deno.test(
  name("the AWS CLI deploys a stack, describes it and deletes it"),
  { ignore },
  async () => {
    await withAws(async (aws, directory) => {
      const template = {
        Resources: { Bucket: { Type: "AWS::S3::Bucket" } },
        Outputs: { Store: { Value: { "Fn::Sub": "s3://${Bucket}/" } } },
      };
      await Deno.writeTextFile(`${directory}/t.json`, JSON.stringify(template));
      const stack = ["--stack-name", "llama"];
      const cloudformation = (...args: string[]) => aws(["cloudformation", ...args]);
      await good(cloudformation("create-stack", ...stack, "--template-body", "file://t.json"));
      await good(cloudformation("wait", "stack-create-complete", ...stack));
      const [output, deployed] = await Promise.all([
        good(cloudformation(
          "describe-stacks",
          ...stack,
          "--query",
          "Stacks[0].Outputs[0].OutputValue",
          "--output",
          "text",
        )),
        cloudformation("deploy", ...stack, "--template-file", "t.json"),
      ]);
      assertStringIncludes(output, "s3://llama-bucket-");
      assertStringIncludes(deployed.stdout + deployed.stderr, "No changes to deploy");
      await good(cloudformation("delete-stack", ...stack));
      const gone = await cloudformation("describe-stacks", ...stack);
      assertStringIncludes(gone.stderr, "Stack with id llama does not exist");
    });
  },
);
