/** Damaged variants of valid JSON for tests, the same ones at every run. */

/** Values that a careless reader takes for something else. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  -1,
  0.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  "",
  "/",
  "..",
  "/../../etc/passwd",
  "a/../../b",
  "/a\0b",
  "\ud800",
  "A".repeat(64),
  "0".repeat(64),
  "KLUv/SAA",
  [],
  [[]],
  {},
  { kind: "link" },
  { raw: "", zstd: "", digest: 7 },
  { zstd: "KLUv/WAAAA==", size: 4 },
  { toString: 1, constructor: {} },
];

/** Yields `count` copies of `value`, which is JSON, each with one to three changes. */
export function* mutations(value: unknown, count: number, seed = 1): Generator<unknown> {
  const random = randomFrom(seed);
  const pick = (length: number) => Math.floor(random() * length);
  for (let made = 0; made < count; made++) {
    const box: unknown[] = [structuredClone(value)];
    for (let changes = 1 + pick(3); changes > 0; changes--) {
      const places = placesIn(box);
      const place = places[pick(places.length)];
      if (place) change(place.holder, place.key, pick);
    }
    yield box[0];
  }
}

interface Place {
  readonly holder: object;
  readonly key: string;
}

function placesIn(holder: object): Place[] {
  return Object.keys(holder).flatMap((key) => {
    const value: unknown = Reflect.get(holder, key);
    const below = typeof value === "object" && value !== null ? placesIn(value) : [];
    return [{ holder, key }, ...below];
  });
}

function change(holder: object, key: string, pick: (length: number) => number): void {
  const value: unknown = Reflect.get(holder, key);
  switch (pick(4)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else Reflect.deleteProperty(holder, key);
      return;
    case 1:
      if (typeof value === "string") {
        const at = pick(value.length + 1);
        const letter = "/.\0 =-zA0é"[pick(10)] ?? "";
        Reflect.set(holder, key, value.slice(0, at) + letter + value.slice(at + pick(2)));
        return;
      }
      if (typeof value === "number") {
        Reflect.set(holder, key, value * ([-1, 1.5, 1e6, 0][pick(4)] ?? 1));
        return;
      }
      if (Array.isArray(value)) {
        value.push(structuredClone(value[0]));
        return;
      }
      break;
    case 2:
      if (Array.isArray(holder)) {
        holder.reverse();
        return;
      }
      Reflect.set(holder, `${key}2`, value);
      return;
  }
  Reflect.set(holder, key, structuredClone(HOSTILE[pick(HOSTILE.length)]));
}

/** Mulberry32 by Tommy Ettinger: numbers from 0 up to, not including, 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
