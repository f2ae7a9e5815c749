/** Sends a job to a function, and reads what comes back. */
import type { AwsClient } from "../aws/client.ts";
import { type InvocationAnswer, invoke, invokeStreaming } from "../aws/invoke.ts";
import { FormatError, LlamaError, messageOf } from "../job/errors.ts";
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
 * @throws {LlamaError} If AWS refuses, or the reply breaks off or is none (`BadAnswer`); what `onOutput` throws.
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
    if (reply.functionError !== undefined) {
      // A runtime's own error may come as the payload, with nothing but its name at the end.
      return { ...reply, payload: reader.plain() ?? reply.payload, isPassedOn };
    }
    for (const frame of reader.end()) await take(frame);
    return { ...reply, payload: answer ?? new Uint8Array(), isPassedOn };
  } catch (error) {
    const known = error instanceof FormatError ? badAnswer(functionName, error) : error;
    throw isPassedOn && known instanceof LlamaError ? broken(known) : known;
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
export function readAnswer(
  { payload, isPassedOn }: Reply,
  spec: JobSpec,
  functionName: string,
): JobAnswer {
  try {
    const answer = answerFromJson(parseJson(new TextDecoder().decode(payload), "answer"), spec);
    if (answer.kind !== "missing" || !isPassedOn) return answer;
    throw new FormatError("answer", "it says that nothing has run, and a part was printed");
  } catch (cause) {
    const error = badAnswer(functionName, cause);
    throw isPassedOn ? broken(error) : error;
  }
}

function badAnswer(functionName: string, cause: unknown): LlamaError {
  return new LlamaError(
    "BadAnswer",
    `Cannot read the answer of the function "${functionName}": ${messageOf(cause)}`,
    { cause, hint: "is it a function of llama? llama bootstrap makes and updates one" },
  );
}

/** How Lambda names the end of a worker, the last two in the middle of a stream (its Runtime Interface Emulator). */
const CRASHES =
  /^(?:Runtime\.(?:ExitError|Unknown|TruncatedResponse)|Sandbox\.Failure)|signal: killed/;

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
  if (message === "") message = type;
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
  if (CRASHES.test(`${type} ${message}`) || type === "") {
    return new LlamaError("WorkerCrashed", `A worker of "${functionName}" died: ${message}`);
  }
  return new LlamaError(
    "FunctionFailed",
    `The function "${functionName}" failed: ${type}: ${message}`,
  );
}
