/**
 * The right to use a local core for a moment. `make -j400` starts 400 commands; those of them that run
 * here take turns, first come, first served.
 */

/** A turn that was granted. */
export interface Slot {
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

/** Makes `size` turns, one a core unless given. */
export function createSlots(size: number = navigator.hardwareConcurrency): Slots {
  // A set keeps the order of arrival and lets one who gives up leave from the middle.
  const line = new Set<() => void>();
  let busy = 0;
  let granted = 0;
  let longestLine = 0;

  const grant = (): Slot => {
    busy++;
    granted++;
    let held = true;
    return {
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
      return new Promise((resolve, reject) => {
        const leave = () => {
          line.delete(enter);
          reject(signal?.reason);
        };
        const enter = () => {
          line.delete(enter);
          signal?.removeEventListener("abort", leave);
          resolve(grant());
        };
        line.add(enter);
        longestLine = Math.max(longestLine, line.size);
        signal?.addEventListener("abort", leave, { once: true });
      });
    },
    stats: () => ({ size, busy, waiting: line.size, granted, longestLine }),
  };
}
