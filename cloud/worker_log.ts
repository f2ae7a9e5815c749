/** The log of one worker: what its processes wrote last. */

/** Most bytes that Invoke gives of a log with `LogType: Tail`. */
export const LOG_TAIL_BYTES = 4096;

/** Keeps the last {@linkcode LOG_TAIL_BYTES} bytes that were written since the last `take()`. */
export interface WorkerLog {
  /** Adds bytes. */
  write(chunk: Uint8Array): void;
  /** The bytes since the last call, at most {@linkcode LOG_TAIL_BYTES}. */
  take(): Uint8Array<ArrayBuffer>;
}

/** Creates an empty log. */
export function workerLog(): WorkerLog {
  let kept = new Uint8Array();
  return {
    write(chunk) {
      kept = joinTail([kept, chunk]);
    },
    take() {
      const taken = kept;
      kept = new Uint8Array();
      return taken;
    },
  };
}

/** Joins `parts` and keeps the last {@linkcode LOG_TAIL_BYTES} bytes. */
export function joinTail(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const tail = new Uint8Array(Math.min(size, LOG_TAIL_BYTES));
  let end = tail.length;
  for (const part of parts.toReversed()) {
    const used = part.subarray(Math.max(0, part.length - end));
    end -= used.length;
    tail.set(used, end);
    if (end === 0) break;
  }
  return tail;
}
