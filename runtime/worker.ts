/** What a worker keeps between jobs: its folder, cache and loaders. */
import { messageOf } from "../job/errors.ts";
import { type Cache, openCache } from "./cache.ts";
import type { CaptureLimits } from "./capture.ts";
import { type Fetched, newFetched } from "./fetch_inputs.ts";
import { type KeptRoot, openKeptRoot } from "./kept_root.ts";
import type { Libc } from "./libc.ts";
import { type Loaders, openLoaders } from "./loaders.ts";
import type { Objects } from "./objects.ts";
import type { OutputLimits } from "./outputs.ts";
import { removeTree } from "./remove_tree.ts";

/** Bounds of a job. */
export interface WorkerLimits extends CaptureLimits, OutputLimits {
  /** Most bytes of an answer's JSON. */
  readonly maxAnswerBytes: number;
}

/** How a worker is set up. */
export interface WorkerOptions {
  /** Folder of the worker's own, emptied first; a short path, as a job may see it. */
  readonly folder: string;
  /** Folder for shipped loaders; a short path, as it must fit in a program in place of another. */
  readonly loaderFolder: string;
  /** Most bytes of cached objects; half of what is free unless given. */
  readonly cacheBytes?: number;
  /** A folder in which everything that a job leaves is removed; none unless given. */
  readonly sweptFolder?: string;
  /** Where objects come from and go. */
  readonly objects: Objects;
  /** Environment of a job that is not rooted, before the job's own. */
  readonly plainEnv: Readonly<Record<string, string>>;
  /** Put before the arguments of a job that is not rooted, as an image's ENTRYPOINT would be. */
  readonly prefixArgs: readonly string[];
  readonly limits: WorkerLimits;
  readonly libc: Libc | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Takes a line for the function's log. */
  readonly log: (line: string) => void;
}

/** A worker, ready for jobs, one at a time. */
export interface Worker extends WorkerOptions {
  readonly cache: Cache;
  readonly loaders: Loaders;
  readonly fetched: Fetched;
  /** Claims a root for the next job: a fresh one, or one that is kept for jobs of this kind. */
  beginJob(kind: string | undefined): JobPlace;
  /** Removes what ended jobs left; best called after the answer is on its way. */
  tidy(): void;
  /** Gives up all that is kept for further jobs. */
  reset(): void;
}

/** Where a job runs. */
export interface JobPlace {
  /** How many jobs there were before. */
  readonly earlier: number;
  /** Its root. */
  readonly root: string;
  /** The root, if it is one that stays. */
  readonly kept: KeptRoot | undefined;
  /** Path for the runtime's own files of this job. */
  readonly scratch: string;
}

/** Roots that are kept: C and C++, with one compiler or two. */
const MOST_ROOTS = 4;
/** Cache size where the free space cannot be known: half of the least /tmp of Lambda. */
const FALLBACK_CACHE_BYTES = 256 * 1024 * 1024;

/** Opens a worker in its folder. */
export function openWorker(options: WorkerOptions): Worker {
  const { folder, libc, sweptFolder, log } = options;
  removeTree(folder);
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const half = () => {
    const free = libc?.freeBytes(folder);
    return free === undefined ? FALLBACK_CACHE_BYTES : free / 2;
  };
  const cacheBytes = options.cacheBytes ?? half();
  const cache = openCache(`${folder}/cache`, cacheBytes, libc);
  const own = new Set([folder, options.loaderFolder]);
  const keptPaths = sweptFolder === undefined ? new Set<string>() : new Set(pathsIn(sweptFolder));
  // By kind, in the order of last use.
  const roots = new Map<string, KeptRoot>();
  let lastRoot: KeptRoot | undefined;
  let made = 0;
  let jobs = 0;
  let place: JobPlace | undefined;

  const attempt = (path: string, remove: (path: string) => void = removeTree) => {
    try {
      remove(path);
    } catch (error) {
      log(`Cannot remove "${path}": ${messageOf(error)}`);
    }
  };
  const rootFor = (kind: string): KeptRoot | undefined => {
    if (libc === undefined) return undefined;
    let root = roots.get(kind);
    if (root === undefined) {
      root = openKeptRoot(`${folder}/r${made++}`, cache, libc, options.now);
      if (roots.size >= MOST_ROOTS) forgetRoots(1);
    } else if (root !== lastRoot) {
      // Another job could write to it by its name.
      attempt(root.path, root.end);
    }
    roots.delete(kind);
    roots.set(kind, root);
    return root;
  };
  const forgetRoots = (count: number) => {
    for (const [kind, root] of [...roots].slice(0, count)) {
      roots.delete(kind);
      // It may not be as it was left, and `drop` trusts that.
      attempt(root.path, root.end);
      attempt(root.path, root.drop);
    }
  };
  const tidy = () => {
    if (place === undefined) return;
    const { root, kept, scratch } = place;
    place = undefined;
    attempt(root, kept?.end);
    for (const end of [".log", ".stdout", ".stderr"]) attempt(scratch + end);
    if (sweptFolder !== undefined) {
      for (const path of pathsIn(sweptFolder)) {
        if (!keptPaths.has(path) && !own.has(path)) attempt(path);
      }
    }
    cache.settle();
    const free = libc?.freeBytes(folder);
    if (free === undefined) return;
    const bound = Math.min(cacheBytes, (free + cache.usedBytes()) / 2);
    // What has a link in a root takes its room until that goes, too.
    if (cache.usedBytes() > bound) forgetRoots(roots.size - 1);
    cache.trim(bound);
  };
  return {
    ...options,
    cache,
    loaders: openLoaders(options.loaderFolder, libc),
    fetched: newFetched(),
    beginJob(kind) {
      const earlier = jobs++;
      const scratch = `${folder}/${earlier}`;
      const kept = kind === undefined ? undefined : rootFor(kind);
      lastRoot = kept;
      return place = { earlier, kept, root: kept?.path ?? scratch, scratch };
    },
    tidy,
    reset() {
      cache.endJob();
      tidy();
      forgetRoots(roots.size);
      cache.trim(0);
    },
  };
}

function pathsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`);
}
