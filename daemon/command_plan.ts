/**
 * What is known about a command before any job of it runs: its program, the guess of what it needs, and where
 * it may write. Rounds start from it, and `llama run -n` prints it.
 */
import { addPaths, createInputSet, type InputSet } from "../cc/inputs.ts";
import type { FileSystem } from "../cc/file_system.ts";
import { findProgram } from "../cc/toolchain.ts";
import type { Content } from "../job/content.ts";
import { LlamaError } from "../job/errors.ts";
import { childOf, cleanPath } from "../job/path.ts";
import { guessForCompiler } from "./command_compiler.ts";
import { type CommandGuess, guessCommand, isBelow, SPECIAL } from "./command_guess.ts";
import type { CommandMemory } from "./command_memory.ts";
import { createNeeds, type Needs } from "./command_needs.ts";
import { resolveScript } from "./command_script.ts";
import type { RunJobOptions } from "./run_job.ts";
import type { UnitPlanTools } from "./unit_plan.ts";

/** A command, and what is known of it. */
export interface CommandRequest {
  /** The program as the user spelled it, and its arguments. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** All that the command is to find in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Its bytes, or the file that has them if they are too many for memory. */
  readonly stdin?: {
    readonly content: Content;
    readonly bytes?: Uint8Array<ArrayBuffer>;
    readonly file?: string;
  };
  /** Absolute paths that are sent and fetched beside those that the arguments name. */
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly timeoutMs?: number;
  readonly maxRounds: number;
  readonly logTail?: boolean;
  readonly signal?: AbortSignal;
  /** Hears of each invocation that is over. */
  readonly onInvocation?: RunJobOptions["onInvocation"];
}

/** What rounds of a command have in common. */
export interface PreparedCommand {
  /** Absolute path of what the user named, which may be a script. */
  readonly file: string;
  /** Absolute path of the program, an interpreter for a script. */
  readonly program: string;
  readonly args: readonly string[];
  readonly guess: CommandGuess;
  /** Folders and files whose changes come back, none below another. */
  readonly outputs: readonly string[];
  /** Paths to send before anything is found. */
  readonly wanted: readonly string[];
  /** Adds what they need; it asks about each file once. */
  readonly needs: Needs;
}

/** What a command is sent. */
export interface CommandPlan extends PreparedCommand {
  readonly set: InputSet;
  readonly libraryPath: readonly string[];
}

/** What a command is prepared with. */
export interface CommandPlanTools extends UnitPlanTools {
  readonly memory: CommandMemory;
}

/** A folder that was found travels with its own files, unless they are more. */
const MAX_FOLDER_FILES = 256;

/**
 * Prepares a command.
 *
 * @throws {LlamaError} `ProgramNotFound`, `InterpreterMissing`, `TooManyInterpreters`, `TooManyFiles`.
 */
export async function prepareCommand(
  request: CommandRequest,
  tools: CommandPlanTools,
): Promise<PreparedCommand> {
  const { files, memory } = tools;
  const { cwd, env } = request;
  const [name = "", ...rest] = request.args;
  const path = env.PATH ?? "/usr/bin:/bin";
  const spelled = name.includes("/") && !name.startsWith("/") ? `${cwd}/${name}` : name;
  const found = findProgram(spelled, path, files);
  if (found === undefined || files.stat(found)?.kind !== "file") {
    throw new LlamaError("ProgramNotFound", `Cannot run "${name}" as it is not found here`, {
      exitCode: 127,
    });
  }
  const file = cleanPath(found);
  const called = { file, name, spelled: name.includes("/") ? name : file };
  const { program, args } = resolveScript(called, rest, path, files);
  const guess = guessCommand(rest, cwd, files);
  const outputs = [cwd, ...guess.outputs, ...request.outputs ?? []];
  return {
    file,
    program,
    args,
    guess,
    outputs: [...new Set(outputs)].filter((one) =>
      !outputs.some((other) => other !== one && isBelow(one, other))
    ),
    wanted: [
      ...[program, file, ...guess.inputs, ...request.inputs ?? []],
      ...await guessForCompiler(program, rest, request, tools),
      ...memory.recall(file, guess.kind).flatMap((one) => recalled(one, cwd, files)),
    ],
    needs: createNeeds(path, tools),
  };
}

/** The plan of a round: what was prepared, and what earlier rounds have found. */
export async function planCommand(
  prepared: PreparedCommand,
  found: Iterable<string>,
  tools: CommandPlanTools,
): Promise<CommandPlan> {
  const { files } = tools;
  const set = createInputSet();
  const wanted = [...prepared.wanted, ...found].filter((one) =>
    !SPECIAL.test(one) && files.lstat(one) !== undefined
  );
  const libraryPath = await prepared.needs.add(set, wanted);
  await addPaths(set, prepared.guess.folders, tools);
  if (!set.inputs.has("/tmp")) {
    set.inputs.set("/tmp", { kind: "folder", path: "/tmp", mode: 0o1777 });
  }
  for (const [path, input] of set.inputs) {
    if (input.kind !== "folder") continue;
    const mtimeMs = files.stat(path)?.mtimeMs;
    if (mtimeMs !== undefined) set.inputs.set(path, { ...input, mtimeMs: Math.floor(mtimeMs) });
  }
  return { ...prepared, set, libraryPath };
}

/** What is remembered: a folder that was listed ends in a slash, and the current one is any current one. */
export function noted(path: string, cwd: string): string {
  return path === `${cwd}/` ? "./" : path;
}

/** What a memory means now: for a folder that was listed, all that is in it. */
function recalled(path: string, cwd: string, files: FileSystem): string[] {
  if (!path.endsWith("/")) return [path];
  const folder = path === "./" ? cwd : path.slice(0, -1) || "/";
  const entries = files.list(folder) ?? [];
  const names = entries.length > MAX_FOLDER_FILES ? [] : entries;
  return [folder, ...names.map(({ name }) => childOf(folder, name))];
}

/** A folder of the system that a program asks for is mostly listed next, or read. */
export function addFound(path: string, cwd: string, found: Set<string>, files: FileSystem): void {
  found.add(path);
  if (isBelow(path, cwd) || files.stat(path)?.kind !== "folder") return;
  const entries = files.list(path) ?? [];
  if (entries.length > MAX_FOLDER_FILES) return;
  for (const { name, kind } of entries) if (kind === "file") found.add(`${path}/${name}`);
}
