/** Runs a job for each line, so many at a time, until there are no more or something stops it. */
import { AwsError } from "../../aws/error.ts";
import { LlamaError } from "../../job/errors.ts";
import type { ExpandedJob } from "../job_template.ts";
import { type ErrorReport, reportOf } from "../report_error.ts";
import { commandLine } from "../shell_quote.ts";
import { TemplateError } from "../templates/error.ts";
import { dollars } from "./bar.ts";
import { type Halt, isHalted } from "./halt.ts";
import type { JobLog } from "./joblog.ts";
import type { LineEnd, RunLine } from "./line_job.ts";
import type { Line, Lines } from "./lines.ts";
import type { Meter } from "./meter.ts";
import type { Ordered } from "./ordered.ts";
import { writeResults } from "./results.ts";
import { type EndedJob, hasFailed, type Teller } from "./tell.ts";

/** How lines are run. */
export interface RunLinesOptions {
  readonly lines: Lines;
  readonly expand: (line: Line) => ExpandedJob;
  readonly run: RunLine;
  /** Most jobs at a time. */
  readonly jobs: number;
  /** Most runs of a job that fails. */
  readonly tries: number;
  readonly halt: Halt | undefined;
  readonly maxUsd: number | undefined;
  /** Numbers of lines that are passed over. */
  readonly done: ReadonlySet<number>;
  readonly log: JobLog | undefined;
  /** Where the log says that jobs ran. */
  readonly host: string;
  /** Folder for what jobs print. */
  readonly results: string | undefined;
  readonly meter: Meter;
  readonly ordered: Ordered;
  readonly teller: Teller;
  readonly signal: AbortSignal;
}

/** How all of it ended. */
export interface RanLines {
  /** As xargs(1) has it, with the documented differences. */
  readonly exitCode: number;
  /** Why not all lines were taken. */
  readonly stopped?: string;
  /** What keeps every job from running. */
  readonly problem?: ErrorReport;
  /** Jobs in functions that the commands took. */
  readonly rounds: number;
}

/** Status of a command by which xargs(1) is told to stop. */
const STOP_STATUS = 255;

/**
 * Runs all lines.
 *
 * @throws What writing or reading throws, and the signal's reason.
 */
export async function runLines(options: RunLinesOptions): Promise<RanLines> {
  const { lines, meter, ordered, teller, signal } = options;
  const giveUp = new AbortController();
  const running = AbortSignal.any([signal, giveUp.signal]);
  let stopped: string | undefined;
  let problem: ErrorReport | undefined;
  let status = 0;
  let rounds = 0;
  let hasExpanded = false;

  const stop = (why: string | undefined, how: "now" | "soon") => {
    stopped ??= why;
    lines.close();
    if (how === "now") giveUp.abort();
  };
  /** Statuses that say more take precedence. */
  const note = (code: number) => {
    const rank = [0, 123, 125, 124, 1];
    if (rank.indexOf(code) > rank.indexOf(status)) status = code;
  };
  const isGivenUp = () => giveUp.signal.aborted || signal.aborted;

  const attempt = async (line: Line): Promise<EndedJob | undefined> => {
    const startMs = Date.now();
    const began = performance.now();
    let command = "";
    let end: LineEnd | undefined;
    let failure: ErrorReport | undefined;
    let tries = 0;
    try {
      const job = options.expand(line);
      hasExpanded = true;
      command = commandLine(job.args);
      do {
        tries++;
        [end, failure] = [undefined, undefined];
        try {
          end = await options.run(job, running);
          rounds += end.rounds;
        } catch (error) {
          if (isGivenUp() || isFatal(error)) throw error;
          failure = reportOf(error);
        }
      } while (tries < options.tries && hasFailed({ status: end?.status, problem: failure }));
    } catch (error) {
      if (isGivenUp()) return undefined;
      // A template that does not fit the first line will fit none.
      if (!isFatal(error) && (hasExpanded || !(error instanceof TemplateError))) {
        failure = reportOf(error);
      } else {
        problem ??= reportOf(error);
        stop(undefined, "now");
        return undefined;
      }
    }
    const nothing = new Uint8Array();
    return {
      line,
      command,
      status: end?.status,
      problem: failure,
      stdout: end?.stdout ?? nothing,
      stderr: end?.stderr ?? nothing,
      ...(end?.logTail !== undefined && { logTail: end.logTail }),
      startMs,
      runtimeMs: performance.now() - began,
      tries,
    };
  };

  const finish = async (job: EndedJob) => {
    const { line, stdout, stderr } = job;
    await ordered.add(line.seq, stdout.length + stderr.length, async () => {
      if (options.results !== undefined) await writeResults(options.results, line, job);
      await teller.job(job);
      options.log?.add({
        ...job,
        seq: line.seq,
        host: options.host,
        received: stdout.length,
        // A job without its outputs is none that need not run again.
        status: job.problem === undefined ? job.status : undefined,
      });
    });
  };

  const judge = (job: EndedJob) => {
    const failed = hasFailed(job);
    meter.ended(failed ? "failed" : "succeeded");
    if (failed) note(job.status?.kind === "signal" ? 125 : 123);
    if (job.status?.kind === "exit" && job.status.code === STOP_STATUS) {
      note(124);
      stop(`stopped as job ${job.line.seq} ended with status ${STOP_STATUS}`, "soon");
    }
    const { halt, maxUsd } = options;
    if (halt !== undefined && isHalted(halt, meter)) {
      if (halt.when === "now" && halt.why === "fail") note(124);
      stop(`stopped by -halt ${halt.when},${halt.why}=${halt.count}`, halt.when);
    }
    if (maxUsd !== undefined && meter.usd >= maxUsd) {
      note(1);
      stop(`stopped as the jobs have cost ${dollars(maxUsd)}, which is -max-cost`, "soon");
    }
  };

  const lane = async () => {
    for (;;) {
      running.throwIfAborted();
      const line = await lines.next();
      if (line === undefined) return;
      if (options.done.has(line.seq)) {
        meter.skip();
        await ordered.skip(line.seq);
        continue;
      }
      meter.started();
      const job = await attempt(line);
      if (job === undefined) {
        meter.ended("given up");
        await ordered.skip(line.seq);
        return;
      }
      judge(job);
      await finish(job);
    }
  };

  const lanes = Array.from({ length: options.jobs }, async () => {
    try {
      await lane();
    } catch (error) {
      if (!isGivenUp()) {
        stop(undefined, "now");
        throw error;
      }
    }
  });
  const ends = await Promise.allSettled(lanes);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  signal.throwIfAborted();
  await ordered.finish();
  return {
    exitCode: problem?.exitCode ?? status,
    ...(stopped !== undefined && { stopped }),
    ...(problem && { problem }),
    rounds,
  };
}

/** Errors that every other job would meet, too. */
const FATAL: ReadonlySet<string> = new Set([
  "BadAnswer",
  "CommandNotExecutable",
  "CommandNotFound",
  "CredentialsMissing",
  "FunctionNotFound",
  "InterpreterMissing",
  "ProgramNotFound",
]);

function isFatal(error: unknown): boolean {
  if (error instanceof AwsError) return error.status === 401 || error.status === 403;
  return error instanceof LlamaError && FATAL.has(error.code);
}
