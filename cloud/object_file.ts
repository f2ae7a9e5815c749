/**
 * The file of one S3 object.
 *
 * An object is its bytes and its metadata (type, user metadata, ETag), and both must change at once:
 * who reads during an overwrite gets all of the old or all of the new. Two files cannot be renamed
 * together, so there is one. The metadata stands behind the bytes, not before them, as the ETag is
 * known only when the last byte has come; so an upload is written once, in order, and a range of the
 * object is the same range of the file.
 *
 *     bytes of the object
 *     metadata: JSON, UTF-8
 *     8 bytes "llamaob1"
 *     4 bytes length of the metadata, big-endian
 *     4 bytes CRC-32 of the metadata, big-endian
 *
 * Rejected: extended attributes (not on every file system, 4 KB), a sidecar file (two renames), a
 * header (the upload would be copied once more to put it in front).
 */
import { crc32 } from "node:zlib";
import { LlamaError } from "../job/errors.ts";
import { asInteger, asObject, asString, parseJson } from "../job/json.ts";
import { checksumAlgorithm } from "./checksums.ts";
import type { ChecksumValue } from "./payload.ts";
import { removeIfThere, renameDurably, temporaryName } from "./state.ts";

const MAGIC = new TextEncoder().encode("llamaob1");
const FOOTER_BYTES = 16;
/** One read takes the end of a file: the whole of a small object with its metadata. */
const TAIL_BYTES = 64 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** What is kept of an object beside its bytes. */
export interface ObjectMetadata {
  /** The key. */
  readonly key: string;
  /** Bytes of the object. */
  readonly size: number;
  /** ETag without quotes. */
  readonly etag: string;
  /** When it was written, milliseconds since the epoch. */
  readonly modifiedMs: number;
  /** Headers to give back, such as `content-type` and `x-amz-meta-…`; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The checksum that the client sent, if it did. */
  readonly checksum?: ChecksumValue;
}

/** An object in the making. */
export interface ObjectWriter {
  /** Bytes written so far. */
  readonly size: number;
  /** Appends bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Adds the metadata and makes all of it durable under a temporary name. */
  finish(metadata: ObjectMetadata): Promise<void>;
  /** Gives the finished object its name, in place of what had it. */
  publish(path: string): Promise<void>;
  /** Throws away what was written; nothing after {@linkcode ObjectWriter.publish}. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts an object file in `directory`. */
export async function createObjectFile(directory: string): Promise<ObjectWriter> {
  const temporary = temporaryName(directory);
  const file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
  let size = 0;
  let open = true;
  let published = false;

  async function writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  }
  function close(): void {
    if (open) file.close();
    open = false;
  }

  return {
    get size() {
      return size;
    },
    async write(bytes) {
      await writeAll(bytes);
      size += bytes.length;
    },
    async finish(metadata) {
      const json = new TextEncoder().encode(JSON.stringify(metadata));
      const tail = new Uint8Array(json.length + FOOTER_BYTES);
      tail.set(json);
      tail.set(MAGIC, json.length);
      const view = new DataView(tail.buffer);
      view.setUint32(json.length + 8, json.length);
      view.setUint32(json.length + 12, crc32(json));
      await writeAll(tail);
      await file.syncData();
      close();
    },
    async publish(path) {
      await renameDurably(temporary, path);
      published = true;
    },
    async [Symbol.asyncDispose]() {
      close();
      if (!published) await removeIfThere(temporary);
    },
  };
}

/** An object opened for reading: it stays what it was when opened, whatever becomes of its name. */
export interface ObjectReader {
  /** Its metadata. */
  readonly metadata: ObjectMetadata;
  /** The bytes from `start`, `length` of them, in a stream that closes the file. */
  stream(start: number, length: number): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Closes the file, if no stream does. */
  [Symbol.dispose](): void;
}

/**
 * Opens an object file, undefined if there is none.
 *
 * @throws {LlamaError} `DamagedObject` if the file is not whole.
 */
export async function openObjectFile(path: string): Promise<ObjectReader | undefined> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  let open = true;
  function close(): void {
    if (open) file.close();
    open = false;
  }
  try {
    const { size } = await file.stat();
    let tail = await readAt(file, Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES));
    const view = new DataView(tail.buffer);
    const end = tail.length - FOOTER_BYTES;
    if (end < 0 || MAGIC.some((byte, index) => tail[end + index] !== byte)) throw damaged(path);
    const length = view.getUint32(end + 8);
    const sum = view.getUint32(end + 12);
    if (length > size - FOOTER_BYTES) throw damaged(path);
    if (length > end) {
      const whole = length + FOOTER_BYTES;
      tail = await readAt(file, size - whole, whole);
    }
    const json = tail.subarray(tail.length - FOOTER_BYTES - length, tail.length - FOOTER_BYTES);
    if (crc32(json) !== sum) throw damaged(path);
    const metadata = decodeMetadata(new TextDecoder().decode(json), path);
    if (metadata.size !== size - FOOTER_BYTES - length) throw damaged(path);
    const tailStart = size - tail.length;

    return {
      metadata,
      stream(start, count) {
        if (start >= tailStart) {
          close();
          const bytes = tail.subarray(start - tailStart, start - tailStart + count);
          return new ReadableStream({
            start(controller) {
              if (bytes.length > 0) controller.enqueue(bytes);
              controller.close();
            },
          });
        }
        let at = start;
        const stop = start + count;
        return new ReadableStream<Uint8Array<ArrayBuffer>>({
          async pull(controller) {
            try {
              const bytes = await readAt(file, at, Math.min(CHUNK_BYTES, stop - at));
              at += bytes.length;
              if (bytes.length > 0) controller.enqueue(bytes);
              if (at < stop) return;
              close();
              controller.close();
            } catch (error) {
              close();
              throw error;
            }
          },
          cancel: close,
        }, { highWaterMark: 1 });
      },
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  let at = 0;
  while (at < length) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) throw new LlamaError("DamagedObject", "An object file ends too early");
    at += count;
  }
  return bytes;
}

function damaged(path: string): LlamaError {
  return new LlamaError("DamagedObject", `Cannot read the object '${path}': its end is not whole`);
}

function decodeMetadata(text: string, what: string): ObjectMetadata {
  const json = asObject(parseJson(text, what), what);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(asObject(json["headers"], "headers"))) {
    headers[name] = asString(value, name);
  }
  const stored = json["checksum"] === undefined
    ? undefined
    : asObject(json["checksum"], "checksum");
  const algorithm = stored && checksumAlgorithm(asString(stored["algorithm"], "algorithm"));
  return {
    key: asString(json["key"], "key"),
    size: asInteger(json["size"], "size"),
    etag: asString(json["etag"], "etag"),
    modifiedMs: asInteger(json["modifiedMs"], "modifiedMs"),
    headers,
    ...(stored && algorithm
      ? { checksum: { algorithm, value: asString(stored["value"], "value") } }
      : {}),
  };
}
