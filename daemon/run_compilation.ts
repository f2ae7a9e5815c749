/** Runs the job of a compilation, once more where the worker was at fault, and counts what it took. */
import { LlamaError } from "../job/errors.ts";
import type { JobSpec } from "../job/spec.ts";
import { type RanJob, readContent, runJob, type RunJobOptions } from "./run_job.ts";
import { count, countInvocation, type StatsKeeper } from "./stats.ts";
import { mayPass, workerTrouble } from "./worker_trouble.ts";

/** Times that a job is sent: what two workers cannot do is done here. */
const MAX_TRIES = 2;

/**
 * Runs `spec`; undefined if a file of it changed before it was sent. What the compiler refuses is a
 * result and is not tried again.
 *
 * @throws {LlamaError} `CompilerKilled`, `OutOfMemory`, `WorkerExhausted`, `TimedOut` or `DiskFull` from
 * the second worker; all that {@linkcode runJob} throws.
 */
export async function runCompilation(
  spec: JobSpec,
  options: RunJobOptions,
  stats: StatsKeeper,
): Promise<RanJob | undefined> {
  const counted: RunJobOptions = {
    ...options,
    onInvocation: ({ functionName, billedMs }) =>
      stats.add((counters) => countInvocation(counters, functionName, billedMs)),
    onCrash: () => stats.add(({ reruns }) => count(reruns, "WorkerCrashed")),
  };
  for (let tries = 1;; tries++) {
    try {
      const ran = await runJob(spec, counted);
      const { status, stderr, timings, cold } = ran.result;
      stats.add((counters) => {
        counters.remoteMs += timings.runMs;
        if (cold) counters.coldStarts++;
      });
      const trouble = workerTrouble(status, await readContent(stderr, options.session.store));
      if (trouble === undefined) return ran;
      throw trouble;
    } catch (error) {
      if (error instanceof LlamaError && error.code === "ObjectGone") return undefined;
      if (!mayPass(error) || tries >= MAX_TRIES || options.signal?.aborted) throw error;
      stats.add(({ reruns }) => count(reruns, error.code));
    }
  }
}
