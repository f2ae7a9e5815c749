import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Invocation, Readiness } from "./runtime_api.ts";
import type { Outcome } from "./runtime_response.ts";
import type { Worker } from "./worker.ts";
import { type Clock, openPool, type PoolOptions, type PoolResult } from "./worker_pool.ts";
import { workerLog } from "./worker_log.ts";

/** A clock that is turned by hand. */
function handClock(): Clock & { turn(ms: number): void } {
  let nowMs = 1000;
  const timers = new Set<{ atMs: number; act: () => void }>();
  return {
    now: () => nowMs,
    after(ms, act) {
      const timer = { atMs: nowMs + ms, act };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    turn(ms) {
      nowMs += ms;
      for (const timer of [...timers].sort((a, b) => a.atMs - b.atMs)) {
        if (timer.atMs <= nowMs && timers.delete(timer)) timer.act();
      }
    },
  };
}

/** A worker whose runtime does what the test says. */
interface FakeWorker extends Worker {
  readonly id: number;
  /** The runtime asks for work, or reports that it cannot start. */
  tell(readiness: Readiness): void;
  /** The runtime ends its invocation. */
  finish(text: string): void;
  /** The runtime ends its invocation in another way. */
  end(outcome: Outcome): void;
  /** The process ends. */
  exit(how: string): void;
  /** What it runs. */
  work: Invocation | undefined;
}

function fakeWorker(id: number): FakeWorker {
  let told = Promise.withResolvers<Readiness>();
  let outcome = Promise.withResolvers<Outcome>();
  const gone = Promise.withResolvers<string>();
  let ended = false;
  const worker: FakeWorker = {
    id,
    pid: id,
    log: workerLog(),
    work: undefined,
    api: {
      address: "",
      ready: () => told.promise,
      run(invocation) {
        told = Promise.withResolvers();
        outcome = Promise.withResolvers();
        worker.work = invocation;
        return outcome.promise;
      },
      close: () => Promise.resolve(),
    },
    exited: gone.promise,
    hasEnded: () => ended,
    kill: () => worker.exit("signal: killed"),
    memoryBytes: () => 0,
    tell: (readiness) => told.resolve(readiness),
    finish: (text) => outcome.resolve({ kind: "response", payload: bytes(text) }),
    end: (value) => outcome.resolve(value),
    exit(how) {
      ended = true;
      gone.resolve(how);
    },
  };
  return worker;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const ready: Readiness = { kind: "ready" };

function textOf({ payload }: PoolResult): string {
  return new TextDecoder().decode(payload);
}

/** Lets everything happen that can happen without a clock. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

function setUp(options: Partial<PoolOptions> = {}) {
  const clock = handClock();
  const workers: FakeWorker[] = [];
  const pool = openPool({ concurrency: 2, clock, log: () => {}, ...options });
  let requests = 0;
  function call(name = "f", revision = "1", signal?: AbortSignal): Promise<PoolResult> {
    return pool.invoke({
      function: () => ({
        name,
        revision,
        timeoutMs: 3000,
        start() {
          const worker = fakeWorker(workers.length);
          workers.push(worker);
          return Promise.resolve(worker);
        },
      }),
      invocation: {
        requestId: `r${++requests}`,
        functionArn: "arn",
        traceId: "",
        payload: bytes("{}"),
      },
      measured: false,
      ...(signal === undefined ? {} : { signal }),
    });
  }
  /** One whole invocation on worker `id`, which is idle or not there yet. */
  async function whole(id: number, name?: string, revision?: string): Promise<void> {
    const result = call(name, revision);
    await settle();
    workers[id]?.tell(ready);
    await settle();
    workers[id]?.finish("done");
    assertEquals(textOf(await result), "done");
    workers[id]?.tell(ready);
    await settle();
  }
  return { clock, workers, pool, call, whole };
}

const alive = (workers: FakeWorker[]) => workers.filter((w) => !w.hasEnded()).map((w) => w.id);

Deno.test("openPool() ends an idle worker after its time, and not one that was used again", async () => {
  const { clock, workers, pool, whole } = setUp({ idleMs: 1000 });
  await whole(0);
  clock.turn(900);
  await whole(0);
  clock.turn(900);
  await settle();
  assertEquals([alive(workers), pool.status().workers], [[0], 1]);
  clock.turn(100);
  await settle();
  assertEquals([alive(workers), pool.status().workers], [[], 0]);
  await pool.close();
});

Deno.test("openPool() keeps as many idle workers as it may and ends the one idle for longest", async () => {
  const { workers, pool, whole } = setUp({ maxIdle: 2 });
  await whole(0, "a");
  await whole(1, "b");
  await whole(0, "a");
  await whole(2, "c");
  assertEquals(alive(workers), [0, 2]);
  await pool.close();
  assertEquals(alive(workers), []);
});

Deno.test("openPool() uses no worker that is too old, of another revision or retired", async () => {
  const { clock, workers, pool, whole } = setUp({ maxAgeMs: 5000, idleMs: 1e9 });
  await whole(0);
  await whole(1, "f", "2");
  assertEquals(alive(workers), [1]);
  clock.turn(5000);
  await whole(2, "f", "2");
  assertEquals(alive(workers), [2]);
  pool.retire("f", "2");
  assertEquals(alive(workers), [2]);
  pool.retire("f");
  assertEquals(alive(workers), []);
  await pool.close();
});

Deno.test("openPool() lets a busy worker finish before it is retired", async () => {
  const { workers, pool, call } = setUp();
  const result = call();
  await settle();
  workers[0]?.tell(ready);
  await settle();
  pool.retire("f");
  assertEquals(alive(workers), [0]);
  workers[0]?.finish("done");
  assertEquals(textOf(await result), "done");
  workers[0]?.tell(ready);
  await settle();
  assertEquals(alive(workers), []);
  await pool.close();
});

Deno.test("openPool() answers in the order of the line and gives each its deadline", async () => {
  const { clock, workers, pool, call } = setUp({ concurrency: 1 });
  const first = call();
  const second = call();
  const third = call();
  assertEquals(pool.status(), { workers: 0, running: 1, waiting: 2 });
  assertEquals(pool.pending("f"), 3);
  await settle();
  workers[0]?.tell(ready);
  for (const [result, id] of [[first, "r1"], [second, "r2"], [third, "r3"]] as const) {
    await settle();
    clock.turn(10);
    assertEquals(workers[0]?.work?.requestId, id);
    workers[0]?.finish(id);
    assertEquals(textOf(await result), id);
    workers[0]?.tell(ready);
  }
  assertEquals(workers[0]?.work?.deadlineMs, 1020 + 3000);
  assertEquals(workers.length, 1);
  await pool.close();
});

Deno.test("openPool() waits for a worker that has answered rather than start another", async () => {
  const { clock, workers, pool, call } = setUp();
  const first = call();
  await settle();
  workers[0]?.tell(ready);
  await settle();
  workers[0]?.finish("1");
  await first;
  const second = call();
  await settle();
  assertEquals(workers.length, 1);
  workers[0]?.tell(ready);
  await settle();
  workers[0]?.finish("2");
  assertEquals(textOf(await second), "2");
  // But not for long: this runtime does not come back.
  const third = call();
  await settle();
  clock.turn(100);
  await settle();
  assertEquals(workers.length, 2);
  workers[1]?.tell(ready);
  await settle();
  workers[1]?.finish("3");
  assertEquals(textOf(await third), "3");
  await pool.close();
});

Deno.test("openPool() starts a worker that is late once more within the function's own time", async () => {
  const { clock, workers, pool, call } = setUp();
  const result = call();
  await settle();
  clock.turn(10_000);
  await settle();
  assertEquals(alive(workers), [1]);
  clock.turn(2999);
  await settle();
  assertEquals(alive(workers), [1]);
  clock.turn(1);
  const { status, payload } = await result;
  assertEquals(status, "timeout");
  assertEquals(JSON.parse(new TextDecoder().decode(payload)), {
    errorType: "Sandbox.Timedout",
    errorMessage: "RequestId: r1 Error: Task timed out after 3.00 seconds",
  });
  assertEquals(alive(workers), []);
  await pool.close();
});

Deno.test("openPool() passes on why a runtime cannot start, and ends it", async () => {
  const { workers, pool, call } = setUp();
  const result = call();
  await settle();
  workers[0]?.tell({ kind: "initError", payload: bytes("{}") });
  const { failed, payload } = await result;
  assertEquals([failed, new TextDecoder().decode(payload)], [true, "{}"]);
  assertEquals(alive(workers), []);
  await pool.close();
});

Deno.test("openPool() kills a worker that does not come back within its invocation's time", async () => {
  const { clock, workers, pool, call } = setUp();
  const result = call();
  await settle();
  workers[0]?.tell(ready);
  await settle();
  workers[0]?.finish("done");
  await result;
  assertEquals(alive(workers), [0]);
  clock.turn(3000);
  await settle();
  assertEquals(alive(workers), []);
  assertEquals(pool.status().running, 0);
  await pool.close();
});

Deno.test("openPool() does not use a worker that died while it was idle", async () => {
  const { workers, pool, whole } = setUp();
  await whole(0);
  workers[0]?.exit("signal: killed");
  await whole(1);
  await pool.close();
});

Deno.test("close() rejects who waits in line and ends what runs", async () => {
  const { workers, pool, call } = setUp({ concurrency: 1 });
  const running = call();
  await settle();
  workers[0]?.tell(ready);
  await settle();
  const waiting = assertRejects(() => call(), Error, "closed");
  await pool.close();
  await waiting;
  assertEquals((await running).status, "error");
  await assertRejects(() => call(), Error, "closed");
});

Deno.test("openPool() tells a runtime that died from one that only broke its response off", async () => {
  const { clock, workers, pool, call } = setUp();
  const details = bytes('{"errorType":"Runtime.TruncatedResponse"}');
  const broken: Outcome = {
    kind: "streamed",
    error: { type: "Runtime.TruncatedResponse", details },
  };
  const dead = call();
  await settle();
  workers[0]?.tell(ready);
  await settle();
  workers[0]?.end(broken);
  await settle();
  workers[0]?.exit("signal: killed");
  assertMatch(textOf(await dead), /"Runtime.ExitError".*signal: killed/);

  const alive = call();
  await settle();
  workers[1]?.tell(ready);
  await settle();
  workers[1]?.end(broken);
  await settle();
  clock.turn(100);
  const { failed, errorType, payload } = await alive;
  assertEquals([failed, errorType, payload], [true, "Runtime.TruncatedResponse", details]);
  workers[1]?.tell(ready);
  await settle();
  assertEquals(pool.status(), { workers: 1, running: 0, waiting: 0 });
  await pool.close();
});
