/** `llama result`: what became of a job that nobody waited for. */
import { sleep } from "../aws/retry.ts";
import { readContent } from "../daemon/run_job.ts";
import { openSession, type Session } from "../daemon/session.ts";
import { FormatError, LlamaError, messageOf } from "../job/errors.ts";
import { parseJson } from "../job/json.ts";
import { answerFromJson, type JobResult } from "../job/result.ts";
import { asAnswerName } from "../job/spec.ts";
import type { Command, CommandContext } from "./command.ts";
import { type DetachedJob, listDetached, readDetached } from "./detached_jobs.ts";
import { usageError } from "./flags.ts";
import { printJobEnd } from "./job_end.ts";
import { fromStore, writeOutputs } from "./job_outputs.ts";
import { sessionInputs } from "./session_inputs.ts";
import { commandLine } from "./shell_quote.ts";
import { unshipped } from "./ship_job.ts";

const USAGE = `print what became of a job that llama invoke -detach began

usage: llama result [-wait DURATION] [-json] ID
       llama result [-json]

  -wait DURATION  wait so long for the job to end, such as 10m; else not at all

Prints what the command printed, and writes its outputs where llama invoke was
to write them. Without an ID it lists the jobs, the newest first. A job that is
killed with its worker leaves no answer: Lambda runs it again, twice at most.

exit status: that of the command, 128+N if signal N ended it; 75 if it has not
ended yet; 1 if the job failed or did not make an output, 2 wrong call, 130
interrupted

examples:
  llama result -wait 15m "$(llama invoke -detach llama sh -c 'sleep 60; date')"
  llama result
`;

/** Says to try again later (sysexits.h, EX_TEMPFAIL). */
const NOT_YET = 75;
const MIN_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5000;

/** Prints what became of a job. */
export const result: Command = {
  usage: USAGE,
  flags: [{ name: "wait", kind: "duration", takes: "DURATION" }],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { operands, flags, output, llamaDir, signal } = context;
  const [text, ...others] = operands;
  if (others.length > 0) throw usageError("One ID is needed", "see llama help result");
  if (text === undefined) return await list(context);
  const job = await readDetached(llamaDir, readId(text));
  const session = await openSession(sessionInputs(context));
  if (session.store.url !== job.store) {
    throw new LlamaError(
      "OtherStore",
      `Cannot read the answer of the job ${job.id} as it is in ${job.store}, and ${session.store.url} is in use`,
      { hint: "-store, -profile and -region choose another" },
    );
  }
  const done = await answerOf(job, session, flags.duration("wait") ?? 0, signal);
  const outputs = job.isShipped ? unshipped(done.outputs) : done.outputs;
  return await printJobEnd(
    {
      result: done,
      requestId: job.requestId,
      stdout: await readContent(done.stdout, session.store),
      stderr: await readContent(done.stderr, session.store),
      outputs,
      written: await writeOutputs(outputs, job.outputs, fromStore(session.store), signal),
      totalMs: Object.values(done.timings).reduce((sum, ms) => sum + ms, 0),
    },
    job.outputs,
    output,
  );
}

function readId(text: string): string {
  try {
    return asAnswerName(text, "ID");
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw usageError(`${JSON.stringify(text)} is no ID`, "an ID has 32 hexadecimal digits");
  }
}

async function answerOf(
  job: DetachedJob,
  { store }: Session,
  waitMs: number,
  signal: AbortSignal,
): Promise<JobResult> {
  const endMs = performance.now() + waitMs;
  for (let pauseMs = MIN_PAUSE_MS;; pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS)) {
    const bytes = await store.getAnswer(job.id);
    if (bytes !== undefined) return readAnswer(bytes, job);
    const leftMs = endMs - performance.now();
    if (leftMs <= 0) {
      const seconds = Math.round((Date.now() - job.startedMs) / 1000);
      throw new LlamaError("NotYet", `The job ${job.id} has not ended after ${seconds} s`, {
        exitCode: NOT_YET,
        hint: "-wait 10m waits for it",
      });
    }
    await sleep(Math.min(pauseMs, leftMs), signal);
  }
}

function readAnswer(bytes: Uint8Array, job: DetachedJob): JobResult {
  const spec = { wanted: job.wanted, ...(job.isShipped && { rooted: { libraryPath: [] } }) };
  let answer;
  try {
    answer = answerFromJson(parseJson(new TextDecoder().decode(bytes), "answer"), spec);
  } catch (cause) {
    throw new LlamaError(
      "BadAnswer",
      `Cannot read the answer of the job ${job.id}: ${messageOf(cause)}`,
      { cause },
    );
  }
  if (answer.kind === "done") return answer;
  if (answer.kind === "failed") throw new LlamaError(answer.code, answer.message);
  throw new LlamaError(
    "ObjectsLost",
    `The job ${job.id} has not run as the store had lost ${answer.digests.length} of its objects`,
    { hint: "run it again" },
  );
}

async function list({ output, llamaDir, flags }: CommandContext): Promise<number> {
  if (flags.duration("wait") !== undefined) throw usageError("-wait needs an ID");
  const jobs = await listDetached(llamaDir);
  await output.result(
    jobs.map(({ id, functionName, args, startedMs, requestId }) => ({
      id,
      functionName,
      args,
      startedMs,
      requestId,
    })),
    jobs.map(({ id, startedMs, functionName, args }) =>
      `${id}  ${new Date(startedMs).toISOString().slice(0, 19)}Z  ${functionName}  ${
        commandLine(args)
      }`
    ).join("\n"),
  );
  return 0;
}
