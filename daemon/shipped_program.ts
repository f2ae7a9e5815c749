/** A local program with its interpreters, libraries and loader, made ready to run where it is not installed. */
import type { FileSystem } from "../cc/file_system.ts";
import { createInputSet } from "../cc/inputs.ts";
import { foldersOf } from "../cc/libraries.ts";
import { findProgram, LOCALE_FOLDER } from "../cc/toolchain.ts";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import { cleanPath } from "../job/path.ts";
import { createNeeds } from "./command_needs.ts";
import { headBytesOf, resolveScript } from "./command_script.ts";
import { isElf, machineOf } from "./elf_machine.ts";
import { dataOf } from "./program_data.ts";
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
  /** Whether it opens files by absolute paths: data, or the script itself. Only these are there for it then. */
  readonly opensFiles: boolean;
  /** A script that was named by a path relative to the current folder, which must mean the same there. */
  readonly script?: { readonly path: string; readonly real: string };
  /** Folders of PATH in which something that travels was found. */
  readonly foundIn: readonly string[];
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
 * Collects a program, what it is linked with, the interpreters of a script, what these are known to need, and data.
 *
 * @throws {LlamaError} `ProgramNotFound`, `ProgramNotShipped`, `InterpreterMissing`, `TooManyInterpreters`,
 * `LibraryMissing`, `FileMissing`.
 */
export async function shipProgram(
  { name, data, path, cwd }: ShipRequest,
  tools: MachineTools,
): Promise<ShippedProgram> {
  const { files } = tools;
  const file = findFile(name, path, cwd, files);
  // The job's folder stands for the current one, so that only there a relative path means the same.
  const isInside = name.includes("/") && !name.startsWith("/") && !name.split("/").includes("..");
  const called = { file, name, spelled: isInside ? name : file };
  const { program, args, scripts, finds } = resolveScript(called, [], path, files);
  refuseStrange(program, name);
  const needs = createNeeds(path, tools);
  const { paths: libraries, dynamic } = await needs.libraries(program);
  const asked = [
    ...dynamic ? await dataOf(program, libraries, path, tools) : [],
    ...finds === undefined ? [] : await dataOf(finds, [], path, tools),
  ];
  const visited = new Set<string>();
  const known: string[] = [];
  for (const item of asked) collect(item, files, known, visited);
  const opensFiles = data.length > 0 || known.length > 0 || finds !== undefined ||
    scripts.length > (isInside ? 1 : 0);
  // It sees no other files then.
  const locale = opensFiles && files.stat(LOCALE_FOLDER) !== undefined ? [LOCALE_FOLDER] : [];
  for (const item of locale) collect(item, files, known, visited);
  const named = [program, ...scripts];
  visited.clear();
  for (const item of data) collect(item, files, named, visited);
  const set = createInputSet();
  const libraryPath = await needs.add(set, [...named, ...known]);
  // A link that leads nowhere travels as one; what is only known the program cannot read here, either.
  const mayLack = new Set(known);
  const unreadable = set.unreadable.find((path) =>
    files.lstat(path)?.kind !== "link" && !mayLack.has(path)
  );
  if (unreadable !== undefined) {
    throw new LlamaError("FileMissing", `Cannot ship "${unreadable}" as it cannot be read`, {
      hint: "name files and folders that you may read",
    });
  }
  return {
    program,
    args,
    inputs: [...set.inputs.values()],
    libraryPath,
    dynamic,
    opensFiles,
    ...(scripts.length > 0 && isInside && {
      script: { path: cleanPath(name), real: tools.places.find(file)?.path ?? file },
    }),
    foundIn: foldersOf([file, program, ...finds === undefined ? [] : [finds]])
      .filter((folder) => path.split(":").includes(folder)),
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

/** Refuses what is no program of this machine. */
function refuseStrange(program: string, name: string): void {
  const head = headBytesOf(program);
  if (head === undefined) {
    throw notShipped(
      name,
      "may be executed and not read",
      "leave -ship away to run the one of the function",
    );
  }
  if (!isElf(head)) {
    throw notShipped(name, "has neither an ELF header nor a line #!", "name a program or a script");
  }
  const machine = machineOf(head);
  if (machine !== undefined && machine !== Deno.build.arch) {
    throw notShipped(
      name,
      `is a program for ${machine}, and this machine is ${Deno.build.arch}`,
      "leave -ship away to run the one of the function",
    );
  }
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
