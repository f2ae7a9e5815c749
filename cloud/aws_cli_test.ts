/** The AWS CLI, a client that is not ours, against a whole embedded cloud; ignored where there is none. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type CloudFixture, withCloud } from "./cloud_fixture.ts";
import { ROLE, zipOf } from "./lambda_fixture.ts";

const PATH = Deno.env.get("PATH") ?? "";
const HOME = Deno.env.get("HOME") ?? "";

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

/** A start of the CLI takes a second of CPU, so what it is not needed for goes by `cloud`. */
async function withAws(test: (aws: Aws, cloud: CloudFixture) => Promise<void>): Promise<void> {
  await withCloud(async (cloud) => {
    const { accessKeyId, secretAccessKey, region, port } = cloud.endpoint;
    await test(async (args, env = {}) => {
      const output = await new Deno.Command("aws", {
        // A CLI older than 2.13 does not read AWS_ENDPOINT_URL and would ask AWS itself.
        args: ["--endpoint-url", `http://127.0.0.1:${port}`, ...args],
        cwd: cloud.directory,
        clearEnv: true,
        stdin: "null",
        env: {
          PATH,
          HOME,
          LC_ALL: "C.UTF-8",
          AWS_CONFIG_FILE: "/dev/null",
          AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
          AWS_PAGER: "",
          AWS_MAX_ATTEMPTS: "1",
          AWS_REGION: region,
          AWS_DEFAULT_REGION: region,
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: secretAccessKey,
          ...env,
        },
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
      return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
    }, cloud);
  });
}

/** Makes a stack and waits for it. */
async function createStack({ query }: CloudFixture, name: string, template: object): Promise<void> {
  const made = await query("cloudformation", "CreateStack", {
    StackName: name,
    "Capabilities.member.1": "CAPABILITY_NAMED_IAM",
    TemplateBody: JSON.stringify(template),
  });
  assertEquals([made.status, made.code], [200, undefined]);
  let status: string | undefined;
  do {
    const described = await query("cloudformation", "DescribeStacks", { StackName: name });
    [status] = described.all("StackStatus");
  } while (status === "CREATE_IN_PROGRESS");
  assertEquals(status, "CREATE_COMPLETE");
}

async function good(running: Promise<Ran>): Promise<string> {
  const ran = await running;
  assertEquals([ran.code, ran.stderr], [0, ""]);
  return ran.stdout;
}

// In CI without the CLI the reports say: skipped: no aws.
const ignore = !hasAws();
const name = (text: string) => ignore ? `${text} (skipped: no aws)` : text;

Deno.test(name("the AWS CLI copies a file to S3 and back"), { ignore }, async () => {
  await withAws(async (aws, { directory, s3 }) => {
    await s3("/bkt", { method: "PUT" });
    // Above 8 MB the CLI makes a multipart upload and reads in ranges.
    const big = new Uint8Array(20_000_000).map((_, index) => index * 7 + (index >> 12));
    await Deno.writeFile(`${directory}/a b+é`, big);
    await good(aws(["s3", "cp", "a b+é", "s3://bkt/dir/a b+é", "--quiet"]));
    assertEquals((await s3("/bkt?list-type=2")).all("Key"), ["dir/a b+é"]);
    await good(aws(["s3", "cp", "s3://bkt/dir/a b+é", "back", "--quiet"]));
    assert((await Deno.readFile(`${directory}/back`)).every((byte, index) => byte === big[index]));
  });
});

Deno.test(name("the AWS CLI learns who it is, and that a wrong secret is wrong"), {
  ignore,
}, async () => {
  await withAws(async (aws) => {
    const [identity, refused] = await Promise.all([
      good(aws(["sts", "get-caller-identity", "--query", "Arn", "--output", "text"])),
      aws(["s3", "ls"], { AWS_SECRET_ACCESS_KEY: "wrong" }),
    ]);
    assertEquals(identity, "arn:aws:iam::000000000000:root");
    assertStringIncludes(refused.stderr, "(SignatureDoesNotMatch)");
  });
});

Deno.test(
  name("the AWS CLI describes a stack, and finds nothing to change in it"),
  { ignore },
  async () => {
    await withAws(async (aws, cloud) => {
      const template = {
        Resources: { Bucket: { Type: "AWS::S3::Bucket" } },
        Outputs: { Store: { Value: { "Fn::Sub": "s3://${Bucket}/" } } },
      };
      await Deno.writeTextFile(`${cloud.directory}/t.json`, JSON.stringify(template));
      await createStack(cloud, "llama", template);
      const query = ["--query", "Stacks[0].Outputs[0].OutputValue", "--output", "text"];
      const stack = ["--stack-name", "llama"];
      const [output, deployed] = await Promise.all([
        good(aws(["cloudformation", "describe-stacks", ...stack, ...query])),
        aws(["cloudformation", "deploy", ...stack, "--template-file", "t.json"]),
      ]);
      assertStringIncludes(output, "s3://llama-bucket-");
      assertStringIncludes(deployed.stdout + deployed.stderr, "No changes to deploy");
    });
  },
);

Deno.test(name("the AWS CLI invokes a function"), { ignore }, async () => {
  await withAws(async (aws, cloud) => {
    const trust = {
      Version: "2012-10-17",
      Statement: [{
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: "sts:AssumeRole",
      }],
    };
    const role = { RoleName: "worker", AssumeRolePolicyDocument: trust };
    await createStack(cloud, "roles", {
      Resources: { Role: { Type: "AWS::IAM::Role", Properties: role } },
    });
    const made = await cloud.send("lambda", "/2015-03-31/functions", {
      method: "POST",
      body: JSON.stringify({
        ...{ FunctionName: "f", Runtime: "provided.al2023", Handler: "main", Role: ROLE },
        Code: { ZipFile: await zipOf() },
      }),
    });
    assertEquals([made.status, made.code], [201, undefined]);
    await Deno.writeTextFile(`${cloud.directory}/event`, '"echo {}"');
    const call = ["lambda", "invoke", "--function-name", "f", "--payload", "fileb://event", "out"];
    const status = ["--query", "StatusCode", "--output", "text"];
    assertEquals(await good(aws([...call, ...status])), "200");
    assertEquals(await Deno.readTextFile(`${cloud.directory}/out`), "{}\n");
  });
});
