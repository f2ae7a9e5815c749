/** What is answered with 200 survives kill -9, and what was under way is whole or absent. */
import { assertEquals } from "@std/assert";
import { type CloudFixture, readEndpoint, speakTo, UNSEALED } from "./cloud_fixture.ts";
import { serveCloud } from "./serve.ts";

/** Starts a cloud in a process of its own, and waits until it answers. */
async function startCloud(folder: string): Promise<Deno.ChildProcess> {
  // The child must find its imports as this process does, by one of two configurations.
  const offline = import.meta.resolve("@std/assert").startsWith("file:");
  const config = new URL(offline ? "../deno.offline.json" : "../deno.json", import.meta.url);
  const main = `import { serveCloud } from ${JSON.stringify(import.meta.resolve("./serve.ts"))};
const cloud = await serveCloud({ directory: Deno.args[0], lambda: { ways: [] } });
await Deno.stdout.write(new TextEncoder().encode("ready"));
await cloud.finished;`;
  await Deno.writeTextFile(`${folder}/main.ts`, main);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-lock", "--config", config.pathname]
      .concat(`${folder}/main.ts`, `${folder}/cloud`),
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const first = await reader.read();
  assertEquals(new TextDecoder().decode(first.value), "ready");
  await reader.cancel();
  return child;
}

async function withKilledCloud(
  work: (cloud: CloudFixture, kill: () => void) => Promise<void>,
  check: (cloud: CloudFixture) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const child = await startCloud(folder);
    const directory = `${folder}/cloud`;
    const endpoint = await readEndpoint(directory);
    await work(speakTo(directory, endpoint), () => child.kill("SIGKILL"));
    assertEquals((await child.status).signal, "SIGKILL");
    const again = await serveCloud({ directory, ...UNSEALED });
    try {
      assertEquals((await readEndpoint(directory)).port, endpoint.port);
      await check(speakTo(directory, endpoint));
    } finally {
      await again.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("S3 keeps every object that it acknowledged before kill -9, and no half of another", async () => {
  const acknowledged = new Map<string, string>();
  const bodyOf = (key: string, round: number) => `${key} ${round} `.repeat(20_000);
  await withKilledCloud(async ({ s3 }, kill) => {
    await s3("/bkt", { method: "PUT" });
    let killed = false;
    async function writer(name: string): Promise<void> {
      for (let round = 0; !killed; round++) {
        const key = `${name}/${round % 5}`;
        const body = bodyOf(key, round);
        try {
          const answer = await s3(`/bkt/${key}`, { method: "PUT", body });
          if (answer.status === 200) acknowledged.set(key, body);
        } catch {
          // The connection ended with the cloud: this one was not acknowledged.
        }
        if (acknowledged.size === 20 && round === 12 && !killed) {
          killed = true;
          kill();
        }
      }
    }
    await Promise.all(["a", "b", "c", "d"].map(writer));
  }, async ({ s3, directory }) => {
    for (const [key, body] of acknowledged) {
      const { status, text } = await s3(`/bkt/${key}`);
      const [, last = ""] = text.split(" ");
      const [, least = ""] = body.split(" ");
      // An overwrite may have been done though its answer was lost.
      assertEquals([status, text === bodyOf(key, Number(last))], [200, true]);
      assertEquals(Number(last) >= Number(least), true);
    }
    assertEquals((await s3("/bkt?list-type=2")).all("Key"), [...acknowledged.keys()].toSorted());
    const left = [...Deno.readDirSync(`${directory}/s3/objects/bkt`)]
      .filter(({ name }) => name.startsWith(".tmp-"));
    assertEquals(left, []);
  });
});

Deno.test("CloudFormation goes on after kill -9 with the stack that it was making", async () => {
  const resources = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [
    `Repository${index}`,
    { Type: "AWS::ECR::Repository", Properties: { RepositoryName: `r${index}` } },
  ]));
  await withKilledCloud(async ({ query }, kill) => {
    const made = await query("cloudformation", "CreateStack", {
      StackName: "llama",
      TemplateBody: JSON.stringify({ Resources: resources }),
    });
    assertEquals(made.status, 200);
    const described = await query("cloudformation", "DescribeStacks", { StackName: "llama" });
    kill();
    assertEquals(described.all("StackStatus"), ["CREATE_IN_PROGRESS"]);
  }, async ({ query, directory }) => {
    let status: string | undefined;
    do {
      const answer = await query("cloudformation", "DescribeStacks", { StackName: "llama" });
      [status] = answer.all("StackStatus");
    } while (status === "CREATE_IN_PROGRESS");
    assertEquals(status, "CREATE_COMPLETE");
    assertEquals([...Deno.readDirSync(`${directory}/ecr`)].length, 40);
    const listed = await query("cloudformation", "DescribeStackResources", { StackName: "llama" });
    assertEquals(new Set(listed.all("ResourceStatus")), new Set(["CREATE_COMPLETE"]));
    assertEquals(listed.all("PhysicalResourceId").length, 40);
  });
});
