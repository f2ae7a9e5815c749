/**
 * What AWS answers when it refuses a request.
 *
 * JSON services (AWS JSON and REST JSON protocols) name the error in the header `x-amzn-errortype`
 * or in the body's `__type`, S3 and the query services (CloudFormation, STS, EC2) in `<Code>` of an
 * XML body. Names may carry a namespace before `#` and an address behind `:`, which are cut off.
 */
import { LlamaError, type LlamaErrorOptions } from "../job/errors.ts";
import { decodeEntities } from "./xml.ts";

/** What is known of a request that failed. */
export interface AwsErrorFields {
  /** Service as it is called in signatures, such as `lambda`. */
  readonly service: string;
  /** Operation as AWS calls it, such as `Invoke`. */
  readonly operation: string;
  /** HTTP status, 0 if no answer came. */
  readonly status: number;
  /** AWS's name of the error; `ConnectionFailed` or `DeadlineExceeded` if no answer came. */
  readonly awsCode: string;
  /** AWS's own message. */
  readonly awsMessage: string;
  /** AWS's name of the request, for its support. */
  readonly requestId?: string | undefined;
  /** How long AWS asks to wait before the next attempt. */
  readonly retryAfterMs?: number | undefined;
  /** Lambda's `Reason`, such as `ConcurrentInvocationLimitExceeded`. */
  readonly reason?: string | undefined;
}

/** A request to AWS that failed for good. */
export class AwsError extends LlamaError {
  /** Name of the class. */
  override readonly name = "AwsError";
  /** Service as it is called in signatures. */
  readonly service: string;
  /** Operation as AWS calls it. */
  readonly operation: string;
  /** HTTP status, 0 if no answer came. */
  readonly status: number;
  /** AWS's name of the error, the same as `code`. */
  readonly awsCode: string;
  /** AWS's own message. */
  readonly awsMessage: string;
  /** AWS's name of the request. */
  readonly requestId: string | undefined;
  /** How long AWS asks to wait before the next attempt. */
  readonly retryAfterMs: number | undefined;
  /** Lambda's `Reason`. */
  readonly reason: string | undefined;

  /** Creates an error from what is known of the request. */
  constructor(fields: AwsErrorFields, options: LlamaErrorOptions = {}) {
    const hint = options.hint ?? HINTS[fields.awsCode];
    super(fields.awsCode, messageFor(fields), hint === undefined ? options : { ...options, hint });
    this.service = fields.service;
    this.operation = fields.operation;
    this.status = fields.status;
    this.awsCode = fields.awsCode;
    this.awsMessage = fields.awsMessage;
    this.requestId = fields.requestId;
    this.retryAfterMs = fields.retryAfterMs;
    this.reason = fields.reason;
  }
}

const EXPIRED = "Sign in again, or renew the credentials of this profile";
const UNKNOWN_KEY = "Check the access key: `llama config` prints where it comes from";
const CLOCK = "Set this machine's clock: AWS allows 5 minutes of difference";
const DENIED = "Ask for the permission that the message names, or choose another -profile";

const HINTS: Readonly<Record<string, string | undefined>> = {
  AccessDenied: DENIED,
  AccessDeniedException: DENIED,
  ExpiredToken: EXPIRED,
  ExpiredTokenException: EXPIRED,
  InvalidAccessKeyId: UNKNOWN_KEY,
  InvalidClientTokenId: UNKNOWN_KEY,
  InvalidSignatureException: "Check the secret access key and this machine's clock",
  RequestExpired: CLOCK,
  RequestTimeTooSkewed: CLOCK,
  SignatureDoesNotMatch: "Check the secret access key and this machine's clock",
  UnrecognizedClientException: UNKNOWN_KEY,
};

function messageFor(fields: AwsErrorFields): string {
  const { service, operation, status, awsCode } = fields;
  const text = fields.awsMessage.trim().replace(/\.$/, "");
  const reason = fields.reason === undefined ? "" : ` (${fields.reason})`;
  if (status === 0) return `Cannot get an answer to ${service} ${operation}: ${text}`;
  return `Cannot do ${service} ${operation} as AWS answered ${status} ${awsCode}${reason}` +
    (text === "" ? "" : `: ${text}`);
}

/** What names the request that an answer belongs to. */
export interface RequestName {
  /** Service as it is called in signatures. */
  readonly service: string;
  /** Operation as AWS calls it. */
  readonly operation: string;
}

/** The error that an answer with a failing status stands for. */
export function errorFromAnswer(
  request: RequestName,
  status: number,
  headers: Headers,
  body: string,
): AwsError {
  const stated = body.trimStart().startsWith("<") ? fromXml(body) : fromJson(body);
  const header = headers.get("x-amzn-errortype");
  return new AwsError({
    service: request.service,
    operation: request.operation,
    status,
    awsCode: (header === null ? undefined : bareName(header)) ?? stated.code ??
      STATUS_CODES[status] ?? `Http${status}`,
    awsMessage: stated.message ?? "",
    requestId: headers.get("x-amzn-requestid") ?? headers.get("x-amz-request-id") ??
      stated.requestId,
    retryAfterMs: retryAfterMs(headers),
    reason: stated.reason,
  });
}

/** What S3 means when the answer to HEAD has no body. */
const STATUS_CODES: Readonly<Record<number, string | undefined>> = {
  301: "PermanentRedirect",
  400: "BadRequest",
  403: "AccessDenied",
  404: "NotFound",
  409: "Conflict",
  412: "PreconditionFailed",
  413: "RequestEntityTooLarge",
  429: "TooManyRequestsException",
  500: "InternalError",
  503: "ServiceUnavailable",
};

interface Stated {
  code?: string | undefined;
  message?: string | undefined;
  reason?: string | undefined;
  requestId?: string | undefined;
}

function fromJson(body: string): Stated {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // Gateways in between answer with text of their own.
    return { message: body.slice(0, 300).trim() };
  }
  const text = (...names: string[]): string | undefined => {
    if (typeof value !== "object" || value === null) return undefined;
    const members = new Map<string, unknown>(Object.entries(value));
    return names.map((name) => members.get(name)).find((item) => typeof item === "string");
  };
  const type = text("__type", "code");
  return {
    code: type === undefined ? undefined : bareName(type),
    message: text("message", "Message", "errorMessage"),
    reason: text("Reason"),
  };
}

function fromXml(body: string): Stated {
  return {
    code: element(body, "Code"),
    message: element(body, "Message"),
    requestId: element(body, "RequestId") ?? element(body, "RequestID"),
  };
}

/** The text of the first `<name>`. Errors are flat, so that no parser need be loaded for them. */
function element(xml: string, name: string): string | undefined {
  const start = xml.indexOf(`<${name}>`);
  const end = xml.indexOf(`</${name}>`, start);
  if (start < 0 || end < 0) return undefined;
  return decodeEntities(xml.slice(start + name.length + 2, end));
}

function bareName(type: string): string | undefined {
  const name = type.split(":", 1)[0]?.split("#").at(-1)?.trim();
  return name === "" ? undefined : name;
}

/** `x-amz-retry-after` is in milliseconds, `Retry-After` (RFC 9110, section 10.2.3) in seconds. */
function retryAfterMs(headers: Headers): number | undefined {
  const ms = headers.get("x-amz-retry-after");
  if (ms !== null && /^\d{1,9}$/.test(ms)) return Number(ms);
  const seconds = headers.get("retry-after");
  if (seconds !== null && /^\d{1,6}$/.test(seconds)) return Number(seconds) * 1000;
  return undefined;
}
