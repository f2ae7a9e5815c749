/**
 * The root of rooted jobs, which stays between them: the next compilation needs nearly the same
 * toolchain and headers, and to link, unlink and ask for the state of 500 files takes 25 ms, whoever
 * makes the calls (on tmpfs: link 11 µs, unlink 8 µs, statx 6 µs, by Deno as by foreign function).
 * Left in place they take one statx each, which the cache makes anyway before it gives a file to
 * another job.
 *
 * What stays is folders, links and hard links into the cache; what a job may give back, what came
 * inside the job and all copies are made afresh. That a job finds just its own inputs rests on this:
 * - a file is touched if its state is another one than was noted (cache.ts), and is then laid out anew;
 * - a folder's entries were changed if its change time is another one, as no call can set that. Then,
 *   and where the noted time is so young that the job could have begun in the same tick of the clock,
 *   the folder is listed, and all that is not a kept entry with its inode or target is removed;
 * - both are done when all processes of the job are dead, which needs the C library (processes.ts);
 *   without it each job has a fresh root;
 * - what the next job does not need, or needs otherwise, is removed before anything is laid out.
 */
import type { Digest } from "../job/digest.ts";
import type { Input } from "../job/manifest.ts";
import type { Cache, Placement } from "./cache.ts";
import { type Fingerprint, type Libc, sameFingerprint } from "./libc.ts";
import type { Look } from "./look.ts";
import { removeTree } from "./remove_tree.ts";
import type { Tree } from "./tree.ts";

/** A root that stays. */
export interface KeptRoot {
  /** Its absolute path. */
  readonly path: string;
  /**
   * Removes all that a job with `tree` and `folders` does not need as it is; whatever `mayComeBack`
   * says yes to is not kept. Makes the root if it is not there.
   */
  prepare(
    tree: Tree,
    folders: ReadonlySet<string>,
    mayComeBack: (path: string) => boolean,
  ): void;
  /** Whether the folder is there. */
  hasFolder(path: string): boolean;
  /** Whether the link or the file, with this patch, is there. */
  has(path: string, patch: Look["patch"]): boolean;
  /** Removes a file that is there. */
  remove(path: string): void;
  /** Notes a folder that was made. */
  addFolder(path: string): void;
  /** Notes a link that was made. */
  addLink(path: string, target: string): void;
  /** Notes a file that was laid out; it stays if it was linked. */
  addFile(
    path: string,
    digest: Digest | undefined,
    look: Look,
    placement: Placement | undefined,
  ): void;
  /** Notes the state of all folders: the job begins. */
  begin(): void;
  /** Removes what the job made and forgets what it touched: the job has ended. */
  end(): void;
  /** Removes all of it. */
  drop(): void;
}

interface KeptFile {
  readonly kind: "file";
  readonly digest: Digest;
  readonly look: Look;
  readonly placement: Placement;
}

type Entry = KeptFile | { readonly kind: "link"; readonly target: string };

/** More than a tick of any clock: change times advance every 10 ms at the slowest. */
const TICK_MS = 20;
const OWNER_ALL = 0o700;

/** An empty root at `path`, which must not exist. */
export function openKeptRoot(path: string, cache: Cache, libc: Libc): KeptRoot {
  const folders = new Map<string, Fingerprint | undefined>();
  const entries = new Map<string, Entry>();
  /** Folders in which this layout changed something. */
  const changed = new Set<string>();
  /** Folders that are to be listed whatever their state is. */
  const hot = new Set<string>();
  let beganMs = 0;
  let isWhole = true;

  const realPath = (of: string) => of === "/" ? path : path + of;
  const parent = (of: string) => of.slice(0, of.lastIndexOf("/")) || "/";

  const remove = (of: string) => {
    const entry = entries.get(of);
    if (entry === undefined) return;
    entries.delete(of);
    changed.add(parent(of));
    if (entry.kind === "file") cache.unplace(entry.placement, realPath(of));
    else removeTree(realPath(of));
  };

  /** Removes a folder that is not there any more, is another one, or is not needed. */
  const removeFolder = (of: string) => {
    for (const below of [...entries.keys()]) if (below.startsWith(`${of}/`)) remove(below);
    for (const below of [...folders.keys()]) if (below.startsWith(`${of}/`)) folders.delete(below);
    folders.delete(of);
    changed.add(parent(of));
    removeTree(realPath(of));
  };

  const isUntouched = (of: string, entry: Entry): boolean => {
    const now = libc.fingerprint(realPath(of));
    if (entry.kind === "file") return now?.inode === entry.placement.inode();
    return now !== undefined && isLink(now) && Deno.readLinkSync(realPath(of)) === entry.target;
  };

  /** Removes from a folder what is not ours, and forgets what is not there. */
  const clean = (of: string, now: Fingerprint) => {
    if ((now.mode & OWNER_ALL) !== OWNER_ALL) return removeFolder(of);
    const prefix = of === "/" ? "/" : `${of}/`;
    const found = new Set<string>();
    for (const { name } of Deno.readDirSync(realPath(of))) {
      const child = prefix + name;
      const entry = entries.get(child);
      if (folders.has(child) || (entry && isUntouched(child, entry))) found.add(child);
      else if (entry) remove(child);
      else removeTree(realPath(child));
    }
    for (const child of [...entries.keys()]) {
      if (parent(child) === of && !found.has(child)) remove(child);
    }
  };

  const drop = () => {
    for (const of of [...entries.keys()]) remove(of);
    for (const set of [folders, changed, hot]) set.clear();
    removeTree(path);
    isWhole = true;
  };

  return {
    path,
    prepare(tree, needed, mayComeBack) {
      if (!isWhole) drop();
      isWhole = false;
      for (const [of, entry] of [...entries]) {
        const input = tree.get(of);
        const stays = input !== undefined && isSame(entry, input) && !mayComeBack(of) &&
          (entry.kind === "link" || cache.holds(entry.placement));
        if (!stays) remove(of);
      }
      for (const of of [...folders.keys()].reverse()) if (!needed.has(of)) removeFolder(of);
    },
    hasFolder: (of) => folders.has(of),
    has(of, patch) {
      const entry = entries.get(of);
      return entry !== undefined && (entry.kind === "link" || samePatch(entry.look.patch, patch));
    },
    remove,
    addFolder(of) {
      folders.set(of, undefined);
      changed.add(of).add(parent(of));
    },
    addLink(of, target) {
      entries.set(of, { kind: "link", target });
      changed.add(parent(of));
    },
    addFile(of, digest, look, placement) {
      changed.add(parent(of));
      if (digest === undefined || placement === undefined) hot.add(parent(of));
      else entries.set(of, { kind: "file", digest, look, placement });
    },
    begin() {
      for (const [of, state] of folders) {
        if (state === undefined || changed.has(of)) {
          folders.set(of, libc.fingerprint(realPath(of)));
        }
      }
      changed.clear();
      beganMs = Date.now();
      isWhole = true;
    },
    end() {
      if (!isWhole) return drop();
      for (const [of, noted] of [...folders]) {
        // It went with the folder above it.
        if (!folders.has(of)) continue;
        const now = libc.fingerprint(realPath(of));
        if (noted === undefined || now === undefined || now.inode !== noted.inode) {
          removeFolder(of);
          continue;
        }
        const isOld = noted.ctimeS * 1000 + noted.ctimeNs / 1e6 < beganMs - TICK_MS;
        if (isOld && !hot.has(of) && sameFingerprint(noted, now)) continue;
        if (now.mode !== noted.mode) Deno.chmodSync(realPath(of), noted.mode & 0o7777);
        clean(of, noted);
        changed.add(of);
      }
      for (const of of changed) if (folders.has(of)) folders.set(of, libc.fingerprint(realPath(of)));
      changed.clear();
      hot.clear();
    },
    drop,
  };
}

function isSame(entry: Entry, input: Input): boolean {
  if (entry.kind === "link") return input.kind === "link";
  return input.kind === "file" && "digest" in input.content &&
    input.content.digest === entry.digest && input.mode === entry.look.mode &&
    input.mtimeMs === entry.look.mtimeMs;
}

function samePatch(a: Look["patch"], b: Look["patch"]): boolean {
  return a === b || (a !== undefined && b !== undefined && a.offset === b.offset &&
    a.bytes.length === b.bytes.length && a.bytes.every((byte, index) => byte === b.bytes[index]));
}

const TYPE_BITS = 0o170000;
const LINK_TYPE = 0o120000;

function isLink({ mode }: Fingerprint): boolean {
  return (mode & TYPE_BITS) === LINK_TYPE;
}
