/**
 * Objects in S3, each under the SHA-256 of its bytes: `s3://bucket/prefix/obj/<digest>`.
 *
 * The body is the bytes themselves, or one Zstandard frame of them where that saves a tenth; the user
 * metadata `llama-encoding: zstd` says so. An object never changes, so it is written only where its key
 * is free (`If-None-Match: *`), and every read is checked against the digest.
 */
import { AwsError } from "../aws/error.ts";
import type { AwsClient } from "../aws/client.ts";
import { getObject, headObject, listObjects, putObject, type ReadObject } from "../aws/s3.ts";
import type { ReadRange } from "../aws/s3_multipart.ts";
import { compress, decompress } from "../job/compression.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { FormatError, LlamaError, messageOf } from "../job/errors.ts";
import { MAX_PACKED_BYTES } from "../job/pack.ts";
import type { DiskCache } from "./disk_cache.ts";
import { firstRange, PART_BYTES, putLarge, takeLarge } from "./large_object.ts";
import { createLimit } from "./limit.ts";
import { formatStoreUrl, parseStoreUrl } from "./url.ts";

/** What a store has done so far. */
export interface StoreCounters {
  /** Objects written to S3. */
  readonly puts: number;
  /** Objects that S3 had already. */
  readonly present: number;
  /** Objects read from S3. */
  readonly gets: number;
  /** Objects read from the disk cache. */
  readonly cached: number;
  /** Answers that did not match their digest. */
  readonly corrupt: number;
  /** Failures of the disk cache, which are passed over. */
  readonly cacheErrors: number;
  /** Bytes of the objects written, as they are. */
  readonly bytesPut: number;
  /** Bytes of the objects written, as they were sent. */
  readonly bytesSent: number;
  /** Bytes of the objects read from S3, as they are. */
  readonly bytesGot: number;
}

/** Objects named by their digest. */
export interface ObjectStore {
  /** Address of the store, in its shortest form. */
  readonly url: string;
  /** Writes an object where the store lacks it. */
  put(bytes: Uint8Array<ArrayBuffer>): Promise<Digest>;
  /** Writes a pack, whose objects are compressed already, where the store lacks it. */
  putPack(pack: Uint8Array<ArrayBuffer>): Promise<Digest>;
  /**
   * Writes a file of any size as the object of `digest`, where the store lacks it; with `isRepair` anyhow.
   *
   * @throws {LlamaError} `FileChanged`, if it is another one by now.
   */
  putFile(digest: Digest, path: string, isRepair?: boolean): Promise<void>;
  /** Writes an object over what stands under its digest. */
  repair(bytes: Uint8Array<ArrayBuffer>): Promise<Digest>;
  /**
   * Reads an object. Who asks at the same time gets the same array, so nobody may change it.
   *
   * @throws {LlamaError} `ObjectMissing`, if there is none, or if there may be one that we may neither
   * read nor look for.
   * @throws {AwsError} `AccessDenied`, if there is one that we may not read.
   * @throws {LlamaError} `CorruptObject`, if its bytes are not those of the digest.
   */
  get(digest: Digest): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Reads an object of any size piece by piece, and gives each piece to `take`, which must not keep
   * it and may find at the end only that the pieces were not those of the digest.
   *
   * @returns Its size in bytes.
   * @throws What {@linkcode ObjectStore.get} throws.
   */
  take(digest: Digest, take: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<number>;
  /** Keeps the answer of a job under a name; it is no object, as nobody knows its digest before. */
  putAnswer(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The answer that is kept under a name, undefined if there is none yet. */
  getAnswer(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Whether S3 has the object, asked afresh. */
  has(digest: Digest): Promise<boolean>;
  /** What the store has done so far. */
  readonly counters: StoreCounters;
}

/** Settings of {@linkcode openObjectStore}. */
export interface ObjectStoreOptions {
  /** Client that the requests go through. */
  client: AwsClient;
  /** `s3://bucket/prefix`. */
  url: string;
  /** Disk cache for reads, none unless given. */
  cache?: DiskCache;
  /** Most requests at once, 8 unless given. */
  concurrency?: number;
}

const ENCODING = "llama-encoding";
/** Below this, headers outweigh what compression saves. */
const COMPRESS_FROM_BYTES = 256;
const WORTHWHILE = 0.9;

/**
 * Opens a store.
 *
 * @throws {LlamaError} `BadStoreUrl`, if `url` is not the address of one.
 */
export function openObjectStore(options: ObjectStoreOptions): ObjectStore {
  const { client, cache } = options;
  const address = parseStoreUrl(options.url);
  const url = formatStoreUrl(address);
  const limit = createLimit(options.concurrency ?? 8);
  const counters = {
    puts: 0,
    present: 0,
    gets: 0,
    cached: 0,
    corrupt: 0,
    cacheErrors: 0,
    bytesPut: 0,
    bytesSent: 0,
    bytesGot: 0,
  };
  const putting = new Map<Digest, Promise<void>>();
  const getting = new Map<Digest, Promise<Uint8Array<ArrayBuffer>>>();

  const nameOf = (digest: Digest) => ({
    bucket: address.bucket,
    key: `${address.prefix}obj/${digest}`,
  });

  /** Beside the objects, where rights and lifecycle rules hold for it, too. */
  const answerOf = (name: string) => ({
    bucket: address.bucket,
    key: `${address.prefix}obj/answer-${name}`,
  });

  const write = async (
    digest: Digest,
    bytes: Uint8Array<ArrayBuffer>,
    how: { isPacked: boolean; isRepair: boolean },
  ): Promise<void> => {
    const smaller = how.isPacked || bytes.length < COMPRESS_FROM_BYTES
      ? undefined
      : compress(bytes);
    const isWorthwhile = smaller !== undefined && smaller.length <= bytes.length * WORTHWHILE;
    const body = isWorthwhile ? smaller : bytes;
    const { created } = await putObject(client, {
      ...nameOf(digest),
      body,
      ifAbsent: !how.isRepair,
      sha256: isWorthwhile ? await digestOf(body) : digest,
      ...(isWorthwhile && { metadata: { [ENCODING]: "zstd" } }),
    });
    if (created) {
      counters.puts++;
      counters.bytesPut += bytes.length;
      counters.bytesSent += body.length;
    } else {
      counters.present++;
    }
  };

  const putOnce = async (bytes: Uint8Array<ArrayBuffer>, isPacked: boolean): Promise<Digest> => {
    const digest = await digestOf(bytes);
    let pending = putting.get(digest);
    if (pending === undefined) {
      pending = limit(() => write(digest, bytes, { isPacked, isRepair: false }))
        .finally(() => putting.delete(digest));
      putting.set(digest, pending);
    }
    await pending;
    return digest;
  };

  /** The bytes of a whole answer, checked. */
  const decoded = async (
    digest: Digest,
    { body, metadata }: ReadObject,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    const encoding = metadata.get(ENCODING);
    if (encoding !== undefined && encoding !== "zstd") {
      throw new FormatError("object", `its encoding "${encoding}" is not known`);
    }
    const bytes = encoding === "zstd" ? decompress(body, "object", MAX_PACKED_BYTES) : body;
    if (await digestOf(bytes) !== digest) {
      throw new FormatError("object", "its bytes do not match its digest");
    }
    return bytes;
  };

  const download = async (digest: Digest): Promise<Uint8Array<ArrayBuffer>> =>
    await decoded(digest, await getObject(client, nameOf(digest)));

  /**
   * S3 answers 403 for an absent object, too, where the caller has no right to list the whole bucket; a
   * right to list what begins with the key tells the two apart. Undefined without that right.
   */
  const isListed = async (digest: Digest): Promise<boolean | undefined> => {
    const { bucket, key } = nameOf(digest);
    try {
      for await (const object of listObjects(client, bucket, key)) {
        if (object.key === key) return true;
      }
      return false;
    } catch (error) {
      if (!(error instanceof AwsError && error.status === 403)) throw error;
      return undefined;
    }
  };

  const missing = (digest: Digest, cause: AwsError): LlamaError => {
    const message = `Cannot read the object ${digest} as "${url}" does not have it`;
    return new LlamaError("ObjectMissing", message, { cause });
  };

  const missingOrDenied = async (digest: Digest, cause: AwsError): Promise<LlamaError> => {
    const listed = await limit(() => isListed(digest));
    if (listed === true) return cause;
    const error = missing(digest, cause);
    if (listed === false) return error;
    return new LlamaError(error.code, `${error.message}, or denies access to it`, {
      cause,
      hint: `Check that there is the permission s3:GetObject for "${url}/obj/*"`,
    });
  };

  const explained = async (digest: Digest, cause: unknown): Promise<unknown> => {
    if (!(cause instanceof AwsError)) return cause;
    if (cause.status === 404 && cause.awsCode !== "NoSuchBucket") return missing(digest, cause);
    return cause.awsCode === "AccessDenied" ? await missingOrDenied(digest, cause) : cause;
  };

  const damaged = (digest: Digest, reason: string, cause?: unknown): LlamaError =>
    new LlamaError(
      "CorruptObject",
      `Cannot use the object ${digest} of "${url}" as it is damaged: ${reason}`,
      { cause, hint: `Delete "${url}/obj/${digest}", so that it is sent again` },
    );

  /** `read` is the answer of a first attempt, if there was one. */
  const fetchObject = async (
    digest: Digest,
    read?: ReadObject,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    for (let attempt = 1;; attempt++) {
      try {
        const bytes = read !== undefined && attempt === 1
          ? await decoded(digest, read)
          : await limit(() => download(digest));
        counters.gets++;
        counters.bytesGot += bytes.length;
        return bytes;
      } catch (cause) {
        if (!(cause instanceof FormatError)) throw await explained(digest, cause);
        counters.corrupt++;
        if (attempt < 2) continue;
        throw damaged(digest, messageOf(cause), cause);
      }
    }
  };

  /** A full disk or a folder without permission makes things slower, not impossible. */
  const passingOver = async <T>(act: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await act();
    } catch {
      counters.cacheErrors++;
      return undefined;
    }
  };

  const getOnce = async (
    digest: Digest,
    read?: ReadObject,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    if (cache === undefined) return await fetchObject(digest, read);
    const cached = await passingOver(() => cache.get(digest));
    if (cached !== undefined) {
      counters.cached++;
      return cached;
    }
    const bytes = await fetchObject(digest, read);
    await passingOver(() => cache.put(digest, bytes));
    return bytes;
  };

  return {
    url,
    counters,
    put: (bytes) => putOnce(bytes, false),
    putPack: (pack) => putOnce(pack, true),
    async repair(bytes) {
      const digest = await digestOf(bytes);
      await limit(() => write(digest, bytes, { isPacked: false, isRepair: true }));
      return digest;
    },
    get(digest) {
      const pending = getting.get(digest);
      if (pending !== undefined) return pending;
      const started = getOnce(digest).finally(() => getting.delete(digest));
      getting.set(digest, started);
      return started;
    },
    putFile: async (digest, path, isRepair = false) => {
      const { size } = await Deno.stat(path);
      const ifAbsent = !isRepair;
      const isThere = ifAbsent &&
        await limit(() => headObject(client, nameOf(digest))) !== undefined;
      const created = !isThere &&
        (await putLarge(client, { ...nameOf(digest), ifAbsent }, digest, path)).created;
      if (created) {
        counters.puts++;
        counters.bytesPut += size;
        counters.bytesSent += size;
      } else {
        counters.present++;
      }
    },
    take: async (digest, take) => {
      const cached = cache && await passingOver(() => cache.get(digest));
      if (cached !== undefined) {
        counters.cached++;
        await take(cached);
        return cached.length;
      }
      let first: ReadRange;
      try {
        first = await limit(() => firstRange(client, nameOf(digest)));
      } catch (cause) {
        throw await explained(digest, cause);
      }
      // What is compressed is no larger than memory has room for, or it would not be.
      if (first.size <= PART_BYTES || first.metadata.has(ENCODING)) {
        const bytes = await getOnce(digest, first.size <= PART_BYTES ? first : undefined);
        await take(bytes);
        return bytes.length;
      }
      if (await takeLarge(client, nameOf(digest), first, take) !== digest) {
        counters.corrupt++;
        throw damaged(digest, "its bytes do not match its digest");
      }
      counters.gets++;
      counters.bytesGot += first.size;
      return first.size;
    },
    putAnswer: async (name, body) => {
      const sha256 = await digestOf(body);
      await limit(() => putObject(client, { ...answerOf(name), body, ifAbsent: false, sha256 }));
    },
    getAnswer: async (name) => {
      try {
        return (await limit(() => getObject(client, answerOf(name)))).body;
      } catch (error) {
        // Without the right to list a bucket an absent object is one that may not be read.
        const isAbsent = error instanceof AwsError && error.awsCode !== "NoSuchBucket" &&
          (error.status === 404 || error.awsCode === "AccessDenied");
        if (isAbsent) return undefined;
        throw error;
      }
    },
    has: async (digest) => await limit(() => headObject(client, nameOf(digest))) !== undefined,
  };
}
