/** `llama xargs`: a command in a function, or a local one elsewhere, for each line of input. */
import { createFunctionSizes } from "../daemon/function_sizes.ts";
import { openSession } from "../daemon/session.ts";
import { resolve } from "@std/path/posix";
import type { Command, CommandContext } from "./command.ts";
import { sessionInputs } from "./session_inputs.ts";
import { barLine } from "./xargs/bar.ts";
import { printCommands } from "./xargs/dry_run.ts";
import { parseDelimiter } from "./xargs/delimiter.ts";
import { openJobLog } from "./xargs/joblog.ts";
import { compileLine } from "./xargs/line_job.ts";
import { type Lines, linesFrom, linesOf } from "./xargs/lines.ts";
import { createMeter, type Meter } from "./xargs/meter.ts";
import { asTheyEnd, inOrder } from "./xargs/ordered.ts";
import { openRunLine } from "./xargs/open_run_line.ts";
import { planOf } from "./xargs/plan.ts";
import { runLines } from "./xargs/run_lines.ts";
import { barScreen, plainScreen } from "./xargs/screen.ts";
import { tellJson, tellPeople } from "./xargs/tell.ts";

const USAGE = `run a command in a function for each line of input

usage: llama xargs [flags] FUNCTION COMMAND [ARGUMENTS] [::: LINE...]
       llama xargs [flags] -run COMMAND [ARGUMENTS] [::: LINE...]

  -j, -P, -jobs N         most jobs at a time (100)
  -a, -arg-file FILE      read lines from FILE and not from standard input
  -0, -null               lines end with a zero byte
  -d, -delimiter TEXT     lines end with TEXT, such as , or \\t
  -f, -file LOCAL[:REMOTE]  send a file or folder to all jobs
  -ship                   send the local program COMMAND with its libraries, as
                          llama help invoke says
  -ship-file PATH         send what the program opens by that absolute path
  -run                    make each job a llama run: nothing need be declared
  -function NAME          with -run: run it in another function
  -e, -env NAME=VALUE     set a variable; -env NAME passes yours on
  -timeout DURATION       stop a command after so long, such as 90s
  -retries N              run a job that fails up to N times (1)
  -halt WHEN,WHY=N        stop soon or now at N jobs that fail, success or done
  -max-cost USD           start no more jobs when they have cost so much
  -k, -keep-order         print in the order of the lines, not as jobs end
  -tag                    print the line in front of all that its job prints
  -results DIR            keep what jobs print, too, in DIR/1/LINE/stdout
  -joblog FILE            write a line for each job that ended
  -resume                 pass over lines that the joblog has
  -resume-failed          the same, but run again what failed
  -logs                   print the end of the function's log for each job
  -eta, -bar              show the bar that a terminal has with -quiet, too
  -dry-run                print the commands and run nothing
  -json                   print one JSON value, {"jobs": [...], ...}

ARGUMENTS are Go templates: {{.Line}}, {{.Idx}} from 0, {{.I .Line}} sends the
file, {{.O "x"}} fetches one, {{.AsFile .Line}} is a file that holds the text.
Where none has {{ they have GNU parallel's {} {.} {/} {//} {/.} {#}; without any
of these the line is the last argument. A job is printed when it ends: stdout to
stdout, all else to stderr. An invocation that is throttled or whose worker dies
is repeated, so a command may run twice. Jobs given up run on in the function.
With -run the first job of a kind goes ahead alone, and others learn from it.

exit status: 0 if all succeeded, 123 if a job failed, 125 if one was killed by a
signal, 124 if one ended with 255, which stops all, or -halt now,fail did; 126
and 127 if the command cannot be run or is not found; 1 for anything else, 2
wrong call, 130 interrupted

examples:
  ls *.png | llama xargs -ship llama optipng '{{.I .Line}}' -out '{{.O .Line}}'
  llama xargs -j 4 -k llama sh -c 'echo $((2 * $0))' ::: 1 2 3
`;

const JOBS = 100;
const MAX_JOBS = 10_000;

/** Runs a command for each line. */
export const xargs: Command = {
  usage: USAGE,
  operands: "job",
  endAtOperand: true,
  flags: [
    { name: "jobs", kind: "integer", aliases: ["j", "P"], takes: "N", min: 1, max: MAX_JOBS },
    { name: "arg-file", kind: "value", aliases: ["a"], takes: "FILE" },
    { name: "null", kind: "switch", aliases: ["0"] },
    { name: "delimiter", kind: "value", aliases: ["d"], takes: "TEXT" },
    { name: "file", kind: "list", aliases: ["f"], takes: "LOCAL[:REMOTE]" },
    { name: "ship", kind: "switch" },
    { name: "ship-file", kind: "list", takes: "PATH" },
    { name: "run", kind: "switch" },
    { name: "function", kind: "value", takes: "NAME" },
    { name: "env", kind: "list", aliases: ["e"], takes: "NAME=VALUE" },
    { name: "timeout", kind: "duration", takes: "DURATION" },
    { name: "retries", kind: "integer", takes: "N", min: 1, max: 1000 },
    { name: "halt", kind: "value", takes: "WHEN,WHY=N" },
    { name: "max-cost", kind: "number", takes: "USD" },
    { name: "keep-order", kind: "switch", aliases: ["k"] },
    { name: "tag", kind: "switch" },
    { name: "results", kind: "value", takes: "DIR" },
    { name: "joblog", kind: "value", takes: "FILE" },
    { name: "resume", kind: "switch" },
    { name: "resume-failed", kind: "switch" },
    { name: "logs", kind: "switch" },
    { name: "bar", kind: "switch", aliases: ["eta"] },
    { name: "dry-run", kind: "switch" },
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { flags, output, cwd, signal } = context;
  const plan = planOf(context);
  const expand = compileLine(plan.args, cwd);
  const lines = await openLines(plan.given, context);
  // Whoever waits for a line need not wait any more.
  signal.addEventListener("abort", () => lines.close(), { once: true });
  if (flags.has("dry-run")) return await printCommands(lines, expand, context);

  const startedMs = performance.now();
  const sizes = createFunctionSizes();
  let functionName = plan.functionName ?? "";
  const meter = createMeter(() => sizes.of(functionName));
  const session = await openSession({
    ...sessionInputs(context),
    onExchange: meter.onExchange,
    onRetry: meter.onRetry,
  });
  if (functionName === "") functionName = session.functionName;
  sizes.learn(session.client, functionName);
  const runLine = await openRunLine(context, {
    session,
    functionName,
    program: plan.args[0] ?? "",
    onInvocation: ({ billedMs }) => meter.invoked(billedMs),
  });
  const joblog = plan.joblog === undefined ? undefined : openJobLog(plan.joblog, plan.resume);
  const hasBar = Deno.stderr.isTerminal() && !output.json &&
    (flags.has("bar") || !flags.has("quiet"));
  const screen = hasBar
    ? barScreen(output, (columns) =>
      barLine({
        ...countsOf(meter),
        total: lines.total(),
        elapsedMs: performance.now() - startedMs,
      }, columns))
    : plainScreen(output);
  const teller = output.json ? tellJson(screen) : tellPeople(screen, flags.has("tag"));
  try {
    const { exitCode, stopped, problem, rounds } = await runLines({
      lines,
      expand,
      run: runLine,
      jobs: flags.integer("jobs") ?? JOBS,
      tries: flags.integer("retries") ?? 1,
      halt: plan.halt,
      maxUsd: flags.number("max-cost"),
      done: joblog?.done ?? new Set(),
      log: joblog?.log,
      host: functionName,
      results: plan.results,
      meter,
      ordered: flags.has("keep-order") ? inOrder() : asTheyEnd(),
      teller,
      signal,
    });
    const { succeeded, failed, skipped, remoteMs, usd, throttles } = meter;
    await teller.end({
      succeeded,
      failed,
      skipped,
      ...(flags.has("run") && { rounds }),
      wallMs: performance.now() - startedMs,
      remoteMs,
      usd,
      throttles,
      ...(stopped !== undefined && { stopped }),
    }, problem);
    return exitCode;
  } finally {
    screen.close();
    joblog?.log.close();
    lines.close();
  }
}

function countsOf(meter: Meter) {
  const { running, succeeded, failed, skipped, throttles, usd } = meter;
  return { running, succeeded, failed, skipped, throttles, usd };
}

async function openLines(
  given: readonly string[] | undefined,
  { flags, cwd, output }: CommandContext,
): Promise<Lines> {
  if (given !== undefined) return linesOf(given);
  const delimiter = flags.value("delimiter");
  const end = flags.has("null") ? "\0" : delimiter === undefined ? "\n" : parseDelimiter(delimiter);
  const file = flags.value("arg-file");
  if (file !== undefined && file !== "-") {
    const opened = await Deno.open(resolve(cwd, file));
    return linesFrom(opened.readable, end);
  }
  if (Deno.stdin.isTerminal()) output.progress("llama: reading lines from the terminal");
  return linesFrom(Deno.stdin.readable, end);
}
