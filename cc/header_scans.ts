/** What files say of others, each read once for as long as it is unchanged. */
import type { DefinedNames } from "./defined_names.ts";
import type { FileDigests } from "./digests.ts";
import { type FileState, type FileSystem, isSettled, sameState } from "./file_system.ts";
import { type HeaderMacros, headerMacrosIn } from "./header_macros.ts";
import { type Include, scan } from "./lex.ts";
import { ownText } from "./own_text.ts";

/** What a file says of others. */
export interface Scan {
  readonly state: FileState;
  /** Whether the same state will mean the same content. */
  readonly settled: boolean;
  /** Names that the preprocessor takes. */
  readonly includes: readonly Include[];
  /** Names that the assembler takes: found anew for each unit, as that begins in its working folder. */
  readonly assembled: readonly string[];
  /** Includes by the name of a macro, which each unit may define in another way. */
  readonly computed: readonly Include[];
  /** What its own macros name, once that was asked. */
  macros?: HeaderMacros;
}

/** Reads files. */
export interface Scans {
  /** What the file at `path` says, which has this state; that of a source is not hashed, as it travels in the job. */
  scan(path: string, state: FileState, isSource: boolean): Scan;
  /** What the macros of a file name that was scanned; it is read once more for that, as few units ask. */
  macros(path: string): HeaderMacros | undefined;
}

/** GCC's precompiled headers stand beside those that they are made of; clang's are named in the command. */
const PRECOMPILED = /\.[gp]ch$/;
/** Largest file that is scanned, in bytes; a larger one is sent without its includes. */
const MAX_SCANNED_BYTES = 64 * 1024 * 1024;

/** Creates scans with an empty memory; `names` gets what the files define, and `digests` what was read. */
export function createScans(
  files: FileSystem,
  names: Pick<DefinedNames, "define">,
  digests?: Pick<FileDigests, "learn">,
): Scans {
  const scans = new Map<string, Scan>();
  const decoder = new TextDecoder();
  const spellings = new Map<string, string>();

  const withOwnName = (include: Include): Include => {
    let name = spellings.get(include.name);
    if (name === undefined) {
      name = ownText(include.name);
      spellings.set(name, name);
    }
    return { ...include, name };
  };

  return {
    scan: (path, state, isSource) => {
      const known = scans.get(path);
      if (known && known.settled && sameState(known.state, state)) return known;
      const lookedMs = files.now();
      const isText = !PRECOMPILED.test(path) && state.size <= MAX_SCANNED_BYTES;
      const bytes = isText ? files.read(path) : undefined;
      if (bytes && !isSource) digests?.learn(path, { bytes, state, lookedMs });
      const all = bytes ? scan(decoder.decode(bytes), names.define).map(withOwnName) : [];
      const entry: Scan = {
        state,
        settled: isSettled(state, lookedMs, files.settleMs),
        includes: all.filter(({ assembled, computed }) => !assembled && !computed),
        computed: all.filter(({ computed }) => computed),
        assembled: all.flatMap(({ assembled, name }) => assembled ? [name] : []),
      };
      scans.set(path, entry);
      return entry;
    },
    macros: (path) => {
      const known = scans.get(path);
      if (!known) return undefined;
      if (!known.macros) {
        const bytes = PRECOMPILED.test(path) ? undefined : files.read(path);
        known.macros = bytes ? headerMacrosIn(decoder.decode(bytes)) : new Map();
      }
      return known.macros;
    },
  };
}
