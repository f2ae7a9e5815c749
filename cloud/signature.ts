/**
 * The signature of a request as it stands there, in the `Authorization` header or in the query.
 *
 * Source: AWS General Reference, "Create a signed AWS API request", and Amazon S3 API Reference,
 * "Authenticating Requests: Using Query Parameters".
 */

/** The algorithm's name, first word of the header and of the string to sign. */
export const ALGORITHM = "AWS4-HMAC-SHA256";
/** How long a presigned URL may live at most: seven days. */
export const MAX_PRESIGNED_SECONDS: number = 7 * 24 * 3600;

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
