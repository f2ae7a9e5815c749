/**
 * Signature Version 4: checks the signature of a request.
 *
 * Source: AWS General Reference, "Create a signed AWS API request", and Amazon S3 API Reference,
 * "Authenticating Requests (AWS Signature Version 4)". The order of the query is by encoded name,
 * then by value; S3's path is encoded once and never normalised, every other service's is
 * normalised and encoded twice.
 */
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { hmac, hmacHex, sha256Hex } from "./digests.ts";
import {
  ALGORITHM,
  amzDateOf,
  type RequestHead,
  type Signature,
  SignatureError,
} from "./signature.ts";
import { decodeUri, encodeUri } from "./uri.ts";

/** How far a client's clock may be off: 15 minutes. */
export const MAX_SKEW_MS: number = 15 * 60_000;
/** The payload hash of a body that is not signed. */
export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

/** What a signature that holds gives: the seed and the key of signed chunks. */
export interface SigningContext {
  /** Key made of secret, day, region and service. */
  readonly key: Uint8Array;
  /** Signature of the head. */
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly amzDate: string;
  /** `DAY/REGION/SERVICE/aws4_request`. */
  readonly scope: string;
}

/**
 * Checks that a signature is of now.
 *
 * @throws {SignatureError} `skew` if a clock is more than 15 minutes off, `expiredUrl` if a
 * presigned URL has expired.
 */
export function checkTime(signature: Signature, nowMs: number): void {
  const { signedAtMs, expiresSeconds, amzDate } = signature;
  const now = amzDateOf(nowMs);
  if (expiresSeconds === undefined) {
    if (signedAtMs < nowMs - MAX_SKEW_MS) {
      const bound = amzDateOf(nowMs - MAX_SKEW_MS);
      throw new SignatureError(
        "skew",
        `Signature expired: ${amzDate} is now earlier than ${bound} (${now} - 15 min.)`,
      );
    }
  } else if (signedAtMs + expiresSeconds * 1000 < nowMs) {
    throw new SignatureError("expiredUrl", "Request has expired");
  }
  if (signedAtMs > nowMs + MAX_SKEW_MS) {
    const bound = amzDateOf(nowMs + MAX_SKEW_MS);
    throw new SignatureError(
      "skew",
      `Signature not yet current: ${amzDate} is still later than ${bound} (${now} + 15 min.)`,
    );
  }
}

/** The canonical request, by the way of writing the path `canonicalPath`. */
export function canonicalRequest(
  head: RequestHead,
  signedHeaders: readonly string[],
  payloadHash: string,
  canonicalPath: string,
): string {
  const values = new Map<string, string>();
  for (const [name, value] of head.headers) {
    const key = name.toLowerCase();
    const folded = value.trim().replaceAll(/[ \t]+/g, " ");
    const before = values.get(key);
    values.set(key, before === undefined ? folded : `${before},${folded}`);
  }
  const lines = signedHeaders.map((name) => `${name}:${values.get(name) ?? ""}\n`).join("");
  return [
    head.method.toUpperCase(),
    canonicalPath,
    canonicalQuery(head.query),
    lines,
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

/** The query with names and values encoded anew, sorted by name, then value, without the signature. */
export function canonicalQuery(query: string): string {
  const pairs: [string, string][] = [];
  for (const part of query.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    const name = at < 0 ? part : part.slice(0, at);
    const value = at < 0 ? "" : part.slice(at + 1);
    if (name === "X-Amz-Signature") continue;
    pairs.push([encodeAgain(name), encodeAgain(value)]);
  }
  pairs.sort(([a, x], [b, y]) => a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0);
  return pairs.map(([name, value]) => `${name}=${value}`).join("&");
}

function encodeAgain(text: string): string {
  const spaced = text.replaceAll("+", "%20");
  const decoded = decodeUri(spaced);
  return decoded === undefined ? spaced : encodeUri(decoded);
}

/**
 * The ways in which a client may have written the path that it signed. S3's clients sign what they
 * send, or what they would send had they encoded it by the book; all others normalise and encode
 * once more what they send, though some leave `//` and `..` as they are.
 */
export function canonicalPaths(service: string, path: string): string[] {
  const raw = path === "" ? "/" : path;
  if (service === "s3") {
    const decoded = decodeUri(raw);
    return [...new Set([raw, decoded === undefined ? raw : encodeUri(decoded, "/")])];
  }
  return [...new Set([encodeUri(normalPath(raw), "/"), encodeUri(raw, "/")])];
}

function normalPath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const slash = kept.length > 0 && path.endsWith("/") ? "/" : "";
  return `/${kept.join("/")}${slash}`;
}

/** The key that signs: HMACs of day, region, service and `aws4_request`, begun with the secret. */
export function signingKey(
  secret: string,
  day: string,
  region: string,
  service: string,
): Uint8Array {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), "aws4_request");
}

/** Whether two signatures are the same, in a time that does not tell where they differ. */
export function sameSignature(one: string, other: string): boolean {
  const encoder = new TextEncoder();
  return timingSafeEqual(encoder.encode(one), encoder.encode(other));
}

/**
 * Checks a signature against the secret of its access key.
 *
 * @throws {SignatureError} `mismatch` if it was made otherwise, `malformed` if it leaves out a
 * header that must be signed.
 */
export function checkSignature(
  head: RequestHead,
  signature: Signature,
  payloadHash: string,
  secret: string,
): SigningContext {
  const { day, region, service, signedHeaders, amzDate } = signature;
  for (const [name] of head.headers) {
    const key = name.toLowerCase();
    // What is not signed could be changed on the way.
    const must = key === "host" || (key.startsWith("x-amz-") && key !== "x-amz-content-sha256");
    if (must && signature.expiresSeconds === undefined && !signedHeaders.includes(key)) {
      throw new SignatureError(
        "malformed",
        `There were headers present in the request which were not signed: ${key}`,
      );
    }
  }
  if (!signedHeaders.includes("host")) {
    throw new SignatureError(
      "malformed",
      "'Host' must be a 'SignedHeader' in the AWS Authorization",
    );
  }
  const scope = `${day}/${region}/${service}/aws4_request`;
  const key = signingKey(secret, day, region, service);
  for (const path of canonicalPaths(service, head.path)) {
    const canonical = canonicalRequest(head, signedHeaders, payloadHash, path);
    const toSign = `${ALGORITHM}\n${amzDate}\n${scope}\n${sha256Hex(canonical)}`;
    if (sameSignature(hmacHex(key, toSign), signature.signature)) {
      return { key, signature: signature.signature, amzDate, scope };
    }
  }
  throw new SignatureError(
    "mismatch",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method",
  );
}
