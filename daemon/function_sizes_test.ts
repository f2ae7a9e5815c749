import { assertEquals } from "@std/assert";
import { createAwsClient } from "../aws/client.ts";
import { withStub } from "../aws/stub_service_fixture.ts";
import { createFunctionSizes } from "./function_sizes.ts";

const DESCRIPTION = JSON.stringify({
  Configuration: {
    FunctionName: "f",
    FunctionArn: "arn:aws:lambda:eu-west-1:1:function:f",
    PackageType: "Zip",
    Architectures: ["arm64"],
    LastModified: "2026-01-01T00:00:00Z",
    MemorySize: 512,
    Timeout: 60,
    Role: "r",
    CodeSize: 1,
  },
});

/** Learns a function twice and returns what is known once the answer is there. */
async function learned(answer: { status?: number; body: string }) {
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  let before: unknown;
  let after: unknown;
  let requests = 0;
  await withStub(() => answer, async ({ account, seen }) => {
    const sizes = createFunctionSizes();
    const inner = createAwsClient(account, { sleep: () => Promise.resolve() });
    const client: typeof inner = {
      ...inner,
      send: (request) => inner.send(request).finally(resolve),
    };
    sizes.learn(client, "f");
    sizes.learn(client, "f");
    before = sizes.of("f");
    await answered;
    // What follows the answer are promises that are settled already.
    await new Promise((resolve) => setTimeout(resolve));
    after = sizes.of("f");
    requests = seen.length;
  });
  return { before, after, requests };
}

const USUAL = { memoryMb: 1769, architecture: "x86_64" };

Deno.test("learn() asks once for the size of a function", async () => {
  assertEquals(await learned({ body: DESCRIPTION }), {
    before: USUAL,
    after: { memoryMb: 512, architecture: "arm64" },
    requests: 1,
  });
});

Deno.test("a function that may not be looked at has the usual size", async () => {
  assertEquals(await learned({ status: 403, body: '{"Message":"no"}' }), {
    before: USUAL,
    after: USUAL,
    requests: 1,
  });
});
