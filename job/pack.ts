/**
 * A pack: many small objects in one stored object, so that a cold worker needs one request where it
 * would need hundreds.
 *
 * Layout: the 8 bytes `LLAMAPK1`; the index's length in bytes (u32, little-endian); the index, JSON;
 * then the blocks, one Zstandard frame each. The index is
 *
 *     {"blocks": [{"size": bytes of the frame, "objects": [[digest, bytes], …]}, …]}
 *
 * A block holds objects one behind the other up to 4 MiB, or one larger object. One frame for all
 * would be 6 % smaller for gcc, yet a reader would hold 100 MB at a time to get one header; a frame
 * for each object makes header packs about three times as large.
 */
import { joinBytes } from "./bytes.ts";
import { compress, decompress } from "./compression.ts";
import { asDigest, type Digest } from "./digest.ts";
import { FormatError } from "./errors.ts";
import { asArray, asInteger, asObject, parseJson } from "./json.ts";

/** An object of a pack. */
export interface Packed {
  readonly digest: Digest;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const MAGIC = "LLAMAPK1";
const HEAD_BYTES = 12;
const BLOCK_BYTES = 4 * 1024 * 1024;
/** Most bytes of one packed object. */
export const MAX_PACKED_BYTES = 1024 * 1024 * 1024;

/** A pack under construction, which holds no more than a block of what is not compressed yet. */
export interface PackWriter {
  /** Bytes of the objects so far. */
  readonly rawBytes: number;
  /** Adds an object. */
  add(object: Packed): void;
  /** The bytes of the pack, the same for the same objects in the same order. */
  finish(): Uint8Array<ArrayBuffer>;
}

/** Begins a pack. */
export function createPackWriter(): PackWriter {
  const frames: Uint8Array[] = [];
  const index: { size: number; objects: [Digest, number][] }[] = [];
  let pending: Packed[] = [];
  let pendingBytes = 0;
  let rawBytes = 0;
  const flush = () => {
    if (pending.length === 0) return;
    const frame = compress(joinBytes(pending.map(({ bytes }) => bytes)));
    frames.push(frame);
    index.push({
      size: frame.length,
      objects: pending.map(({ digest, bytes }) => [digest, bytes.length]),
    });
    pending = [];
    pendingBytes = 0;
  };
  return {
    get rawBytes() {
      return rawBytes;
    },
    add: (object) => {
      if (pendingBytes + object.bytes.length > BLOCK_BYTES) flush();
      pending.push(object);
      pendingBytes += object.bytes.length;
      rawBytes += object.bytes.length;
      if (pendingBytes > BLOCK_BYTES) flush();
    },
    finish: () => {
      flush();
      const indexBytes = new TextEncoder().encode(JSON.stringify({ blocks: index }));
      const head = new Uint8Array(HEAD_BYTES);
      head.set(new TextEncoder().encode(MAGIC));
      new DataView(head.buffer).setUint32(8, indexBytes.length, true);
      return joinBytes([head, indexBytes, ...frames]);
    },
  };
}

/** The bytes of a pack of `objects`. */
export function encodePack(objects: Iterable<Packed>): Uint8Array<ArrayBuffer> {
  const writer = createPackWriter();
  for (const object of objects) writer.add(object);
  return writer.finish();
}

/**
 * Reads a pack, an object at a time. Digests are as the index gives them: the caller checks the bytes.
 *
 * @throws {FormatError} If the bytes are not a pack.
 */
export function* decodePack(pack: Uint8Array<ArrayBuffer>): Generator<Packed> {
  const decoder = new TextDecoder();
  if (pack.length < HEAD_BYTES || decoder.decode(pack.subarray(0, 8)) !== MAGIC) {
    throw new FormatError("pack", `it does not begin with ${MAGIC}`);
  }
  const indexEnd = HEAD_BYTES + new DataView(pack.buffer, pack.byteOffset).getUint32(8, true);
  if (indexEnd > pack.length) throw new FormatError("pack", "its index is cut off");
  const index = asObject(
    parseJson(decoder.decode(pack.subarray(HEAD_BYTES, indexEnd)), "pack index"),
    "pack index",
  );
  let position = indexEnd;
  for (const value of asArray(index.blocks, "pack index.blocks")) {
    const block = asObject(value, "pack block");
    const end = position + asInteger(block.size, "pack block.size");
    if (end > pack.length) throw new FormatError("pack", "a block is cut off");
    yield* decodeBlock(pack.subarray(position, end), asArray(block.objects, "pack block.objects"));
    position = end;
  }
  if (position !== pack.length) throw new FormatError("pack", "bytes follow its last block");
}

function* decodeBlock(
  frame: Uint8Array<ArrayBuffer>,
  entries: readonly unknown[],
): Generator<Packed> {
  const objects = entries.map((entry) => {
    const [digest, size] = asArray(entry, "pack entry");
    return {
      digest: asDigest(digest, "pack entry"),
      size: asInteger(size, "pack entry", 0, MAX_PACKED_BYTES),
    };
  });
  const total = objects.reduce((sum, { size }) => sum + size, 0);
  if (total > Math.max(BLOCK_BYTES, objects.length === 1 ? MAX_PACKED_BYTES : 0)) {
    throw new FormatError("pack", `a block of ${total} bytes is too large`);
  }
  const bytes = decompress(frame, "pack block", Math.max(total, 1));
  if (bytes.length !== total) throw new FormatError("pack", "a block has the wrong length");
  let position = 0;
  for (const { digest, size } of objects) {
    yield { digest, bytes: bytes.subarray(position, position + size) };
    position += size;
  }
}
