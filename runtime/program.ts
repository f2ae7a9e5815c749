/** Finds the file to execute for a command, as execvp(3) would, on the worker or in a job's root. */
import { LlamaError } from "../job/errors.ts";
import { cleanPath } from "../job/path.ts";
import type { JobSpec } from "../job/spec.ts";
import { readElfFile } from "./elf.ts";
import { realPathOf } from "./layout.ts";
import type { Seen } from "./shim_log.ts";

/** What to execute. */
export interface Program {
  /** File on the worker. */
  readonly file: string;
  /** Arguments after the zeroth. */
  readonly args: readonly string[];
  /** The zeroth argument that the program should see. */
  readonly name: string;
  /** Rooted jobs: the paths that the search itself looked for. */
  readonly seen: Seen;
}

/** How a failed search ends, with the statuses 127 and 126 of a shell in mind. */
type Failure = "CommandNotFound" | "CommandNotExecutable";

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";
/** Linux reads at most this much of a script's first line (execve(2)). */
const MAX_SCRIPT_LINE_BYTES = 256;
const MAX_SCRIPTS = 4;

/**
 * Finds the program of a job that sees the worker's own files.
 *
 * @throws {LlamaError} `CommandNotFound`, `CommandNotExecutable`.
 */
export function findPlainProgram(
  spec: Pick<JobSpec, "args" | "program">,
  root: string,
  cwd: string,
  path: string | undefined,
): Program {
  const [name = "", ...args] = spec.args;
  const seen: Seen = { opened: [], absent: [], blind: [] };
  if (spec.program !== undefined) {
    const file = realPathOf(root, spec.program);
    refuse(name, file, stateOf(file));
    return { file, args, name, seen };
  }
  const candidates = candidatesOf(name, path).map((file) => resolved(file, cwd));
  return { file: firstExecutable(name, candidates, candidates), args, name, seen };
}

/**
 * Finds the program of a job that runs what the image has: by its name alone, in `path`.
 *
 * @throws {LlamaError} `CommandNotFound`, `CommandNotExecutable`.
 */
export function findImageProgram(
  { args: [name = "", ...args] }: Pick<JobSpec, "args">,
  path: string | undefined,
): Program {
  const candidates = candidatesOf(name.slice(name.lastIndexOf("/") + 1), path)
    .filter((file) => file.startsWith("/"));
  const file = firstExecutable(name, candidates, candidates);
  const elf = readElfFile(file);
  const blind = elf && !elf.interp ? [`statically linked program ${JSON.stringify(file)}`] : [];
  return { file, args, name, seen: { opened: [], absent: [], blind } };
}

/**
 * Finds the program of a rooted job in its root. A script is replaced by its interpreter, as the
 * kernel would look for that outside the root.
 *
 * @throws {LlamaError} `CommandNotFound`, `CommandNotExecutable`.
 */
export function findRootedProgram(
  spec: Pick<JobSpec, "args" | "program" | "env" | "cwd" | "rooted">,
  root: string,
): Program {
  const shimmed = spec.rooted?.shim !== undefined;
  const opened: string[] = [];
  const absent: string[] = [];
  const blind: string[] = [];
  let [name = "", ...args] = spec.args;
  const wanted = spec.program === undefined ? candidatesOf(name, spec.env.PATH) : [spec.program];
  let logical = wanted.map((path) =>
    cleanPath(path.startsWith("/") ? path : `${spec.cwd}/${path}`)
  );
  for (let scripts = 0; scripts <= MAX_SCRIPTS; scripts++) {
    const file = firstExecutable(name, logical, logical.map((path) => root + path), absent);
    const path = file.slice(root.length);
    opened.push(path);
    const elf = readElfFile(file);
    // execvp(3) gives what the kernel does not know to the shell.
    const script = scriptLine(file) ?? (elf ? undefined : { interpreter: "/bin/sh", args: [] });
    if (script === undefined) {
      if (elf && !elf.interp) blind.push(`statically linked program ${JSON.stringify(path)}`);
      return { file, args, name, seen: { opened, absent, blind } };
    }
    args = [...script.args, shimmed ? path : file, ...args];
    name = script.interpreter;
    logical = [cleanPath(name.startsWith("/") ? name : `${spec.cwd}/${name}`)];
  }
  throw failed("CommandNotExecutable", name, "its interpreters are scripts");
}

function candidatesOf(name: string, path = DEFAULT_PATH): string[] {
  if (name.includes("/")) return [name];
  if (name === "") throw failed("CommandNotFound", name, "its name is empty");
  return path.split(":").map((folder) => folder === "" ? name : `${folder}/${name}`);
}

function resolved(path: string, cwd: string): string {
  return path.startsWith("/") ? path : `${cwd}/${path}`;
}

/** The first of `files` that can be executed; `shown` are their names for people. */
function firstExecutable(
  name: string,
  shown: readonly string[],
  files: readonly string[],
  absent: string[] = [],
): string {
  let found: string | undefined;
  for (const [index, file] of files.entries()) {
    const state = stateOf(file);
    if (state === "program") return file;
    if (state === "absent") absent.push(shown[index] ?? file);
    else found ??= file;
  }
  if (found !== undefined) refuse(name, found, stateOf(found));
  if (name.includes("/") || files.length === 1) {
    throw failed("CommandNotFound", name, "it is not there");
  }
  throw failed("CommandNotFound", name, "no folder of PATH has it");
}

type State = "program" | "folder" | "plain" | "absent";

function stateOf(file: string): State {
  try {
    const { isFile, isDirectory, mode } = Deno.statSync(file);
    if (isDirectory) return "folder";
    return isFile && ((mode ?? 0) & 0o111) !== 0 ? "program" : "plain";
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
      error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.FilesystemLoop
    ) return "absent";
    throw error;
  }
}

function refuse(name: string, file: string, state: State): void {
  if (state === "program") return;
  if (state === "absent") throw failed("CommandNotFound", name, `"${file}" is not there`);
  throw failed(
    "CommandNotExecutable",
    name,
    state === "folder" ? `"${file}" is a folder` : `"${file}" has no permission to be executed`,
  );
}

function failed(code: Failure, name: string, state: string): LlamaError {
  return new LlamaError(code, `Cannot run ${JSON.stringify(name)} as ${state}`);
}

function scriptLine(
  file: string,
): { readonly interpreter: string; readonly args: readonly string[] } | undefined {
  using opened = Deno.openSync(file);
  const bytes = new Uint8Array(MAX_SCRIPT_LINE_BYTES);
  const read = opened.readSync(bytes) ?? 0;
  if (bytes[0] !== 0x23 || bytes[1] !== 0x21) return undefined;
  const text = new TextDecoder().decode(bytes.subarray(2, read));
  const match = /^[ \t]*([^ \t\n]+)[ \t]*([^\n]*?)[ \t]*(?:\n|$)/.exec(text);
  if (match === null) return undefined;
  const [, interpreter = "", argument = ""] = match;
  return { interpreter, args: argument === "" ? [] : [argument] };
}
