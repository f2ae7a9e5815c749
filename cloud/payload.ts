/**
 * The body of an S3 request, decoded and checked while it passes: never whole in memory. The checks
 * end with the last byte, so who takes the bytes must not keep them before the iteration has ended.
 */
import { createHash } from "node:crypto";
import { byteReader, dechunk } from "./aws_chunked.ts";
import {
  type Checksum,
  type ChecksumAlgorithm,
  checksumAlgorithm,
  createChecksum,
} from "./checksums.ts";
import { ServiceError } from "./service.ts";
import { type SigningContext, UNSIGNED_PAYLOAD } from "./sigv4.ts";

/** Largest body of one PUT: 5 GiB. */
export const MAX_PUT_BYTES: number = 5 * 1024 ** 3;

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
