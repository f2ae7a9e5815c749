/** Choices that a seed decides. */

/** A source of choices; equal seeds choose alike. */
export interface Random {
  /** An integer from 0 to `below` - 1. */
  int(below: number): number;
  /** Whether something that happens with this probability, 0 to 1, happens now. */
  chance(probability: number): boolean;
  /** One of them. */
  pick<T>(from: readonly T[]): T;
  /** One of them, each as often as its weight says. */
  weighted<const T>(from: readonly (readonly [weight: number, item: T])[]): T;
  /** All of them, in any order. */
  shuffled<T>(all: readonly T[]): T[];
  /** Up to `most` of them, in any order, each once. */
  some<T>(from: readonly T[], most: number): T[];
}

/** Choices for a seed, a 32-bit integer; the generator is mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  // Neighbouring seeds begin alike: the first numbers are thrown away.
  for (let i = 0; i < 8; i++) next();

  const int = (below: number) => Math.floor(next() * below);
  const pick = <T>(from: readonly T[]): T => {
    const picked = from[int(from.length)];
    if (picked === undefined) throw new RangeError("Cannot pick from nothing");
    return picked;
  };
  const shuffled = <T>(all: readonly T[]): T[] => {
    const rest = [...all];
    const taken: T[] = [];
    while (rest.length > 0) taken.push(...rest.splice(int(rest.length), 1));
    return taken;
  };
  return {
    int,
    chance: (probability) => next() < probability,
    pick,
    weighted: (from) => {
      let at = next() * from.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, item] of from) {
        at -= weight;
        if (at < 0) return item;
      }
      return pick(from)[1];
    },
    shuffled,
    some: (from, most) => shuffled(from).slice(0, int(most + 1)),
  };
}
