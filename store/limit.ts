/** A bound on how many things happen at once. */

/** Runs `act` once fewer than the limit's number are running; first come, first served. */
export type Limit = <T>(act: () => Promise<T>) => Promise<T>;

/** Creates a limit of `count` at once, at least one. */
export function createLimit(count: number): Limit {
  let free = Math.max(1, Math.floor(count));
  const waiting: (() => void)[] = [];
  let first = 0;
  return async (act) => {
    // Those who wait are handed a place, so that nobody who comes later takes it.
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await act();
    } finally {
      const next = waiting[first];
      if (next === undefined) {
        free++;
      } else {
        first++;
        if (first > 1_000 && first * 2 > waiting.length) {
          waiting.splice(0, first);
          first = 0;
        }
        next();
      }
    }
  };
}
