/** Invoke: from the request to the pool of workers and back to the answer, with its log. */
import { conflict, functionNotFound, throttled, tooLarge } from "./lambda_errors.ts";
import { activeVersion, functionArn, type FunctionRecord } from "./lambda_function.ts";
import { findFunction, type LambdaState } from "./lambda_state.ts";
import { poolFunction } from "./lambda_worker.ts";
import { streamAnswer } from "./response_stream.ts";
import { ServiceError, type ServiceRequest } from "./service.ts";
import { joinTail } from "./worker_log.ts";
import type { PoolJob, PoolResult } from "./worker_pool.ts";

/** Most bytes of the payload of a request that waits for its answer: 6 MiB. */
export const MAX_REQUEST_BYTES = 6_291_456;
/** Most bytes of the payload of an event: 1 MiB. */
export const MAX_EVENT_BYTES = 1_048_576;

/**
 * Answers an Invoke request.
 *
 * @throws {ServiceError} as the Lambda API Reference lists for Invoke.
 */
export async function invokeFunction(
  state: LambdaState,
  request: ServiceRequest,
  name: string,
): Promise<Response> {
  const type = readType(request, ["Event", "RequestResponse", "DryRun"]);
  const job = admit(state, request, name, type);
  if (job === undefined) return new Response(null, { status: 204 });
  const result = job.run({ ...(type !== "Event" && { signal: request.signal }) });
  if (type === "Event") {
    state.background(result);
    return new Response(null, { status: 202 });
  }
  return answer(await result, job.report());
}

/**
 * Answers an InvokeWithResponseStream request: what the runtime streams goes on at once, and a response that it does
 * not stream is a stream of one chunk.
 *
 * @throws {ServiceError} as the Lambda API Reference lists for InvokeWithResponseStream.
 */
export async function invokeWithResponseStream(
  state: LambdaState,
  request: ServiceRequest,
  name: string,
): Promise<Response> {
  const type = readType(request, ["RequestResponse", "DryRun"]);
  const job = admit(state, request, name, type);
  if (job === undefined) return new Response(null, { status: 204 });
  const { traceId } = job.report();
  const stream = await streamAnswer(
    (take) => job.run({ take, signal: request.signal }),
    (result) => {
      const report = job.report();
      return report.tail ? logOf(result, report).toBase64() : undefined;
    },
    state.background,
  );
  return new Response(stream, {
    headers: {
      "content-type": "application/vnd.amazon.eventstream",
      "x-amz-executed-version": "$LATEST",
      "x-amzn-trace-id": traceId,
    },
  });
}

function readType(request: ServiceRequest, allowed: readonly string[]): string {
  const type = request.headers.get("x-amz-invocation-type") ?? "RequestResponse";
  if (allowed.includes(type)) return type;
  throw new ServiceError(
    400,
    "InvalidParameterValueException",
    `1 validation error detected: Value '${type}' at 'invocationType' failed to satisfy ` +
      `constraint: Member must satisfy enum value set: [${allowed.join(", ")}]`,
  );
}

/** An invocation that may run. */
interface Admitted {
  run(how: Pick<PoolJob, "signal" | "take">): Promise<PoolResult>;
  /** What its answer tells; the function's memory is known once it has run. */
  report(): Report;
}

/** Checks an invocation; undefined for one that is only to be checked. */
function admit(
  state: LambdaState,
  request: ServiceRequest,
  name: string,
  type: string,
): Admitted | undefined {
  const { settings, pool } = state;
  const record = findFunction(state, name);
  const payload = readPayload(request, type);
  if (activeVersion(record, settings.now()) === undefined) {
    throw conflict(
      "The operation cannot be performed at this time. The function is currently in the following " +
        "state: Pending",
    );
  }
  if (type === "DryRun") return undefined;
  checkLimits(record, state);

  const { requestId } = request;
  const tail = request.headers.get("x-amz-log-type") === "Tail";
  const clientContext = request.headers.get("x-amz-client-context");
  const traceId = request.headers.get("x-amzn-trace-id") ?? newTraceId(settings.now());
  let memoryMb = record.current.memoryMb;
  return {
    run: (how) =>
      pool.invoke({
        function: () => {
          // What runs is the function of the moment when the turn has come, not of when it was called.
          const version = activeVersion(findFunction(state, name), settings.now());
          if (version === undefined) throw functionNotFound(functionArn(name, settings));
          memoryMb = version.memoryMb;
          return poolFunction(state, name, version);
        },
        invocation: {
          requestId,
          functionArn: functionArn(name, settings),
          traceId,
          payload,
          ...(clientContext === null ? {} : { clientContext }),
        },
        measured: tail,
        ...how,
      }),
    report: () => ({ tail, requestId, memoryMb, traceId }),
  };
}

function readPayload(request: ServiceRequest, type: string): Uint8Array<ArrayBuffer> {
  const { body } = request;
  const maxBytes = type === "Event" ? MAX_EVENT_BYTES : MAX_REQUEST_BYTES;
  if (body.length > maxBytes) {
    throw tooLarge(
      "RequestTooLargeException",
      `${body.length} byte payload is too large for the ${type} invocation type (limit ${maxBytes} bytes)`,
    );
  }
  if (body.length === 0) return new TextEncoder().encode("{}");
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    throw new ServiceError(
      400,
      "InvalidRequestContentException",
      "Could not parse request body into json: Could not parse payload into json",
      { cause },
    );
  }
  return body;
}

function checkLimits(record: FunctionRecord, { pool, options }: LambdaState): void {
  const { accountConcurrency } = options;
  if (record.reserved !== undefined && pool.pending(record.name) >= record.reserved) {
    throw throttled("ReservedFunctionConcurrentInvocationLimitExceeded");
  }
  const { running, waiting } = pool.status();
  if (accountConcurrency !== undefined && running + waiting >= accountConcurrency) {
    throw throttled("ConcurrentInvocationLimitExceeded");
  }
}

interface Report {
  readonly tail: boolean;
  readonly requestId: string;
  readonly memoryMb: number;
  readonly traceId: string;
}

function answer(result: PoolResult, report: Report): Response {
  const headers = new Headers({
    "content-type": "application/json",
    "x-amz-executed-version": "$LATEST",
    "x-amzn-trace-id": report.traceId,
  });
  if (result.failed) headers.set("x-amz-function-error", "Unhandled");
  if (report.tail) headers.set("x-amz-log-result", logOf(result, report).toBase64());
  return new Response(result.payload, { headers });
}

/** The last 4 KiB of the log with the lines that Lambda puts around what the function wrote. */
function logOf(result: PoolResult, { requestId, memoryMb }: Report): Uint8Array {
  const { durationMs, initMs } = result;
  const fields = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    // The time to start counts, too, since August 2025.
    `Billed Duration: ${Math.ceil(durationMs + (initMs ?? 0))} ms`,
    `Memory Size: ${memoryMb} MB`,
    `Max Memory Used: ${Math.ceil(result.memoryBytes / 1_048_576)} MB`,
    ...(initMs === undefined ? [] : [`Init Duration: ${initMs.toFixed(2)} ms`]),
    ...(result.status === undefined ? [] : [`Status: ${result.status}`]),
  ];
  const encoder = new TextEncoder();
  const newline = result.log.length > 0 && result.log.at(-1) !== 10 ? "\n" : "";
  return joinTail([
    encoder.encode(`START RequestId: ${requestId} Version: $LATEST\n`),
    result.log,
    encoder.encode(`${newline}END RequestId: ${requestId}\n${fields.join("\t")}\t\n`),
  ]);
}

function newTraceId(nowMs: number): string {
  const time = Math.floor(nowMs / 1000).toString(16).padStart(8, "0");
  const random = crypto.getRandomValues(new Uint8Array(20)).toHex();
  return `Root=1-${time}-${random.slice(0, 24)};Parent=${random.slice(24)};Sampled=0`;
}
