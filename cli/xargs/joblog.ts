/**
 * The log of jobs, in the columns of parallel(1): a line a job, written when all that the job made is here, so that
 * a job in the log is one that need not run again. A line goes out in one write to the end of the file.
 */
import { LlamaError } from "../../job/errors.ts";
import type { ExitStatus } from "../../job/result.ts";
import { exitCodeOf } from "../exit_status.ts";
import { writeAllSync } from "../output.ts";

/** A job that has ended. */
export interface LoggedJob {
  /** Number of its line, from 1. */
  readonly seq: number;
  /** Where it ran. */
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly runtimeMs: number;
  /** Bytes of its stdout. */
  readonly received: number;
  /** How its command ended, undefined if it did not. */
  readonly status: ExitStatus | undefined;
  /** The command as one line. */
  readonly command: string;
}

/** A log that is open. */
export interface JobLog {
  /** Adds a job. */
  add(job: LoggedJob): void;
  close(): void;
}

/** What is taken over from a log. */
export type Resume = "all" | "succeeded";

const HEADER = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

/**
 * Opens a log. With `resume` what stands in it stays, but for a line that was cut off.
 *
 * @returns The log, and the numbers of the jobs that need not run again.
 * @throws {LlamaError} `BadJoblog` if the file is no such log.
 */
export function openJobLog(
  path: string,
  resume: Resume | undefined,
): { readonly log: JobLog; readonly done: ReadonlySet<number> } {
  const text = resume === undefined ? undefined : readWhole(path);
  const done = text === undefined ? new Set<number>() : doneIn(path, text, resume ?? "all");
  const file = Deno.openSync(path, {
    create: true,
    append: true,
    truncate: false,
  });
  try {
    if (text === undefined || text === "") {
      file.truncateSync(0);
      writeAllSync(file, new TextEncoder().encode(HEADER));
    } else {
      const whole = text.slice(0, text.lastIndexOf("\n") + 1);
      if (whole.length < text.length) file.truncateSync(new TextEncoder().encode(whole).length);
    }
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    done,
    log: {
      add: (job) => writeAllSync(file, new TextEncoder().encode(lineOf(job))),
      close: () => file.close(),
    },
  };
}

function readWhole(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Of several lines of one job the last one counts. */
function doneIn(path: string, text: string, resume: Resume): Set<number> {
  const done = new Set<number>();
  if (text === "") return done;
  if (!text.startsWith(HEADER)) throw notALog(path, 1);
  let number = 1;
  for (let start = HEADER.length, end; start < text.length; start = end + 1) {
    end = text.indexOf("\n", start);
    // The last line was cut off, as by kill -9.
    if (end < 0) break;
    number++;
    const [seq = "", , , , , , exit = "", signal = ""] = text.slice(start, end).split("\t", 8);
    if (!/^\d+$/.test(seq) || !/^-?\d+$/.test(exit) || !/^\d+$/.test(signal)) {
      throw notALog(path, number);
    }
    const isDone = resume === "all" || (Number(exit) === 0 && Number(signal) === 0);
    if (isDone) done.add(Number(seq));
    else done.delete(Number(seq));
  }
  return done;
}

function notALog(path: string, line: number): LlamaError {
  return new LlamaError(
    "BadJoblog",
    `Cannot resume from ${JSON.stringify(path)} as its line ${line} is none of a job log`,
    { hint: "name the file that -joblog wrote, or leave -resume out to begin anew" },
  );
}

function lineOf(job: LoggedJob): string {
  const { status } = job;
  // parallel(1) has -1 for a job that it ended itself.
  const exit = status === undefined ? -1 : status.kind === "exit" ? status.code : 0;
  const signal = status?.kind === "signal" ? exitCodeOf(status) - 128 : 0;
  return [
    job.seq,
    job.host,
    (job.startMs / 1000).toFixed(3),
    (job.runtimeMs / 1000).toFixed(3).padStart(10),
    0,
    job.received,
    exit,
    signal,
    job.command,
  ].join("\t") + "\n";
}
