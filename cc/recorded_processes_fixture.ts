/** Processes that do not run: a recording runner with prepared answers, for tests. */
import type { ProcessOutput, ProcessRunner } from "./file_system.ts";

/** A call as it was made. */
export interface RecordedCall {
  /** Program and arguments, joined by blanks. */
  readonly command: string;
  /** Working folder. */
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** A {@linkcode ProcessRunner} that notes what was asked of it. */
export interface RecordedProcesses extends ProcessRunner {
  /** The calls so far. */
  readonly calls: readonly RecordedCall[];
}

/** Answers each command by `answer`; an answer of text alone is standard output and success. */
export function recordedProcesses(
  answer: (command: string) => string | ProcessOutput,
): RecordedProcesses {
  const calls: RecordedCall[] = [];
  return {
    calls,
    run: (program, args, { cwd, env }) => {
      const command = [program, ...args].join(" ");
      calls.push({ command, cwd, env });
      const output = answer(command);
      return Promise.resolve(
        typeof output === "string" ? { code: 0, stdout: output, stderr: "" } : output,
      );
    },
  };
}
