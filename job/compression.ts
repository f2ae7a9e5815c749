/** Zstandard (RFC 8878) in one call, with a bound on what comes out. */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { FormatError, messageOf } from "./errors.ts";

/** Compresses `bytes` into one frame. */
export function compress(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return ownBytes(zstdCompressSync(bytes));
}

/**
 * Decompresses one frame, of at most `maxBytes`. One that is cut off gives what there is of it, so the
 * caller checks the length.
 *
 * @throws {FormatError} If it is damaged or too long.
 */
export function decompress(
  bytes: Uint8Array,
  what: string,
  maxBytes: number,
): Uint8Array<ArrayBuffer> {
  try {
    return ownBytes(zstdDecompressSync(bytes, { maxOutputLength: maxBytes }));
  } catch (cause) {
    throw new FormatError(what, `it does not decompress: ${messageOf(cause)}`, { cause });
  }
}

function ownBytes(buffer: Uint8Array): Uint8Array<ArrayBuffer> {
  return buffer.buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : Uint8Array.from(buffer);
}
