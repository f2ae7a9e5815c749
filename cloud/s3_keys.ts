/** Keys in S3's order: by the bytes of their UTF-8 form. */

/** The sorted keys of one bucket. */
export interface KeyIndex {
  /** How many. */
  readonly size: number;
  /** Adds a key; one that is there stays once. */
  add(key: string): void;
  /** Removes a key, if it is there. */
  remove(key: string): void;
  /** Place of the first key that is not before `key`. */
  firstAt(key: string): number;
  /** The key at a place. */
  at(place: number): string | undefined;
}

/**
 * Compares by the bytes of the UTF-8 form. JavaScript compares UTF-16, in which the letters beyond
 * U+FFFF (surrogates, D800 to DFFF) come before U+E000 to U+FFFF.
 */
export function compareKeys(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const a = one.charCodeAt(at);
    const b = other.charCodeAt(at);
    if (a !== b) return raiseSurrogate(a) - raiseSurrogate(b);
  }
  return one.length - other.length;
}

function raiseSurrogate(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Makes the index of `names`, in any order. */
export function createKeyIndex(names: readonly string[]): KeyIndex {
  const sorted = names.toSorted(compareKeys);

  function firstAt(key: string): number {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(sorted[middle] ?? "", key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    get size() {
      return sorted.length;
    },
    add(key) {
      const place = firstAt(key);
      if (sorted[place] !== key) sorted.splice(place, 0, key);
    },
    remove(key) {
      const place = firstAt(key);
      if (sorted[place] === key) sorted.splice(place, 1);
    },
    firstAt,
    at: (place) => sorted[place],
  };
}
