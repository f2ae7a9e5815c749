/** The loop that serves jobs: wait for one, run it, answer, tidy up. */
import { LlamaError, messageOf } from "../job/errors.ts";
import { asObject, parseJson } from "../job/json.ts";
import { answerToJson, type JobAnswer } from "../job/result.ts";
import { specFromJson } from "../job/spec.ts";
import type { Invocation, InvocationError, RuntimeApi } from "./api.ts";
import { runJob } from "./run_job.ts";
import type { Worker } from "./worker.ts";

/** Left of the function's time to kill the command and send the answer, a fifth where time is short. */
const MARGIN_MS = 1000;

/** Serves one invocation. */
export async function serveOne(api: RuntimeApi, worker: Worker): Promise<void> {
  const invocation = await api.next();
  const { requestId } = invocation;
  let body: string;
  try {
    body = JSON.stringify(answerToJson(await answerTo(invocation, worker)));
  } catch (error) {
    worker.log(error instanceof Error ? error.stack ?? error.message : String(error));
    await api.fail(requestId, invocationError(error));
    worker.tidy();
    return;
  }
  if (!await api.respond(requestId, body)) {
    await api.fail(requestId, {
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: `Cannot answer as the answer of ${body.length} bytes is too large`,
      stackTrace: [],
    });
  }
  worker.tidy();
}

async function answerTo({ body, deadlineMs }: Invocation, worker: Worker): Promise<JobAnswer> {
  const startedMs = worker.now();
  let spec;
  try {
    spec = specFromJson(asObject(parseJson(body, "the payload"), "the payload"));
  } catch (error) {
    if (!(error instanceof LlamaError)) throw error;
    return { kind: "failed", code: "BadJob", message: error.message };
  }
  const functionTimeoutMs = deadlineMs - startedMs;
  return await runJob(spec, worker, {
    deadlineMs: deadlineMs - Math.min(MARGIN_MS, functionTimeoutMs / 5),
    functionTimeoutMs,
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
