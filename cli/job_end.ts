/** What is printed of a job that has ended, and the exit status that it stands for. */
import type { Input } from "../job/manifest.ts";
import type { JobResult } from "../job/result.ts";
import { exitCodeOf } from "./exit_status.ts";
import type { FileArg } from "./file_args.ts";
import { refuseMissing } from "./job_wishes.ts";
import type { Output } from "./output.ts";
import { textOrBase64 } from "./text_or_base64.ts";

/** A job whose outputs have been written. */
export interface JobEnd {
  readonly result: JobResult;
  readonly requestId: string;
  readonly logTail?: string;
  /** What was not printed yet. */
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** What there is of what was wanted. */
  readonly outputs: readonly Input[];
  /** Local paths that were written. */
  readonly written: readonly string[];
  readonly totalMs: number;
  /** Where the time went, for people who want to know. */
  readonly times?: string;
}

/**
 * Prints it.
 *
 * @returns The exit status of the command.
 * @throws {LlamaError} `OutputMissing` if the command succeeded and did not make one.
 */
export async function printJobEnd(
  end: JobEnd,
  wishes: readonly FileArg[],
  output: Output,
): Promise<number> {
  const { result, logTail, stdout, stderr, times } = end;
  const exitCode = exitCodeOf(result.status);
  if (output.json) {
    await output.result({
      ...result.status,
      exitCode,
      ...textOrBase64("stdout", stdout),
      ...textOrBase64("stderr", stderr),
      outputs: end.written,
      requestId: end.requestId,
      ...(logTail !== undefined && { logs: logTail }),
      totalMs: Math.round(end.totalMs),
      timings: result.timings,
      usage: result.usage,
      cold: result.cold,
    }, "");
  } else {
    await output.bytes(stdout);
    await output.errorBytes(stderr);
    if (logTail !== undefined) output.say(logTail.trimEnd());
  }
  if (times !== undefined) output.say(times);
  if (exitCode === 0) refuseMissing(end.outputs, wishes);
  return exitCode;
}
