/** A local program with its libraries and loader, made ready to run where it is not installed. */
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import type { FileSystem } from "./file_system.ts";
import { addPaths, createInputSet, type InputTools } from "./inputs.ts";
import { foldersOf, librariesOf } from "./libraries.ts";
import type { ProcessRunner } from "./file_system.ts";
import { findProgram } from "./toolchain.ts";

/** A program that can travel. */
export interface Shipment {
  /** Absolute path of the program as PATH has it. */
  readonly program: string;
  /** Everything that it needs, by absolute paths. */
  readonly inputs: readonly Input[];
  /** Folders for the loader. */
  readonly libraryPath: readonly string[];
  /** False for a statically linked program, into which the path shim cannot be loaded. */
  readonly dynamic: boolean;
}

/** What {@linkcode shipProgram} works with. */
export interface ShipTools extends InputTools {
  readonly files: FileSystem;
  readonly processes: ProcessRunner;
}

/**
 * Collects the program `name`, what it is linked with, and `data`: files, or folders with all below
 * them, that it opens by their absolute paths.
 *
 * @throws {LlamaError} `ProgramNotFound`, `ScriptNotShipped`, `LibraryMissing`, `FileMissing`.
 */
export async function shipProgram(
  name: string,
  data: readonly string[],
  /** PATH, where `name` has no slash. */
  path: string,
  tools: ShipTools,
): Promise<Shipment> {
  const program = findProgram(name, path, tools.files);
  if (program === undefined || tools.files.stat(program)?.kind !== "file") {
    throw new LlamaError("ProgramNotFound", `Cannot ship "${name}" as it is not found here`, {
      exitCode: 127,
      hint: "install it, or leave -ship away to run the one of the function",
    });
  }
  const head = tools.files.read(program)?.subarray(0, 4);
  if (head && new TextDecoder().decode(head.subarray(0, 2)) === "#!") {
    throw new LlamaError("ScriptNotShipped", `Cannot ship "${program}" as it is a script`, {
      exitCode: 126,
      hint: "ship its interpreter and send the script with -f",
    });
  }
  const { paths, dynamic } = await librariesOf(program, tools.processes);
  const set = createInputSet();
  const all = [program, ...paths];
  const visited = new Set<string>();
  for (const item of data) collect(item, tools.files, all, visited);
  await addPaths(set, all, tools);
  const [unreadable] = set.unreadable;
  if (unreadable !== undefined) {
    throw new LlamaError("FileMissing", `Cannot ship "${unreadable}" as it cannot be read`);
  }
  return {
    program,
    inputs: [...set.inputs.values()],
    libraryPath: foldersOf(paths),
    dynamic,
  };
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
