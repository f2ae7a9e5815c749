/** What is said of the jobs of `xargs`: to people as they end, or as one JSON value. */
import { joinBytes } from "../../job/bytes.ts";
import type { ExitStatus } from "../../job/result.ts";
import { exitCodeOf } from "../exit_status.ts";
import { type ErrorReport, reportJson, reportLine } from "../report_error.ts";
import { textOrBase64 } from "../text_or_base64.ts";
import type { Line } from "./lines.ts";
import { dollars, time } from "./bar.ts";
import type { Screen } from "./screen.ts";

/** A job that has ended, in whatever way. */
export interface EndedJob {
  readonly line: Line;
  /** Its command as one line; empty if none could be made. */
  readonly command: string;
  /** How the command ended, undefined if it did not. */
  readonly status: ExitStatus | undefined;
  /** Why it has not ended, or why it counts as failed all the same. */
  readonly problem: ErrorReport | undefined;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly logTail?: string;
  readonly startMs: number;
  readonly runtimeMs: number;
  /** How often it ran. */
  readonly tries: number;
}

/** What there is to say at the end. */
export interface Summary {
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  /** Jobs for each command, where local ones ran elsewhere. */
  readonly rounds?: number;
  readonly wallMs: number;
  readonly remoteMs: number;
  readonly usd: number;
  /** Attempts of invocations that ended in a throttle. */
  readonly throttles: number;
  /** Why not all lines were taken. */
  readonly stopped?: string;
}

/** Tells of jobs. */
export interface Teller {
  job(job: EndedJob): Promise<void>;
  end(summary: Summary, problem: ErrorReport | undefined): Promise<void>;
}

/** Whether a job counts as failed. */
export function hasFailed({ status, problem }: Pick<EndedJob, "status" | "problem">): boolean {
  return problem !== undefined || status?.kind !== "exit" || status.code !== 0;
}

/** Longest command in a message. */
const MAX_COMMAND = 1000;
const encoder = new TextEncoder();

/** Tells people; `tag` puts each job's line in front of what it printed. */
export function tellPeople(screen: Screen, tag: boolean): Teller {
  return {
    job: async (job) => {
      const { line, command, stdout, stderr, logTail } = job;
      const shown = command.length > MAX_COMMAND ? `${command.slice(0, MAX_COMMAND)}…` : command;
      const failed = hasFailed(job);
      if (failed) await screen.errorBytes(encoder.encode(failureOf(job, shown)));
      const prefix = tag ? encoder.encode(`${line.text}\t`) : undefined;
      await screen.bytes(prefix ? tagged(stdout, prefix) : stdout);
      await screen.errorBytes(prefix ? tagged(stderr, prefix) : stderr);
      if (logTail !== undefined) screen.say(logTail.trimEnd());
      if (!failed) screen.say(`Done: ${shown}`);
    },
    end: (summary, problem) => {
      screen.close();
      const { stopped } = summary;
      if (stopped !== undefined) screen.say(`llama: ${stopped}`);
      screen.say(summaryLine(summary));
      return problem === undefined
        ? Promise.resolve()
        : screen.errorBytes(encoder.encode(`${reportLine(problem)}\n`));
    },
  };
}

function failureOf({ line, status, problem, tries }: EndedJob, command: string): string {
  const often = tries > 1 ? ` after ${tries} tries` : "";
  const how = problem !== undefined
    ? ` as follows: ${command}\n${reportLine(problem)}`
    : status?.kind === "signal"
    ? ` by ${status.signal}: ${command}`
    : ` with status ${status?.code}: ${command}`;
  return `llama: job ${line.seq} failed${often}${how}\n`;
}

/** Each line with `prefix` in front. */
function tagged(bytes: Uint8Array, prefix: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let start = 0, end; start < bytes.length; start = end) {
    const newline = bytes.indexOf(10, start);
    end = newline < 0 ? bytes.length : newline + 1;
    parts.push(prefix, bytes.subarray(start, end));
  }
  return joinBytes(parts);
}

function summaryLine(summary: Summary): string {
  const { succeeded, failed, skipped, rounds, wallMs, remoteMs, usd, throttles } = summary;
  const jobs = succeeded + failed;
  return [
    `${jobs} job${jobs === 1 ? "" : "s"}`,
    `${failed} failed`,
    ...(skipped > 0 ? [`${skipped} done before`] : []),
    ...(rounds !== undefined && jobs > 0 ? [`${(rounds / jobs).toFixed(2)} rounds each`] : []),
    ...(throttles > 0 ? [`${throttles} throttled`] : []),
    `${time(wallMs)} here`,
    `${time(remoteMs)} in functions`,
    `about ${dollars(usd)}`,
  ].join(", ");
}

/** Writes one JSON object, job by job: none of them stays in memory. */
export function tellJson(screen: Screen): Teller {
  let isFirst = true;
  const write = (text: string) => screen.bytes(encoder.encode(text));
  return {
    job: async (job) => {
      const value = {
        seq: job.line.seq,
        line: job.line.text,
        command: job.command,
        ...job.status,
        ...(job.status && { exitCode: exitCodeOf(job.status) }),
        ...textOrBase64("stdout", job.stdout),
        ...textOrBase64("stderr", job.stderr),
        ...(job.problem && reportJson(job.problem)),
        ...(job.logTail !== undefined && { logs: job.logTail }),
        runtimeMs: Math.round(job.runtimeMs),
        tries: job.tries,
      };
      await write(`${isFirst ? '{"jobs":[\n' : ",\n"}${JSON.stringify(value)}`);
      isFirst = false;
    },
    end: async (summary, problem) => {
      screen.close();
      const rest = JSON.stringify({ ...summary, ...(problem && reportJson(problem)) });
      await write(`${isFirst ? '{"jobs":[' : "\n"}],${rest.slice(1)}\n`);
    },
  };
}
