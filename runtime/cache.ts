/**
 * Objects on the worker's disk, kept between jobs so that a warm worker fetches nothing.
 *
 * A job's root is made of hard links into this cache: 500 links take 10 ms, 500 copies 80. Roots of
 * rooted jobs stay, with their links (kept_root.ts). A link shares permission bits and times with the
 * cached file, so one object has one *variant* (a file) for each look that some job gave it. The first
 * look is given to the object's raw file itself; further ones are copies.
 *
 * A hard link can be written through, and a job runs as the same user as the runtime (Lambda has no
 * second one), so permission bits protect nothing. What protects the next job:
 * - inputs that the job may give back, and the second use of one variant in one job, are copies;
 * - state (inode, size, mode, modification and change time) is noted after linking, and held against
 *   the file when the job has ended, or where the link stays, when it is used again: a file that was
 *   written, truncated, renamed, unlinked or chmod-ed has another change time, which no call can set.
 *   Such a variant is dropped and fetched again;
 * - before reuse the state is held against what was noted when a link was made or removed last, so a
 *   file that was reached by its name in the cache's folder (0700) is noticed as well.
 * What is not protected: a job that means harm. It can stop or trace the runtime itself, as the same
 * user; and a write within the clock tick (at most 10 ms) in which the link was made, with its
 * modification time put back, goes unseen. One function is one circle of trust.
 *
 * The index is in memory only; what a runtime before this one left in the folder is removed.
 */
import type { Digest } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { type ElfProgram, readElfFile } from "./elf.ts";
import { type Fingerprint, fingerprint, type Libc, sameFingerprint } from "./libc.ts";
import { dress, type Look, type Patch, patchFile } from "./look.ts";

/** Objects on disk, at most so many bytes but for what the running job needs. */
export interface Cache {
  /** Bytes of all cached files. */
  readonly usedBytes: () => number;
  /** Whether the object is here and untouched; it is kept until {@linkcode Cache.endJob} then. */
  claim(digest: Digest): boolean;
  /** Keeps an object whose digest the caller has checked; claimed objects are never evicted for it. */
  add(digest: Digest, bytes: Uint8Array): void;
  /**
   * Keeps an object of `size` bytes that `write` writes to a path, and whose digest that has checked; what it throws
   * leaves nothing behind.
   */
  addFile(digest: Digest, size: number, write: (path: string) => Promise<void>): Promise<void>;
  /** A file that holds a claimed object, undefined if it differs from that by a patch. */
  fileOf(digest: Digest): string | undefined;
  /** The bytes of a claimed object. */
  read(digest: Digest): Uint8Array<ArrayBuffer>;
  /** The ELF header of a claimed object, read once; undefined if it is not ELF. */
  elf(digest: Digest): ElfProgram | undefined;
  /**
   * Makes a claimed object appear at `path`; as a file of its own if `own`, linked where possible if not.
   * With `links`, the cached files that another root holds links to, it is for that root and stays when
   * the job ends; it is added to them and returned if it is linked.
   */
  place(
    digest: Digest,
    path: string,
    look: Look,
    own: boolean,
    links?: Set<object>,
  ): Placement | undefined;
  /** Whether a kept link still is one to a cached file. */
  holds(placement: Placement): boolean;
  /** The inode of a kept link as it was made. */
  inodeOf(placement: Placement): number | undefined;
  /** Removes a kept link at `path`. */
  unplace(placement: Placement, path: string): void;
  /** Holds what was linked, and not kept, against its noted state, drops what was touched, ends all claims. */
  endJob(): void;
  /** Notes the state of what was linked, once the root with the other links is gone. */
  settle(): void;
  /** Evicts what was used longest ago until at most `maxBytes` are used; claimed objects stay. */
  trim(maxBytes: number): void;
}

/** A hard link into the cache that stays between jobs. */
export interface Placement {
  readonly digest: Digest;
  /** Name of the variant that it is a link to. */
  readonly key: string;
  /** The file that it is a link to. */
  readonly variant: object;
}

interface Variant {
  readonly file: string;
  readonly look: Look | undefined;
  /** The bytes that the patch replaced. */
  readonly replaced: Patch | undefined;
  state: Fingerprint | undefined;
}

interface Entry {
  readonly size: number;
  readonly variants: Map<string, Variant>;
  elf?: { readonly program: ElfProgram | undefined };
}

const RAW = "raw";
const OWNER_READ = 0o400;

/** Opens an empty cache in `folder`. */
export function openCache(
  folder: string,
  maxBytes: number,
  libc: Libc | undefined,
): Cache {
  Deno.mkdirSync(folder, { recursive: true });
  Deno.removeSync(folder, { recursive: true });
  Deno.mkdirSync(folder, { mode: 0o700 });
  // Insertion order is the order of last use.
  const entries = new Map<Digest, Entry>();
  const claimed = new Set<Digest>();
  const linked = new Set<Variant>();
  let used = 0;

  const stateOf = (variant: Variant) => fingerprint(libc, variant.file);

  const drop = (digest: Digest, entry: Entry, key: string, variant: Variant) => {
    removeFile(variant.file);
    linked.delete(variant);
    entry.variants.delete(key);
    used -= entry.size;
    if (entry.variants.size === 0) entries.delete(digest);
  };

  const evict = (limit: number) => {
    for (const [digest, entry] of entries) {
      if (used <= limit) return;
      if (claimed.has(digest)) continue;
      for (const [key, variant] of [...entry.variants]) drop(digest, entry, key, variant);
    }
  };

  const enter = (digest: Digest, size: number, file: string) => {
    const raw: Variant = { file, look: undefined, replaced: undefined, state: undefined };
    raw.state = stateOf(raw);
    entries.set(digest, { size, variants: new Map([[RAW, raw]]) });
    used += size;
  };

  const entryOf = (digest: Digest): Entry => {
    const entry = entries.get(digest);
    if (entry === undefined) {
      throw new LlamaError("CacheLost", `Cannot use object "${digest}" as it is not cached`);
    }
    return entry;
  };

  const anyVariant = (digest: Digest): Variant => {
    const { variants } = entryOf(digest);
    for (const variant of variants.values()) return variant;
    throw new LlamaError("CacheLost", `Cannot use object "${digest}" as it is not cached`);
  };

  /** Copies a variant's object to `path` and gives the copy its look. */
  const copy = (from: Variant, path: string, look: Look): Patch | undefined => {
    Deno.copyFileSync(from.file, path);
    // The copy takes over the mode, which may not let us write.
    Deno.chmodSync(path, 0o600);
    if (from.replaced) patchFile(path, from.replaced);
    return dress(path, look);
  };

  const heldBy = ({ digest, key, variant }: Placement): Variant | undefined => {
    const now = entries.get(digest)?.variants.get(key);
    return now === variant ? now : undefined;
  };

  const variantFor = (digest: Digest, look: Look): Variant => {
    const entry = entryOf(digest);
    const key = keyOf(look);
    const known = entry.variants.get(key);
    if (known) return known;
    const file = `${folder}/${digest}.${key}`;
    const raw = entry.variants.get(RAW);
    let replaced: Patch | undefined;
    if (raw) {
      Deno.renameSync(raw.file, file);
      entry.variants.delete(RAW);
      used -= entry.size;
      replaced = dress(file, look);
    } else {
      replaced = copy(anyVariant(digest), file, look);
    }
    const variant: Variant = { file, look, replaced, state: undefined };
    variant.state = stateOf(variant);
    entry.variants.set(key, variant);
    used += entry.size;
    return variant;
  };

  return {
    usedBytes: () => used,
    claim(digest) {
      const entry = entries.get(digest);
      if (entry === undefined) return false;
      if (!claimed.has(digest)) {
        for (const [key, variant] of [...entry.variants]) {
          if (!sameFingerprint(variant.state, stateOf(variant))) drop(digest, entry, key, variant);
        }
        if (entry.variants.size === 0) return false;
        claimed.add(digest);
        entries.delete(digest);
        entries.set(digest, entry);
      }
      return true;
    },
    add(digest, bytes) {
      if (entries.has(digest)) return;
      evict(maxBytes - bytes.length);
      const file = `${folder}/${digest}`;
      try {
        Deno.writeFileSync(file, bytes, { mode: 0o600 });
      } catch (error) {
        removeFile(file);
        throw error;
      }
      enter(digest, bytes.length, file);
    },
    async addFile(digest, size, write) {
      if (entries.has(digest)) return;
      evict(maxBytes - size);
      const file = `${folder}/${digest}`;
      try {
        await write(file);
      } catch (error) {
        removeFile(file);
        throw error;
      }
      enter(digest, size, file);
    },
    fileOf(digest) {
      const variant = anyVariant(digest);
      return variant.replaced === undefined ? variant.file : undefined;
    },
    read(digest) {
      const variant = anyVariant(digest);
      const bytes = Deno.readFileSync(variant.file);
      if (variant.replaced) bytes.set(variant.replaced.bytes, variant.replaced.offset);
      return bytes;
    },
    elf(digest) {
      const entry = entryOf(digest);
      // No variant is patched before this was asked once, as a patch is made from the answer.
      entry.elf ??= { program: readElfFile(anyVariant(digest).file) };
      return entry.elf.program;
    },
    place(digest, path, look, own, links) {
      // A variant that its owner may not read could not be copied later.
      if (own || (look.mode & OWNER_READ) === 0) {
        copy(anyVariant(digest), path, look);
        return undefined;
      }
      const variant = variantFor(digest, look);
      if ((links ?? linked).has(variant)) {
        copy(variant, path, look);
        return undefined;
      }
      Deno.linkSync(variant.file, path);
      variant.state = stateOf(variant);
      (links ?? linked).add(variant);
      return links && { digest, key: keyOf(look), variant };
    },
    holds: (placement) => heldBy(placement) !== undefined,
    inodeOf: (placement) => heldBy(placement)?.state?.inode,
    unplace(placement, path) {
      const variant = heldBy(placement);
      const isUntouched = variant !== undefined &&
        sameFingerprint(variant.state, stateOf(variant));
      removeFile(path);
      if (variant === undefined) return;
      if (isUntouched) variant.state = stateOf(variant);
      else drop(placement.digest, entryOf(placement.digest), placement.key, variant);
    },
    endJob() {
      claimed.clear();
      for (const [digest, entry] of [...entries]) {
        for (const [key, variant] of [...entry.variants]) {
          if (linked.has(variant) && !sameFingerprint(variant.state, stateOf(variant))) {
            drop(digest, entry, key, variant);
          }
        }
      }
    },
    settle() {
      for (const variant of linked) variant.state = stateOf(variant);
      linked.clear();
      evict(maxBytes);
    },
    trim: evict,
  };
}

function keyOf({ mode, mtimeMs, patch }: Look): string {
  const text = patch ? `.${patch.offset}-${patch.bytes.toHex()}` : "";
  return `${mode.toString(8)}.${mtimeMs ?? ""}${text}`;
}

function removeFile(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    // A job may have removed it; gone is what we want.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
