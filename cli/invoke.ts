/** `llama invoke`: one command in a function, with the files that it needs and makes. */
import { openSession } from "../daemon/session.ts";
import type { Command, CommandContext } from "./command.ts";
import { type FileArg, parseFileArg } from "./file_args.ts";
import { runFileJob } from "./file_job.ts";
import { usageError } from "./flags.ts";
import { environmentOf } from "./job_environment.ts";
import { printJobEnd } from "./job_end.ts";
import { readStdin } from "./job_stdin.ts";
import { compileJob } from "./job_template.ts";
import { jobTimes } from "./job_times.ts";
import { sessionInputs } from "./session_inputs.ts";
import { shareInputs } from "./shared_inputs.ts";
import { shipFiles } from "./ship_files.ts";

const USAGE = `run one command in a function

usage: llama invoke [flags] FUNCTION COMMAND [ARGUMENTS]

  -f, -file LOCAL[:REMOTE]    send a file, or a folder with all below it
  -o, -output LOCAL[:REMOTE]  fetch a file or folder that the command makes
  -ship                       send the local program COMMAND with its libraries,
                              a script with its interpreter, and the standard
                              library of Python or Perl
  -ship-file PATH             send what the program opens by that absolute path
  -stdin                      send standard input
  -e, -env NAME=VALUE         set a variable; -env NAME passes yours on
  -timeout DURATION           stop the command after so long, such as 90s
  -logs                       print the end of the function's log to stderr
  -time                       print where the time went to stderr
  -detach                     print an ID and do not wait: llama result ID gives
                              the rest later
  -json                       print one JSON value with all of the above

ARGUMENTS are Go templates: {{.I "a"}} sends a file, {{.O "b"}} fetches one, and
{{.IO "c"}} both; they stand for its path there. {{.AsFile "text"}} is a file
that holds the text. A colon in a name is written \\: in flags. A path below the
current folder keeps its name there; any other needs REMOTE. The folders of
outputs are made there. Outputs are written when all of them are here.

-ship knows what a program is linked with and, of python3, perl, ImageMagick and
file, their own libraries and settings. A script named by a path below the
current folder has that path there, too, so that -f sends modules beside it. All
else, such as other programs that COMMAND runs, -ship-file sends, and llama run
finds by itself. A program that is sent such files does not see the function's.

What COMMAND prints comes as it is printed. If the function is throttled or its
worker dies before anything came it is invoked again: COMMAND may run twice.

exit status: that of COMMAND, 128+N if signal N ended it; 127 if it was not
found, 126 if it is no program or cannot be shipped; 1 if the job failed or did
not make an output, 2 wrong call, 130 interrupted

examples:
  llama invoke llama uname -a
  llama invoke -f README.md:INPUT -o OUTPUT llama sh -c 'wc INPUT > OUTPUT'
`;

/** Runs one command in a function. */
export const invoke: Command = {
  usage: USAGE,
  operands: "job",
  endAtOperand: true,
  flags: [
    { name: "file", kind: "list", aliases: ["f"], takes: "LOCAL[:REMOTE]" },
    { name: "output", kind: "list", aliases: ["o"], takes: "LOCAL[:REMOTE]" },
    { name: "ship", kind: "switch" },
    { name: "ship-file", kind: "list", takes: "PATH" },
    { name: "stdin", kind: "switch" },
    { name: "env", kind: "list", aliases: ["e"], takes: "NAME=VALUE" },
    { name: "timeout", kind: "duration", takes: "DURATION" },
    { name: "logs", kind: "switch" },
    { name: "time", kind: "switch" },
    { name: "detach", kind: "switch" },
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { flags, operands, output, signal } = context;
  const [functionName, ...templates] = operands;
  if (functionName === undefined) {
    throw usageError("The function is missing", "see llama help invoke");
  }
  if (functionName === "") {
    throw usageError("The function's name is empty", "see llama help invoke");
  }
  if (templates.length === 0) throw usageError("The command is missing", "see llama help invoke");
  const timeoutMs = flags.duration("timeout");
  const expanded = compileJob(templates, [], context.cwd)({});
  const files = (name: string) => flags.list(name).map((text) => parseFileArg(text, context.cwd));
  const job = {
    ...expanded,
    inputs: withoutRepeated([...files("file"), ...expanded.inputs]),
    outputs: withoutRepeated([...files("output"), ...expanded.outputs]),
    env: environmentOf(flags.list("env"), context.env),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
  const shipped = shipFiles(context);
  refuseDetached(context);
  const ships = flags.has("ship") || shipped.length > 0;

  const startedMs = performance.now();
  await using stdin = flags.has("stdin") ? await readStdin(context.llamaDir, signal) : undefined;
  const shipment = ships
    ? await (await import("./ship_job.ts")).shipmentOf(expanded.args[0] ?? "", {
      files: shipped,
      path: context.env.PATH ?? "/usr/bin:/bin",
      cwd: context.cwd,
      llamaDir: context.llamaDir,
    })
    : undefined;
  const session = await openSession(sessionInputs(context));
  const shared = await shareInputs(
    shipment?.inputs ?? [],
    shipment?.read ?? (() => Promise.resolve(undefined)),
    session.uploads,
  );
  const whole = { ...job, ...(stdin && { stdin }) };
  if (flags.has("detach")) {
    const { detach } = await import("./detach.ts");
    return await detach(whole, { session, functionName, shipment, shared }, context);
  }
  const { ran, ...end } = await runFileJob(whole, {
    session,
    functionName,
    ...(shipment && { shipment }),
    shared,
    logTail: flags.has("logs"),
    signal,
    ...(!output.json && {
      onOutput: (name, bytes) => name === "stdout" ? output.bytes(bytes) : output.errorBytes(bytes),
    }),
  });
  const totalMs = performance.now() - startedMs;
  const times = flags.has("time") && { times: jobTimes(ran, totalMs) };
  const code = await printJobEnd({ ...ran, ...end, totalMs, ...times }, job.outputs, output);
  const missed = code === 0 ? undefined : shipment?.missedBy(ran.result);
  if (missed !== undefined) output.say(missed);
  return code;
}

function refuseDetached({ flags }: CommandContext): void {
  const other = ["logs", "time"].find((name) => flags.has(name));
  if (!flags.has("detach") || other === undefined) return;
  throw usageError(`-detach and -${other} exclude each other`, "nobody waits for the function");
}

/** A file may be named by a flag and by a template. */
function withoutRepeated(files: readonly FileArg[]): FileArg[] {
  return files.filter(({ local, remote }, index) =>
    files.findIndex((other) => other.local === local && other.remote === remote) === index
  );
}
