/** The jobs that `xargs` makes of lines: a command in a function, or a local one elsewhere as `run` has it. */
import { resolve } from "@std/path/posix";
import type { CommandRequest } from "../../daemon/command_plan.ts";
import type { CommandRunner } from "../../daemon/command_run.ts";
import { realFiles } from "../../daemon/real_files.ts";
import { type EndedInvocation, readContent } from "../../daemon/run_job.ts";
import type { Session } from "../../daemon/session.ts";
import { LlamaError } from "../../job/errors.ts";
import type { ExitStatus } from "../../job/result.ts";
import { type FileJobOptions, runFileJob } from "../file_job.ts";
import { usageError } from "../flags.ts";
import { fromStore } from "../job_outputs.ts";
import { refuseMissing } from "../job_wishes.ts";
import { compileJob, type ExpandedJob } from "../job_template.ts";
import { writeCommandOutputs } from "../run_outputs.ts";
import { hasTemplate } from "../templates/arguments.ts";
import type { Line } from "./lines.ts";
import { expandShorthands } from "./shorthands.ts";

/** A command that ended, with its outputs written. */
export interface LineEnd {
  readonly status: ExitStatus;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** The end of the function's log, if it was wanted. */
  readonly logTail?: string;
  /** Jobs that it took. */
  readonly rounds: number;
}

/** Runs the command of a line. */
export type RunLine = (job: ExpandedJob, signal: AbortSignal) => Promise<LineEnd>;

/**
 * Reads the arguments of the command, which are templates if any of them holds `{{` and have the shorthands
 * otherwise. What is returned makes the command of a line.
 *
 * @throws {TemplateError} If one is malformed; the function, if one does not fit a line.
 * @throws {LlamaError} From the function, if the line is not text.
 */
export function compileLine(args: readonly string[], cwd: string): (line: Line) => ExpandedJob {
  const expand = args.some(hasTemplate) ? compileJob(args, ["Line", "Idx"], cwd) : undefined;
  const makers = new Map<string, number>();
  return (line) => {
    if (!line.isText) {
      throw new LlamaError(
        "LineNotText",
        `Cannot use line ${line.seq}, ${JSON.stringify(line.text)}, as it is not UTF-8`,
      );
    }
    if (expand) {
      const job = expand({ Line: line.text, Idx: BigInt(line.seq - 1) });
      for (const { local } of job.outputs) refuseRepeated(local, line.seq, makers);
      return job;
    }
    return { args: expandShorthands(args, line), inputs: [], outputs: [], texts: [] };
  };
}

/** Only the first outputs are compared, as a million would be remembered otherwise: a fixed name shows at the second. */
const MAX_MAKERS = 100;

/** Refuses an output of which nobody could tell whose it is. */
function refuseRepeated(output: string, seq: number, makers: Map<string, number>): void {
  if (makers.size >= MAX_MAKERS) return;
  const other = makers.get(output) ?? seq;
  makers.set(output, other);
  if (other === seq) return;
  throw new LlamaError(
    "OutputTwice",
    `Cannot have job ${seq} make ${JSON.stringify(output)} as job ${other} makes it, too`,
    { hint: 'name it by the line, such as {{.O (printf "out/%s" .Line)}}' },
  );
}

/** What all jobs of a function have in common. */
export interface FileLines extends Omit<FileJobOptions, "signal"> {
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Runs commands in a function. */
export function runInFunction({ env, timeoutMs, ...options }: FileLines): RunLine {
  return async (job, signal) => {
    const timeout = timeoutMs !== undefined && { timeoutMs };
    const { ran, stdout, stderr, outputs } = await runFileJob({ ...job, env, ...timeout }, {
      ...options,
      signal,
    });
    const { status } = ran.result;
    if (status.kind === "exit" && status.code === 0) refuseMissing(outputs, job.outputs);
    const logTail = ran.logTail !== undefined && { logTail: ran.logTail };
    return { status, stdout, stderr, ...logTail, rounds: 1 };
  };
}

/** What all local commands have in common. */
export interface CommandLines extends Omit<CommandRequest, "args" | "signal"> {
  readonly runner: CommandRunner;
  readonly session: Session;
  readonly functionName: string;
  readonly onInvocation: (invocation: EndedInvocation) => void;
}

/** Runs local commands elsewhere; files that templates mark are sent and fetched beside those that are found. */
export function runAsHere(
  { runner, session, functionName, onInvocation, ...common }: CommandLines,
): RunLine {
  const { cwd } = common;
  const absolute = (paths: readonly { readonly local: string }[]) =>
    paths.map(({ local }) => resolve(cwd, local));
  return async ({ args, inputs, outputs, texts }, signal) => {
    if (texts.length > 0) {
      throw usageError("-run has no .AsFile, as its commands find only files of this machine");
    }
    const request: CommandRequest = {
      ...common,
      args,
      inputs: [...common.inputs ?? [], ...absolute(inputs)],
      outputs: [...common.outputs ?? [], ...absolute(outputs)],
      onInvocation,
      signal,
    };
    const { ran, plan, rounds } = await runner.run(request, session, functionName);
    const { status, stdout, stderr } = ran.result;
    const printed = {
      stdout: await readContent(stdout, session.store),
      stderr: await readContent(stderr, session.store),
    };
    await writeCommandOutputs(
      ran.result,
      plan.outputs,
      fromStore(session.store),
      realFiles,
      signal,
    );
    const logTail = ran.logTail !== undefined && { logTail: ran.logTail };
    return { status, ...printed, ...logTail, rounds };
  };
}
