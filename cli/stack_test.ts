import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type AwsClient, createAwsClient } from "../aws/client.ts";
import { createStack, describeStack } from "../aws/cloudformation.ts";
import { runningEmbedded } from "../aws/embedded.ts";
import { createBucket } from "../aws/s3.ts";
import { serveCloud } from "../cloud/serve.ts";
import { LlamaError } from "../job/errors.ts";
import { bringStack } from "./stack.ts";
import { stackTemplate } from "./stack_template.ts";

/** Runs a test against an embedded cloud of its own. */
async function inCloud(test: (client: AwsClient) => Promise<void>): Promise<void> {
  const llamaDir = await Deno.makeTempDir({ prefix: "llama-stack-" });
  const cloud = await serveCloud({ directory: `${llamaDir}/cloud` });
  try {
    const account = await runningEmbedded(llamaDir);
    if (account === undefined) throw new TypeError("The embedded cloud does not run");
    await test(createAwsClient(account));
  } finally {
    await cloud.close();
    await Deno.remove(llamaDir, { recursive: true });
  }
}

function stackWith(stackName: string, template: unknown) {
  return {
    stackName,
    templateBody: JSON.stringify(template),
    capabilities: ["CAPABILITY_IAM"],
  };
}

function bucketNamed(name: string) {
  return {
    AWSTemplateFormatVersion: "2010-09-09",
    Resources: { Bucket: { Type: "AWS::S3::Bucket", Properties: { BucketName: name } } },
  };
}

function options(mayDelete: boolean, said: string[] = []) {
  return {
    mayDelete: (reason: string) => {
      said.push(reason);
      return mayDelete;
    },
    say: (line: string) => void said.push(line),
    onEvent: () => {},
    signal: new AbortController().signal,
  };
}

// One embedded cloud serves all steps, as it takes a second or two to start.
Deno.test("bringStack() brings a stack to rest from any state", async (t) => {
  await inCloud(async (client) => {
    await t.step("creates, leaves and updates llama's own stack", async () => {
      const bring = async (objectDays: number) => {
        const input = stackWith("own", stackTemplate({ objectDays }));
        return await bringStack(client, input, options(false));
      };
      const first = await bring(30);
      assertEquals(first.action, "created");
      assertEquals([...first.stack.outputs.keys()].toSorted(), [
        "ObjectStore",
        "Repository",
        "Role",
      ]);
      const second = await bring(30);
      assertEquals([second.action, second.stack.outputs], ["unchanged", first.stack.outputs]);
      const third = await bring(7);
      assertEquals([third.action, third.stack.outputs], ["updated", first.stack.outputs]);
    });

    await t.step("says why a stack failed, and makes it again only with a yes", async () => {
      await createBucket(client, "taken");
      const bad = stackWith("failing", bucketNamed("taken"));
      const failed = await assertRejects(() => bringStack(client, bad, options(false)), LlamaError);
      assertEquals(failed.code, "StackFailed");
      assertStringIncludes(failed.message, "already exists");
      assertStringIncludes(failed.hint ?? "", "an earlier stack left it");

      const good = stackWith("failing", bucketNamed("free"));
      const dead = await assertRejects(() => bringStack(client, good, options(false)), LlamaError);
      assertEquals(dead.code, "StackDead");
      assertStringIncludes(dead.message, "ROLLBACK_COMPLETE");
      assertStringIncludes(dead.message, "already exists");
      assertStringIncludes(dead.hint ?? "", "llama bootstrap -yes");

      const said: string[] = [];
      assertEquals((await bringStack(client, good, options(true, said))).action, "created");
      assertEquals(said.slice(1), ["Deleting the stack failing", "Creating the stack failing"]);
    });

    await t.step("waits for what an earlier run has begun", async () => {
      const input = stackWith("slow", bucketNamed("slow"));
      await createStack(client, input);
      const { action } = await bringStack(client, input, options(false));
      assertEquals(action, "unchanged");
      assertEquals((await describeStack(client, "slow"))?.status, "CREATE_COMPLETE");
    });
  });
});
