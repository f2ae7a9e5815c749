/**
 * Bytes in a job or its answer: inside the message, or named by digest and kept in the store.
 *
 * Lambda's messages are JSON, so inline bytes are base64. Bytes of 256 or more are compressed first
 * where that makes them smaller. On the wire a content is one of
 *
 *     {"raw": base64}   {"zstd": base64, "size": n}   {"digest": hex, "size": n}
 */
import { compress, decompress } from "./compression.ts";
import { asDigest, type Digest } from "./digest.ts";
import { FormatError } from "./errors.ts";
import { asBase64, asInteger, asObject } from "./json.ts";

/** Bytes that stand in the message. */
export interface InlineContent {
  /** The bytes themselves, not compressed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Bytes that stand in the store. */
export interface StoredContent {
  /** Name of the object. */
  readonly digest: Digest;
  /** Its length in bytes. */
  readonly size: number;
}

/** Bytes of a job: inline, or stored. */
export type Content = InlineContent | StoredContent;

/** Objects of so many bytes and more are never held in memory. */
export const LARGE_BYTES: number = 64 * 1024 * 1024;
/** Most bytes of an object. */
export const MAX_OBJECT_BYTES: number = 5 * 1024 ** 3;

const COMPRESS_FROM_BYTES = 256;
/** Most bytes that one inline content may hold once it is decompressed. */
const MAX_INLINE_BYTES = 64 * 1024 * 1024;

/** Whether `content` stands in the message itself. */
export function isInline(content: Content): content is InlineContent {
  return "bytes" in content;
}

/** The JSON value of `content`. */
export function contentToJson(content: Content): unknown {
  if (!isInline(content)) return { digest: content.digest, size: content.size };
  const { bytes } = content;
  if (bytes.length >= COMPRESS_FROM_BYTES) {
    const smaller = compress(bytes);
    if (smaller.length < bytes.length) return { zstd: smaller.toBase64(), size: bytes.length };
  }
  return { raw: bytes.toBase64() };
}

/**
 * Reads a content from its JSON value.
 *
 * @throws {FormatError} If the value is not a content.
 */
export function contentFromJson(value: unknown, what: string): Content {
  const json = asObject(value, what);
  if (json.digest !== undefined) {
    return {
      digest: asDigest(json.digest, `${what}.digest`),
      size: asInteger(json.size, `${what}.size`),
    };
  }
  if (json.raw !== undefined) return { bytes: asBase64(json.raw, `${what}.raw`) };
  const size = asInteger(json.size, `${what}.size`, 0, MAX_INLINE_BYTES);
  const packed = asBase64(json.zstd, `${what}.zstd`);
  const bytes = decompress(packed, what, Math.max(size, 1));
  if (bytes.length !== size) {
    throw new FormatError(what, `it has ${bytes.length} bytes, not ${size}`);
  }
  return { bytes };
}
