/**
 * Objects that are too large to be held in memory: they go to S3 from a file, part by part, and come from it so. They
 * are stored as they are, not compressed.
 */
import type { AwsClient } from "../aws/client.ts";
import { AwsError } from "../aws/error.ts";
import {
  getObjectRange,
  PARTS_AT_ONCE,
  putObjectParts,
  type ReadRange,
} from "../aws/s3_multipart.ts";
import type { ObjectName } from "../aws/s3.ts";
import type { Digest } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";

/** Bytes of a part; 5 GB have 640 of them, and S3 takes 10,000. */
export const PART_BYTES: number = 8 * 1024 * 1024;
/** Ranges that are asked for ahead. */
const RANGES_AHEAD = 3;

/** Computes a digest of what comes in pieces. */
export interface Hash {
  update(bytes: Uint8Array): void;
  digest(): Digest;
}

/** Begins a digest. The module that does it is loaded by who needs it, as that takes some milliseconds. */
export async function createDigest(): Promise<Hash> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    digest: () => hash.digest("hex"),
  };
}

/** The digest of a file, read in pieces. */
export async function digestOfFile(path: string, signal?: AbortSignal): Promise<Digest> {
  const hash = await createDigest();
  const buffers = createBuffers(1);
  for await (const { bytes, release } of piecesOf(path, buffers)) {
    signal?.throwIfAborted();
    hash.update(bytes);
    release();
  }
  return hash.digest();
}

/** So many buffers of {@linkcode PART_BYTES}, made once and lent: such memory is given back late otherwise. */
interface Buffers {
  lend(): Promise<Uint8Array<ArrayBuffer>>;
  giveBack(buffer: Uint8Array<ArrayBuffer>): void;
}

function createBuffers(count: number): Buffers {
  const free: Uint8Array<ArrayBuffer>[] = [];
  const waiting: ((buffer: Uint8Array<ArrayBuffer>) => void)[] = [];
  let made = 0;
  return {
    lend: () => {
      const buffer = free.pop();
      if (buffer !== undefined) return Promise.resolve(buffer);
      if (made++ < count) return Promise.resolve(new Uint8Array(PART_BYTES));
      return new Promise((resolve) => waiting.push(resolve));
    },
    giveBack: (buffer) => {
      const next = waiting.shift();
      if (next !== undefined) next(buffer);
      else free.push(buffer);
    },
  };
}

/** A piece of a file in a buffer that is lent until it is released. */
interface Piece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly release: () => void;
}

async function* piecesOf(path: string, buffers: Buffers): AsyncGenerator<Piece> {
  using file = await Deno.open(path);
  for (let isWhole = true; isWhole;) {
    const buffer = await buffers.lend();
    let size = 0;
    while (size < buffer.length) {
      const count = await file.read(buffer.subarray(size));
      if (count === null) break;
      size += count;
    }
    isWhole = size === buffer.length;
    const release = () => buffers.giveBack(buffer);
    if (size > 0) yield { bytes: buffer.subarray(0, size), release };
    else release();
  }
}

/**
 * Writes a file as the object that it is said to be.
 *
 * @returns Whether it was written; false if there was one.
 * @throws {LlamaError} `FileChanged` if its bytes are not those of `digest` any more; nothing is written then.
 */
export async function putLarge(
  client: AwsClient,
  object: ObjectName & { readonly ifAbsent: boolean },
  digest: Digest,
  path: string,
): Promise<{ created: boolean }> {
  const hash = await createDigest();
  const buffers = createBuffers(PARTS_AT_ONCE + 1);
  const parts = async function* () {
    for await (const piece of piecesOf(path, buffers)) {
      hash.update(piece.bytes);
      const own = await createDigest();
      own.update(piece.bytes);
      yield { ...piece, sha256: own.digest() };
    }
    if (hash.digest() === digest) return;
    throw new LlamaError(
      "FileChanged",
      `Cannot send ${JSON.stringify(path)} as it changed meanwhile`,
      { hint: "run the command again" },
    );
  };
  return await putObjectParts(client, object, parts());
}

/**
 * Reads an object in order, piece by piece, and gives each piece to `take`, which must not keep it.
 *
 * @param first The first range, which says how large the object is.
 * @returns The digest of what was read.
 */
export async function takeLarge(
  client: AwsClient,
  object: ObjectName,
  first: ReadRange,
  take: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<Digest> {
  const hash = await createDigest();
  const buffers = createBuffers(RANGES_AHEAD);
  const ahead: { readonly range: Promise<ReadRange>; readonly release: () => void }[] = [];
  let asked = first.body.length;
  const askAhead = async () => {
    while (ahead.length < RANGES_AHEAD && asked < first.size) {
      const buffer = await buffers.lend();
      const range = getObjectRange(client, object, asked, buffer);
      // Whoever comes to it is told.
      range.catch(() => undefined);
      ahead.push({ range, release: () => buffers.giveBack(buffer) });
      asked += PART_BYTES;
    }
  };
  hash.update(first.body);
  await askAhead();
  await take(first.body);
  for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
    const { body } = await next.range;
    hash.update(body);
    await take(body);
    next.release();
    await askAhead();
  }
  return hash.digest();
}

/** Reads the first range of an object, or all of it if it is smaller. */
export async function firstRange(client: AwsClient, object: ObjectName): Promise<ReadRange> {
  try {
    return await getObjectRange(client, object, 0, new Uint8Array(PART_BYTES));
  } catch (error) {
    // No range of an object without bytes can be had.
    if (!(error instanceof AwsError && error.status === 416)) throw error;
    return { body: new Uint8Array(), metadata: new Map(), size: 0 };
  }
}
