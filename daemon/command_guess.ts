/** The guess for a command of which nothing is declared: what its arguments name, here and now. */
import { extname, resolve } from "@std/path/posix";
import type { FileSystem } from "../cc/file_system.ts";
import { LlamaError } from "../job/errors.ts";
import { childOf } from "../job/path.ts";

/** What the arguments of a command say about files. */
export interface CommandGuess {
  /** Files and folders that exist, folders with all that is in them. */
  readonly inputs: readonly string[];
  /** Folders that are to exist there, without what is in them. */
  readonly folders: readonly string[];
  /** Where outputs may be apart from the current folder: what arguments name outside of it. */
  readonly outputs: readonly string[];
  /** The kind of the arguments: their files' extensions. Similar commands have the same. */
  readonly kind: string;
}

/** What is of this machine, not of its files. */
export const SPECIAL = /^\/(?:dev|proc|sys)(?:\/|$)/;
/** Most files of a folder that an argument names. */
const MAX_FILES = 50_000;
/** An argument that may hold a path: itself, or what follows the sign of `--name=path`. */
const VALUE = /^-{1,2}[\w-]+=(.+)$/s;

/**
 * Reads the arguments behind the program's name.
 *
 * @throws {LlamaError} `TooManyFiles` for a folder that holds more than 50,000.
 */
export function guessCommand(
  args: readonly string[],
  cwd: string,
  files: FileSystem,
): CommandGuess {
  const inputs = new Set<string>();
  const folders = new Set<string>([cwd]);
  const outputs = new Set<string>();
  const extensions = new Set<string>();
  for (const arg of args) {
    const [, value = arg] = VALUE.exec(arg) ?? [];
    if (value === "" || value.includes("\0")) continue;
    const path = resolve(cwd, value);
    const kind = files.lstat(path)?.kind;
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    const isPath = kind !== undefined || (value === arg && !arg.startsWith("-"));
    if (!isPath || files.stat(parent)?.kind !== "folder") continue;
    folders.add(parent);
    if (!isBelow(path, cwd) && value.includes("/")) outputs.add(path);
    if (kind === undefined) continue;
    extensions.add(kind === "folder" ? "/" : extname(path));
    if (files.stat(path)?.kind === "folder") addTree(path, inputs, files);
    else inputs.add(path);
  }
  return {
    inputs: [...inputs],
    folders: [...folders],
    outputs: [...outputs],
    kind: [...extensions].toSorted().join(" "),
  };
}

/** Adds a folder with all that is in it; links are not followed. */
function addTree(folder: string, into: Set<string>, files: FileSystem): void {
  const pending = [folder];
  for (let count = 0; pending.length > 0;) {
    const at = pending.pop() ?? "";
    into.add(at);
    for (const { name, kind } of files.list(at) ?? []) {
      if (++count > MAX_FILES) {
        throw new LlamaError(
          "TooManyFiles",
          `Cannot send "${folder}" as it holds more than ${MAX_FILES} files`,
          { hint: "name the files, or a smaller folder" },
        );
      }
      const path = childOf(at, name);
      if (kind === "folder") pending.push(path);
      else if (kind !== "other") into.add(path);
    }
  }
}

/** Whether `path` is `folder` or below it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || folder === "/" || path.startsWith(`${folder}/`);
}
