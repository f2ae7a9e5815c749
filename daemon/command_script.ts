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
): ResolvedProgram {
  let program = file;
  let all = [name, ...args];
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const head = new TextDecoder().decode(files.read(program)?.subarray(0, 256));
    const [, interpreter, argument] = /^#![ \t]*(\S+)(?:[ \t]+(.*?))?[ \t\r]*(?:\n|$)/.exec(head) ??
      [];
    if (interpreter === undefined) return { program, args: all };
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
