/** A local program with its interpreters, libraries and loader, made ready to run where it is not installed. */
import type { FileSystem } from "../cc/file_system.ts";
import { createInputSet } from "../cc/inputs.ts";
import { librariesOf } from "../cc/libraries.ts";
import { findProgram } from "../cc/toolchain.ts";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import { cleanPath } from "../job/path.ts";
import { createNeeds } from "./command_needs.ts";
import { headOf, resolveScript } from "./command_script.ts";
import type { MachineTools } from "./real_tools.ts";

/** A program that can travel. */
export interface ShippedProgram {
  /** Absolute path of the program as PATH has it; of a script's interpreter. */
  readonly program: string;
  /** What stands before the arguments of the command: its name, or all that the kernel makes of a script. */
  readonly args: readonly string[];
  /** Everything that it needs, by absolute paths. */
  readonly inputs: readonly Input[];
  /** Folders for the loader. */
  readonly libraryPath: readonly string[];
  /** False for a statically linked program, into which the path shim cannot be loaded. */
  readonly dynamic: boolean;
  /** Whether it opens files by absolute paths: data, or the script itself. */
  readonly opensFiles: boolean;
}

/** Where a program is looked for, and what it needs beside itself. */
export interface ShipRequest {
  /** As the user spelled it. */
  readonly name: string;
  /** Files, or folders with all below them, that it opens by their absolute paths. */
  readonly data: readonly string[];
  /** PATH, where `name` has no slash. */
  readonly path: string;
  readonly cwd: string;
}

const SET_ID = 0o6000;

/**
 * Collects a program, what it is linked with, the interpreters of a script, and data.
 *
 * @throws {LlamaError} `ProgramNotFound`, `ProgramNotShipped`, `InterpreterMissing`, `LibraryMissing`, `FileMissing`.
 */
export async function shipProgram(
  { name, data, path, cwd }: ShipRequest,
  tools: MachineTools,
): Promise<ShippedProgram> {
  const { files } = tools;
  const file = findFile(name, path, cwd, files);
  const { program, args } = resolveScript(file, name, [], path, files);
  if (!headOf(program).startsWith("\x7fELF")) {
    throw notShipped(name, "has neither an ELF header nor a line #!", "name a program or a script");
  }
  const { dynamic } = await librariesOf(program, tools.processes);
  const all = [file, program];
  const visited = new Set<string>();
  for (const item of data) collect(item, files, all, visited);
  const set = createInputSet();
  const libraryPath = await createNeeds(path, tools).add(set, all);
  // A link that leads nowhere travels as one.
  const unreadable = set.unreadable.find((path) => files.lstat(path)?.kind !== "link");
  if (unreadable !== undefined) {
    throw new LlamaError("FileMissing", `Cannot ship "${unreadable}" as it cannot be read`);
  }
  return {
    program,
    args,
    inputs: [...set.inputs.values()],
    libraryPath,
    dynamic,
    opensFiles: data.length > 0 || program !== file,
  };
}

function findFile(name: string, path: string, cwd: string, files: FileSystem): string {
  const spelled = name.includes("/") && !name.startsWith("/") ? `${cwd}/${name}` : name;
  const found = findProgram(spelled, path, files);
  const state = found === undefined ? undefined : files.stat(found);
  if (found === undefined || state === undefined) {
    throw new LlamaError("ProgramNotFound", `Cannot ship "${name}" as it is not found here`, {
      exitCode: 127,
      hint: "install it, or leave -ship away to run the one of the function",
    });
  }
  if (state.kind !== "file") throw notShipped(name, `is a ${state.kind}`, "name a program");
  if ((state.mode & 0o111) === 0) {
    throw notShipped(name, "may not be executed", "chmod +x makes it a program");
  }
  if ((state.mode & SET_ID) !== 0) {
    throw notShipped(
      name,
      "runs with another user's rights, which it has not there",
      "run it here",
    );
  }
  return cleanPath(found);
}

function notShipped(name: string, reason: string, hint: string): LlamaError {
  return new LlamaError("ProgramNotShipped", `Cannot ship "${name}" as it ${reason}`, {
    exitCode: 126,
    hint,
  });
}

function collect(path: string, files: FileSystem, into: string[], visited: Set<string>): void {
  into.push(path);
  const state = files.stat(path);
  if (state?.kind !== "folder") return;
  // Links may lead back to a folder that they lie in.
  const identity = `${state.device}:${state.inode}`;
  if (visited.has(identity)) return;
  visited.add(identity);
  for (const { name } of files.list(path) ?? []) collect(`${path}/${name}`, files, into, visited);
}
