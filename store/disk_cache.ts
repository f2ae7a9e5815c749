/**
 * Objects on this machine's disk: a file each, named by its digest, in folders by its first two digits.
 *
 * Many processes may share a cache. Files appear whole under their name, every read is checked against
 * the digest, and what is damaged is removed and counts as absent. When the limit is passed, what was
 * used longest ago goes, until a tenth is free.
 */
import { messageOf } from "../job/errors.ts";
import { type Digest, digestOf } from "../job/digest.ts";

/** What a cache has done so far. */
export interface DiskCacheCounters {
  /** Reads that found the object. */
  readonly hits: number;
  /** Reads that did not. */
  readonly misses: number;
  /** Objects that were found damaged and removed. */
  readonly corrupt: number;
  /** Objects removed to stay within the limit. */
  readonly evicted: number;
}

/** Objects on this machine's disk. */
export interface DiskCache {
  /** The object, undefined if it is absent or damaged. */
  get(digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Keeps an object whose digest was checked. */
  put(digest: Digest, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** What the cache has done so far. */
  readonly counters: DiskCacheCounters;
}

/** Settings of {@linkcode openDiskCache}. */
export interface DiskCacheOptions {
  /** Folder of the cache, created where it is absent. */
  folder: string;
  /** Most bytes that the files may have together. */
  maxBytes: number;
  /** Milliseconds since 1970; the system's clock unless given. */
  now?: () => number;
}

/** A use is noted in the file's times when the last one noted is older. */
const TOUCH_AFTER_MS = 10 * 60_000;
/** A temporary file this old was left by a process that died. */
const ABANDONED_AFTER_MS = 60 * 60_000;

interface Entry {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
  readonly isTemporary: boolean;
}

/** Opens a cache. Nothing is read until it is used. */
export function openDiskCache(options: DiskCacheOptions): DiskCache {
  const { folder, maxBytes } = options;
  const now = options.now ?? Date.now;
  const counters = { hits: 0, misses: 0, corrupt: 0, evicted: 0 };
  /** Bytes in the folder as far as this process knows: undefined until they were counted. */
  let totalBytes: number | undefined;
  let trimming: Promise<void> | undefined;

  const pathOf = (digest: Digest) => `${folder}/${digest.slice(0, 2)}/${digest}`;

  const read = async (path: string): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    try {
      return await Deno.readFile(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };

  const touch = async (path: string): Promise<void> => {
    try {
      const { mtime } = await Deno.stat(path);
      if (mtime !== null && now() - mtime.getTime() < TOUCH_AFTER_MS) return;
      await Deno.utime(path, now() / 1000, now() / 1000);
    } catch (error) {
      // Removed by another process since it was read.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  };

  const trim = async (): Promise<void> => {
    const entries = (await Array.fromAsync(listEntries(folder)))
      .sort((a, b) => a.usedMs - b.usedMs);
    let bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    const goal = bytes > maxBytes ? maxBytes * 0.9 : maxBytes;
    for (const entry of entries) {
      const isAbandoned = entry.isTemporary && now() - entry.usedMs > ABANDONED_AFTER_MS;
      if (!isAbandoned && (entry.isTemporary || bytes <= goal)) continue;
      await removeIfThere(entry.path);
      bytes -= entry.bytes;
      if (!entry.isTemporary) counters.evicted++;
    }
    totalBytes = bytes;
  };

  const trimOnce = (): Promise<void> =>
    trimming ??= trim().finally(() => {
      trimming = undefined;
    });

  return {
    counters,
    async get(digest) {
      const path = pathOf(digest);
      const bytes = await read(path);
      if (bytes === undefined) {
        counters.misses++;
        return undefined;
      }
      if (await digestOf(bytes) !== digest) {
        counters.corrupt++;
        await removeIfThere(path);
        return undefined;
      }
      await touch(path);
      counters.hits++;
      return bytes;
    },
    async put(digest, bytes) {
      if (bytes.length > maxBytes / 2) return;
      if (totalBytes === undefined) await trimOnce();
      const path = pathOf(digest);
      const temporary = `${path}.${crypto.randomUUID()}.tmp`;
      await Deno.mkdir(`${folder}/${digest.slice(0, 2)}`, { recursive: true, mode: 0o700 });
      try {
        await Deno.writeFile(temporary, bytes, { createNew: true, mode: 0o600 });
        await Deno.utime(temporary, now() / 1000, now() / 1000);
        await Deno.rename(temporary, path);
      } catch (cause) {
        await removeIfThere(temporary);
        throw new Error(`Cannot write "${path}": ${messageOf(cause)}`, { cause });
      }
      totalBytes = (totalBytes ?? 0) + bytes.length;
      if (totalBytes > maxBytes) await trimOnce();
    },
  };
}

async function* listEntries(folder: string): AsyncGenerator<Entry> {
  for await (const part of entriesOf(folder)) {
    if (!part.isDirectory || !/^[0-9a-f]{2}$/.test(part.name)) continue;
    for await (const { name } of entriesOf(`${folder}/${part.name}`)) {
      const path = `${folder}/${part.name}/${name}`;
      try {
        const { size, mtime } = await Deno.stat(path);
        yield {
          path,
          bytes: size,
          usedMs: mtime?.getTime() ?? 0,
          isTemporary: name.endsWith(".tmp"),
        };
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }
}

async function* entriesOf(folder: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
