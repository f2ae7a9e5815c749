/**
 * Puts what a job needs into the store, each object once: many small new objects become one pack, and
 * two jobs that need the same new object wait for the same request.
 */
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { encodePack, type Packed } from "../job/pack.ts";
import type { ObjectStore } from "../store/object_store.ts";
import { openPlacement, type Placement } from "./placement.ts";

/** Gives the bytes of an object from this machine, `undefined` if they are gone. */
export type ReadObject = (digest: Digest) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/** Puts objects into one store. */
export interface Uploads {
  /**
   * Makes sure that all of `objects` are in the store, and returns the packs that hold them.
   *
   * @throws {LlamaError} `ObjectGone` if one of them is not in the store and not on this machine.
   */
  ensure(objects: Iterable<Digest>, read: ReadObject): Promise<Digest[]>;
  /** The store has lost these, or has something else under their names. */
  forget(objects: Iterable<Digest>): void;
}

/** Opens the uploads of `store`, remembered in a file of the folder `cacheDir`, which is made. */
export async function openUploads(store: ObjectStore, cacheDir: string): Promise<Uploads> {
  await Deno.mkdir(cacheDir, { recursive: true, mode: 0o700 });
  const name = (await digestOf(new TextEncoder().encode(store.url))).slice(0, 16);
  return createUploads(store, await openPlacement(`${cacheDir}/placed-${name}`));
}

/** Most bytes of objects in one pack, but for a single larger object. */
const PACK_BYTES = 256 * 1024 * 1024;
/** An object of this size or more is put singly. */
const SINGLE_BYTES = 64 * 1024 * 1024;

/** Creates the uploads of `store`. */
export function createUploads(store: ObjectStore, placement: Placement): Uploads {
  const underway = new Map<Digest, Promise<void>>();
  const lost = new Set<Digest>();

  const putGroup = async (group: readonly Packed[]) => {
    const [only] = group;
    if (!only) return;
    const digests = group.map(({ digest }) => digest);
    // What stands under the name may be damaged, and a put would leave it so.
    const isRepair = digests.some((digest) => lost.has(digest));
    if (group.length === 1) {
      await (isRepair ? store.repair(only.bytes) : store.put(only.bytes));
      await placement.add(digests);
    } else {
      const pack = await (isRepair ? store.repair(encodePack(group)) : store.putPack(group));
      await placement.add(digests, pack);
    }
    for (const digest of digests) lost.delete(digest);
  };

  const upload = async (digests: readonly Digest[], read: ReadObject) => {
    let group: Packed[] = [];
    let groupBytes = 0;
    for (const digest of digests) {
      const bytes = await read(digest);
      if (!bytes) {
        throw new LlamaError(
          "ObjectGone",
          `Cannot send the object ${digest} as its file has changed`,
        );
      }
      if (bytes.length >= SINGLE_BYTES) {
        await putGroup([{ digest, bytes }]);
        continue;
      }
      if (groupBytes + bytes.length > PACK_BYTES) {
        await putGroup(group);
        group = [];
        groupBytes = 0;
      }
      group.push({ digest, bytes });
      groupBytes += bytes.length;
    }
    await putGroup(group);
  };

  return {
    ensure: async (objects, read) => {
      const wanted = [...new Set(objects)];
      const fresh = wanted.filter((digest) => !placement.has(digest) && !underway.has(digest));
      if (fresh.length > 0) {
        const done = upload(fresh, read).finally(() => {
          for (const digest of fresh) underway.delete(digest);
        });
        for (const digest of fresh) underway.set(digest, done);
      }
      const waits = new Set(wanted.flatMap((digest) => underway.get(digest) ?? []));
      await Promise.all(waits);
      return [...new Set(wanted.flatMap((digest) => placement.packOf(digest) ?? []))];
    },
    forget: (objects) => {
      for (const digest of objects) {
        placement.forget(digest);
        lost.add(digest);
      }
    },
  };
}
