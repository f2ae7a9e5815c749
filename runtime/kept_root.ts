/**
 * A root of rooted jobs that stays between them: the next compilation needs nearly the same toolchain
 * and headers. To link 500 files, to ask for their states and to unlink them takes 25 ms, whoever
 * makes the calls (on tmpfs: link 11 µs, unlink 8 µs, statx 4 to 6 µs, by Deno as by foreign function).
 * Left in place they take one statx each, which the cache makes anyway before it gives a file to another
 * job: 5 ms in all. There is a root for each list of manifests, as C and C++ need other files.
 *
 * What stays is folders, links and hard links into the cache; what a job may give back, what came
 * inside the job and all copies are made afresh. That a job finds just its own inputs rests on this:
 * - a file is touched if its state is another one than was noted (cache.ts), and is then laid out anew;
 * - a folder's entries were changed if its change time is another one, as no call can set that. Then,
 *   and where the noted time is so young that the job could have begun in the same tick of the clock,
 *   the folder is listed, and all that is not a kept entry with its inode or target is removed;
 * - that is done when all processes of the job are dead, which needs the C library (processes.ts;
 *   without it each job has a fresh root), and again before use if another job has run elsewhere since;
 * - what the next job does not need, or needs otherwise, is removed before anything is laid out.
 */
import { isInline } from "../job/content.ts";
import type { Digest } from "../job/digest.ts";
import type { Input } from "../job/manifest.ts";
import { parentOf } from "../job/path.ts";
import type { Cache, Placement } from "./cache.ts";
import { type Fingerprint, type Libc, sameFingerprint } from "./libc.ts";
import { targetInRoot } from "./link_target.ts";
import type { Look } from "./look.ts";
import { removeTree } from "./remove_tree.ts";
import type { Tree } from "./tree.ts";

/** A root that stays. Job paths are absolute. */
export interface KeptRoot {
  /** Its absolute path. */
  readonly path: string;
  /** Removes what a job with `tree` and `folders` does not need as it is, and what `mayComeBack`. */
  prepare(
    tree: Tree,
    folders: ReadonlySet<string>,
    mayComeBack: (path: string) => boolean,
  ): void;
  /** Makes a folder if it is not there. */
  makeFolder(path: string): void;
  /** Gives a folder its permission bits. */
  setMode(path: string, mode: number): void;
  /** Makes a link if it is not there. */
  makeLink(path: string, target: string): void;
  /** Lays out an object if it is not there as it shall look; one that `mayComeBack` is not kept. */
  place(path: string, digest: Digest, look: Look, mayComeBack: boolean): void;
  /** Makes ready for a file at `path` that will not be kept, and returns its real path. */
  makeRoom(path: string): string;
  /** All is laid out and the job begins. */
  begin(): void;
  /** The job has ended, or was given up: removes what it made and forgets what it touched. */
  end(): void;
  /** Removes all of it; only between jobs. */
  drop(): void;
}

interface KeptFile {
  readonly kind: "file";
  readonly digest: Digest;
  readonly look: Look;
  readonly placement: Placement;
}

type Entry = KeptFile | { readonly kind: "link"; readonly target: string };

interface Folder {
  mode: number;
  /** Undefined until the job begins. */
  state: Fingerprint | undefined;
}

/** More than a tick of any clock: change times advance every 10 ms at the slowest. */
const TICK_MS = 20;
const OWNER_ALL = 0o700;
const PERMISSIONS = 0o7777;
const FOLDER_MODE = 0o755;

/** An empty root at `path`, where nothing may be; `now` tells the milliseconds since 1970. */
export function openKeptRoot(
  path: string,
  cache: Cache,
  libc: Libc,
  now: () => number,
): KeptRoot {
  // A folder comes before those in it, as it was made before them.
  const folders = new Map<string, Folder>();
  const entries = new Map<string, Entry>();
  /** Cached files that have a link here: a second one in the same root would be the same file. */
  const links = new Set<object>();
  /** Folders whose state changed by us since it was noted. */
  const changed = new Set<string>();
  /** Folders that are to be listed, whatever their state is, as they hold what is not kept. */
  const hot = new Set<string>();
  let beganMs = 0;

  const realPath = (of: string) => of === "/" ? path : path + of;

  const setMode = (of: string, mode: number) => {
    const folder = folders.get(of);
    if (folder === undefined || folder.mode === mode) return;
    Deno.chmodSync(realPath(of), mode);
    folder.mode = mode;
    changed.add(of);
  };

  /** Makes the folder of an entry writable, which is about to change. */
  const touchParent = (of: string) => {
    const above = parentOf(of);
    const mode = folders.get(above)?.mode ?? OWNER_ALL;
    setMode(above, mode | OWNER_ALL);
    changed.add(above);
  };

  const forget = (of: string, entry: Entry) => {
    entries.delete(of);
    if (entry.kind === "file") links.delete(entry.placement.variant);
  };

  /** Removes an entry of a folder that was found as we left it. */
  const remove = (of: string, entry: Entry) => {
    touchParent(of);
    forget(of, entry);
    if (entry.kind === "file") cache.unplace(entry.placement, realPath(of));
    else Deno.removeSync(realPath(of));
  };

  /** Removes an entry of which a job left we do not know what. */
  const lose = (of: string, entry: Entry) => {
    forget(of, entry);
    removeTree(realPath(of));
  };

  /** Removes a folder and all below it; nothing is reached by a path that leads through it. */
  const removeFolder = (of: string) => {
    if (of !== "/") touchParent(of);
    removeTree(realPath(of));
    const prefix = of === "/" ? "/" : `${of}/`;
    for (const [below, entry] of [...entries]) {
      if (below.startsWith(prefix)) forget(below, entry);
    }
    for (const below of [...folders.keys()]) {
      if (below === of || below.startsWith(prefix)) folders.delete(below);
    }
  };

  const isUntouched = (of: string, entry: Entry): boolean => {
    const found = libc.fingerprint(realPath(of));
    if (entry.kind === "file") return found?.inode === cache.inodeOf(entry.placement);
    return found !== undefined && (found.mode & TYPE_BITS) === LINK_TYPE &&
      Deno.readLinkSync(realPath(of)) === entry.target;
  };

  /** Removes from a folder what is not ours, and forgets what is not there. */
  const clean = (of: string) => {
    const prefix = of === "/" ? "/" : `${of}/`;
    const ours = new Set<string>();
    for (const { name } of Deno.readDirSync(realPath(of))) {
      const child = prefix + name;
      const entry = entries.get(child);
      if (folders.has(child) || (entry && isUntouched(child, entry))) ours.add(child);
      else if (entry) lose(child, entry);
      else removeTree(realPath(child));
    }
    for (const [child, entry] of [...entries]) {
      if (!ours.has(child) && parentOf(child) === of) lose(child, entry);
    }
  };

  const drop = () => {
    for (const [of, entry] of [...entries]) remove(of, entry);
    for (const all of [folders, changed, hot]) all.clear();
    removeTree(path);
  };

  const verify = () => {
    for (const [of, { mode, state }] of [...folders]) {
      // It went with a folder above it.
      if (!folders.has(of)) continue;
      const found = libc.fingerprint(realPath(of));
      if (state === undefined || found?.inode !== state.inode) {
        removeFolder(of);
        continue;
      }
      const isOld = state.ctimeS * 1000 + state.ctimeNs / 1e6 < beganMs - TICK_MS;
      if (isOld && !hot.has(of) && sameFingerprint(state, found)) continue;
      changed.add(of);
      if ((found.mode & PERMISSIONS) !== mode) Deno.chmodSync(realPath(of), mode);
      setMode(of, mode | OWNER_ALL);
      clean(of);
    }
    for (const of of changed) {
      const folder = folders.get(of);
      if (folder) folder.state = libc.fingerprint(realPath(of));
    }
    changed.clear();
    hot.clear();
  };

  return {
    path,
    setMode,
    drop,
    prepare(tree, needed, mayComeBack) {
      for (const [of, entry] of [...entries]) {
        const input = tree.get(of);
        const stays = input !== undefined && isSame(entry, input) && !mayComeBack(of) &&
          (entry.kind === "link" || cache.holds(entry.placement));
        if (!stays) remove(of, entry);
      }
      for (const of of [...folders.keys()].reverse()) if (!needed.has(of)) removeFolder(of);
    },
    makeFolder(of) {
      if (folders.has(of)) return;
      if (of !== "/") touchParent(of);
      Deno.mkdirSync(realPath(of), { mode: FOLDER_MODE });
      folders.set(of, { mode: FOLDER_MODE, state: undefined });
    },
    makeLink(of, target) {
      if (entries.has(of)) return;
      touchParent(of);
      Deno.symlinkSync(target, realPath(of));
      entries.set(of, { kind: "link", target });
    },
    place(of, digest, look, mayComeBack) {
      const entry = entries.get(of);
      if (entry?.kind === "file") {
        if (samePatch(entry.look.patch, look.patch)) return;
        remove(of, entry);
      }
      touchParent(of);
      const placement = cache.place(digest, realPath(of), look, mayComeBack, links);
      if (placement === undefined) hot.add(parentOf(of));
      else entries.set(of, { kind: "file", digest, look, placement });
    },
    makeRoom(of) {
      touchParent(of);
      hot.add(parentOf(of));
      return realPath(of);
    },
    begin() {
      for (const [of, folder] of folders) {
        if (folder.state === undefined || changed.has(of)) {
          folder.state = libc.fingerprint(realPath(of));
        }
      }
      changed.clear();
      beganMs = now();
    },
    end() {
      try {
        verify();
      } catch (error) {
        removeFolder("/");
        throw error;
      }
    },
  };
}

const TYPE_BITS = 0o170000;
const LINK_TYPE = 0o120000;

function isSame(entry: Entry, input: Input): boolean {
  if (entry.kind === "link") return input.kind === "link" && targetInRoot(input) === entry.target;
  return input.kind === "file" && !isInline(input.content) &&
    input.content.digest === entry.digest && input.mode === entry.look.mode &&
    input.mtimeMs === entry.look.mtimeMs;
}

function samePatch(a: Look["patch"], b: Look["patch"]): boolean {
  return a === b || (a !== undefined && b !== undefined && a.offset === b.offset &&
    a.bytes.length === b.bytes.length && a.bytes.every((byte, index) => byte === b.bytes[index]));
}
