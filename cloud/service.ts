/**
 * The seam between the embedded cloud's front (signatures, wire forms, logging) and its services.
 * A service sees a verified request and answers with a response or throws {@linkcode ServiceError},
 * which the wire form of that service writes as AWS writes it.
 */

/** Who signed a request. */
export interface Principal {
  /** Access key of the signature. */
  readonly accessKeyId: string;
  /** ARN of the caller, as GetCallerIdentity gives it. */
  readonly arn: string;
  /** The account, 12 digits. */
  readonly accountId: string;
  /** Whether the caller may do everything. */
  readonly root: boolean;
  /** The assumed role, when the caller is a role session. */
  readonly roleName?: string;
}

/** A verified request with its whole body. */
export interface ServiceRequest {
  /** HTTP method. */
  readonly method: string;
  /** Path, raw: still percent-encoded, as it was sent. */
  readonly path: string;
  /** Query parameters, decoded. */
  readonly query: URLSearchParams;
  /** Request headers. */
  readonly headers: Headers;
  /** The whole body. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Id that the answer carries. */
  readonly requestId: string;
  /** Who signed it. */
  readonly principal: Principal;
  /** Aborted when the client goes away or the cloud closes. */
  readonly signal: AbortSignal;
}

/** Answers a verified request. */
export type Service = (request: ServiceRequest) => Promise<Response>;

/** What every service of one embedded cloud shares. */
export interface CloudSettings {
  /** Folder of the cloud's state: `LLAMA_DIR/cloud`. */
  readonly directory: string;
  /** The one region it speaks for. */
  readonly region: string;
  /** The one account, 12 digits. */
  readonly accountId: string;
  /** Base URL, `http://127.0.0.1:PORT`. */
  readonly endpoint: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Writes one line to the cloud's log. */
  readonly log: (line: string) => void;
  /** Jobs at once; `navigator.hardwareConcurrency` by default. */
  readonly concurrency: number;
}

/** What an error carries beyond status, code and message. */
export interface ServiceErrorOptions extends ErrorOptions {
  /** Further response headers, such as `Retry-After`. */
  headers?: Readonly<Record<string, string>>;
  /** Further members of the error body, such as `Reason` or `Key`. */
  fields?: Readonly<Record<string, string>>;
}

/** An error answer in no wire form yet. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  /** HTTP status. */
  readonly status: number;
  /** AWS's name of the error, such as `NoSuchKey`. */
  readonly code: string;
  /** Further response headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** Further members of the error body. */
  readonly fields: Readonly<Record<string, string>>;

  /** Creates an error answer with AWS's `code` and `message`. */
  constructor(status: number, code: string, message: string, options: ServiceErrorOptions = {}) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.fields = options.fields ?? {};
  }
}
