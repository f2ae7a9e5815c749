/** Runs one job: uploads what the store lacks, invokes the function, and reads its answer. */
import { type InvocationAnswer, invoke, invokeDetached, invokeStreaming } from "../aws/invoke.ts";
import type { AwsClient } from "../aws/client.ts";
import { AwsError } from "../aws/error.ts";
import { retryDelayMs, sleep } from "../aws/retry.ts";
import { type Content, isInline } from "../job/content.ts";
import type { Digest } from "../job/digest.ts";
import { LlamaError, messageOf } from "../job/errors.ts";
import { asObject, parseJson } from "../job/json.ts";
import { contentsOf, type Input } from "../job/manifest.ts";
import { createFrameReader, type Frame, type OutputName } from "../job/output_stream.ts";
import { answerFromJson, type JobAnswer, type JobResult } from "../job/result.ts";
import { type JobSpec, specToJson } from "../job/spec.ts";
import type { ObjectStore } from "../store/object_store.ts";
import type { FileOf, ReadObject, Uploads } from "./uploads.ts";

/** What a job needs of a session. */
export interface JobSession {
  readonly client: AwsClient;
  readonly store: ObjectStore;
  readonly uploads: Uploads;
}

/** Where and how a job runs. */
export interface RunJobOptions {
  readonly session: JobSession;
  readonly functionName: string;
  /** Gives the bytes of an object that the job names, from this machine. */
  readonly read: ReadObject;
  /** Gives the files of those that are too large for memory. */
  readonly fileOf?: FileOf;
  /** Whether the last 4 KB of the function's log are wanted. */
  readonly logTail?: boolean;
  /** Most time for everything, in milliseconds; 15 minutes unless given. */
  readonly deadlineMs?: number;
  /** How often the job is sent again as its worker died, 2 unless given. */
  readonly maxCrashes?: number;
  readonly signal?: AbortSignal;
  /**
   * Takes what the command prints while it runs; the result has what was not passed on. A job of which something was
   * passed on is not sent again.
   */
  readonly onOutput?: (name: OutputName, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** Hears of each invocation that is over. */
  readonly onInvocation?: (invocation: EndedInvocation) => void;
  /** Hears of each invocation that is repeated as its worker died. */
  readonly onCrash?: () => void;
}

/** An invocation that is over. */
export interface EndedInvocation {
  readonly functionName: string;
  /** About the time that AWS charges, in milliseconds: without the start of a cold worker. */
  readonly billedMs: number;
}

/** A job that ran. */
export interface RanJob {
  readonly result: JobResult;
  /** How many times the function was invoked. */
  readonly invocations: number;
  readonly logTail?: string;
  readonly requestId: string;
}

const DEADLINE_MS = 900_000;
/** A job is sent again when its worker dies, as that is seldom the job's fault. */
const MAX_CRASHES = 2;
/** The worker may miss a manifest first and then what it names. */
const MAX_MISSES = 4;
/** Lambda's limit is 6,291,556 bytes (AWS Lambda quotas, invocation payload). */
const MAX_PAYLOAD_BYTES = 6_200_000;

/**
 * Runs `spec` and returns what became of its command.
 *
 * @throws {LlamaError} With the answer's own code if the runtime could not run the job, `TimedOut`,
 * `OutOfMemory`, `WorkerCrashed`, `ObjectsLost`.
 * @throws {AwsError} If AWS refuses.
 */
export async function runJob(spec: JobSpec, options: RunJobOptions): Promise<RanJob> {
  const { session: { client, store, uploads }, read } = options;
  let current: JobSpec = options.onOutput ? { ...spec, stream: true } : spec;
  const moved = new Map<Digest, Uint8Array<ArrayBuffer>>();
  const readAny: ReadObject = async (digest) => moved.get(digest) ?? await read(digest);
  let packs = await uploads.ensure(objectsOf(spec), readAny, options.fileOf);
  let invocations = 0;
  let crashes = 0;
  let misses = 0;
  for (;;) {
    let payload = encodeSpec(current, packs);
    if (payload.length > MAX_PAYLOAD_BYTES) {
      current = await withStoredInputs(current, store, moved);
      payload = encodeSpec(current, packs);
      if (payload.length > MAX_PAYLOAD_BYTES) throw tooLong(payload.length);
    }
    invocations++;
    const startMs = performance.now();
    const ended = (billedMs: number) =>
      options.onInvocation?.({ functionName: options.functionName, billedMs });
    const reply = await ask(client, payload, options);
    if (reply.functionError !== undefined) {
      ended(performance.now() - startMs);
      const error = functionError(reply.payload, options.functionName);
      if (reply.isPassedOn) throw broken(error);
      if (error.code !== "WorkerCrashed" || ++crashes > (options.maxCrashes ?? MAX_CRASHES)) {
        throw error;
      }
      options.onCrash?.();
      // Once at once, as it is seldom the job's fault; then it may be that it is.
      if (crashes > 1) {
        await sleep(retryDelayMs("transient", crashes, Math.random()), options.signal);
      }
      continue;
    }
    const answer = readAnswer(reply.payload, spec, options.functionName);
    // A worker that misses objects says so at once.
    ended(
      answer.kind === "done"
        ? Object.values(answer.timings).reduce((sum, ms) => sum + ms, 0)
        : answer.kind === "failed"
        ? performance.now() - startMs
        : 0,
    );
    if (answer.kind === "failed") {
      throw new LlamaError(answer.code, answer.message);
    }
    if (answer.kind === "done") {
      return {
        result: answer,
        invocations,
        requestId: reply.requestId,
        ...(reply.logTail !== undefined && { logTail: reply.logTail }),
      };
    }
    if (++misses > MAX_MISSES) {
      throw new LlamaError(
        "ObjectsLost",
        `Cannot run the job as the store loses objects: ${answer.digests.length} were missing again`,
        {
          hint: "check the bucket's lifecycle rules, and that the function's role may do " +
            "s3:GetObject on obj/*",
        },
      );
    }
    uploads.forget(answer.digests);
    const more = await uploads.ensure(answer.digests, readAny, options.fileOf);
    packs = [...new Set([...packs, ...more])];
  }
}

/** A larger event goes to the store but for its frame; Lambda took events of 256 KB for long (Lambda quotas). */
const MAX_EVENT_BYTES = 256 * 1024;

/**
 * Hands `spec` to a function without waiting for it; the store keeps the answer under {@linkcode JobSpec.keepAs}.
 *
 * @returns Lambda's name of the invocation.
 * @throws {AwsError} If AWS refuses.
 */
export async function handOver(
  spec: JobSpec,
  { session, functionName, read, fileOf, signal }: RunJobOptions,
): Promise<string> {
  const packs = await session.uploads.ensure(objectsOf(spec), read, fileOf);
  let payload = encodeSpec(spec, packs);
  if (payload.length > MAX_EVENT_BYTES) {
    payload = encodeSpec(await withStoredInputs(spec, session.store, new Map()), packs);
  }
  const { requestId } = await invokeDetached(session.client, {
    functionName,
    payload,
    ...(signal && { signal }),
  });
  return requestId;
}

/** An answer, and whether a part of what the command prints was passed on. */
type Reply = InvocationAnswer & { readonly isPassedOn: boolean };

async function ask(
  client: AwsClient,
  payload: Uint8Array<ArrayBuffer>,
  { functionName, deadlineMs = DEADLINE_MS, logTail, signal, onOutput }: RunJobOptions,
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

/** What is printed cannot be taken back. */
function broken(cause: LlamaError): LlamaError {
  return new LlamaError(cause.code, cause.message, {
    cause,
    hint: "a part of what it prints had come, so it was not run again",
  });
}

/** The inputs are in the store: what is left are names, arguments and variables. */
function tooLong(bytes: number): LlamaError {
  return new LlamaError(
    "ArgumentsTooLong",
    `Cannot send the command as its arguments, variables and names of files have ${bytes} bytes, and ` +
      `${MAX_PAYLOAD_BYTES} is the most`,
    { hint: "give it a file, as .AsFile in a template does" },
  );
}

/** The bytes of a content, from the message or the store. */
export async function readContent(
  content: Content,
  store: ObjectStore,
): Promise<Uint8Array<ArrayBuffer>> {
  return isInline(content) ? content.bytes : await store.get(content.digest);
}

function objectsOf({ manifests, inputs, stdin }: JobSpec): Digest[] {
  const ofStdin = stdin && !isInline(stdin) ? [stdin.digest] : [];
  return [...manifests, ...contentsOf(inputs), ...ofStdin];
}

function encodeSpec(spec: JobSpec, packs: readonly Digest[]): Uint8Array<ArrayBuffer> {
  const json = specToJson({ ...spec, packs: [...spec.packs, ...packs] });
  return new TextEncoder().encode(JSON.stringify(json));
}

/** Moves what the job holds itself to the store; `moved` gets the bytes, in case the store loses them. */
async function withStoredInputs(
  spec: JobSpec,
  store: ObjectStore,
  moved: Map<Digest, Uint8Array<ArrayBuffer>>,
): Promise<JobSpec> {
  const stored = async (content: Content): Promise<Content> => {
    if (!isInline(content)) return content;
    const digest = await store.put(content.bytes);
    moved.set(digest, content.bytes);
    return { digest, size: content.bytes.length };
  };
  const inputs: Input[] = [];
  for (const input of spec.inputs) {
    inputs.push(
      input.kind === "file" ? { ...input, content: await stored(input.content) } : input,
    );
  }
  return { ...spec, inputs, ...(spec.stdin && { stdin: await stored(spec.stdin) }) };
}

function readAnswer(payload: Uint8Array, spec: JobSpec, functionName: string): JobAnswer {
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

/** Names of errorType: AWS Lambda Developer Guide, "Understanding function errors". */
function functionError(payload: Uint8Array, functionName: string): LlamaError {
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
