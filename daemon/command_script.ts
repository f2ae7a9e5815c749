/** What the kernel makes of a script: its interpreter with the script as an argument. */
import type { FileSystem } from "../cc/file_system.ts";
import { findProgram } from "../cc/toolchain.ts";
import { LlamaError } from "../job/errors.ts";

/** A file as it is called. */
export interface CalledFile {
  /** Where it is. */
  readonly file: string;
  /** The name that it is called by. */
  readonly name: string;
  /** The path that the kernel is given, and hands on to a script's interpreter. */
  readonly spelled: string;
}

/** A program that is no script, and its arguments with the name that it is called by. */
export interface ResolvedProgram {
  readonly program: string;
  readonly args: readonly string[];
  /** The scripts that it interprets, the one that was called first. */
  readonly scripts: readonly string[];
  /** What it will look for and run there, if it is env(1) with more to do than that. */
  readonly finds?: string;
}

/** A script may have scripts as interpreters, up to four: execve(2), "Interpreter scripts". */
const MAX_SCRIPTS = 5;

/** The `#!` line of a script. */
export interface Shebang {
  readonly interpreter: string;
  /** All behind it, which is one argument to the kernel. */
  readonly argument: string | undefined;
}

/** Bytes of the first line that the kernel reads of a script: execve(2), "Interpreter scripts". */
const MAX_LINE_BYTES = 256;

/** The first bytes of a file, undefined of one that cannot be read, though it may be executed. */
export function headBytesOf(path: string): Uint8Array | undefined {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(MAX_LINE_BYTES);
    return bytes.subarray(0, file.readSync(bytes) ?? 0);
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}

/** The same as text, nothing of a file that cannot be read. */
export function headOf(path: string): string {
  return new TextDecoder().decode(headBytesOf(path));
}

/** Reads the beginning of a script; undefined of any other file. */
export function shebangOf(head: string): Shebang | undefined {
  // A return before the newline is a part of the name, to the kernel as well.
  const [, interpreter, argument] =
    /^#![ \t]*([^ \t\n]+)(?:[ \t]+([^\n]*?))?[ \t]*(?:\n|$)/.exec(head) ??
      [];
  return interpreter === undefined ? undefined : { interpreter, argument: argument || undefined };
}

/** The program that env(1) is to find, behind settings and options such as `-S` if there are any. */
export function programOfEnv({ interpreter, argument = "" }: Shebang): string | undefined {
  if (!interpreter.endsWith("/env")) return undefined;
  const words = argument.replace(/^(?:-\w*S|--split-string[= ])/, "").split(/[ \t]+/);
  return words.find((word) => word !== "" && !word.startsWith("-") && !word.includes("="));
}

/** What env(1) makes a command of in another way than by dividing it at spaces: quotes, escapes, variables. */
const SPECIAL = /[\\'"$#]/;

/** The command that env(1) runs, undefined where it has settings or options to heed first. */
function commandOfEnv({ interpreter, argument }: Shebang): readonly string[] | undefined {
  if (!interpreter.endsWith("/env") || argument === undefined || SPECIAL.test(argument)) {
    return undefined;
  }
  const [, text] = /^(?:-S|--split-string=)(.*)$/.exec(argument) ?? [];
  // Without -S all of it is one name.
  const words = text === undefined
    ? [argument]
    : text.split(/[ \t]+/).filter((word) => word !== "");
  const [name = ""] = words;
  return name === "" || name.startsWith("-") || /[=\s]/.test(name) ? undefined : words;
}

/**
 * Makes of a script what the kernel makes of it; an interpreter `env NAME` is looked for in `path`.
 *
 * @throws {LlamaError} `InterpreterMissing`, `TooManyInterpreters`.
 */
export function resolveScript(
  { file, name, spelled }: CalledFile,
  args: readonly string[],
  path: string,
  files: FileSystem,
  readHead: (path: string) => string = headOf,
): ResolvedProgram {
  let program = file;
  let called = spelled;
  let finds: string | undefined;
  const scripts: string[] = [];
  let all = [name, ...args];
  for (;;) {
    const shebang = shebangOf(readHead(program));
    if (shebang === undefined) {
      return { program, args: all, scripts, ...(finds !== undefined && { finds }) };
    }
    if (scripts.length === MAX_SCRIPTS) {
      throw new LlamaError(
        "TooManyInterpreters",
        `Cannot run "${file}" as it takes more than ${MAX_SCRIPTS} scripts to interpret it`,
        { exitCode: 126, hint: "name a program behind #! in one of them" },
      );
    }
    const { interpreter, argument } = shebang;
    const command = commandOfEnv(shebang);
    const words = command ?? [interpreter, ...(argument === undefined ? [] : [argument])];
    const [wanted = ""] = words;
    const found = command ? findProgram(wanted, path, files) : interpreter;
    if (found === undefined || files.stat(found)?.kind !== "file") {
      throw new LlamaError(
        "InterpreterMissing",
        `Cannot run "${program}" as its interpreter ${JSON.stringify(wanted)} is not found`,
        { exitCode: 126, hint: "install it, or mend the first line of the script" },
      );
    }
    all = [...words, called, ...all.slice(1)];
    scripts.push(program);
    program = called = found;
    const later = command ? undefined : programOfEnv(shebang);
    finds = later === undefined ? undefined : findProgram(later, path, files);
  }
}
