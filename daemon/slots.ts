/**
 * The right to use a local core for a moment. `make -j400` starts 400 commands; those of them that run
 * here take turns, first come, first served.
 *
 * The jobserver of GNU make (its manual, "POSIX Jobserver Interaction") needs nothing beyond that. Whoever is
 * started by a recipe has one token already, so local runs are never more than the smaller of -j and the
 * slots, and a run elsewhere needs no core. Further tokens are for who starts further jobs, as lto-wrapper does
 * at `-flto=jobserver`: it finds MAKEFLAGS and the descriptors or the FIFO as make left them, since the
 * client becomes the compiler by exec(2) and moves its own socket out of the way (tests/jobserver_test.ts).
 * Two makes at once have a jobserver each, and these slots together.
 */

/** A turn that was granted. */
export interface Slot {
  /** Time in line, in milliseconds; undefined if there was none. */
  readonly waitedMs?: number;
  /** Gives the turn to the next in line; a second call does nothing. */
  release(): void;
}

/** Counters of {@linkcode Slots}. */
export interface SlotStats {
  /** Turns that exist. */
  readonly size: number;
  /** Turns in use now. */
  readonly busy: number;
  /** Those in line now. */
  readonly waiting: number;
  /** Turns granted since the start. */
  readonly granted: number;
  /** Longest line since the start. */
  readonly longestLine: number;
}

/** A fixed number of turns. */
export interface Slots {
  /**
   * Waits for a turn. Rejects with the signal's reason if it aborts before that.
   */
  acquire(signal?: AbortSignal): Promise<Slot>;
  /** Returns the counters. */
  stats(): SlotStats;
}

/** Makes `size` turns, one a core unless given; `now` is a clock in milliseconds. */
export function createSlots(
  size: number = navigator.hardwareConcurrency,
  now: () => number = () => performance.now(),
): Slots {
  // A set keeps the order of arrival and lets one who gives up leave from the middle.
  const line = new Set<() => void>();
  let busy = 0;
  let granted = 0;
  let longestLine = 0;

  const grant = (waitedMs?: number): Slot => {
    busy++;
    granted++;
    let held = true;
    return {
      ...(waitedMs !== undefined && { waitedMs }),
      release() {
        if (!held) return;
        held = false;
        busy--;
        for (const next of line) return next();
      },
    };
  };

  return {
    acquire(signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (busy < size) return Promise.resolve(grant());
      const sinceMs = now();
      return new Promise((resolve, reject) => {
        const leave = () => {
          line.delete(enter);
          reject(signal?.reason);
        };
        const enter = () => {
          line.delete(enter);
          signal?.removeEventListener("abort", leave);
          resolve(grant(now() - sinceMs));
        };
        line.add(enter);
        longestLine = Math.max(longestLine, line.size);
        signal?.addEventListener("abort", leave, { once: true });
      });
    },
    stats: () => ({ size, busy, waiting: line.size, granted, longestLine }),
  };
}

/** The turns of `slots`, with each wait told to `onWait` once it is over. */
export function watchedSlots(slots: Slots, onWait: (waitedMs: number) => void): Slots {
  return {
    ...slots,
    acquire: async (signal) => {
      const slot = await slots.acquire(signal);
      if (slot.waitedMs !== undefined) onWait(slot.waitedMs);
      return slot;
    },
  };
}
