/** What a worker keeps between jobs: its folder, cache and loaders. */
import { messageOf } from "../job/errors.ts";
import { type Cache, openCache } from "./cache.ts";
import type { CaptureLimits } from "./capture.ts";
import { type Fetched, newFetched } from "./fetch_inputs.ts";
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
  /** Claims a name for the next job; returns how many there were before. */
  beginJob(): { readonly earlier: number; readonly root: string };
  /** Removes what ended jobs left; best called after the answer is on its way. */
  tidy(): void;
}

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
  const kept = sweptFolder === undefined ? new Set<string>() : new Set(pathsIn(sweptFolder));
  let jobs = 0;
  let root: string | undefined;

  const attempt = (path: string) => {
    try {
      removeTree(path);
    } catch (error) {
      log(`Cannot remove "${path}": ${messageOf(error)}`);
    }
  };
  return {
    ...options,
    cache,
    loaders: openLoaders(options.loaderFolder, libc),
    fetched: newFetched(),
    beginJob() {
      root = `${folder}/${jobs}`;
      return { earlier: jobs++, root };
    },
    tidy() {
      if (root === undefined) return;
      for (const end of ["", ".log", ".stdout", ".stderr"]) attempt(root + end);
      root = undefined;
      if (sweptFolder !== undefined) {
        for (const path of pathsIn(sweptFolder)) {
          if (!kept.has(path) && !own.has(path)) attempt(path);
        }
      }
      cache.settle();
      const free = libc?.freeBytes(folder);
      if (free !== undefined) cache.trim(Math.min(cacheBytes, (free + cache.usedBytes()) / 2));
    },
  };
}

function pathsIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`);
}
