/**
 * From the body that a runtime posts to the outcome of its invocation. A response that is streamed ends with trailers if
 * it failed in the middle (Lambda Developer Guide, "Building a custom runtime for AWS Lambda", "Implementing response
 * streaming in a custom runtime"). What one is called that breaks off or is too large stands in AWS's Runtime Interface
 * Emulator, lambda/core/directinvoke.
 */
import type { IncomingMessage } from "node:http";

/** Most bytes of a response, and of an error: 6 MiB and 100 bytes. */
export const MAX_RESPONSE_BYTES = 6_291_556;
/** Most bytes of a streamed response: 200 MB (Lambda quotas, "Invocation payload"); 20 MB until July 2025. */
export const MAX_STREAM_BYTES = 200_000_000;

/** Takes what a runtime streams, as it comes; the runtime waits while it does. */
export type TakeChunk = (chunk: Uint8Array<ArrayBuffer>) => Promise<void>;

/** How the runtime ended an invocation. */
export type Outcome =
  /** It answered. */
  | { readonly kind: "response"; readonly payload: Uint8Array<ArrayBuffer> }
  /** It answered, and all of it has been taken; `error` if that is not all that there was to say. */
  | { readonly kind: "streamed"; readonly error?: StreamError }
  /** It reported an error; the payload is the error's JSON. */
  | { readonly kind: "error"; readonly payload: Uint8Array<ArrayBuffer> }
  /** It answered with more than `maxBytes`. */
  | { readonly kind: "oversize"; readonly maxBytes: number };

/** An error in the middle of a streamed response. */
export interface StreamError {
  /** Its type, as the runtime or Lambda names it. */
  readonly type: string;
  /** What the runtime says of it, empty if it says nothing. */
  readonly details: Uint8Array<ArrayBuffer>;
}

/** Header of a response that is streamed. */
const MODE = "lambda-runtime-function-response-mode";
/** Trailers of one that failed in the middle; the body is in base64. */
const ERROR_TYPE = "lambda-runtime-function-error-type";
const ERROR_BODY = "lambda-runtime-function-error-body";
/** Type of the error of a streamed response whose connection breaks. */
export const TRUNCATED = "Runtime.TruncatedResponse";

/** Whether a response is streamed. */
export function isStreamed({ headers }: IncomingMessage): boolean {
  return headers[MODE] === "streaming";
}

/** The outcome of a response or an error that comes whole. */
export async function keptOutcome(
  request: IncomingMessage,
  kind: "response" | "error",
): Promise<Outcome> {
  const payload = await readBody(request);
  return payload === undefined
    ? { kind: "oversize", maxBytes: MAX_RESPONSE_BYTES }
    : { kind, payload };
}

/** Passes a streamed response on; where nobody takes it, it is kept and its end decides what it is. */
export async function streamedOutcome(
  request: IncomingMessage,
  take: TakeChunk | undefined,
): Promise<Outcome> {
  const kept: Uint8Array[] = [];
  const maxBytes = take === undefined ? MAX_RESPONSE_BYTES : MAX_STREAM_BYTES;
  let size = 0;
  try {
    for await (const chunk of chunksOf(request)) {
      size += chunk.length;
      if (size > maxBytes) continue;
      if (take === undefined) kept.push(chunk);
      else await take(chunk);
    }
  } catch (error) {
    if (request.complete) throw error;
    return streamedEnd(take, kept, streamError(TRUNCATED));
  }
  if (size > maxBytes) return { kind: "oversize", maxBytes };
  const { [ERROR_TYPE]: type, [ERROR_BODY]: body } = request.trailers;
  const failed = type !== undefined || body !== undefined;
  return streamedEnd(take, kept, failed ? streamError(type, body) : undefined);
}

function streamedEnd(
  take: TakeChunk | undefined,
  kept: readonly Uint8Array[],
  error: StreamError | undefined,
): Outcome {
  if (take !== undefined) return { kind: "streamed", ...(error && { error }) };
  if (error === undefined) return { kind: "response", payload: joined(kept) };
  return { kind: "error", payload: error.details };
}

/** An error of that type; what is said of it is in base64. */
function streamError(type = "Unhandled", body = ""): StreamError {
  if (body === "") {
    const text = JSON.stringify({ errorType: type, errorMessage: "The response broke off" });
    return { type, details: new TextEncoder().encode(text) };
  }
  try {
    return { type, details: Uint8Array.fromBase64(body) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // It is for people, who can make more of the text than of nothing.
    return { type, details: new TextEncoder().encode(body) };
  }
}

async function* chunksOf(request: IncomingMessage): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of request) yield new Uint8Array(chunk);
}

/** Reads a body, undefined if it is larger than allowed; a larger one is read to its end. */
export async function readBody(
  request: IncomingMessage,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(request)) {
    size += chunk.length;
    if (size <= MAX_RESPONSE_BYTES) chunks.push(chunk);
  }
  return size > MAX_RESPONSE_BYTES ? undefined : joined(chunks);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
