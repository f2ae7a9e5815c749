/**
 * The workers of all functions, and the line that invocations wait in.
 *
 * Lambda starts a worker for each invocation that finds none free. On one machine that would start
 * a hundred compilers on two cores, so at most `concurrency` invocations run at once, over all
 * functions, and the rest wait in the order they came. A worker has one invocation at a time and is
 * kept warm for the next; the one that was used last is taken first, as its caches are the warmest.
 *
 * An invocation ends for its caller with the runtime's answer, but it keeps its place until the
 * runtime asks for the next one, as in Lambda.
 */
import type { Invocation, Readiness } from "./runtime_api.ts";
import { type Outcome, type TakeChunk, TRUNCATED } from "./runtime_response.ts";
import type { Worker } from "./worker.ts";

/** A clock that a test can turn by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `act` after `ms` milliseconds, unless the function that it returns is called before. */
  after(ms: number, act: () => void): () => void;
}

/** Thrown by a function that cannot start a worker, and reported as a function's error. */
export class StartError extends Error {
  /** Name of the class. */
  override readonly name = "StartError";
  /** Lambda's name of the error, such as `Runtime.InvalidEntrypoint`. */
  readonly errorType: string;

  /** Creates an error of a type that Lambda has. */
  constructor(errorType: string, message: string) {
    super(message);
    this.errorType = errorType;
  }
}

/** A function as it is when its invocation's turn comes. */
export interface PoolFunction {
  /** Its name. */
  readonly name: string;
  /** Changes with its code or its configuration; workers of another revision are not used. */
  readonly revision: string;
  /** Longest time of one invocation. */
  readonly timeoutMs: number;
  /**
   * Starts a worker.
   *
   * @throws {StartError} if it is the function's fault that there is none.
   */
  start(): Promise<Worker>;
}

/** One invocation. */
export interface PoolJob {
  /** Gives the function when the invocation's turn has come; what it throws is the answer. */
  readonly function: () => PoolFunction;
  /** The work but for its deadline. */
  readonly invocation: Omit<Invocation, "deadlineMs">;
  /** Takes the invocation out of the line; one that runs goes on, as in Lambda. */
  readonly signal?: AbortSignal;
  /** Whether the result shall tell the memory, which costs some reading in /proc. */
  readonly measured: boolean;
  /** Takes a response that the runtime streams. */
  readonly take?: TakeChunk;
}

/** How an invocation ended. */
export interface PoolResult {
  /** The answer, or the error's JSON; empty if it was streamed. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** Whether the payload is an error's. */
  readonly failed: boolean;
  /** Type of the error of a response that was streamed before, as its payload need not tell. */
  readonly errorType?: string;
  /** What went wrong outside of the runtime, as the log's report names it. */
  readonly status?: "timeout" | "error";
  /** End of the log. */
  readonly log: Uint8Array<ArrayBuffer>;
  /** Time of the invocation in milliseconds. */
  readonly durationMs: number;
  /** Time that the worker needed to start, if it was started for this invocation. */
  readonly initMs?: number;
  /** Most bytes of memory, 0 unless measured. */
  readonly memoryBytes: number;
}

/** What a pool is made with. */
export interface PoolOptions {
  /** Most invocations that run at once. */
  readonly concurrency: number;
  /** Most idle workers that are kept, over all functions: `concurrency` unless given. */
  readonly maxIdle?: number;
  /** How long an idle worker is kept: 5 minutes unless given. */
  readonly idleMs?: number;
  /** How long a worker lives; its credentials must live longer: 6 hours unless given. */
  readonly maxAgeMs?: number;
  /** How long a worker may take to its first call of `next`: 10 seconds, as in Lambda. */
  readonly initMs?: number;
  /** The clock. */
  readonly clock: Clock;
  /** Gets what went wrong where nobody waits for it. */
  readonly log: (line: string) => void;
}

/** The workers of all functions. */
export interface WorkerPool {
  /** Runs an invocation when its turn comes. */
  invoke(job: PoolJob): Promise<PoolResult>;
  /** Ends the workers of function `name` but those of `revision`; busy ones when they are done. */
  retire(name: string, revision?: string): void;
  /** Counts of now. */
  status(): { workers: number; running: number; waiting: number };
  /** Invocations of function `name` that run or wait. */
  pending(name: string): number;
  /** Kills all workers; invocations that wait are rejected, those that run fail. */
  close(): Promise<void>;
}

interface Entry {
  readonly job: PoolJob;
  readonly name: string;
  readonly resolve: (result: PoolResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Member {
  readonly worker: Worker;
  readonly name: string;
  readonly revision: string;
  readonly bornMs: number;
  retired: boolean;
  stopReaper: () => void;
  /** Set by an invocation that waits for this worker: gets it, or nothing when it is of no use. */
  claim: ((member: Member | undefined) => void) | undefined;
}

/** How long an invocation waits for a worker that has answered but not yet asked for more, or may be dead. */
const FINISH_MS = 100;

/** Opens a pool without workers. */
export function openPool(options: PoolOptions): WorkerPool {
  const { clock, concurrency, maxIdle = concurrency } = options;
  const { idleMs = 5 * 60_000, maxAgeMs = 6 * 3_600_000, initMs = 10_000 } = options;
  const line: Entry[] = [];
  const running = new Map<Entry, Promise<void>>();
  const members = new Set<Member>();
  const idle: Member[] = [];
  const finishing = new Set<Member>();
  const ending = new Set<Promise<void>>();
  let closed = false;

  function pump(): void {
    while (!closed && running.size < concurrency) {
      const entry = line.shift();
      if (entry === undefined) return;
      const done = serve(entry).catch(entry.reject).finally(() => {
        running.delete(entry);
        pump();
      });
      running.set(entry, done);
    }
  }

  async function serve(entry: Entry): Promise<void> {
    const wanted = entry.job.function();
    const warm = takeIdle(wanted) ?? await takeFinishing(wanted);
    const begunMs = clock.now();
    const started = warm ?? await begin(wanted, entry.job);
    if ("payload" in started) return entry.resolve(started);
    const member = started;
    const initMs = warm === undefined ? clock.now() - begunMs : undefined;
    if (await runOn(member, wanted, entry, initMs)) release(member);
    else await end(member);
  }

  /** Starts a worker and waits for it; a result says why there is none. */
  async function begin(wanted: PoolFunction, job: PoolJob): Promise<Member | PoolResult> {
    const id = job.invocation.requestId;
    // Like Lambda: what does not start in time is started once more within the invocation's time.
    for (const last of [false, true]) {
      const begunMs = clock.now();
      let worker: Worker;
      try {
        worker = await wanted.start();
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        const payload = errorOf(error.errorType, `RequestId: ${id} Error: ${error.message}`);
        const nothing = { log: new Uint8Array(), durationMs: 0, memoryBytes: 0 };
        return { payload, failed: true, status: "error", ...nothing };
      }
      const member = join(wanted, worker);
      if (closed) member.worker.kill();
      const first = await within(
        last ? wanted.timeoutMs : initMs,
        Promise.race([member.worker.api.ready(), member.worker.exited]),
      );
      if (isReady(first)) return member;
      await end(member);
      const log = member.worker.log.take();
      const durationMs = clock.now() - begunMs;
      const rest = { failed: true, log, durationMs, memoryBytes: 0 };
      if (first === undefined) {
        if (last) {
          return { ...rest, payload: timedOut(id, wanted.timeoutMs), status: "timeout" };
        }
      } else if (typeof first === "string") {
        return { ...rest, payload: exited(id, first), status: "error" };
      } else if (first.kind === "initError") {
        return { ...rest, payload: first.payload, status: "error" };
      }
    }
    throw new TypeError("A worker that was started twice has neither started nor failed");
  }

  /** Runs the invocation; true if the worker can take another. */
  async function runOn(
    member: Member,
    wanted: PoolFunction,
    entry: Entry,
    initMs: number | undefined,
  ): Promise<boolean> {
    const { worker } = member;
    const { invocation, measured, take } = entry.job;
    const id = invocation.requestId;
    const begunMs = clock.now();
    const first = await within(
      wanted.timeoutMs,
      Promise.race([
        worker.api.run({ ...invocation, deadlineMs: begunMs + wanted.timeoutMs }, take),
        worker.exited,
      ]),
    );
    // The connections of a runtime that dies break a moment before it is known to be dead.
    const outcome = isTruncated(first) ? await within(FINISH_MS, worker.exited) ?? first : first;
    const durationMs = clock.now() - begunMs;
    const memoryBytes = measured && !worker.hasEnded() ? worker.memoryBytes() : 0;
    const done = typeof outcome === "object";
    // What the runtime wrote before it answered is in the pipe, and read in the next turns.
    if (done && measured) await turns(2);
    if (!done) await end(member);
    entry.resolve({
      ...resultOf(outcome, id, wanted.timeoutMs),
      log: worker.log.take(),
      durationMs,
      memoryBytes,
      ...(initMs === undefined ? {} : { initMs }),
    });
    if (!done || worker.hasEnded()) return false;
    const leftMs = Math.max(1, wanted.timeoutMs - durationMs);
    finishing.add(member);
    try {
      return isReady(await within(leftMs, Promise.race([worker.api.ready(), worker.exited])));
    } finally {
      finishing.delete(member);
    }
  }

  function join(wanted: PoolFunction, worker: Worker): Member {
    const member: Member = {
      worker,
      name: wanted.name,
      revision: wanted.revision,
      bornMs: clock.now(),
      retired: false,
      stopReaper: () => {},
      claim: undefined,
    };
    members.add(member);
    const gone = worker.exited.catch((error) => options.log(String(error))).then(() => {
      member.stopReaper();
      members.delete(member);
      ending.delete(gone);
      const at = idle.indexOf(member);
      if (at !== -1) idle.splice(at, 1);
    });
    ending.add(gone);
    return member;
  }

  async function end(member: Member): Promise<void> {
    member.retired = true;
    member.claim?.(undefined);
    if (!member.worker.hasEnded()) member.worker.kill();
    await member.worker.exited;
  }

  function discard(member: Member): void {
    const at = idle.indexOf(member);
    if (at !== -1) idle.splice(at, 1);
    member.stopReaper();
    end(member).catch((error) => options.log(String(error)));
  }

  function release(member: Member): void {
    if (closed || member.retired || member.worker.hasEnded()) return discard(member);
    if (member.claim !== undefined) return member.claim(member);
    idle.push(member);
    member.stopReaper = clock.after(idleMs, () => discard(member));
    const oldest = idle[0];
    if (idle.length > maxIdle && oldest !== undefined) discard(oldest);
  }

  function takeIdle(wanted: PoolFunction): Member | undefined {
    for (const member of idle.toReversed()) {
      if (member.name !== wanted.name) continue;
      const fresh = clock.now() - member.bornMs < maxAgeMs;
      if (member.worker.hasEnded() || member.revision !== wanted.revision || !fresh) {
        discard(member);
      } else {
        idle.splice(idle.indexOf(member), 1);
        member.stopReaper();
        return member;
      }
    }
    return undefined;
  }

  /** A client that calls again at once would else find its worker a moment short of idle. */
  function takeFinishing(wanted: PoolFunction): Promise<Member | undefined> {
    for (const member of finishing) {
      const { name, revision, retired, claim } = member;
      if (name !== wanted.name || revision !== wanted.revision || retired || claim) continue;
      return new Promise((resolve) => {
        const cancel = clock.after(FINISH_MS, () => member.claim?.(undefined));
        member.claim = (got) => {
          cancel();
          member.claim = undefined;
          resolve(got);
        };
      });
    }
    return Promise.resolve(undefined);
  }

  async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
    let cancel: (() => void) | undefined;
    const late = new Promise<undefined>((resolve) => {
      cancel = clock.after(ms, () => resolve(undefined));
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      cancel?.();
    }
  }

  return {
    invoke(job) {
      if (closed) return Promise.reject(new Error("The pool of workers is closed"));
      return new Promise((resolve, reject) => {
        const entry = { job, name: job.function().name, resolve, reject };
        job.signal?.addEventListener("abort", () => {
          const at = line.indexOf(entry);
          if (at === -1) return;
          line.splice(at, 1);
          reject(job.signal?.reason);
        }, { once: true });
        if (job.signal?.aborted) return reject(job.signal.reason);
        line.push(entry);
        pump();
      });
    },
    retire(name, revision) {
      for (const member of members) {
        if (member.name !== name || member.revision === revision) continue;
        if (idle.includes(member)) discard(member);
        else member.retired = true;
      }
    },
    status: () => ({ workers: members.size, running: running.size, waiting: line.length }),
    pending(name) {
      return [...running.keys(), ...line].filter((entry) => entry.name === name).length;
    },
    async close() {
      closed = true;
      for (const entry of line.splice(0)) entry.reject(new Error("The pool of workers is closed"));
      for (const member of [...members]) discard(member);
      await Promise.all(running.values());
      await Promise.all(ending);
    },
  };
}

function isTruncated(outcome: Outcome | string | undefined): boolean {
  return typeof outcome === "object" && outcome.kind === "streamed" &&
    outcome.error?.type === TRUNCATED;
}

function isReady(first: Readiness | string | undefined): boolean {
  return typeof first === "object" && first.kind === "ready";
}

type Ending = Pick<PoolResult, "payload" | "failed" | "errorType" | "status">;

function resultOf(outcome: Outcome | string | undefined, id: string, timeoutMs: number): Ending {
  if (outcome === undefined) {
    return { payload: timedOut(id, timeoutMs), failed: true, status: "timeout" };
  }
  if (typeof outcome === "string") {
    return { payload: exited(id, outcome), failed: true, status: "error" };
  }
  if (outcome.kind === "oversize") {
    const errorMessage = "Response payload size exceeded maximum allowed payload size " +
      `(${outcome.maxBytes} bytes).`;
    return { payload: errorOf("Function.ResponseSizeTooLarge", errorMessage), failed: true };
  }
  if (outcome.kind === "streamed") {
    const { error } = outcome;
    if (error === undefined) return { payload: new Uint8Array(), failed: false };
    return { payload: error.details, failed: true, errorType: error.type };
  }
  return { payload: outcome.payload, failed: outcome.kind === "error" };
}

function timedOut(id: string, timeoutMs: number): Uint8Array<ArrayBuffer> {
  const seconds = (timeoutMs / 1000).toFixed(2);
  const message = `RequestId: ${id} Error: Task timed out after ${seconds} seconds`;
  return errorOf("Sandbox.Timedout", message);
}

function exited(id: string, how: string): Uint8Array<ArrayBuffer> {
  const what = how === ""
    ? "Runtime exited without providing a reason"
    : `Runtime exited with error: ${how}`;
  return errorOf("Runtime.ExitError", `RequestId: ${id} Error: ${what}`);
}

/** The JSON of an error as the Invoke API gives it. */
export function errorOf(errorType: string, errorMessage: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ errorType, errorMessage }));
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}
