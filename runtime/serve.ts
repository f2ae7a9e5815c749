/** The loop that serves jobs: wait for one, run it, answer, tidy up. */
import { LlamaError, messageOf } from "../job/errors.ts";
import { asObject, parseJson } from "../job/json.ts";
import { encodeFrame } from "../job/output_stream.ts";
import { answerToJson, type JobAnswer } from "../job/result.ts";
import { type JobSpec, specFromJson } from "../job/spec.ts";
import type { Invocation, InvocationError, RuntimeApi, StreamedResponse } from "./api.ts";
import type { PassOn } from "./capture.ts";
import { runJob } from "./run_job.ts";
import type { Worker } from "./worker.ts";

/** Left of the function's time to kill the command and send the answer, a fifth where time is short. */
const MARGIN_MS = 1000;

/** Serves one invocation. */
export async function serveOne(api: RuntimeApi, worker: Worker): Promise<void> {
  const invocation = await api.next();
  const { requestId } = invocation;
  const printed = openPrinted(() => api.respondStreaming(requestId));
  const spec = readSpec(invocation.body);
  let answer: JobAnswer;
  let failure: InvocationError | undefined;
  try {
    answer = spec instanceof LlamaError
      ? { kind: "failed", code: "BadJob", message: spec.message }
      : await answerTo(spec, invocation, worker, printed.passOn);
  } catch (error) {
    worker.log(error instanceof Error ? error.stack ?? error.message : String(error));
    failure = invocationError(error);
    // An answer that has begun can only tell of it itself.
    answer = { kind: "failed", code: failure.errorType, message: failure.errorMessage };
  }
  const body = JSON.stringify(answerToJson(answer));
  if (!(spec instanceof LlamaError) && spec.keepAs !== undefined) {
    await worker.objects.putAnswer(spec.keepAs, new TextEncoder().encode(body));
  }
  if (printed.stream !== undefined) {
    const bytes = new TextEncoder().encode(body);
    await printed.stream.write(encodeFrame({ kind: "answer", bytes }));
    await printed.stream.close();
  } else if (failure !== undefined) {
    await api.fail(requestId, failure);
  } else if (!await api.respond(requestId, body)) {
    await api.fail(requestId, {
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: `Cannot answer as the answer of ${body.length} bytes is too large`,
      stackTrace: [],
    });
  }
  worker.tidy();
}

/** Of the 200 MB that Lambda lets through (Lambda quotas), with room for the answer. */
const MAX_PASSED_BYTES = 190_000_000;

/** What is passed on of an answer, which begins when there is something. */
function openPrinted(open: () => StreamedResponse) {
  let stream: StreamedResponse | undefined;
  let left = MAX_PASSED_BYTES;
  const passOn: PassOn = (kind, bytes) => {
    if (bytes.length > left) return undefined;
    left -= bytes.length;
    stream ??= open();
    return stream.write(encodeFrame({ kind, bytes }));
  };
  return {
    passOn,
    get stream() {
      return stream;
    },
  };
}

function readSpec(body: string): JobSpec | LlamaError {
  try {
    return specFromJson(asObject(parseJson(body, "the payload"), "the payload"));
  } catch (error) {
    if (!(error instanceof LlamaError)) throw error;
    return error;
  }
}

async function answerTo(
  spec: JobSpec,
  { deadlineMs }: Invocation,
  worker: Worker,
  passOn: PassOn,
): Promise<JobAnswer> {
  const functionTimeoutMs = deadlineMs - worker.now();
  return await runJob(spec, worker, {
    deadlineMs: deadlineMs - Math.min(MARGIN_MS, functionTimeoutMs / 5),
    functionTimeoutMs,
    ...(spec.stream && { passOn }),
  });
}

/** How the Runtime API is told of `error`. */
export function invocationError(error: unknown): InvocationError {
  return {
    errorType: error instanceof LlamaError ? error.code : "Runtime.Defect",
    errorMessage: messageOf(error),
    stackTrace: error instanceof Error ? (error.stack ?? "").split("\n").slice(1, 20) : [],
  };
}
