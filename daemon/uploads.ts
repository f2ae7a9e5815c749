/**
 * Puts what a job needs into the store, each object once: many small new objects become one pack, and
 * two jobs that need the same new object wait for the same request.
 */
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { createPackWriter, type Packed } from "../job/pack.ts";
import type { ObjectStore } from "../store/object_store.ts";
import { openPlacement, type Placement } from "./placement.ts";

/** Gives the bytes of an object from this machine, `undefined` if they are gone. */
export type ReadObject = (digest: Digest) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/** Gives the file of an object that is too large for memory, `undefined` for any other. */
export type FileOf = (digest: Digest) => string | undefined;

/** Puts objects into one store. */
export interface Uploads {
  /**
   * Makes sure that all of `objects` are in the store, and returns the packs that hold them.
   *
   * @throws {LlamaError} `ObjectGone` if one of them is not in the store and not on this machine, `FileChanged` if
   * a large one is another by now.
   */
  ensure(objects: Iterable<Digest>, read: ReadObject, fileOf?: FileOf): Promise<Digest[]>;
  /**
   * Puts objects into packs of their own, though they may be in the store already: who needs many of them together
   * has few packs to read then. Returns the pack of each; those that are not on this machine have none.
   */
  repack(objects: Iterable<Digest>, read: ReadObject): Promise<ReadonlyMap<Digest, Digest>>;
  /** Whether the object is in the store, as far as is known. */
  readonly has: (object: Digest) => boolean;
  /** The store has lost these, or has something else under their names. */
  forget(objects: Iterable<Digest>): void;
}

/** Uploads that send nothing, for who only wants to know what would be sent. */
export const noUploads: Uploads = {
  ensure: () => Promise.resolve([]),
  repack: () => Promise.resolve(new Map()),
  has: () => false,
  forget: () => undefined,
};

/** Opens the uploads of `store`, remembered in a file of the folder `cacheDir`, which is made. */
export async function openUploads(store: ObjectStore, cacheDir: string): Promise<Uploads> {
  await Deno.mkdir(cacheDir, { recursive: true, mode: 0o700 });
  const name = (await digestOf(new TextEncoder().encode(store.url))).slice(0, 16);
  return createUploads(store, await openPlacement(`${cacheDir}/placed-${name}`));
}

/** Most bytes of objects in one pack, but for a single larger object. */
const PACK_BYTES = 256 * 1024 * 1024;
/** An object of this size or more is put singly. */
const SINGLE_BYTES = 128 * 1024 * 1024;

/** Creates the uploads of `store`. */
export function createUploads(store: ObjectStore, placement: Placement): Uploads {
  const underway = new Map<Digest, Promise<void>>();
  const lost = new Set<Digest>();

  const isLost = (digests: readonly Digest[]) => digests.some((digest) => lost.has(digest));

  // What stands under the name of something lost may be damaged, and a put would leave it so.
  const putSingle = async ({ digest, bytes }: Packed) => {
    await (isLost([digest]) ? store.repair(bytes) : store.put(bytes));
    await placement.add([digest]);
    lost.delete(digest);
  };

  const putPack = async (digests: readonly Digest[], bytes: Uint8Array<ArrayBuffer>) => {
    const pack = await (isLost(digests) ? store.repair(bytes) : store.putPack(bytes));
    await placement.add(digests, pack);
    for (const digest of digests) lost.delete(digest);
    return pack;
  };

  const readHere = async (digest: Digest, read: ReadObject): Promise<Packed> => {
    const bytes = await read(digest);
    if (bytes) return { digest, bytes };
    throw new LlamaError(
      "ObjectGone",
      `Cannot send the object ${digest} as its file has changed`,
    );
  };

  /** Objects are read one by one and leave the memory compressed: a toolchain has 100 MB. */
  const upload = async (digests: readonly Digest[], read: ReadObject, fileOf?: FileOf) => {
    const queue: Digest[] = [];
    for (const digest of digests) {
      const file = fileOf?.(digest);
      if (file === undefined) {
        queue.push(digest);
        continue;
      }
      await store.putFile(digest, file, lost.has(digest));
      await placement.add([digest]);
      lost.delete(digest);
    }
    while (queue.length > 0) {
      const first = await readHere(queue.shift() ?? "", read);
      if (first.bytes.length >= SINGLE_BYTES || queue.length === 0) {
        await putSingle(first);
        continue;
      }
      const writer = createPackWriter();
      const packed = [first.digest];
      writer.add(first);
      while (queue.length > 0 && writer.rawBytes < PACK_BYTES) {
        const object = await readHere(queue.shift() ?? "", read);
        if (object.bytes.length >= SINGLE_BYTES) {
          await putSingle(object);
          continue;
        }
        writer.add(object);
        packed.push(object.digest);
      }
      await putPack(packed, writer.finish());
    }
  };

  return {
    has: (object) => placement.has(object),
    ensure: async (objects, read, fileOf) => {
      const wanted = [...new Set(objects)];
      const fresh = wanted.filter((digest) => !placement.has(digest) && !underway.has(digest));
      if (fresh.length > 0) {
        const done = upload(fresh, read, fileOf).finally(() => {
          for (const digest of fresh) underway.delete(digest);
        });
        for (const digest of fresh) underway.set(digest, done);
      }
      const waits = new Set(wanted.flatMap((digest) => underway.get(digest) ?? []));
      await Promise.all(waits);
      return [...new Set(wanted.flatMap((digest) => placement.packOf(digest) ?? []))];
    },
    repack: async (objects, read) => {
      const packs = new Map<Digest, Digest>();
      const queue = [...new Set(objects)];
      while (queue.length > 0) {
        const writer = createPackWriter();
        const packed: Digest[] = [];
        while (queue.length > 0 && writer.rawBytes < PACK_BYTES) {
          const digest = queue.shift() ?? "";
          const bytes = await read(digest);
          if (!bytes || bytes.length >= SINGLE_BYTES) continue;
          writer.add({ digest, bytes });
          packed.push(digest);
        }
        if (packed.length === 0) continue;
        const pack = await putPack(packed, writer.finish());
        for (const digest of packed) packs.set(digest, pack);
      }
      return packs;
    },
    forget: (objects) => {
      for (const digest of objects) {
        placement.forget(digest);
        lost.add(digest);
      }
    },
  };
}
