/** One job from its specification to its answer. */
import { isInline, LARGE_BYTES } from "../job/content.ts";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import type { JobAnswer, JobResult, Timings } from "../job/result.ts";
import type { JobSpec } from "../job/spec.ts";
import { frameBytes, placeContents } from "./answer.ts";
import type { PassOn } from "./capture.ts";
import { execute, type Executed, type Stdin } from "./execute.ts";
import { fetchInputs } from "./fetch_inputs.ts";
import { layOut } from "./layout.ts";
import { findOutputs, findRemoved, type FoundOutput } from "./outputs.ts";
import { joinInputs } from "./tree.ts";
import type { Worker } from "./worker.ts";

/** When a job has to be over. */
export interface Call {
  /** Time until which the job may run, in milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Whole time that the function may take, in milliseconds, for messages. */
  readonly functionTimeoutMs: number;
  /** Takes what the command prints as it comes. */
  readonly passOn?: PassOn;
}

/**
 * Runs a job. What is wrong with the job, its objects or its outputs is in the answer; what is thrown
 * is a defect of the runtime.
 */
export async function runJob(spec: JobSpec, worker: Worker, call: Call): Promise<JobAnswer> {
  try {
    try {
      return await attempt(spec, worker, call, true);
    } catch (error) {
      if (!(error instanceof NoRoom)) throw error;
      // Nothing has run yet: give up every object that is cached and begin again.
      worker.reset();
      return await attempt(spec, worker, call, false);
    }
  } catch (error) {
    const { code, message, hint } = asLlamaError(error);
    return { kind: "failed", code, message: hint === undefined ? message : `${message} (${hint})` };
  } finally {
    worker.cache.endJob();
  }
}

class NoRoom extends Error {}

async function attempt(
  spec: JobSpec,
  worker: Worker,
  call: Call,
  mayRetry: boolean,
): Promise<JobAnswer> {
  worker.tidy();
  const { earlier, root, kept, scratch } = worker.beginJob(spec.rooted && spec.manifests.join());
  const { cache, libc } = worker;
  const clock = lap();
  const prepare = async () => {
    const fetched = await fetchInputs(spec, cache, worker.objects, worker.fetched);
    if ("missing" in fetched) return fetched;
    const fetchMs = clock();
    const layout = layOut(joinInputs(fetched.inputs), spec, root, { ...worker, kept });
    return { fetchMs, layout, layoutMs: clock() };
  };
  let prepared: Awaited<ReturnType<typeof prepare>>;
  try {
    prepared = await prepare();
  } catch (error) {
    throw mayRetry && isDiskFull(error) ? new NoRoom() : error;
  }
  if ("missing" in prepared) return { kind: "missing", digests: prepared.missing };
  const { layout, fetchMs, layoutMs } = prepared;
  const startedMs = worker.now();
  const executed = await execute(withPrefix(spec, worker), stdinOf(spec, worker), layout, scratch, {
    libc,
    plainEnv: worker.plainEnv,
    limits: worker.limits,
    deadlineMs: call.deadlineMs,
    functionTimeoutMs: call.functionTimeoutMs,
    now: worker.now,
    ...(call.passOn && { passOn: call.passOn }),
  });
  const runMs = clock();
  const found = findOutputs(spec.wanted, layout, startedMs, worker.limits, libc);
  const timings = { fetchMs, layoutMs, runMs, collectMs: 0 };
  const removed = findRemoved(layout);
  const result = await finish(executed, found, removed, timings, earlier === 0, worker);
  return { ...result, timings: { ...timings, collectMs: clock() } };
}

async function finish(
  { status, usage, proof, stdout, stderr }: Executed,
  found: readonly FoundOutput[],
  removed: readonly string[],
  timings: Timings,
  cold: boolean,
  worker: Worker,
): Promise<JobResult> {
  const nothing = { bytes: new Uint8Array() };
  const result: JobResult = {
    kind: "done",
    status,
    stdout: nothing,
    stderr: nothing,
    outputs: found.map((output): Input => {
      if (output.kind !== "file") return output;
      const { source: _, ...rest } = output;
      return { ...rest, content: nothing };
    }),
    ...(removed.length > 0 && { removed }),
    timings,
    usage,
    ...(proof && { proof }),
    cold,
  };
  const files = found.flatMap((output) => output.kind === "file" ? [output.source] : []);
  const budget = worker.limits.maxAnswerBytes - frameBytes(result);
  const contents = (await placeContents([stdout, stderr, ...files], budget, worker.objects))
    .values();
  const next = () => contents.next().value ?? nothing;
  return {
    ...result,
    stdout: next(),
    stderr: next(),
    outputs: result.outputs.map((output) =>
      output.kind === "file" ? { ...output, content: next() } : output
    ),
  };
}

function withPrefix(spec: JobSpec, { prefixArgs }: Worker): JobSpec {
  if (spec.rooted || spec.program !== undefined || prefixArgs.length === 0) return spec;
  return { ...spec, args: [...prefixArgs, ...spec.args] };
}

function stdinOf({ stdin }: JobSpec, { cache }: Worker): Stdin | undefined {
  if (stdin === undefined) return undefined;
  if (isInline(stdin)) return stdin;
  const file = stdin.size < LARGE_BYTES ? undefined : cache.fileOf(stdin.digest);
  return file === undefined ? { bytes: cache.read(stdin.digest) } : { file };
}

/** A function that returns the milliseconds since it was called last. */
function lap(): () => number {
  let last = performance.now();
  return () => {
    const before = last;
    last = performance.now();
    return last - before;
  };
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    (error.code === "ENOSPC" || error.code === "EDQUOT");
}

function asLlamaError(error: unknown): LlamaError {
  if (error instanceof LlamaError) return error;
  if (!isDiskFull(error)) throw error;
  return new LlamaError("DiskFull", "Cannot run the job as the worker's disk is full", {
    hint: "llama bootstrap -tmp 10240 gives the function more",
    cause: error,
  });
}
