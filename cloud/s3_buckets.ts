/** The buckets of the embedded S3: their records, the names of their objects, and who writes now. */
import { dirname } from "@std/path/posix";
import { asInteger, asObject, asString } from "../job/json.ts";
import { fileNameOf, textOfFileName } from "./file_name.ts";
import { type ObjectReader, type ObjectWriter, openObjectFile } from "./object_file.ts";
import { ServiceError } from "./service.ts";
import { createObjectFile } from "./object_file.ts";
import { createKeyIndex, type KeyIndex } from "./s3_keys.ts";
import { filesUnder, openTable, removeIfThere, syncFolder } from "./state.ts";

/** What is kept of a bucket. */
export interface BucketRecord {
  /** Its name. */
  readonly name: string;
  /** When it was made, milliseconds since the epoch. */
  readonly createdMs: number;
  /** Sub-resources as they were put, by name: `policy`, `lifecycle`, `encryption`… */
  readonly configuration: Readonly<Record<string, string>>;
}

/** One bucket. */
export interface Bucket {
  /** Its record. */
  readonly record: BucketRecord;
  /** All keys in order; read from disk at first use. */
  keys(): Promise<KeyIndex>;
  /** Opens an object for reading, undefined if there is none. */
  open(key: string): Promise<ObjectReader | undefined>;
  /** Starts an object without a name. */
  write(): Promise<ObjectWriter>;
  /** Gives a finished object its key, if `allow` finds the present object (or none) in order. */
  publish(
    key: string,
    writer: ObjectWriter,
    allow: (present: ObjectReader | undefined) => void,
  ): Promise<void>;
  /** Removes an object; false if there was none. */
  remove(key: string): Promise<boolean>;
}

/** All buckets. */
export interface Buckets {
  /** Records by name. */
  readonly records: ReadonlyMap<string, BucketRecord>;
  /** The bucket of that name, undefined if there is none. */
  find(name: string): Bucket | undefined;
  /** Makes a bucket, or changes the configuration of one. */
  put(record: BucketRecord): Promise<void>;
  /**
   * Removes an empty bucket.
   *
   * @throws {ServiceError} `BucketNotEmpty`
   */
  remove(name: string): Promise<void>;
}

/** Opens the buckets kept under `directory`. */
export async function openBuckets(directory: string): Promise<Buckets> {
  const table = await openTable(`${directory}/buckets`, decodeRecord);
  const open = new Map<string, OpenBucket>();

  function find(name: string): Bucket | undefined {
    const record = table.records.get(name);
    if (record === undefined) return undefined;
    let bucket = open.get(name);
    if (bucket === undefined) {
      bucket = openBucket(`${directory}/objects/${name}`, () => table.records.get(name) ?? record);
      open.set(name, bucket);
    }
    return bucket;
  }

  return {
    records: table.records,
    find,
    async put(record) {
      await Deno.mkdir(`${directory}/objects/${record.name}`, { recursive: true, mode: 0o700 });
      await table.put(record.name, record);
    },
    async remove(name) {
      const bucket = find(name);
      if (bucket === undefined) return;
      if ((await bucket.keys()).size > 0) {
        throw new ServiceError(
          409,
          "BucketNotEmpty",
          "The bucket you tried to delete is not empty",
          { fields: { BucketName: name } },
        );
      }
      open.delete(name);
      // The record first: a folder without a record is no bucket.
      await table.remove(name);
      await removeIfThere(`${directory}/objects/${name}`, { recursive: true });
    },
  };
}

type OpenBucket = Bucket;

function openBucket(directory: string, record: () => BucketRecord): OpenBucket {
  let index: Promise<KeyIndex> | undefined;
  // Who checks what is there and then writes must not be overtaken by another writer of that key.
  const busy = new Map<string, Promise<unknown>>();

  async function inTurn<T>(key: string, act: () => Promise<T>): Promise<T> {
    const before = busy.get(key);
    const mine = before === undefined ? act() : before.then(act, act);
    busy.set(key, mine);
    try {
      return await mine;
    } finally {
      if (busy.get(key) === mine) busy.delete(key);
    }
  }

  async function readKeys(): Promise<KeyIndex> {
    const names = await filesUnder(directory);
    return createKeyIndex(names.map(textOfFileName).filter((key) => key !== undefined));
  }

  function pathOf(key: string): string {
    return `${directory}/${fileNameOf(key)}`;
  }

  return {
    get record() {
      return record();
    },
    keys: () => index ??= readKeys(),
    open: (key) => openObjectFile(pathOf(key)),
    write: () => createObjectFile(directory),
    publish(key, writer, allow) {
      return inTurn(key, async () => {
        const path = pathOf(key);
        {
          using present = await openObjectFile(path);
          allow(present);
        }
        if (dirname(path) !== directory) {
          await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
        }
        await writer.publish(path);
        // A listing that began to read the folder before the rename may have missed the name.
        if (index !== undefined) (await index).add(key);
      });
    },
    remove(key) {
      return inTurn(key, async () => {
        const path = pathOf(key);
        const removed = await removeIfThere(path);
        if (removed) await syncFolder(dirname(path));
        if (index !== undefined) (await index).remove(key);
        return removed;
      });
    },
  };
}

function decodeRecord(value: unknown, what: string): BucketRecord {
  const json = asObject(value, what);
  const configuration: Record<string, string> = {};
  for (const [name, text] of Object.entries(asObject(json["configuration"], "configuration"))) {
    configuration[name] = asString(text, name);
  }
  return {
    name: asString(json["name"], "name"),
    createdMs: asInteger(json["createdMs"], "createdMs"),
    configuration,
  };
}
