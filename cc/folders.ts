/**
 * Folder listings, kept between compilations. Whether a name exists is asked some thousand times for
 * each unit, nearly always with the answer no; a failed look-up costs 10 µs in Deno, a set 0.05 µs.
 *
 * A listing is true as long as the folder's state (inode, mtime, ctime) is what it was, and that is
 * asked once a round (see {@linkcode Folders.nextRound}). It is not kept when the folder had just changed
 * when it was listed ({@linkcode isSettled}). What breaks it: a clock that is set back by hand between two
 * changes, a network file system whose attributes are cached, or one that has names which it does not list.
 *
 * Of a folder that was absent only the folder above it is asked, as that has no such name still: a search path
 * of ten folders makes hundreds of them for each unit.
 *
 * What the system has installed changes seldom and is asked about by each unit, so a guess takes states of
 * up to a second ago for it. A guess may be wrong: it costs a round. The proof looks at everything anew
 * ({@linkcode Folders.freshly}).
 */
import { childOf, parentOf } from "../job/path.ts";
import { type FileState, type FileSystem, isSettled, sameState } from "./file_system.ts";

/** Kinds of an entry as its folder has it. */
export type EntryKind = "file" | "folder" | "link" | "other";

/** Folder listings, and states of files, with one look at each a round. */
export interface Folders {
  /** Starts a round: what may have changed is looked at again when it is first asked about. */
  nextRound(): void;
  /** Calls `look` in a round of its own, in which nothing that was known before counts. */
  freshly<T>(look: () => T): T;
  /** Number of the round. */
  readonly round: number;
  /** The state of what `path` names in this round, links followed. */
  stat(path: string): FileState | undefined;
  /** The kind of `name` in `folder`, also one that cannot be listed; `undefined` if there is none. */
  entry(folder: string, name: string): EntryKind | undefined;
  /** As `entry`, and minds the answer, see {@linkcode Folders.answerGeneration}. */
  answer(folder: string, name: string): EntryKind | undefined;
  /** All names in `folder`, `undefined` if it is no folder or cannot be listed. */
  names(folder: string): ReadonlyMap<string, EntryKind> | undefined;
  /** Looks at the folder if it was not looked at in this round, so that the generations are right. */
  refresh(folder: string): void;
  /** Grows whenever a listing differs from the one before in more than regular files. */
  readonly shapeGeneration: number;
  /** Grows whenever an answer that was minded is another one. */
  readonly answerGeneration: number;
}

interface Listing {
  state: FileState | undefined;
  settled: boolean;
  round: number;
  names: Map<string, EntryKind> | undefined;
  minded: Set<string>;
}

/** A state of what a path names. */
interface Seen {
  state: FileState | undefined;
  /** When it was asked for. */
  round: number;
  readonly isInstalled: boolean;
}

/** States that are kept, of 200 bytes each. */
const MAX_SEEN = 200_000;
/** What the system has installed. */
const INSTALLED = /^\/usr\/(?!src\/|local\/src\/)/;
/** How old a state of that may be for a guess. */
const MAX_AGE_MS = 1000;

/** Creates an empty set of listings over `files`. */
export function createFolders(files: FileSystem): Folders {
  const listings = new Map<string, Listing>();
  const seen = new Map<string, Seen>();
  let isFresh = false;
  let installedMs = -Infinity;
  let round = 0;
  /** Rounds from which on a state counts: for a guess, and for a guess of what is installed. */
  let since = 0;
  let installedSince = 0;
  let shapeGeneration = 0;
  let answerGeneration = 0;

  const look = (path: string) => {
    const known = seen.get(path);
    if (!known) {
      const state = files.stat(path);
      if (seen.size >= MAX_SEEN) seen.clear();
      seen.set(path, { state, round, isInstalled: INSTALLED.test(path) });
      return state;
    }
    if (known.round < (isFresh ? round : known.isInstalled ? installedSince : since)) {
      known.state = files.stat(path);
      known.round = round;
    }
    return known.state;
  };

  const stat = (path: string) => {
    const listing = listings.get(path);
    return listing && !listing.state ? current(path).state : look(path);
  };

  /** Whether the folder above has no such name, so that nobody need look for it. */
  const isMissing = (folder: string): boolean => {
    // No folder has dots among its names.
    if (folder === "/" || /\/\.{0,2}$/.test(folder)) return false;
    const { state, names } = current(parentOf(folder));
    if (state?.kind !== "folder") return true;
    return names !== undefined && !names.has(folder.slice(folder.lastIndexOf("/") + 1));
  };

  const read = (folder: string, state: FileState | undefined) => {
    if (state?.kind !== "folder") return undefined;
    const entries = files.list(folder);
    return entries && new Map(entries.map(({ name, kind }) => [name, kind]));
  };

  const current = (folder: string): Listing => {
    const known = listings.get(folder);
    if (known && known.round === round) return known;
    if (known && !known.state && isMissing(folder)) {
      known.round = round;
      return known;
    }
    const state = look(folder);
    if (known && known.settled && state && known.state && sameState(known.state, state)) {
      known.round = round;
      return known;
    }
    if (known && !known.state && !state) {
      known.round = round;
      return known;
    }
    const lookedMs = files.now();
    const names = read(folder, state);
    const settled = state !== undefined && isSettled(state, lookedMs, files.settleMs);
    const minded = known?.minded ?? new Set<string>();
    if (known) {
      if (differsInShape(known.names, names)) shapeGeneration++;
      for (const name of minded) {
        if (known.names?.get(name) !== names?.get(name)) {
          answerGeneration++;
          break;
        }
      }
    }
    const listing = { state, settled, round, names, minded };
    listings.set(folder, listing);
    return listing;
  };

  const kindOf = (listing: Listing, folder: string, name: string) =>
    !listing.names && listing.state?.kind === "folder"
      ? files.lstat(childOf(folder, name))?.kind
      : listing.names?.get(name);

  return {
    nextRound: () => {
      since = ++round;
      const age = files.now() - installedMs;
      // Less than nothing if the clock was set back.
      if (age >= 0 && age < MAX_AGE_MS) return;
      installedSince = round;
      installedMs = files.now();
    },
    freshly: (look) => {
      round++;
      isFresh = true;
      try {
        return look();
      } finally {
        isFresh = false;
      }
    },
    get round() {
      return round;
    },
    stat,
    entry: (folder, name) => kindOf(current(folder), folder, name),
    answer: (folder, name) => {
      const listing = current(folder);
      listing.minded.add(name);
      return kindOf(listing, folder, name);
    },
    names: (folder) => current(folder).names,
    refresh: (folder) => {
      current(folder);
    },
    get shapeGeneration() {
      return shapeGeneration;
    },
    get answerGeneration() {
      return answerGeneration;
    },
  };
}

function differsInShape(
  before: ReadonlyMap<string, EntryKind> | undefined,
  after: ReadonlyMap<string, EntryKind> | undefined,
): boolean {
  if ((before === undefined) !== (after === undefined)) return true;
  for (const [name, kind] of before ?? []) {
    // A link may have been replaced by another of the same name.
    if (kind === "link" || (kind !== "file" && after?.get(name) !== kind)) return true;
  }
  for (const [name, kind] of after ?? []) {
    if (kind !== "file" && before?.get(name) !== kind) return true;
  }
  return false;
}
