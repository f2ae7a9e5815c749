/**
 * The framing `aws-chunked` of uploads that are signed, or checked, while they are sent. Source: Amazon
 * S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in
 * Multiple Chunks" and "… Including Trailing Headers".
 */
import { createHash } from "node:crypto";
import { EMPTY_SHA256, hmacHex } from "./digests.ts";
import { ServiceError } from "./service.ts";
import { sameSignature, type SigningContext } from "./sigv4.ts";

/** Longest line of framing that is read, in bytes. */
const MAX_LINE_BYTES = 16 * 1024;

/** Reads a body by lines and by counted bytes. */
export interface ByteReader {
  /** A line without its CRLF. */
  line(): Promise<string>;
  /** Exactly `count` bytes, in pieces. */
  take(count: number): AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** All that is left. */
  rest(): AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** Makes the reader of a body; of none, there is nothing to read. */
export function byteReader(body: ReadableStream<Uint8Array<ArrayBuffer>> | null): ByteReader {
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

/**
 * The bytes within the chunks, each chunk's signature checked if `stated` says that it has one;
 * `trailers` is filled at the end.
 */
export async function* dechunk(
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
