/**
 * The Lambda Runtime API, version 2018-06-01 (AWS Lambda developer guide, "Using the Lambda runtime
 * API"): how a runtime gets invocations and gives back answers, over HTTP on this machine.
 */
import { FormatError, LlamaError } from "../job/errors.ts";

/** One invocation of the function. */
export interface Invocation {
  readonly requestId: string;
  /** When the function is stopped, in milliseconds since 1970. */
  readonly deadlineMs: number;
  /** The payload, unchecked. */
  readonly body: string;
}

/** What is said of an invocation that failed. */
export interface InvocationError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace: readonly string[];
}

/** A response under way. */
export interface StreamedResponse {
  /** Writes a part; resolves when there is room for more. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Ends it. */
  close(): Promise<void>;
}

/** The Runtime API. Every call throws `RuntimeApi` if the answer is not the documented one. */
export interface RuntimeApi {
  /** Waits for the next invocation. */
  next(): Promise<Invocation>;
  /** Answers an invocation; false if the answer is too large. */
  respond(requestId: string, body: string): Promise<boolean>;
  /** Answers an invocation bit by bit. */
  respondStreaming(requestId: string): StreamedResponse;
  /** Says that an invocation failed. */
  fail(requestId: string, error: InvocationError): Promise<void>;
  /** Says that the runtime cannot start. */
  failInit(error: InvocationError): Promise<void>;
}

const VERSION = "2018-06-01";
const ACCEPTED = 202;
const FORBIDDEN = 403;
const TOO_LARGE = 413;

/** The Runtime API at `host`, as in `AWS_LAMBDA_RUNTIME_API`. */
export function runtimeApi(host: string): RuntimeApi {
  const base = `http://${host}/${VERSION}/runtime`;
  const post = async (path: string, body: string, headers: Record<string, string>) => {
    const response = await fetch(base + path, { method: "POST", body, headers });
    // Read to its end, so that the connection can serve again.
    const text = await response.text();
    return { status: response.status, text };
  };
  const postError = async (path: string, error: InvocationError, allowed: readonly number[]) => {
    const { status, text } = await post(path, JSON.stringify(error), {
      "content-type": "application/vnd.aws.lambda.error+json",
      "lambda-runtime-function-error-type": error.errorType,
    });
    if (!allowed.includes(status)) throw unexpected(path, status, text);
  };
  return {
    async next() {
      const path = "/invocation/next";
      const response = await fetch(base + path);
      const body = await response.text();
      if (response.status !== 200) throw unexpected(path, response.status, body);
      const requestId = response.headers.get("lambda-runtime-aws-request-id") ?? "";
      if (!/^[0-9A-Za-z-]+$/.test(requestId)) {
        throw new FormatError(
          "Lambda-Runtime-Aws-Request-Id",
          `it is ${JSON.stringify(requestId)}`,
        );
      }
      const deadlineMs = Number(response.headers.get("lambda-runtime-deadline-ms") ?? NaN);
      if (!Number.isSafeInteger(deadlineMs) || deadlineMs <= 0) {
        throw new FormatError("Lambda-Runtime-Deadline-Ms", "it is no time in milliseconds");
      }
      return { requestId, deadlineMs, body };
    },
    async respond(requestId, body) {
      const path = `/invocation/${requestId}/response`;
      const { status, text } = await post(path, body, { "content-type": "application/json" });
      if (status === TOO_LARGE) return false;
      if (status !== ACCEPTED) throw unexpected(path, status, text);
      return true;
    },
    respondStreaming(requestId) {
      const path = `/invocation/${requestId}/response`;
      const { readable, writable } = new TransformStream<
        Uint8Array<ArrayBuffer>,
        Uint8Array<ArrayBuffer>
      >();
      const writer = writable.getWriter();
      // Developer Guide, "Response streaming in custom runtimes"; a body that is a stream goes out in chunks.
      const answered = fetch(base + path, {
        method: "POST",
        body: readable,
        headers: {
          "content-type": "application/octet-stream",
          "lambda-runtime-function-response-mode": "streaming",
        },
      }).then(async (response) => {
        const text = await response.text();
        if (response.status !== ACCEPTED) throw unexpected(path, response.status, text);
      });
      // Whoever writes next is told; until then it is nobody's failure.
      answered.catch(() => undefined);
      return {
        // An answer before the end of the body is a refusal.
        write: (bytes) => Promise.race([writer.write(bytes), answered]),
        close: async () => {
          await writer.close();
          await answered;
        },
      };
    },
    // After an answer that was too large, the invocation may be over already.
    fail: (requestId, error) =>
      postError(`/invocation/${requestId}/error`, error, [ACCEPTED, FORBIDDEN]),
    failInit: (error) => postError("/init/error", error, [ACCEPTED]),
  };
}

function unexpected(path: string, status: number, text: string): LlamaError {
  return new LlamaError(
    "RuntimeApi",
    `Cannot use the Runtime API as "${path}" answered ${status}: ${text.slice(0, 200)}`,
  );
}
