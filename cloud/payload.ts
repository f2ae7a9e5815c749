/**
 * The body of an S3 request, decoded and checked while it passes: never whole in memory.
 *
 * Sources: Amazon S3 API Reference, "Signature Calculations for the Authorization Header:
 * Transferring Payload in Multiple Chunks" and "… Including Trailing Headers". The checks end with
 * the last byte, so who takes the bytes must not keep them before the iteration has ended.
 */
import { createHash } from "node:crypto";
import {
  type Checksum,
  checksumAlgorithm,
  type ChecksumAlgorithm,
  createChecksum,
} from "./checksums.ts";
import { EMPTY_SHA256, hmacHex } from "./digests.ts";
import { ServiceError } from "./service.ts";
import { sameSignature, type SigningContext, UNSIGNED_PAYLOAD } from "./sigv4.ts";

/** Largest body of one PUT: 5 GiB. */
export const MAX_PUT_BYTES: number = 5 * 1024 ** 3;

/** Longest line of chunk framing that is read, in bytes. */
const MAX_LINE_BYTES = 16 * 1024;

/** A checksum that came with a body. */
export interface ChecksumValue {
  /** Its algorithm. */
  readonly algorithm: ChecksumAlgorithm;
  /** The value in base64. */
  readonly value: string;
}

/** A body that is checked as it is read. */
export interface Payload {
  /** The decoded bytes; throws {@linkcode ServiceError} at the end if a check fails. Read once. */
  readonly chunks: AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** MD5 in hex; after the last chunk. */
  md5(): string;
  /** The checksum that was verified, if one came; after the last chunk. */
  checksum(): ChecksumValue | undefined;
}

/**
 * Opens the body of a request whose head has been verified.
 *
 * @param context what chunks are signed with; undefined if nothing is signed but the head
 */
export function openPayload(
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
  headers: Headers,
  context: SigningContext | undefined,
): Payload {
  const stated = headers.get("x-amz-content-sha256") ?? UNSIGNED_PAYLOAD;
  const streaming = stated.startsWith("STREAMING-");
  const md5 = createHash("md5");
  let md5Hex: string | undefined;
  let found: ChecksumValue | undefined;

  async function* checked(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const sha256 = /^[0-9a-f]{64}$/.test(stated) ? createHash("sha256") : undefined;
    if (sha256 === undefined && !streaming && stated !== UNSIGNED_PAYLOAD) {
      throw new ServiceError(
        400,
        "InvalidArgument",
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid sha256 value.",
      );
    }
    const expected = statedChecksum(headers);
    const trailer = headers.get("x-amz-trailer")?.trim();
    const algorithm = expected?.algorithm ??
      (trailer === undefined ? undefined : algorithmOfHeader(trailer));
    const checksum: Checksum | undefined = algorithm && createChecksum(algorithm);

    const reader = byteReader(body);
    const trailers = new Map<string, string>();
    const source = streaming ? dechunk(reader, stated, context, trailers) : reader.rest();
    let size = 0;
    for await (const chunk of source) {
      size += chunk.byteLength;
      if (size > MAX_PUT_BYTES) {
        throw new ServiceError(
          400,
          "EntityTooLarge",
          "Your proposed upload exceeds the maximum allowed object size.",
        );
      }
      md5.update(chunk);
      sha256?.update(chunk);
      checksum?.update(chunk);
      yield chunk;
    }

    const length = headers.get(streaming ? "x-amz-decoded-content-length" : "content-length");
    if (length !== null && Number(length) !== size) {
      throw new ServiceError(
        400,
        "IncompleteBody",
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
      );
    }
    if (sha256 !== undefined) {
      const computed = sha256.digest("hex");
      if (computed !== stated) {
        throw new ServiceError(
          400,
          "XAmzContentSHA256Mismatch",
          "The provided 'x-amz-content-sha256' header does not match what was computed.",
          { fields: { ClientComputedContentSHA256: stated, S3ComputedContentSHA256: computed } },
        );
      }
    }
    const digest = md5.digest();
    md5Hex = digest.toString("hex");
    const contentMd5 = headers.get("content-md5");
    if (contentMd5 !== null && contentMd5 !== digest.toString("base64")) {
      throw new ServiceError(
        400,
        "BadDigest",
        "The Content-MD5 you specified did not match what we received.",
      );
    }
    if (checksum !== undefined && algorithm !== undefined) {
      const value = checksum.digest();
      const wanted = expected?.value ?? trailers.get(`x-amz-checksum-${algorithm}`);
      if (wanted !== value) {
        throw new ServiceError(
          400,
          wanted === undefined ? "InvalidRequest" : "BadDigest",
          `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
        );
      }
      found = { algorithm, value };
    }
  }

  return {
    chunks: checked(),
    md5() {
      if (md5Hex === undefined) throw new TypeError("The payload has not been read to its end");
      return md5Hex;
    },
    checksum: () => found,
  };
}

/** Reads a small body whole, checked. */
export async function readPayload(
  payload: Payload,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of payload.chunks) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new ServiceError(
        400,
        "MaxMessageLengthExceeded",
        "Your request was too big.",
      );
    }
    parts.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function algorithmOfHeader(name: string): ChecksumAlgorithm | undefined {
  const prefix = "x-amz-checksum-";
  return name.toLowerCase().startsWith(prefix)
    ? checksumAlgorithm(name.slice(prefix.length))
    : undefined;
}

function statedChecksum(headers: Headers): ChecksumValue | undefined {
  for (const [name, value] of headers) {
    const algorithm = algorithmOfHeader(name);
    if (algorithm !== undefined) return { algorithm, value };
  }
  return undefined;
}

interface ByteReader {
  /** A line without its CRLF. */
  line(): Promise<string>;
  /** Exactly `count` bytes, in pieces. */
  take(count: number): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** All that is left. */
  rest(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

function byteReader(body: ReadableStream<Uint8Array<ArrayBuffer>> | null): ByteReader {
  const source = body?.[Symbol.asyncIterator]();
  let held = new Uint8Array();

  async function more(): Promise<boolean> {
    const next = await source?.next();
    if (next === undefined || next.done) return false;
    held = next.value;
    return true;
  }

  return {
    async line() {
      let text = "";
      for (;;) {
        const at = held.indexOf(10);
        const piece = at < 0 ? held : held.subarray(0, at + 1);
        // Latin-1: framing is ASCII, and anything else must fail a check and not a decoder.
        text += String.fromCharCode(...piece.subarray(0, MAX_LINE_BYTES));
        if (text.length > MAX_LINE_BYTES) throw incomplete();
        held = held.subarray(piece.length);
        if (at >= 0) {
          if (!text.endsWith("\r\n")) throw incomplete();
          return text.slice(0, -2);
        }
        if (!await more()) throw incomplete();
      }
    },
    async *take(count) {
      while (count > 0) {
        if (held.length === 0 && !await more()) throw incomplete();
        const piece = held.subarray(0, count);
        held = held.subarray(piece.length);
        count -= piece.length;
        if (piece.length > 0) yield piece;
      }
    },
    async *rest() {
      do {
        if (held.length > 0) yield held;
      } while (await more());
    },
  };
}

function incomplete(): ServiceError {
  return new ServiceError(
    400,
    "IncompleteBody",
    "The request body terminated unexpectedly",
  );
}

async function* dechunk(
  reader: ByteReader,
  stated: string,
  context: SigningContext | undefined,
  trailers: Map<string, string>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const signed = stated.startsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  const unsigned = stated === "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
  const withTrailer = stated.endsWith("-TRAILER");
  if ((!signed && !unsigned) || (signed && context === undefined)) {
    throw new ServiceError(
      501,
      "NotImplemented",
      `A payload of the form '${stated}' is not implemented`,
    );
  }
  let previous = context?.signature ?? "";

  function verify(algorithm: string, hashes: readonly string[], claimed: string | undefined): void {
    if (!signed || context === undefined) return;
    const toSign = [algorithm, context.amzDate, context.scope, previous, ...hashes].join("\n");
    const computed = hmacHex(context.key, toSign);
    if (claimed === undefined || !sameSignature(computed, claimed)) {
      throw new ServiceError(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      );
    }
    previous = computed;
  }

  for (;;) {
    const header = await reader.line();
    const match = /^([0-9a-fA-F]{1,9})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(header);
    const size = parseInt(match?.[1] ?? "", 16);
    if (Number.isNaN(size)) throw incomplete();
    const hash = createHash("sha256");
    for await (const piece of reader.take(size)) {
      if (signed) hash.update(piece);
      yield piece;
    }
    verify("AWS4-HMAC-SHA256-PAYLOAD", [EMPTY_SHA256, hash.digest("hex")], match?.[2]);
    if (size === 0) break;
    if (await reader.line() !== "") throw incomplete();
  }

  if (!withTrailer) {
    if (await reader.line() !== "") throw incomplete();
    return;
  }
  let canonical = "";
  let signature: string | undefined;
  for (;;) {
    const line = await reader.line();
    if (line === "") break;
    const at = line.indexOf(":");
    if (at < 0) throw incomplete();
    const name = line.slice(0, at).trim().toLowerCase();
    const value = line.slice(at + 1).trim();
    if (name === "x-amz-trailer-signature") signature = value;
    else {
      trailers.set(name, value);
      canonical += `${name}:${value}\n`;
    }
  }
  const hash = createHash("sha256").update(canonical).digest("hex");
  verify("AWS4-HMAC-SHA256-TRAILER", [hash], signature);
}
