/**
 * Signature Version 4: reads the signature of a request and checks it.
 *
 * Source: AWS General Reference, "Create a signed AWS API request", and Amazon S3 API Reference,
 * "Authenticating Requests (AWS Signature Version 4)". The order of the query is by encoded name,
 * then by value; S3's path is encoded once and never normalised, every other service's is
 * normalised and encoded twice.
 */
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { hmac, hmacHex, sha256Hex } from "./digests.ts";
import { decodeUri, encodeUri } from "./uri.ts";

/** The algorithm's name, first word of the header and of the string to sign. */
export const ALGORITHM = "AWS4-HMAC-SHA256";
/** How far a client's clock may be off: 15 minutes. */
export const MAX_SKEW_MS: number = 15 * 60_000;
/** How long a presigned URL may live at most: seven days. */
export const MAX_PRESIGNED_SECONDS: number = 7 * 24 * 3600;
/** The payload hash of a body that is not signed. */
export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

/** The part of a request that a signature covers, before its body. */
export interface RequestHead {
  /** HTTP method. */
  readonly method: string;
  /** Path as it was sent. */
  readonly path: string;
  /** Query as it was sent, without the question mark. */
  readonly query: string;
  /** Header names and values; a name may come twice. */
  readonly headers: Iterable<readonly [string, string]>;
}

/** A signature as a request states it, not checked yet. */
export interface Signature {
  /** Access key. */
  readonly accessKeyId: string;
  /** Day of the scope, `YYYYMMDD`. */
  readonly day: string;
  /** Region of the scope. */
  readonly region: string;
  /** Service of the scope, such as `s3`. */
  readonly service: string;
  /** Names of the signed headers, lower case. */
  readonly signedHeaders: readonly string[];
  /** The signature, hex. */
  readonly signature: string;
  /** When it was signed, `YYYYMMDDTHHMMSSZ`. */
  readonly amzDate: string;
  /** When it was signed, in milliseconds since the epoch. */
  readonly signedAtMs: number;
  /** Token of temporary credentials. */
  readonly sessionToken: string | undefined;
  /** Lifetime of a presigned URL; undefined if the signature is in the header. */
  readonly expiresSeconds: number | undefined;
}

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

/** Why a request was not let in. */
export type SignatureProblem =
  | "missing"
  | "malformed"
  | "wrongRegion"
  | "unknownKey"
  | "badToken"
  | "expiredToken"
  | "skew"
  | "expiredUrl"
  | "mismatch"
  | "bodyMismatch";

/** Thrown for a request that is not let in; the wire form of the service gives it AWS's name. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";
  /** Why. */
  readonly problem: SignatureProblem;

  /** Creates an error for `problem`; `message` is the detail. */
  constructor(problem: SignatureProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}

/**
 * Reads the signature of a request from its `Authorization` header or its query.
 *
 * @throws {SignatureError} `missing` if there is none, `malformed` if it cannot be read.
 */
export function readSignature(head: RequestHead): Signature {
  const headers = new Map<string, string>();
  for (const [name, value] of head.headers) headers.set(name.toLowerCase(), value);
  const authorization = headers.get("authorization");
  if (authorization !== undefined) return fromHeader(authorization, headers);
  const query = new URLSearchParams(head.query);
  if (query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm")) return fromQuery(query);
  throw new SignatureError("missing", "Request is missing Authentication Token");
}

function fromHeader(authorization: string, headers: ReadonlyMap<string, string>): Signature {
  if (!authorization.startsWith(`${ALGORITHM} `)) {
    throw new SignatureError("malformed", "Unsupported Authorization Type");
  }
  const parts = new Map<string, string>();
  for (const part of authorization.slice(ALGORITHM.length + 1).split(",")) {
    const at = part.indexOf("=");
    if (at > 0) parts.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  const amzDate = headers.get("x-amz-date") ?? isoBasic(headers.get("date"));
  return assemble({
    credential: parts.get("Credential"),
    signedHeaders: parts.get("SignedHeaders"),
    signature: parts.get("Signature"),
    amzDate,
    sessionToken: headers.get("x-amz-security-token"),
    expiresSeconds: undefined,
  });
}

function fromQuery(query: URLSearchParams): Signature {
  if (query.get("X-Amz-Algorithm") !== ALGORITHM) {
    throw new SignatureError("malformed", `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const expires = query.get("X-Amz-Expires") ?? "";
  const expiresSeconds = /^\d{1,9}$/.test(expires) ? Number(expires) : NaN;
  if (!(expiresSeconds <= MAX_PRESIGNED_SECONDS)) {
    throw new SignatureError(
      "malformed",
      "X-Amz-Expires must be a number of seconds less than a week (604800)",
    );
  }
  return assemble({
    credential: query.get("X-Amz-Credential") ?? undefined,
    signedHeaders: query.get("X-Amz-SignedHeaders") ?? undefined,
    signature: query.get("X-Amz-Signature") ?? undefined,
    amzDate: query.get("X-Amz-Date") ?? undefined,
    sessionToken: query.get("X-Amz-Security-Token") ?? undefined,
    expiresSeconds,
  });
}

interface Parts {
  credential: string | undefined;
  signedHeaders: string | undefined;
  signature: string | undefined;
  amzDate: string | undefined;
  sessionToken: string | undefined;
  expiresSeconds: number | undefined;
}

function assemble(parts: Parts): Signature {
  const { credential, signedHeaders, signature, amzDate } = parts;
  if (!credential || !signedHeaders || !signature || !amzDate) {
    const absent = [
      credential ? "" : "'Credential'",
      signature ? "" : "'Signature'",
      signedHeaders ? "" : "'SignedHeaders'",
      amzDate ? "" : "'X-Amz-Date' or 'Date'",
    ].filter(Boolean).join(", ");
    throw new SignatureError("malformed", `Authorization requires ${absent} parameter`);
  }
  // An access key may hold a slash, the four other parts cannot.
  const words = credential.split("/");
  const [day, region, service, terminator] = words.slice(-4);
  const accessKeyId = words.slice(0, -4).join("/");
  const signedAtMs = amzDateMs(amzDate);
  if (
    !accessKeyId || !day || !region || !service || terminator !== "aws4_request" ||
    signedAtMs === undefined || !amzDate.startsWith(day)
  ) {
    throw new SignatureError(
      "malformed",
      'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"',
    );
  }
  return {
    accessKeyId,
    day,
    region,
    service,
    signedHeaders: signedHeaders.toLowerCase().split(";"),
    signature,
    amzDate,
    signedAtMs,
    sessionToken: parts.sessionToken,
    expiresSeconds: parts.expiresSeconds,
  };
}

function amzDateMs(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

function isoBasic(date: string | undefined): string | undefined {
  const ms = date === undefined ? NaN : Date.parse(date);
  return Number.isNaN(ms) ? undefined : amzDateOf(ms);
}

/** A time as signatures write it, `YYYYMMDDTHHMMSSZ`. */
export function amzDateOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
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
