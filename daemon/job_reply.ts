/** Sends a job to a function, and reads what comes back. */
import type { AwsClient } from "../aws/client.ts";
import { AwsError } from "../aws/error.ts";
import { type InvocationAnswer, invoke, invokeStreaming } from "../aws/invoke.ts";
import { LlamaError, messageOf } from "../job/errors.ts";
import { asObject, parseJson } from "../job/json.ts";
import { createFrameReader, type Frame, type OutputName } from "../job/output_stream.ts";
import { answerFromJson, type JobAnswer } from "../job/result.ts";
import type { JobSpec } from "../job/spec.ts";

/** Where a job goes, and who hears of what it prints. */
export interface AskOptions {
  readonly functionName: string;
  /** Whether the last 4 KB of the function's log are wanted. */
  readonly logTail?: boolean;
  /** Most time for everything, in milliseconds; 15 minutes unless given. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /**
   * Takes what the command prints while it runs; the result has what was not passed on. A job of which something was
   * passed on is not sent again.
   */
  readonly onOutput?: (name: OutputName, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
}

const DEADLINE_MS = 900_000;

/** An answer, and whether a part of what the command prints was passed on. */
export type Reply = InvocationAnswer & { readonly isPassedOn: boolean };

/**
 * Sends a job and waits for the reply.
 *
 * @throws {AwsError} If AWS refuses, or the reply breaks off; and what `onOutput` throws.
 */
export async function ask(
  client: AwsClient,
  payload: Uint8Array<ArrayBuffer>,
  { functionName, deadlineMs = DEADLINE_MS, logTail, signal, onOutput }: AskOptions,
): Promise<Reply> {
  const invocation = {
    functionName,
    payload,
    deadlineMs,
    ...(logTail && { logTail: true }),
    ...(signal && { signal }),
  };
  if (onOutput === undefined) return { ...await invoke(client, invocation), isPassedOn: false };
  let reader = createFrameReader();
  let answer: Uint8Array<ArrayBuffer> | undefined;
  let isPassedOn = false;
  const take = async ({ kind, bytes }: Frame) => {
    if (kind === "answer") {
      answer = bytes;
    } else {
      isPassedOn = true;
      await onOutput(kind, bytes);
    }
  };
  try {
    const reply = await invokeStreaming(client, invocation, {
      begin: () => {
        reader = createFrameReader();
      },
      take: async (bytes) => {
        for (const frame of reader.add(bytes)) await take(frame);
      },
      isTaken: () => isPassedOn,
    });
    if (reply.functionError !== undefined) return { ...reply, isPassedOn };
    for (const frame of reader.end()) await take(frame);
    return { ...reply, payload: answer ?? new Uint8Array(), isPassedOn };
  } catch (error) {
    throw isPassedOn && error instanceof AwsError ? broken(error) : error;
  }
}

/** The error of a job that cannot be sent again. */
export function broken(cause: LlamaError): LlamaError {
  return new LlamaError(cause.code, cause.message, {
    cause,
    hint: "a part of what it prints had come, so it was not run again",
  });
}

/**
 * Reads a function's answer to `spec`.
 *
 * @throws {LlamaError} `BadAnswer`
 */
export function readAnswer(payload: Uint8Array, spec: JobSpec, functionName: string): JobAnswer {
  const text = new TextDecoder().decode(payload);
  try {
    return answerFromJson(parseJson(text, "answer"), spec);
  } catch (cause) {
    throw new LlamaError(
      "BadAnswer",
      `Cannot read the answer of the function "${functionName}": ${messageOf(cause)}`,
      { cause, hint: "is it a function of llama? llama bootstrap makes and updates one" },
    );
  }
}

/** The error of a function that failed. Names of errorType: AWS Lambda Developer Guide, "Understanding function errors". */
export function functionError(payload: Uint8Array, functionName: string): LlamaError {
  const text = new TextDecoder().decode(payload);
  let type = "";
  let message = text.slice(0, 500);
  try {
    const json = asObject(parseJson(text, "error"), "error");
    if (typeof json.errorType === "string") type = json.errorType;
    if (typeof json.errorMessage === "string") message = json.errorMessage;
  } catch (error) {
    if (!(error instanceof LlamaError)) throw error;
  }
  if (/timed ?out/i.test(`${type} ${message}`)) {
    return new LlamaError("TimedOut", `The function "${functionName}" timed out: ${message}`, {
      hint: "give the function more time with llama bootstrap -timeout",
    });
  }
  if (type === "Runtime.OutOfMemory") {
    return new LlamaError(
      "OutOfMemory",
      `The function "${functionName}" ran out of memory: ${message}`,
      { hint: "give the function more memory with llama bootstrap -memory" },
    );
  }
  if (/^Runtime\.(?:ExitError|Unknown)|signal: killed/.test(`${type} ${message}`) || type === "") {
    return new LlamaError("WorkerCrashed", `A worker of "${functionName}" died: ${message}`);
  }
  return new LlamaError(
    "FunctionFailed",
    `The function "${functionName}" failed: ${type}: ${message}`,
  );
}
