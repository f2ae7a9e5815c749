/** From the flags of `xargs` to what runs the command of a line. */
import { resolve } from "@std/path/posix";
import { commandEnvironment } from "../../daemon/command_environment.ts";
import { realFiles } from "../../daemon/real_files.ts";
import type { EndedInvocation } from "../../daemon/run_job.ts";
import type { Session } from "../../daemon/session.ts";
import type { Input } from "../../job/manifest.ts";
import type { CommandContext } from "../command.ts";
import { MAX_ROUNDS, openCommandRunner } from "../command_runner.ts";
import { parseFileArg } from "../file_args.ts";
import { usageError } from "../flags.ts";
import { environmentOf } from "../job_environment.ts";
import { collectFiles } from "../job_inputs.ts";
import { shareInputs } from "../shared_inputs.ts";
import { shipFiles } from "../ship_files.ts";
import type { Shipment } from "../ship_job.ts";
import { hasTemplate } from "../templates/arguments.ts";
import { runAsHere, runInFunction, type RunLine } from "./line_job.ts";

/** What the command line has been read to. */
export interface RunLineTools {
  readonly session: Session;
  readonly functionName: string;
  /** The command's program, as it stands there. */
  readonly program: string;
  readonly onInvocation: (invocation: EndedInvocation) => void;
}

/** Time for throttles, lost workers and waiting in line, beside the run itself: an hour. */
const DEADLINE_MS = 3_600_000;
/** Jobs of one call are many, so that a worker that dies now and then must not fail any. */
const MAX_CRASHES = 7;

/**
 * Sends what all jobs have in common, and opens what runs them.
 *
 * @throws {LlamaError} If a file or the program cannot be sent.
 */
export async function openRunLine(context: CommandContext, tools: RunLineTools): Promise<RunLine> {
  return context.flags.has("run")
    ? await openCommands(context, tools)
    : await openFunction(context, tools);
}

async function openFunction(
  context: CommandContext,
  { session, functionName, program, onInvocation }: RunLineTools,
): Promise<RunLine> {
  const { flags, env, cwd, llamaDir, signal } = context;
  const files = flags.list("file").map((text) => parseFileArg(text, cwd));
  const shipped = shipFiles(context);
  let shipment: Shipment | undefined;
  if (flags.has("ship") || shipped.length > 0) {
    if (hasTemplate(program) || program.includes("{}")) {
      throw usageError("-ship sends one program, so COMMAND cannot depend on the line");
    }
    const { shipmentOf } = await import("../ship_job.ts");
    const path = env.PATH ?? "/usr/bin:/bin";
    shipment = await shipmentOf(program, { files: shipped, path, cwd, llamaDir });
  }
  const collected = await collectFiles(files, signal);
  const inputs: Input[] = [
    ...shipment?.inputs ?? [],
    ...shipment?.rooted(collected.inputs) ?? collected.inputs,
  ];
  const shared = await shareInputs(
    inputs,
    async (digest) => await shipment?.read(digest) ?? await collected.read(digest),
    session.uploads,
    collected.fileOf,
  );
  const timeoutMs = flags.duration("timeout");
  return runInFunction({
    session,
    functionName,
    ...(shipment && { shipment }),
    shared,
    sharedFiles: files,
    env: environmentOf(flags.list("env"), env),
    ...(timeoutMs !== undefined && { timeoutMs }),
    logTail: flags.has("logs"),
    deadlineMs: DEADLINE_MS,
    maxCrashes: MAX_CRASHES,
    onInvocation,
  });
}

async function openCommands(
  { flags, env, cwd, llamaDir, output }: CommandContext,
  { session, functionName, onInvocation }: RunLineTools,
): Promise<RunLine> {
  const own = environmentOf(flags.list("env"), env);
  const ready = commandEnvironment(env, own, cwd, realFiles);
  if (ready.locales.length > 0) {
    output.say(
      `llama: C.UTF-8 stands for the locale ${ready.locales.join(", ")}, whose data do not travel`,
    );
  }
  const timeoutMs = flags.duration("timeout");
  return runAsHere({
    runner: await openCommandRunner(llamaDir, () => undefined),
    session,
    functionName,
    cwd,
    env: ready.env,
    inputs: [
      ...flags.list("file").map((path) => resolve(cwd, path)),
      ...(ready.zoneFile === undefined ? [] : [ready.zoneFile]),
    ],
    maxRounds: MAX_ROUNDS,
    logTail: flags.has("logs"),
    ...(timeoutMs !== undefined && { timeoutMs }),
    onInvocation,
  });
}
