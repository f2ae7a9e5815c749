/** Invocations of Lambda functions: Invoke of the REST API of 2015-03-31, InvokeWithResponseStream of 2021-11-15. */
import { FormatError } from "../job/errors.ts";
import { asObject, type Json, parseJson } from "../job/json.ts";
import type { AwsClient, AwsRequest } from "./client.ts";
import { AwsError } from "./error.ts";
import { createEventReader } from "./event_stream.ts";

/** An invocation that waits for its answer. */
export interface Invocation {
  /** Name or ARN of the function, with or without a qualifier behind a colon. */
  readonly functionName: string;
  /** JSON text, less than 6 MiB. */
  readonly payload: Uint8Array<ArrayBuffer> | string;
  /** Whether the answer brings the last 4 KiB of the function's log; false unless given. */
  readonly logTail?: boolean;
  /** Time for all attempts, throttles and the run itself; 15 minutes unless given. */
  readonly deadlineMs?: number;
  /** Gives the invocation up; the function runs on. */
  readonly signal?: AbortSignal;
}

/** What a function answered. */
export interface InvocationAnswer {
  /** JSON text: the function's answer, or the error's description. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** `Handled` or `Unhandled` if the function failed. */
  readonly functionError?: string;
  /** The last 4 KiB of the log. */
  readonly logTail?: string;
  /** Lambda's name of the invocation. */
  readonly requestId: string;
  /** Version that ran, such as `$LATEST`. */
  readonly executedVersion?: string;
}

/**
 * Runs a function and waits for its answer. Throttles are tried again until the deadline.
 *
 * @throws {AwsError} If the function was not run. A function that failed is no such error.
 */
export async function invoke(
  client: AwsClient,
  invocation: Invocation,
): Promise<InvocationAnswer> {
  const { body, headers } = await client.send({
    ...invocationRequest(invocation, "RequestResponse"),
    ...(invocation.deadlineMs !== undefined && { deadlineMs: invocation.deadlineMs }),
  });
  const functionError = headers.get("x-amz-function-error");
  const logTail = headers.get("x-amz-log-result");
  const executedVersion = headers.get("x-amz-executed-version");
  return {
    payload: body,
    requestId: headers.get("x-amzn-requestid") ?? "",
    ...(functionError !== null && { functionError }),
    ...(logTail !== null && { logTail: decodeLog(logTail) }),
    ...(executedVersion !== null && { executedVersion }),
  };
}

/** Who takes an answer as it comes. */
export interface AnswerTaker {
  /** An answer begins, perhaps not the first one. */
  begin(): void;
  take(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Whether what was taken so far keeps the function from being run again. */
  isTaken(): boolean;
}

/**
 * Runs a function and passes its answer on as it comes. It is tried again as {@linkcode invoke} is, until something
 * was taken.
 *
 * @returns The answer; its payload is an error's description, or empty.
 * @throws {AwsError} If the function was not run, or its answer broke off (`AnswerBroken`).
 * @throws {FormatError} If the answer is no event stream. And what the taker throws.
 */
export async function invokeStreaming(
  client: AwsClient,
  invocation: Invocation,
  taker: AnswerTaker,
): Promise<InvocationAnswer> {
  const { crc32 } = await import("node:zlib");
  let reader = createEventReader(crc32);
  let complete: Json | undefined;
  const onBody = async (bytes: Uint8Array<ArrayBuffer>) => {
    for (const { headers, payload } of reader.add(bytes)) {
      const type = headers.get(":event-type");
      if (headers.get(":message-type") !== "event") {
        throw streamError(headers, payload, taker.isTaken());
      }
      if (type === "PayloadChunk") await taker.take(payload);
      if (type === "InvokeComplete") complete = readComplete(payload);
    }
  };
  const { headers } = await client.send({
    ...invocationRequest(invocation, "RequestResponse"),
    operation: "InvokeWithResponseStream",
    path: `/2021-11-15/functions/${
      encodeURIComponent(invocation.functionName)
    }/response-streaming-invocations`,
    onAttempt: () => {
      reader = createEventReader(crc32);
      complete = undefined;
      taker.begin();
    },
    onBody,
    isTaken: () => taker.isTaken(),
    ...(invocation.deadlineMs !== undefined && { deadlineMs: invocation.deadlineMs }),
  });
  if (complete === undefined) {
    throw new FormatError("event stream", "it ends without the event InvokeComplete");
  }
  const code = textOf(complete.ErrorCode);
  const log = textOf(complete.LogResult);
  const executedVersion = headers.get("x-amz-executed-version");
  return {
    payload: new TextEncoder().encode(
      code === undefined ? "" : errorPayload(code, textOf(complete.ErrorDetails)),
    ),
    requestId: headers.get("x-amzn-requestid") ?? "",
    ...(code !== undefined && { functionError: "Unhandled" }),
    ...(log !== undefined && { logTail: decodeLog(log) }),
    ...(executedVersion !== null && { executedVersion }),
  };
}

/** Lambda API Reference, InvokeWithResponseStreamCompleteEvent. */
function readComplete(payload: Uint8Array): Json {
  const text = new TextDecoder().decode(payload);
  return asObject(parseJson(text === "" ? "{}" : text, "InvokeComplete"), "InvokeComplete");
}

/** An exception within the stream (Smithy, "Amazon Event Stream Specification", ":message-type"). */
function streamError(
  headers: ReadonlyMap<string, string>,
  payload: Uint8Array,
  isPassedOn: boolean,
): AwsError {
  const awsCode = headers.get(":exception-type") ?? headers.get(":error-code") ?? "StreamError";
  return new AwsError({
    service: "lambda",
    operation: "InvokeWithResponseStream",
    // As if no answer had come, so that it is not tried again.
    status: isPassedOn ? 0 : 500,
    awsCode: isPassedOn ? "AnswerBroken" : awsCode,
    awsMessage: headers.get(":error-message") ?? new TextDecoder().decode(payload),
  });
}

/** A member of InvokeComplete; what is null or empty is not there. */
function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The error's JSON as {@linkcode invoke} gives it, which the details may be. */
function errorPayload(code: string, details = ""): string {
  if (details.startsWith("{")) return details;
  return JSON.stringify({ errorType: code, errorMessage: details });
}

function decodeLog(base64: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(base64));
}

/** Hands a function an event of less than 1 MiB and does not wait for the run. */
export async function invokeDetached(
  client: AwsClient,
  invocation: Omit<Invocation, "logTail">,
): Promise<{ requestId: string }> {
  const { headers } = await client.send(invocationRequest(invocation, "Event"));
  return { requestId: headers.get("x-amzn-requestid") ?? "" };
}

function invocationRequest(invocation: Invocation, type: string): AwsRequest {
  const { functionName, payload, logTail, signal } = invocation;
  return {
    service: "lambda",
    operation: "Invoke",
    method: "POST",
    path: `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`,
    headers: {
      "content-type": "application/json",
      "x-amz-invocation-type": type,
      ...(logTail === true && { "x-amz-log-type": "Tail" }),
    },
    body: payload,
    retry: "invoke",
    ...(signal && { signal }),
  };
}
