/**
 * What the daemon counts, of all compilations and of each build that LLAMACC_BUILD_ID names.
 *
 * Which build a request to AWS or a packed object is for is known where the compilation begins, and
 * counted twenty calls below it: the build goes along as asynchronous context, where a parameter would go
 * through store, uploads, toolchains and session. Work that many share counts for who began it.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Invocations of one function. */
export interface FunctionUse {
  /** Times that it was invoked. */
  invocations: number;
  /** Time that AWS would charge, in milliseconds, without the start of cold workers. */
  billedMs: number;
}

/** Counters of compilations, all since the start or the last reset. */
export interface CompileStats {
  /** Compiled elsewhere, and proved. */
  remote: number;
  /** Compiled here by choice, by reason. */
  local: Record<string, number>;
  /** Compiled here as it did not work elsewhere, by reason. */
  fallback: Record<string, number>;
  /** Jobs sent for the remote ones; `rounds / remote` is 1 where each guess was right. */
  rounds: number;
  /** Files that were sent for the remote ones or named to workers that had them, the toolchain's own left aside. */
  inputs: number;
  /** Those that the compilers asked for; the others were guessed in vain. */
  inputsUsed: number;
  /** Compilations whose includes the preprocessor here listed, as two guesses had missed some. */
  listed: number;
  /** Results that did not count, by reason. */
  voids: Record<string, number>;
  /** Jobs sent once more as a worker failed, by reason. */
  reruns: Record<string, number>;
  /** Invocations of functions. */
  invocations: number;
  /** Invocations of a worker that had run nothing before. */
  coldStarts: number;
  /** Invocations by function. */
  functions: Record<string, FunctionUse>;
  /** Time of commands on workers, in milliseconds. */
  remoteMs: number;
  /** Requests to AWS, the repeated ones too. */
  requests: number;
  /** Requests to AWS that were sent again, as they failed or were throttled. */
  retries: number;
  /** Requests to AWS that were throttled. */
  throttles: number;
  /** Requests that S3 charges as writing or listing. */
  s3Puts: number;
  /** Requests that S3 charges as reading. */
  s3Gets: number;
  /** Bytes of bodies sent to AWS. */
  bytesSent: number;
  /** Bytes of bodies received from AWS. */
  bytesReceived: number;
  /** Bytes of objects and other outputs written. */
  outputBytes: number;
  /** Compilations that LLAMACC_VERIFY did here, too, by what came of it. */
  verified: Record<string, number>;
  /** Local commands that waited for a slot. */
  slotWaits: number;
  /** Time that they waited, in milliseconds. */
  slotWaitMs: number;
}

/** Counters with the ways to change them. */
export interface StatsKeeper {
  /** The counters of all builds as they are now. */
  readonly current: CompileStats;
  /** Names of the builds that are known, the one used last at the end. */
  readonly builds: readonly string[];
  /** How many builds have been dropped for newer ones since the last reset. */
  readonly droppedBuilds: number;
  /** The counters of a build, undefined if there is none of that name. */
  build(id: string): CompileStats | undefined;
  /** Does `act` for a build: all that is counted in it, and in what it awaits, is the build's, too. */
  within<T>(buildId: string | undefined, act: () => T): T;
  /** Changes the counters of all, and those of the build that this is done for. */
  add(change: (counters: CompileStats) => void): void;
  /** Sets all to zero and forgets the builds, or forgets one build alone. */
  reset(buildId?: string): void;
}

/** Builds that are kept unless said otherwise. */
const MAX_BUILDS = 100;
/** Reasons that are kept apart; names of errors come from elsewhere. */
const MAX_REASONS = 200;

/** Creates counters at zero. Of more than `maxBuilds` builds (100) those used longest ago are dropped. */
export function createStats(maxBuilds: number = MAX_BUILDS): StatsKeeper {
  // A map keeps the order of its entries, so the build used last is the last one.
  const builds = new Map<string, CompileStats>();
  const running = new AsyncLocalStorage<CompileStats | undefined>();
  let current = zero();
  let droppedBuilds = 0;

  const use = (id: string): CompileStats => {
    const counters = builds.get(id) ?? zero();
    builds.delete(id);
    builds.set(id, counters);
    for (const oldest of builds.keys()) {
      if (builds.size <= maxBuilds) break;
      builds.delete(oldest);
      droppedBuilds++;
    }
    return counters;
  };

  return {
    get current() {
      return current;
    },
    get builds() {
      return [...builds.keys()];
    },
    get droppedBuilds() {
      return droppedBuilds;
    },
    build: (id) => builds.get(id),
    within: (id, act) => running.run(id === undefined ? undefined : use(id), act),
    add: (change) => {
      change(current);
      const counters = running.getStore();
      if (counters) change(counters);
    },
    reset: (id) => {
      if (id !== undefined) {
        builds.delete(id);
        return;
      }
      current = zero();
      builds.clear();
      droppedBuilds = 0;
    },
  };
}

/** Adds one to a reason's counter. */
export function count(reasons: Record<string, number>, reason: string): void {
  const isKnown = Object.hasOwn(reasons, reason);
  const name = isKnown || Object.keys(reasons).length < MAX_REASONS ? reason : "other";
  reasons[name] = (Object.hasOwn(reasons, name) ? reasons[name] ?? 0 : 0) + 1;
}

/** Adds an invocation of `functionName` that took `billedMs`. */
export function countInvocation(
  counters: CompileStats,
  functionName: string,
  billedMs: number,
): void {
  counters.invocations++;
  const use = counters.functions[functionName] ??= { invocations: 0, billedMs: 0 };
  use.invocations++;
  use.billedMs += billedMs;
}

function zero(): CompileStats {
  return {
    remote: 0,
    local: {},
    fallback: {},
    rounds: 0,
    inputs: 0,
    inputsUsed: 0,
    listed: 0,
    voids: {},
    reruns: {},
    invocations: 0,
    coldStarts: 0,
    // A function may be called as a member of Object is.
    functions: Object.create(null),
    remoteMs: 0,
    requests: 0,
    retries: 0,
    throttles: 0,
    s3Puts: 0,
    s3Gets: 0,
    bytesSent: 0,
    bytesReceived: 0,
    outputBytes: 0,
    verified: {},
    slotWaits: 0,
    slotWaitMs: 0,
  };
}
