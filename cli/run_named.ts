/** Runs a job in a function that the user named, and says so where there is no such function or command. */
import { type RanJob, runJob, type RunJobOptions } from "../daemon/run_job.ts";
import type { Session } from "../daemon/session.ts";
import { LlamaError } from "../job/errors.ts";
import type { JobSpec } from "../job/spec.ts";
import { functionMissing, isFunctionMissing } from "./function_names.ts";

/** Exit statuses of commands that could not be run, as a shell has them (POSIX, 2.8.2). */
const NOT_RUN: Readonly<Record<string, number | undefined>> = {
  CommandNotFound: 127,
  CommandNotExecutable: 126,
};

/**
 * Runs `spec` and returns what became of its command.
 *
 * @throws {LlamaError} `FunctionNotFound` with the names that are near; `CommandNotFound` and
 * `CommandNotExecutable` with the exit status that a shell has for them; and what {@linkcode runJob} throws.
 */
export async function runNamed(
  spec: JobSpec,
  options: RunJobOptions & { readonly session: Session },
): Promise<RanJob> {
  try {
    return await runJob(spec, options);
  } catch (error) {
    if (isFunctionMissing(error)) {
      throw await functionMissing(options.session.client, options.functionName, error);
    }
    const exitCode = error instanceof LlamaError ? NOT_RUN[error.code] : undefined;
    if (!(error instanceof LlamaError) || exitCode === undefined) throw error;
    throw new LlamaError(error.code, error.message, {
      cause: error,
      exitCode,
      ...(exitCode === 127 && spec.args[0]?.trim() &&
        { hint: "the function does not have it; -ship sends the one of this machine" }),
    });
  }
}
