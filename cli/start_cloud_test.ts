/** The embedded cloud as commands start it: what is left when it is killed, and what it logs. */
import { assert, assertEquals } from "@std/assert";
import { AwsClient } from "aws4fetch";
import { type CloudFixture, readEndpoint, speakTo } from "../cloud/cloud_fixture.ts";
import { processesWith, zipOf } from "../cloud/lambda_fixture.ts";

const offline = import.meta.resolve("@std/assert").startsWith("file:");
const config = new URL(offline ? "../deno.offline.json" : "../deno.json", import.meta.url).pathname;
const program = new URL("./llama.ts", import.meta.url).pathname;

async function cloud(llamaDir: string, act: "-start" | "-stop"): Promise<string> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", "--no-check", "--config", config, program, "cloud", act],
    env: { LLAMA_DIR: llamaDir, LLAMA_DENO_CONFIG: config, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
  }).output();
  assertEquals(code, 0);
  return new TextDecoder().decode(stderr);
}

async function moment(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
}

async function statusOf({ query }: CloudFixture, stack: string): Promise<string> {
  for (;;) {
    const answer = await query("cloudformation", "DescribeStacks", { StackName: stack });
    const [status = ""] = answer.all("StackStatus");
    if (!status.endsWith("_IN_PROGRESS")) return status;
    await moment();
  }
}

async function createStack({ query }: CloudFixture, stack: string, resources: object) {
  const answer = await query("cloudformation", "CreateStack", {
    StackName: stack,
    "Capabilities.member.1": "CAPABILITY_NAMED_IAM",
    TemplateBody: JSON.stringify({ Resources: resources }),
  });
  assertEquals([answer.status, answer.code], [200, undefined]);
}

const ROLE = {
  Type: "AWS::IAM::Role",
  Properties: {
    RoleName: "worker",
    AssumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: [{
        Effect: "Allow",
        Principal: { Service: "lambda.amazonaws.com" },
        Action: "sts:AssumeRole",
      }],
    },
  },
};

async function createFunction({ send }: CloudFixture): Promise<void> {
  const created = await send("lambda", "/2015-03-31/functions", {
    method: "POST",
    body: JSON.stringify({
      FunctionName: "f",
      Runtime: "provided.al2023",
      Handler: "main",
      Role: "arn:aws:iam::000000000000:role/worker",
      Timeout: 60,
      Code: { ZipFile: await zipOf() },
    }),
  });
  assertEquals([created.status, created.code], [201, undefined]);
}

async function invoke({ send }: CloudFixture, script: string): Promise<string> {
  for (;;) {
    const target = "/2015-03-31/functions/f/invocations";
    const { status, text } = await send("lambda", target, { method: "POST", body: `"${script}"` });
    // It is Pending for a moment.
    if (status !== 409) return text;
    await moment();
  }
}

/** Sends an upload but for its end, and returns when the cloud has begun to write it. */
async function beginUpload({ endpoint, directory }: CloudFixture): Promise<Deno.TcpConn> {
  const url = `http://127.0.0.1:${endpoint.port}/bkt/half`;
  const { headers } = await new AwsClient({ ...endpoint, service: "s3" }).sign(url, {
    method: "PUT",
  });
  const connection = await Deno.connect({ port: endpoint.port });
  const head = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const text = `PUT /bkt/half HTTP/1.1\r\nhost: 127.0.0.1:${endpoint.port}\r\n${head}` +
    `content-length: 100000\r\n\r\n${"x".repeat(50_000)}`;
  await connection.write(new TextEncoder().encode(text));
  while (temporaries(directory).length === 0) await moment();
  return connection;
}

function temporaries(directory: string): string[] {
  return [...Deno.readDirSync(`${directory}/s3/objects/bkt`)].map(({ name }) => name)
    .filter((name) => name.startsWith(".tmp-"));
}

Deno.test("the cloud that a command started goes on after kill -9 as if nothing had happened", async () => {
  const llamaDir = await Deno.makeTempDir();
  const directory = `${llamaDir}/cloud`;
  const marker = `4571${Math.trunc(Math.random() * 1e9)}`;
  try {
    assertEquals(await cloud(llamaDir, "-start"), "");
    const before = await readEndpoint(directory);
    const first = speakTo(directory, before);
    for (const target of ["/bkt", "/bkt/whole"]) {
      assertEquals((await first.s3(target, { method: "PUT", body: "" })).status, 200);
    }
    await createStack(first, "roles", { Role: ROLE });
    assertEquals(await statusOf(first, "roles"), "CREATE_COMPLETE");
    await createFunction(first);
    assertEquals(await invoke(first, `sleep ${marker} & echo $count`), "0\n");
    assert(processesWith(marker).length > 0);

    const half = await beginUpload(first);
    const repositories = Array.from({ length: 40 }, (_, index) => [`Repository${index}`, {
      Type: "AWS::ECR::Repository",
      Properties: { RepositoryName: `r${index}` },
    }]);
    await createStack(first, "half", Object.fromEntries(repositories));
    Deno.kill(before.pid, "SIGKILL");
    half.close();
    assertEquals(await cloud(llamaDir, "-start"), "");
    // The kernel kills the workers one after the other, and tells nobody when it is done.
    while (processesWith(marker).length > 0) await moment();
    const after = await readEndpoint(directory);
    assertEquals({ ...after, pid: 0 }, { ...before, pid: 0 });
    const second = speakTo(directory, after);
    assertEquals((await second.s3("/bkt?list-type=2")).all("Key"), ["whole"]);
    assertEquals(temporaries(directory), []);
    assertEquals(await statusOf(second, "half"), "CREATE_COMPLETE");
    assertEquals([...Deno.readDirSync(`${directory}/ecr`)].length, 40);
    assertEquals(await invoke(second, "echo $count"), "0\n");
    assertEquals(await cloud(llamaDir, "-stop"), "");

    // Each line of the log is a request's, or a sentence of the cloud's own.
    const log = await Deno.readTextFile(`${directory}/cloud.log`);
    const expected = /^(\d{4}-\d\d-\d\dT\S+Z [A-Z]+ \/|Workers are not sealed: )/;
    const others = log.split("\n").filter((line) => !expected.test(line));
    assertEquals(others.map((line) => line.replace(/ at http.*/, "")), [
      ...["The embedded cloud answers", "The embedded cloud answers"],
      ...["The embedded cloud has ended", ""],
    ]);
  } finally {
    await cloud(llamaDir, "-stop");
    await Deno.remove(llamaDir, { recursive: true });
  }
});
