import { assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import type { JobSpec } from "../job/spec.ts";
import { doneWith, fakeFunction, type FakeReply, memoryStore } from "./fake_function_fixture.ts";
import { runCompilation } from "./run_compilation.ts";
import { createStats } from "./stats.ts";
import { openUploads } from "./uploads.ts";

const SPEC: JobSpec = {
  args: ["cc"],
  env: {},
  cwd: "",
  manifests: [],
  packs: [],
  inputs: [],
  wanted: [],
};
const bytesOf = (text: string) => new TextEncoder().encode(text);
const refused = (stderr: string) =>
  doneWith({ status: { kind: "exit", code: 1 }, stderr: { bytes: bytesOf(stderr) } });
const unhandled = (errorType: string, errorMessage: string) => ({
  functionError: "Unhandled",
  payload: JSON.stringify({ errorType, errorMessage }),
});

const TIMEOUT = unhandled(
  "Sandbox.Timedout",
  "RequestId: x Error: Task timed out after 60.00 seconds",
);
const NO_MEMORY = unhandled("Runtime.OutOfMemory", "RequestId: x Error: Runtime out of memory");
const CRASH = unhandled(
  "Runtime.ExitError",
  "RequestId: x Error: Runtime exited with error: signal: killed",
);
const KILLED = refused("cc: fatal error: Killed signal terminated program cc1\n");

/** Runs a compilation whose invocations are answered in turn; says how it ended and what was counted. */
async function run(...replies: FakeReply[]) {
  const folder = await Deno.makeTempDir();
  try {
    const store = memoryStore();
    const fake = fakeFunction((_, nth) => replies[nth - 1] ?? doneWith());
    const stats = createStats();
    const session = { client: fake.client, store, uploads: await openUploads(store, folder) };
    const options = {
      session,
      functionName: "fn",
      read: () => Promise.resolve(undefined),
    };
    const end = await runCompilation(SPEC, options, stats).then(
      (ran) => ran?.result.status.kind === "exit" ? ran.result.status.code : "no result",
      (error) => error instanceof LlamaError ? error.code : String(error),
    );
    const { invocations, reruns, functions, coldStarts } = stats.current;
    return { end, invoked: fake.jobs.length, invocations, reruns, coldStarts, functions };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("what a worker is to blame for is tried once more, and then given up", async () => {
  const troubles: readonly (readonly [FakeReply, string])[] = [
    [TIMEOUT, "TimedOut"],
    [{ kind: "failed", code: "TimedOut", message: "Cannot finish" }, "TimedOut"],
    [NO_MEMORY, "OutOfMemory"],
    [KILLED, "CompilerKilled"],
    [doneWith({ status: { kind: "signal", signal: "SIGKILL" } }), "CompilerKilled"],
    [refused("cc1: out of memory allocating 8 bytes after a total of 9 bytes"), "OutOfMemory"],
    [{ kind: "failed", code: "DiskFull", message: "Cannot run" }, "DiskFull"],
  ];
  for (const [trouble, code] of troubles) {
    const once = await run(trouble);
    assertEquals([once.end, once.invoked, once.reruns], [0, 2, { [code]: 1 }], code);
    const twice = await run(trouble, trouble, doneWith());
    assertEquals([twice.end, twice.invoked, twice.reruns], [code, 2, { [code]: 1 }], code);
  }
});

Deno.test("what the compiler refuses is a result, and is never tried again", async () => {
  const { end, invoked, reruns } = await run(refused("a.c:1:1: error: no\n"));
  assertEquals([end, invoked, reruns], [1, 1, {}]);
  for (const code of ["BadJob", "ObjectsLost", "OutputTooLarge"]) {
    const failed = await run({ kind: "failed", code, message: "no" });
    assertEquals([failed.end, failed.invoked], [code, 1]);
  }
});

Deno.test("a worker that dies is replaced, which is counted", async () => {
  const { end, invoked, invocations, reruns } = await run(CRASH, CRASH);
  assertEquals([end, invoked, invocations, reruns], [0, 3, 3, { WorkerCrashed: 2 }]);
  const { end: gaveUp, invoked: times } = await run(CRASH, CRASH, CRASH);
  assertEquals([gaveUp, times], ["WorkerCrashed", 3]);
});

Deno.test("invocations are counted by function, with the time of the whole run", async () => {
  const timings = { fetchMs: 1, layoutMs: 2, runMs: 4, collectMs: 8 };
  const { functions, coldStarts } = await run(doneWith({ timings, cold: true }));
  assertEquals([{ ...functions.fn }, coldStarts], [{ invocations: 1, billedMs: 15 }, 1]);
});

Deno.test("nothing is tried again for a client that has left", async () => {
  const abort = new AbortController();
  const fake = fakeFunction(() => {
    abort.abort(new Error("left"));
    return TIMEOUT;
  });
  const store = memoryStore();
  const folder = await Deno.makeTempDir();
  const session = { client: fake.client, store, uploads: await openUploads(store, folder) };
  const read = () => Promise.resolve(undefined);
  const options = { session, functionName: "fn", read, signal: abort.signal };
  await assertRejects(() => runCompilation(SPEC, options, createStats()), LlamaError, "timed out");
  assertEquals(fake.jobs.length, 1);
  await Deno.remove(folder, { recursive: true });
});
