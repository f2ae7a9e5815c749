/** How long a command may run, and what is said when that was too short. */
import { LlamaError } from "../job/errors.ts";
import type { JobSpec } from "../job/spec.ts";

/** What bounds a job's time besides its own limit. */
export interface TimeLimits {
  /** Time until which the function may run, in milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Whole time that the function may take, in milliseconds, for messages. */
  readonly functionTimeoutMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A command's limit. */
export interface TimeLimit {
  readonly ms: number;
  /** Which limit it is, as part of a sentence. */
  readonly message: string;
}

/** The nearer of the job's limit and what is left of the function's. */
export function timeLimit(
  { timeoutMs }: Pick<JobSpec, "timeoutMs">,
  limits: TimeLimits,
): TimeLimit {
  const left = limits.deadlineMs - limits.now();
  if (timeoutMs !== undefined && timeoutMs < left) {
    return { ms: timeoutMs, message: `it took longer than ${seconds(timeoutMs)}, the job's limit` };
  }
  const whole = limits.functionTimeoutMs;
  return {
    ms: Math.floor(left),
    message:
      `it took longer than ${seconds(Math.max(left, 0))}, what was left of the ${seconds(whole)} ` +
      "that the function has",
  };
}

function seconds(ms: number): string {
  return ms < 100 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toFixed(1))} s`;
}

/** The error of a command that reached its limit. */
export function timedOut({ args }: Pick<JobSpec, "args">, { message }: TimeLimit): LlamaError {
  return new LlamaError("TimedOut", `Cannot finish ${JSON.stringify(args[0])} as ${message}`);
}
