/**
 * Brings a job's objects into the worker's cache: what is not there is looked for in the packs that
 * the job and its manifests name, then asked for singly.
 */
import { type Content, isInline, LARGE_BYTES } from "../job/content.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { decodeManifest, type Input, type Manifest } from "../job/manifest.ts";
import { decodePack, type Packed } from "../job/pack.ts";
import { pickInputs } from "../job/picked.ts";
import type { JobSpec } from "../job/spec.ts";
import type { Cache } from "./cache.ts";
import type { Objects } from "./objects.ts";

/** What a worker remembers of manifests and packs, besides the cache. */
export interface Fetched {
  /** By digest; those of jobs that are not rooted, by a name of their own. */
  readonly manifests: Map<string, Manifest>;
  /** Digests in the packs that were read so far. */
  readonly packs: Map<Digest, ReadonlySet<Digest>>;
}

/** The inputs of a job, or the digests of what nobody has. */
export type FetchResult =
  | { readonly inputs: readonly (readonly Input[])[] }
  | { readonly missing: readonly Digest[] };

const MAX_MANIFESTS = 32;
const MAX_PACKS = 256;
const PACKS_AT_ONCE = 3;
const OBJECTS_AT_ONCE = 16;
const DIGESTS_AT_ONCE = 64;

/** A memory for {@linkcode fetchInputs}. */
export function newFetched(): Fetched {
  return { manifests: new Map(), packs: new Map() };
}

/**
 * Reads the job's manifests and claims every object that it needs in `cache`. An object whose bytes are
 * not those of its digest is as good as missing: the caller, who has the right ones, puts it anew.
 *
 * @throws {LlamaError} What `objects` throws, but for an object that is missing or corrupt.
 */
export async function fetchInputs(
  spec: Pick<JobSpec, "rooted" | "manifests" | "picked" | "packs" | "inputs" | "stdin">,
  cache: Cache,
  objects: Objects,
  fetched: Fetched,
): Promise<FetchResult> {
  const rooted = spec.rooted !== undefined;
  const { picked } = spec;
  const named = picked ? [...spec.manifests, picked.manifest] : spec.manifests;
  const unknown = named.filter((digest) => !fetched.manifests.has(nameOf(digest, rooted)));
  const sizes = new Map<Digest, number>();
  const lost = await fetchObjects(unclaimed(unknown, cache), sizes, cache, objects);
  if (lost.length > 0) return { missing: lost };
  const manifests = named.map((digest) => manifestOf(digest, rooted, cache, fetched));
  const inputs = [
    ...manifests.map((manifest, index) =>
      picked && index === spec.manifests.length
        ? pickInputs(manifest.inputs, picked)
        : manifest.inputs
    ),
    spec.inputs,
  ];
  const need = (content: Content) => {
    if (!isInline(content)) sizes.set(content.digest, content.size);
  };
  for (const list of inputs) {
    for (const input of list) if (input.kind === "file") need(input.content);
  }
  if (spec.stdin) need(spec.stdin);
  let wanted = unclaimed(sizes.keys(), cache);
  if (wanted.length > 0) {
    const packs = new Set([...manifests.flatMap((manifest) => manifest.packs), ...spec.packs]);
    await fetchPacks([...packs], wanted, cache, objects, fetched);
    wanted = await fetchObjects(unclaimed(wanted, cache), sizes, cache, objects);
  }
  return wanted.length > 0 ? { missing: wanted } : { inputs };
}

function unclaimed(digests: Iterable<Digest>, cache: Cache): Digest[] {
  return [...digests].filter((digest) => !cache.claim(digest));
}

/** The same bytes may be a manifest for one kind of job and none for the other. */
function nameOf(digest: Digest, rooted: boolean): string {
  return rooted ? digest : `relative ${digest}`;
}

function manifestOf(
  digest: Digest,
  rooted: boolean,
  cache: Cache,
  { manifests }: Fetched,
): Manifest {
  const name = nameOf(digest, rooted);
  const manifest = manifests.get(name) ??
    decodeManifest(cache.read(digest), `manifest "${digest}"`, rooted);
  manifests.delete(name);
  manifests.set(name, manifest);
  forgetOldest(manifests, MAX_MANIFESTS);
  return manifest;
}

async function fetchPacks(
  packs: readonly Digest[],
  wanted: readonly Digest[],
  cache: Cache,
  objects: Objects,
  fetched: Fetched,
): Promise<void> {
  const left = new Set(wanted);
  await eachAtOnce(packs, PACKS_AT_ONCE, async (digest) => {
    const known = fetched.packs.get(digest);
    if (left.size === 0 || (known && left.isDisjointFrom(known))) return;
    const bytes = await getOrMissing(digest, objects);
    // Its objects may still be had singly.
    if (bytes === undefined) return;
    const held = new Set<Digest>();
    for (const batch of batches(decodePack(bytes), DIGESTS_AT_ONCE)) {
      const whole = await Promise.all(batch.map(isWhole));
      for (const [index, packed] of batch.entries()) {
        if (!whole[index]) continue;
        held.add(packed.digest);
        cache.add(packed.digest, packed.bytes);
        if (left.delete(packed.digest)) cache.claim(packed.digest);
      }
    }
    fetched.packs.set(digest, held);
    forgetOldest(fetched.packs, MAX_PACKS);
  });
}

/** Fetches objects one by one and claims them; returns what is nowhere. */
async function fetchObjects(
  digests: readonly Digest[],
  sizes: ReadonlyMap<Digest, number>,
  cache: Cache,
  objects: Objects,
): Promise<Digest[]> {
  const missing: Digest[] = [];
  const sizeOf = (digest: Digest) => sizes.get(digest) ?? 0;
  const [large, small] = [
    digests.filter((digest) => sizeOf(digest) >= LARGE_BYTES),
    digests.filter((digest) => sizeOf(digest) < LARGE_BYTES),
  ];
  for (const digest of large) {
    const isHere =
      await orMissing(fetchLarge(digest, sizeOf(digest), cache, objects)) !== undefined;
    if (isHere) cache.claim(digest);
    else missing.push(digest);
  }
  await eachAtOnce(small, OBJECTS_AT_ONCE, async (digest) => {
    const bytes = await getOrMissing(digest, objects);
    if (bytes === undefined || !await isWhole({ digest, bytes })) {
      missing.push(digest);
      return;
    }
    cache.add(digest, bytes);
    cache.claim(digest);
  });
  return missing;
}

async function isWhole({ digest, bytes }: Packed): Promise<boolean> {
  return await digestOf(bytes) === digest;
}

const NOT_TO_BE_HAD: ReadonlySet<string> = new Set(["ObjectMissing", "CorruptObject"]);

async function fetchLarge(
  digest: Digest,
  size: number,
  cache: Cache,
  objects: Objects,
): Promise<true> {
  await cache.addFile(digest, size, async (path) => {
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    await objects.take(digest, async (bytes) => {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    });
  });
  return true;
}

function getOrMissing(
  digest: Digest,
  objects: Objects,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return orMissing(objects.get(digest));
}

async function orMissing<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof LlamaError && NOT_TO_BE_HAD.has(error.code)) return undefined;
    throw error;
  }
}

function* batches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Runs `work` for all items, at most `limit` at a time; waits for all before it throws. */
export async function eachAtOnce<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  let failed = false;
  const lane = async () => {
    for (const item of queue) {
      if (failed) return;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(limit, items.length) }, lane);
  const ends = await Promise.allSettled(lanes);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

function forgetOldest<K>(map: Map<K, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}
