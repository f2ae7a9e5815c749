/** `llama run`: any local command elsewhere, with nothing declared. */
import { resolve } from "@std/path/posix";
import { commandEnvironment } from "../daemon/command_environment.ts";
import type { CommandPlan, CommandRequest } from "../daemon/command_plan.ts";
import { realFiles } from "../daemon/real_files.ts";
import { readContent } from "../daemon/run_job.ts";
import { openSession } from "../daemon/session.ts";
import type { Command, CommandContext } from "./command.ts";
import { MAX_ROUNDS, openCommandRunner } from "./command_runner.ts";
import { exitCodeOf } from "./exit_status.ts";
import { usageError } from "./flags.ts";
import { environmentOf } from "./job_environment.ts";
import { fromStore } from "./job_outputs.ts";
import { readStdin } from "./job_stdin.ts";
import { jobTimes } from "./job_times.ts";
import { writeCommandOutputs } from "./run_outputs.ts";
import { sessionInputs } from "./session_inputs.ts";

const USAGE = `run a local command in a function, with nothing declared

usage: llama run [flags] COMMAND [ARGUMENTS]

  -n                          print what would travel, and run nothing
  -f, -file PATH              send a file or folder that no argument names
  -o, -output PATH            fetch a file or folder that the command makes
                              outside the current folder
  -stdin                      send standard input
  -e, -env NAME=VALUE         set a variable
  -timeout DURATION           stop the command after so long, such as 90s
  -max-rounds N               most jobs until nothing is missing (20)
  -function NAME              run it in another function
  -logs                       print the end of the function's log to stderr
  -time                       print where the time went to stderr
  -json                       with -n: print one JSON value

The program of this machine travels with its libraries. Files that the arguments
name go with it; whatever else it looks for and is here is found by proof, and
the command runs again with it: in the first run of its kind, hardly ever later.
Everything that it makes, changes or removes below the current folder, and what
arguments name elsewhere, is made, changed or removed here.
What cannot be proved to be what it would have done here is an error. Variables
that hold credentials stay here; -n names them. A command may run twice.

exit status: that of COMMAND, 128+N if signal N ended it; 127 if it was not
found, 126 if its interpreter was not; 1 if its result cannot be trusted or the
job failed, 2 wrong call, 130 interrupted

examples:
  llama run optipng -o7 picture.png
  llama run -n python3 report.py sales.csv out.json
`;

/** Runs any local command elsewhere. */
export const run: Command = {
  usage: USAGE,
  operands: "programs",
  endAtOperand: true,
  flags: [
    { name: "n", kind: "switch" },
    { name: "file", kind: "list", aliases: ["f"], takes: "PATH" },
    { name: "output", kind: "list", aliases: ["o"], takes: "PATH" },
    { name: "stdin", kind: "switch" },
    { name: "env", kind: "list", aliases: ["e"], takes: "NAME=VALUE" },
    { name: "timeout", kind: "duration", takes: "DURATION" },
    { name: "max-rounds", kind: "integer", takes: "N", min: 1, max: 1000 },
    { name: "function", kind: "value", takes: "NAME" },
    { name: "logs", kind: "switch" },
    { name: "time", kind: "switch" },
  ],
  run: runCommand,
};

async function runCommand(context: CommandContext): Promise<number> {
  const { flags, operands, output, signal, cwd, llamaDir } = context;
  if (operands.length === 0) throw usageError("The command is missing", "see llama help run");
  const own = environmentOf(flags.list("env"), context.env);
  const { env, zoneFile, withheld, locales } = commandEnvironment(context.env, own, cwd, realFiles);
  await using stdin = flags.has("stdin") ? await readStdin(llamaDir, signal) : undefined;
  const timeoutMs = flags.duration("timeout");
  const request: CommandRequest = {
    args: operands,
    cwd,
    env,
    inputs: [
      ...flags.list("file").map((path) => resolve(cwd, path)),
      ...(zoneFile === undefined ? [] : [zoneFile]),
    ],
    outputs: flags.list("output").map((path) => resolve(cwd, path)),
    maxRounds: flags.integer("max-rounds") ?? MAX_ROUNDS,
    logTail: flags.has("logs"),
    signal,
    ...(stdin && { stdin }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
  const runner = await openCommandRunner(
    llamaDir,
    (round, missing) =>
      output.progress(`llama: round ${round} lacked ${missing.length}, such as ${missing[0]}`),
  );
  if (flags.has("n")) {
    const plan = await runner.plan(request);
    await output.result(planJson(plan, withheld), planText(plan, withheld));
    return 0;
  }
  if (locales.length > 0) {
    output.say(
      `llama: C.UTF-8 stands for the locale ${locales.join(", ")}, whose data do not travel`,
    );
  }
  const startedMs = performance.now();
  const session = await openSession(sessionInputs(context));
  const functionName = flags.value("function") ?? session.functionName;
  const { ran, plan, rounds } = await runner.run(request, session, functionName);
  const { result } = ran;
  const stdout = await readContent(result.stdout, session.store);
  const stderr = await readContent(result.stderr, session.store);
  await writeCommandOutputs(result, plan.outputs, fromStore(session.store), realFiles, signal);
  await output.bytes(stdout);
  await output.errorBytes(stderr);
  if (ran.logTail !== undefined) output.say(ran.logTail.trimEnd());
  if (flags.has("time")) {
    output.say(`rounds    ${rounds}`);
    output.say(jobTimes(ran, performance.now() - startedMs));
  }
  return exitCodeOf(result.status);
}

function planJson(plan: CommandPlan, withheld: readonly string[]): unknown {
  const { program, args, set, outputs } = plan;
  return { program, args, inputs: [...set.inputs.keys()].toSorted(), outputs, withheld };
}

function planText({ program, set, outputs }: CommandPlan, withheld: readonly string[]): string {
  const inputs = [...set.inputs.values()].toSorted((a, b) => a.path < b.path ? -1 : 1);
  const sized = inputs.map((input) =>
    input.kind === "file" && "size" in input.content
      ? `  ${input.path}  ${input.content.size} bytes`
      : `  ${input.path}${input.kind === "link" ? ` -> ${input.target}` : "/"}`
  );
  return [
    `program   ${program}`,
    `inputs    ${inputs.length}`,
    ...sized,
    `outputs   ${outputs.join("  ")}`,
    ...(withheld.length > 0 ? [`withheld  ${withheld.join(" ")}`] : []),
  ].join("\n");
}
