/** What the kernel makes of a script: its interpreter with the script as an argument. */
import type { FileSystem } from "../cc/file_system.ts";
import { findProgram } from "../cc/toolchain.ts";
import { LlamaError } from "../job/errors.ts";

/** A program that is no script, and its arguments with the name that it is called by. */
export interface ResolvedProgram {
  readonly program: string;
  readonly args: readonly string[];
}

/** Interpreters may be scripts themselves: execve(2), "Interpreter scripts", allows 4 of them. */
const MAX_DEPTH = 4;

/** The `#!` line of a script. */
export interface Shebang {
  readonly interpreter: string;
  /** All behind it, which is one argument to the kernel. */
  readonly argument: string | undefined;
}

/** Bytes of the first line that the kernel reads of a script: execve(2), "Interpreter scripts". */
const MAX_LINE_BYTES = 256;

/** The beginning of a file; nothing of one that cannot be read, though it may be executed. */
export function headOf(path: string): string {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(MAX_LINE_BYTES);
    return new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return "";
    throw error;
  }
}

/** Reads the beginning of a script; undefined of any other file. */
export function shebangOf(head: string): Shebang | undefined {
  const [, interpreter, argument] = /^#![ \t]*(\S+)(?:[ \t]+(.*?))?[ \t\r]*(?:\n|$)/.exec(head) ??
    [];
  return interpreter === undefined ? undefined : { interpreter, argument };
}

/** The program that env(1) is to find, behind settings and options such as `-S` if there are any. */
export function programOfEnv({ interpreter, argument = "" }: Shebang): string | undefined {
  if (!interpreter.endsWith("/env")) return undefined;
  const words = argument.replace(/^(?:-\w*S|--split-string[= ])/, "").split(/[ \t]+/);
  return words.find((word) => word !== "" && !word.startsWith("-") && !word.includes("="));
}

/**
 * Resolves `file`, called as `name` with `args`; an interpreter `env NAME` is looked for in `path`.
 *
 * @throws {LlamaError} `InterpreterMissing`.
 */
export function resolveScript(
  file: string,
  name: string,
  args: readonly string[],
  path: string,
  files: FileSystem,
  readHead: (path: string) => string = headOf,
): ResolvedProgram {
  let program = file;
  let all = [name, ...args];
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const shebang = shebangOf(readHead(program));
    if (shebang === undefined) return { program, args: all };
    const { interpreter, argument } = shebang;
    const rest = [program, ...all.slice(1)];
    const isEnv = interpreter.endsWith("/env") && argument !== undefined &&
      /^[^-=\s]+$/.test(argument);
    const found = isEnv ? findProgram(argument, path, files) : interpreter;
    if (found === undefined || files.stat(found)?.kind !== "file") {
      throw new LlamaError(
        "InterpreterMissing",
        `Cannot run "${program}" as its interpreter "${
          isEnv ? argument : interpreter
        }" is not found`,
        { exitCode: 126 },
      );
    }
    all = isEnv || argument === undefined ? [found, ...rest] : [found, argument, ...rest];
    program = found;
  }
  return { program, args: all };
}
