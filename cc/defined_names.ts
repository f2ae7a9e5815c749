/**
 * The names of macros that anything defines, to tell that an include is never reached. A name is kept as one bit at its
 * hash, as the headers of a kernel define a million of them: a bit that is set by another name only makes the
 * guess larger.
 */

/** Names that may be defined. */
export interface DefinedNames {
  /** How often a name was defined after it had been asked for in vain. */
  readonly opened: number;
  /** Takes note that the name with this hash is defined somewhere. */
  define(hash: number): void;
  /** Whether it may be. */
  mayBeDefined(hash: number): boolean;
}

const BITS = 1 << 21;

/** Creates an empty set of names. */
export function createDefinedNames(): DefinedNames {
  const defined = new Uint8Array(BITS / 8);
  const wanted = new Set<number>();
  let opened = 0;
  return {
    get opened() {
      return opened;
    },
    define: (hash) => {
      const at = hash & (BITS - 1);
      const byte = at >>> 3;
      const bit = 1 << (at & 7);
      const before = defined[byte] ?? 0;
      if ((before & bit) !== 0) return;
      defined[byte] = before | bit;
      if (wanted.has(at)) opened++;
    },
    mayBeDefined: (hash) => {
      const at = hash & (BITS - 1);
      if (((defined[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0) return true;
      wanted.add(at);
      return false;
    },
  };
}

/** The hash of the name that begins at `start`: FNV-1a of its characters, folded so that low bits have all of it. */
export function nameHash(text: string, start = 0): number {
  let hash = 0x811c9dc5;
  for (let at = start;; at++) {
    const char = text.charCodeAt(at);
    // Names of other scripts have characters beyond these; NaN stands behind the end.
    if (char < 128 ? NAME_CHARACTER[char] === 0 : !(char > 127)) break;
    hash = Math.imul(hash ^ char, 0x01000193);
  }
  return (hash ^ (hash >>> 15)) | 0;
}

/** 1 for letters, digits, `_` and `$`. */
const NAME_CHARACTER = Uint8Array.from(
  { length: 128 },
  (_, char) => /[\w$]/.test(String.fromCharCode(char)) ? 1 : 0,
);
