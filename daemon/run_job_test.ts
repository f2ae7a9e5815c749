import { assert, assertEquals, assertRejects } from "@std/assert";
import { AwsError } from "../aws/error.ts";
import { decodePack } from "../job/pack.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { isInline } from "../job/content.ts";
import type { JobSpec } from "../job/spec.ts";
import { doneWith, fakeFunction, type FakeReply, memoryStore } from "./fake_function_fixture.ts";
import { readContent, runJob, type RunJobOptions } from "./run_job.ts";
import { openUploads } from "./uploads.ts";

const PLAIN: JobSpec = {
  args: ["true"],
  env: {},
  cwd: "",
  manifests: [],
  packs: [],
  inputs: [],
  wanted: [],
};
const CRASH = {
  functionError: "Unhandled",
  payload: '{"errorType":"Runtime.ExitError","errorMessage":"Error: Runtime exited"}',
};

const bytesOf = (text: string) => new TextEncoder().encode(text);

async function here(...texts: string[]): Promise<Map<Digest, Uint8Array<ArrayBuffer>>> {
  const kept = new Map<Digest, Uint8Array<ArrayBuffer>>();
  for (const text of texts) kept.set(await digestOf(bytesOf(text)), bytesOf(text));
  return kept;
}

/** A job whose inputs are stored objects of this machine. */
function jobOf(objects: ReadonlyMap<Digest, Uint8Array>): JobSpec {
  const inputs = [...objects].map(([digest, { length }], at) => ({
    kind: "file" as const,
    path: `f${at}`,
    mode: 0o644,
    content: { digest, size: length },
  }));
  return { ...PLAIN, inputs };
}

async function withFunction(
  answer: (spec: JobSpec, nth: number) => FakeReply | Promise<FakeReply>,
  test: (
    tools: {
      store: ReturnType<typeof memoryStore>;
      fake: ReturnType<typeof fakeFunction>;
      run: (spec: JobSpec, options?: Partial<RunJobOptions>) => ReturnType<typeof runJob>;
    },
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const store = memoryStore();
    const fake = fakeFunction(answer);
    const uploads = await openUploads(store, folder);
    await test({
      store,
      fake,
      run: (spec, options = {}) =>
        runJob(spec, {
          session: { client: fake.client, store, uploads },
          functionName: "fn",
          read: () => Promise.resolve(undefined),
          ...options,
        }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("runJob() uploads what the job names and passes on the packs that hold it", async () => {
  const objects = await here("a", "b");
  const [first] = objects.keys();
  assert(first);
  const spec = { ...jobOf(objects), packs: ["9".repeat(64)], stdin: { digest: first, size: 1 } };
  await withFunction(() => doneWith(), async ({ store, fake, run }) => {
    const ran = await run(spec, { read: (digest) => Promise.resolve(objects.get(digest)) });
    assertEquals([ran.invocations, ran.requestId, ran.logTail], [1, "request-1", undefined]);
    assertEquals(ran.result, doneWith());
    assertEquals(store.puts, [[...objects.keys()]]);
    assertEquals(fake.jobs, [{ ...spec, packs: ["9".repeat(64), ...store.kept.keys()] }]);
  });
});

Deno.test("runJob() uploads what the worker misses and asks again, with the packs", async () => {
  const objects = await here("a", "b");
  const hidden = await here("only in a manifest", "this, too");
  const read = (digest: Digest) => Promise.resolve(objects.get(digest) ?? hidden.get(digest));
  await withFunction(
    (_, nth) => nth === 1 ? { kind: "missing", digests: [...hidden.keys()] } : doneWith(),
    async ({ store, fake, run }) => {
      const ran = await run(jobOf(objects), { read });
      assertEquals(ran.invocations, 2);
      const packs = [...store.kept];
      assertEquals(fake.jobs[1]?.packs, packs.map(([pack]) => pack));
      assertEquals(
        packs.map(([, bytes]) => Array.from(decodePack(bytes), ({ digest }) => digest)),
        [[...objects.keys()], [...hidden.keys()]],
      );
    },
  );
});

Deno.test("runJob() sends again what the store has lost since it was put there", async () => {
  const objects = await here("a");
  const [digest] = [...objects.keys()];
  assert(digest);
  const read = () => Promise.resolve(objects.get(digest));
  await withFunction(
    (_, nth) => nth === 2 ? { kind: "missing", digests: [digest] } : doneWith(),
    async ({ store, run }) => {
      await run(jobOf(objects), { read });
      store.kept.clear();
      assertEquals((await run(jobOf(objects), { read })).invocations, 2);
      assertEquals(store.puts, [[digest], [digest]]);
      assertEquals([...store.kept.keys()], [digest]);
    },
  );
});

Deno.test("runJob() gives up on a store that loses everything", async () => {
  const objects = await here("a", "b");
  const read = (digest: Digest) => Promise.resolve(objects.get(digest));
  await withFunction(
    () => ({ kind: "missing", digests: [...objects.keys()] }),
    async ({ store, fake, run }) => {
      const error = await assertRejects(
        () => run(jobOf(objects), { read }),
        LlamaError,
        "the store loses objects: 2 were missing again",
      );
      assertEquals(error.code, "ObjectsLost");
      assertEquals([fake.jobs.length, store.puts.length], [5, 5]);
    },
  );
});

Deno.test("runJob() says if the worker misses what is not here either", async () => {
  await withFunction(
    () => ({ kind: "missing", digests: ["0".repeat(64)] }),
    async ({ fake, run }) => {
      const error = await assertRejects(() => run(PLAIN), LlamaError);
      assertEquals([error.code, fake.jobs.length], ["ObjectGone", 1]);
    },
  );
});

Deno.test("runJob() sends a job again when its worker dies, twice at most", async () => {
  for (
    const [crashes, survives] of [[1, true], [2, true], [3, false]] as const
  ) {
    await withFunction(
      (_, nth) => nth <= crashes ? CRASH : doneWith(),
      async ({ fake, run }) => {
        if (survives) {
          assertEquals((await run(PLAIN)).invocations, crashes + 1);
        } else {
          const error = await assertRejects(() => run(PLAIN), LlamaError, "Runtime exited");
          assertEquals(error.code, "WorkerCrashed");
        }
        assertEquals(fake.jobs.length, Math.min(crashes + 1, 3));
      },
    );
  }
});

Deno.test("runJob() tells crashes, time limits and failures of a function apart", async () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 1 Error: Task"}', "TimedOut", 1],
    ['{"errorMessage":"2026-01-01 1 Task timed out after 3.00 seconds"}', "TimedOut", 1],
    ['{"errorType":"Runtime.ExitError","errorMessage":"signal: killed"}', "WorkerCrashed", 3],
    ['{"errorType":"Runtime.Unknown","errorMessage":"x"}', "WorkerCrashed", 3],
    ["no JSON at all", "WorkerCrashed", 3],
    ["[]", "WorkerCrashed", 3],
    ['{"errorType":"TypeError","errorMessage":"x is not a function"}', "FunctionFailed", 1],
    ['{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"x"}', "FunctionFailed", 1],
  ];
  for (const [payload, code, invocations] of cases) {
    await withFunction(
      () => ({ functionError: "Unhandled", payload }),
      async ({ fake, run }) => {
        const error = await assertRejects(() => run(PLAIN), LlamaError, '"fn"');
        assertEquals([error.code, fake.jobs.length], [code, invocations], payload);
      },
    );
  }
});

Deno.test("runJob() passes on why the runtime did not run a job", async () => {
  await withFunction(
    () => ({ kind: "failed", code: "CommandNotFound", message: 'Cannot find "x"' }),
    async ({ fake, run }) => {
      const error = await assertRejects(() => run(PLAIN), LlamaError, 'Cannot find "x"');
      assertEquals([error.code, fake.jobs.length], ["CommandNotFound", 1]);
    },
  );
});

Deno.test("runJob() refuses the answer of another version, and what is no answer", async () => {
  const replies: readonly (readonly [unknown, string])[] = [
    [{ version: 1, kind: "failed", code: "x", message: "y" }, "answer.version"],
    [{ statusCode: 200 }, "answer.version"],
    [null, "answer: it must be an object"],
    ["done", "answer: it must be an object"],
  ];
  for (const [json, message] of replies) {
    await withFunction(() => ({ json }), async ({ fake, run }) => {
      const error = await assertRejects(() => run(PLAIN), LlamaError, message);
      assertEquals([error.code, fake.jobs.length], ["BadAnswer", 1]);
      assert(error.message.includes('of the function "fn"'));
      assertEquals(error.hint, "is it a function of llama? llama bootstrap makes and updates one");
    });
  }
});

Deno.test("runJob() refuses an output that the job did not want", async () => {
  const content = { bytes: bytesOf("x") };
  const outputs = [{ kind: "file" as const, path: "b", mode: 0o644, content }];
  await withFunction(() => doneWith({ outputs }), async ({ run }) => {
    await assertRejects(
      () => run({ ...PLAIN, wanted: [{ match: "exact", path: "a" }] }),
      LlamaError,
      '"b" was not wanted',
    );
  });
});

Deno.test("runJob() moves what a message cannot hold to the store", async () => {
  const large = new Uint8Array(65_536 * 32);
  for (let at = 0; at < large.length; at += 65_536) {
    crypto.getRandomValues(large.subarray(at, at + 65_536));
  }
  const file = (path: string, bytes: Uint8Array<ArrayBuffer>) => ({
    kind: "file" as const,
    path,
    mode: 0o644,
    content: { bytes },
  });
  const other = large.slice();
  other[0] = (other[0] ?? 0) ^ 1;
  const spec = {
    ...PLAIN,
    inputs: [
      file("a", large),
      { kind: "folder" as const, path: "d", mode: 0o755 },
      file("b", other),
    ],
    stdin: { bytes: large.slice(5) },
  };
  let lost: Digest[] = [];
  await withFunction(
    // What was moved and got lost is still here to be sent again.
    (_, nth) => nth === 1 ? { kind: "missing", digests: lost } : doneWith(),
    async ({ store, fake, run }) => {
      lost = [await digestOf(other)];
      assertEquals((await run(spec)).invocations, 2);
      const [sent] = fake.jobs;
      assert(sent?.stdin);
      assertEquals(isInline(sent.stdin), false);
      assertEquals(sent.inputs.map((input) => input.kind), ["file", "folder", "file"]);
      assertEquals(await store.has(await digestOf(large)), true);
      assertEquals(store.puts.length, 4);
      for (const { body } of fake.requests) assert(body !== undefined && body.length < 10_000);
    },
  );
});

Deno.test("runJob() counts a message's bytes, not its letters", async () => {
  const args = ["true", "é".repeat(3_050_000)];
  const bytes = new Uint8Array(120_000);
  for (let at = 0; at < bytes.length; at += 60_000) {
    crypto.getRandomValues(bytes.subarray(at, at + 60_000));
  }
  const inputs = [{ kind: "file" as const, path: "a", mode: 0o644, content: { bytes } }];
  await withFunction(() => doneWith(), async ({ fake, run }) => {
    await run({ ...PLAIN, args, inputs });
    const [input] = fake.jobs[0]?.inputs ?? [];
    assertEquals(input?.kind === "file" && isInline(input.content), false);
    const long = ["true", "é".repeat(3_200_000)];
    const error = await assertRejects(() => run({ ...PLAIN, args: long }), LlamaError);
    assertEquals(error.code, "ArgumentsTooLong");
  });
});

Deno.test("runJob() sends deadline, log wish and signal along, and lets AWS's errors through", async () => {
  const { signal } = new AbortController();
  await withFunction(() => doneWith(), async ({ fake, run }) => {
    await run(PLAIN, { deadlineMs: 1234, logTail: true, signal });
    await run(PLAIN);
    const [first, second] = fake.requests;
    assertEquals(
      [first?.deadlineMs, first?.headers?.["x-amz-log-type"], first?.signal],
      [1234, "Tail", signal],
    );
    assertEquals([second?.deadlineMs, second?.headers?.["x-amz-log-type"]], [900_000, undefined]);
    assertEquals(first?.path, "/2015-03-31/functions/fn/invocations");
  });
  const refused = new AwsError({
    service: "lambda",
    operation: "Invoke",
    status: 403,
    awsCode: "AccessDeniedException",
    awsMessage: "no",
  });
  await withFunction(() => Promise.reject(refused), async ({ fake, run }) => {
    assertEquals(await assertRejects(() => run(PLAIN), AwsError), refused);
    assertEquals(fake.jobs.length, 1);
  });
});

Deno.test("readContent() takes bytes from the message or the store", async () => {
  const store = memoryStore();
  const bytes = bytesOf("kept");
  const digest = await store.put(bytes);
  assertEquals(await readContent({ bytes }, store), bytes);
  assertEquals(await readContent({ digest, size: 4 }, store), bytes);
  await assertRejects(() => readContent({ digest: "0".repeat(64), size: 4 }, store), LlamaError);
});
