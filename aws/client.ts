/**
 * Signed requests with retries, for all services.
 *
 * aws4fetch signs; its own retries are not used, as they know neither lost connections nor throttles
 * of Invoke. Answers are read whole within an attempt, so that a connection that breaks in the middle
 * of one is tried again, too, unless somebody has taken a part of it already. Deno's own pool keeps every idle connection: fifty requests at a time
 * open fifty connections, however many follow.
 */
import { AwsV4Signer } from "aws4fetch";
import { messageOf } from "../job/errors.ts";
import type { AwsAccount, AwsCredentials } from "./account.ts";
import { requestUrl } from "./endpoint.ts";
import { AwsError, errorFromAnswer } from "./error.ts";
import {
  INVOKE_RETRY,
  NO_RETRY,
  type RetryEvent,
  type RetryPolicy,
  sleep,
  STANDARD_RETRY,
  withRetries,
} from "./retry.ts";

/** A request to AWS. */
export interface AwsRequest {
  /** Service as signatures call it, such as `lambda`. */
  readonly service: string;
  /** Operation as AWS calls it, for messages. */
  readonly operation: string;
  /** HTTP method. */
  readonly method: string;
  /** Percent-encoded path with its first slash; for S3 below the bucket. */
  readonly path: string;
  /** S3 bucket. */
  readonly bucket?: string;
  /** Names and values of the query, not encoded. */
  readonly query?: readonly (readonly [string, string])[];
  /** Headers, all of which are signed. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Body, none unless given. */
  readonly body?: Uint8Array<ArrayBuffer> | string;
  /** Time for all attempts; unless given the retry policy's, and a second for each 64 KB of body. */
  readonly deadlineMs?: number;
  /** Gives the request up. */
  readonly signal?: AbortSignal;
  /** Which policy retries follow, `standard` unless given. */
  readonly retry?: "standard" | "invoke" | "none";
  /** Takes the body of an answer with a status of 200 to 299 as it comes; {@linkcode AwsResponse.body} is empty then. */
  readonly onBody?: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** Hears of each attempt before it begins. */
  readonly onAttempt?: () => void;
  /** Whether what has been taken of a body keeps it from being asked for again. */
  readonly isTaken?: () => boolean;
}

/** An answer with a status of 200 to 299. */
export interface AwsResponse {
  /** HTTP status. */
  readonly status: number;
  /** Headers of the answer. */
  readonly headers: Headers;
  /** The whole body. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What a client has done so far. */
export interface AwsCounters {
  /** Attempts, the repeated ones too. */
  readonly requests: number;
  /** Attempts that were repetitions. */
  readonly retries: number;
  /** Attempts that ended in a throttle. */
  readonly throttles: number;
  /** Bytes of all bodies sent. */
  readonly bytesSent: number;
  /** Bytes of all bodies received. */
  readonly bytesReceived: number;
}

/** One attempt that is over. */
export interface ExchangeEvent {
  /** Service as signatures call it, such as `s3`. */
  readonly service: string;
  /** Operation as AWS calls it, such as `PutObject`. */
  readonly operation: string;
  /** HTTP status, 0 if no whole answer came. */
  readonly status: number;
  /** Bytes of the body that was sent. */
  readonly bytesSent: number;
  /** Bytes of the body that was received. */
  readonly bytesReceived: number;
}

/** Sends signed requests to one account. */
export interface AwsClient {
  /** The account. */
  readonly account: AwsAccount;
  /** Sends a request until it succeeds or fails for good. */
  send(request: AwsRequest): Promise<AwsResponse>;
  /** What the client has done so far. */
  readonly counters: AwsCounters;
}

/** Settings of {@linkcode createAwsClient}. */
export interface AwsClientOptions {
  /** A number from 0 up to, not including, 1. */
  random?: () => number;
  /** Waits between attempts. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Takes a line for each request and answer, with secrets masked. */
  debug?: (line: string) => void;
  /** Hears of each attempt when it is over. */
  onExchange?: (event: ExchangeEvent) => void;
  /** Hears of each wait before another attempt. */
  onRetry?: (event: RetryEvent) => void;
}

const POLICIES: Readonly<Record<"standard" | "invoke" | "none", RetryPolicy>> = {
  standard: STANDARD_RETRY,
  invoke: INVOKE_RETRY,
  none: NO_RETRY,
};

/** A slow uplink: 42 MB of code take eleven minutes. */
const SLOW_BYTES_PER_MS = 64;

/** Codes after which credentials that were renewed meanwhile may do better. */
const STALE_CREDENTIALS: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "InvalidToken",
  "UnrecognizedClientException",
]);

/** Codes that may stand for a wrong clock on this side. */
const SKEWED_CLOCK: ReadonlySet<string> = new Set([
  "InvalidSignatureException",
  "RequestExpired",
  "RequestTimeTooSkewed",
  "SignatureDoesNotMatch",
]);
/** AWS allows five minutes; the header `Date` is as old as the answer took. */
const SKEW_MS = 4 * 60_000;

type BytesRequest = Omit<AwsRequest, "body"> & { body: Uint8Array<ArrayBuffer> | undefined };

/** Creates a client of `account`. */
export function createAwsClient(account: AwsAccount, options: AwsClientOptions = {}): AwsClient {
  const now = options.now ?? Date.now;
  const counters = { requests: 0, retries: 0, throttles: 0, bytesSent: 0, bytesReceived: 0 };
  /** aws4fetch keeps the day's signing keys here. */
  const signingKeys = new Map<string, ArrayBuffer>();
  const endpoints = new Map<string, string | undefined>();
  let skewMs = 0;

  const urlOf = (request: BytesRequest): string => {
    if (!endpoints.has(request.service)) {
      endpoints.set(request.service, account.endpoint(request.service));
    }
    return requestUrl(endpoints.get(request.service), account.region, request);
  };

  const attempt = async (
    request: BytesRequest,
    credentials: AwsCredentials,
    signal: AbortSignal,
  ): Promise<AwsResponse> => {
    if (signingKeys.size > 100) signingKeys.clear();
    const datetime = new Date(now() + skewMs).toISOString().replace(/[:-]|\.\d{3}/g, "");
    const { url, headers } = await new AwsV4Signer({
      method: request.method,
      url: urlOf(request),
      headers: request.headers ?? {},
      body: request.body ?? null,
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken && { sessionToken: credentials.sessionToken }),
      service: request.service,
      region: account.region,
      cache: signingKeys,
      datetime,
      allHeaders: true,
    }).sign();
    const bytesSent = request.body?.length ?? 0;
    const tell = (status: number, bytesReceived: number) => {
      const { service, operation } = request;
      options.onExchange?.({ service, operation, status, bytesSent, bytesReceived });
    };
    counters.requests++;
    counters.bytesSent += bytesSent;
    options.debug?.(describeRequest(request, url, headers));
    const startMs = now();
    let response: Response;
    let body: Uint8Array<ArrayBuffer>;
    let bytesReceived = 0;
    const { onBody, isTaken } = request;
    request.onAttempt?.();
    try {
      response = await fetch(url, {
        method: request.method,
        headers,
        body: request.body ?? null,
        redirect: "manual",
        signal,
      });
      if (onBody !== undefined && response.ok) {
        body = new Uint8Array();
        for await (const chunk of response.body ?? []) {
          bytesReceived += chunk.length;
          await taking(onBody(chunk));
        }
      } else {
        body = await response.bytes();
        bytesReceived = body.length;
      }
    } catch (cause) {
      tell(0, 0);
      if (cause instanceof NotTaken) throw cause.cause;
      if (signal.aborted) throw signal.reason;
      options.debug?.(`< ${request.operation}: ${messageOf(cause)}`);
      throw new AwsError({
        service: request.service,
        operation: request.operation,
        status: 0,
        // Of another name, so that it is not tried again.
        awsCode: isTaken?.() ? "AnswerBroken" : "ConnectionFailed",
        awsMessage: connectionProblem(url, cause),
      }, { cause });
    }
    counters.bytesReceived += bytesReceived;
    tell(response.status, bytesReceived);
    options.debug?.(describeAnswer(request, response, body, now() - startMs));
    if (response.ok) return { status: response.status, headers: response.headers, body };
    const error = errorFromAnswer(
      request,
      response.status,
      response.headers,
      new TextDecoder().decode(body),
    );
    if (SKEWED_CLOCK.has(error.awsCode)) {
      const theirsMs = Date.parse(response.headers.get("date") ?? "");
      if (Math.abs(theirsMs - now() - skewMs) > SKEW_MS) {
        skewMs = theirsMs - now();
        return await attempt(request, credentials, signal);
      }
    }
    throw error;
  };

  const attemptWithRenewal = async (
    request: BytesRequest,
    signal: AbortSignal,
  ): Promise<AwsResponse> => {
    const credentials = await account.credentials();
    try {
      return await attempt(request, credentials, signal);
    } catch (error) {
      if (!(error instanceof AwsError) || !STALE_CREDENTIALS.has(error.awsCode)) throw error;
      account.renewCredentials?.();
      const renewed = await account.credentials();
      if (
        renewed.accessKeyId === credentials.accessKeyId &&
        renewed.sessionToken === credentials.sessionToken
      ) throw error;
      return await attempt(request, renewed, signal);
    }
  };

  const send = async (given: AwsRequest): Promise<AwsResponse> => {
    // Encoded once, for the signature, for each attempt and for the counters.
    const request: BytesRequest = typeof given.body === "string"
      ? { ...given, body: new TextEncoder().encode(given.body) }
      : { ...given, body: given.body };
    const policy = POLICIES[request.retry ?? "standard"];
    const deadlineMs = request.deadlineMs ??
      policy.deadlineMs + Math.ceil((request.body?.length ?? 0) / SLOW_BYTES_PER_MS);
    request.signal?.throwIfAborted();
    const ended = new AbortController();
    let last: AwsError | undefined;
    const timer = setTimeout(() => {
      const { service, operation } = request;
      ended.abort(
        new AwsError({
          service,
          operation,
          status: 0,
          awsCode: "DeadlineExceeded",
          awsMessage: `${deadlineMs} ms have passed`,
        }, { cause: last }),
      );
    }, deadlineMs);
    const onAbort = () => ended.abort(request.signal?.reason);
    request.signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await withRetries(
        () => attemptWithRenewal(request, ended.signal),
        { ...policy, deadlineMs },
        {
          random: options.random ?? Math.random,
          now,
          sleep: options.sleep ?? sleep,
          signal: ended.signal,
          onRetry: (event) => {
            last = event.error;
            counters.retries++;
            if (event.kind === "throttle") counters.throttles++;
            options.onRetry?.(event);
          },
        },
      );
    } finally {
      clearTimeout(timer);
      request.signal?.removeEventListener("abort", onAbort);
    }
  };
  return { account, send, counters };
}

/** What the taker of a body threw, which says nothing of the connection. */
class NotTaken extends Error {
  override readonly name = "NotTaken";
}

async function taking(taken: Promise<void>): Promise<void> {
  try {
    await taken;
  } catch (cause) {
    throw new NotTaken("The body was not taken", { cause });
  }
}

function connectionProblem(url: URL, cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  return `the connection to ${url.host} failed: ${messageOf(inner)}`;
}

function describeRequest(request: BytesRequest, url: URL, headers: Headers): string {
  const shown = [...headers].map(([name, value]) => {
    if (name === "authorization") return `${name}: ${value.replace(/(Signature=).*/, "$1***")}`;
    return `${name}: ${name === "x-amz-security-token" ? "***" : value}`;
  });
  const size = request.body === undefined ? "" : `, ${request.body.length} bytes`;
  return `> ${request.operation}: ${request.method} ${url} {${shown.join(", ")}}${size}`;
}

/** Bodies may hold secrets (tokens, functions' environments), so only an error's is shown. */
function describeAnswer(
  request: BytesRequest,
  response: Response,
  body: Uint8Array<ArrayBuffer>,
  tookMs: number,
): string {
  const shown = [...response.headers].map(([name, value]) => `${name}: ${value}`).join(", ");
  const text = response.ok ? "" : ` ${new TextDecoder().decode(body.subarray(0, 2_000))}`;
  return `< ${request.operation}: ${response.status} in ${Math.round(tookMs)} ms {${shown}}, ` +
    `${body.length} bytes${text}`;
}
