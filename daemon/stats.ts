/** What the daemon counts. */

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
  /** Results that did not count, by reason. */
  voids: Record<string, number>;
  /** Invocations of functions. */
  invocations: number;
  /** Invocations of a worker that had run nothing before. */
  coldStarts: number;
  /** Time of commands on workers, in milliseconds. */
  remoteMs: number;
  /** Bytes of objects and other outputs received. */
  outputBytes: number;
}

/** Counters with the ways to change them. */
export interface StatsKeeper {
  /** The counters as they are now. */
  readonly current: CompileStats;
  /** Sets all to zero. */
  reset(): void;
}

/** Creates counters at zero. */
export function createStats(): StatsKeeper {
  let current = zero();
  return {
    get current() {
      return current;
    },
    reset: () => {
      current = zero();
    },
  };
}

/** Adds one to a reason's counter. */
export function count(reasons: Record<string, number>, reason: string): void {
  reasons[reason] = (reasons[reason] ?? 0) + 1;
}

function zero(): CompileStats {
  return {
    remote: 0,
    local: {},
    fallback: {},
    rounds: 0,
    voids: {},
    invocations: 0,
    coldStarts: 0,
    remoteMs: 0,
    outputBytes: 0,
  };
}
