/** Runs one job: uploads what the store lacks, invokes the function, and reads its answer. */
import type { AwsClient } from "../aws/client.ts";
import { invokeDetached } from "../aws/invoke.ts";
import { retryDelayMs, sleep } from "../aws/retry.ts";
import { type Content, isInline } from "../job/content.ts";
import type { Digest } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import type { JobResult } from "../job/result.ts";
import type { JobSpec } from "../job/spec.ts";
import type { ObjectStore } from "../store/object_store.ts";
import {
  encodeSpec,
  MAX_PAYLOAD_BYTES,
  objectsOf,
  tooLong,
  withStoredInputs,
} from "./job_payload.ts";
import { ask, type AskOptions, broken, functionError, readAnswer } from "./job_reply.ts";
import type { FileOf, ReadObject, Uploads } from "./uploads.ts";

/** What a job needs of a session. */
export interface JobSession {
  readonly client: AwsClient;
  readonly store: ObjectStore;
  readonly uploads: Uploads;
}

/** Where and how a job runs. */
export interface RunJobOptions extends AskOptions {
  readonly session: JobSession;
  /** Gives the bytes of an object that the job names, from this machine. */
  readonly read: ReadObject;
  /** Gives the files of those that are too large for memory. */
  readonly fileOf?: FileOf;
  /** How often the job is sent again as its worker died, 2 unless given. */
  readonly maxCrashes?: number;
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

/** A job is sent again when its worker dies, as that is seldom the job's fault. */
const MAX_CRASHES = 2;
/** The worker may miss a manifest first and then what it names. */
const MAX_MISSES = 4;

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
    const answer = readAnswer(reply, spec, options.functionName);
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

/** The bytes of a content, from the message or the store. */
export async function readContent(
  content: Content,
  store: ObjectStore,
): Promise<Uint8Array<ArrayBuffer>> {
  return isInline(content) ? content.bytes : await store.get(content.digest);
}
