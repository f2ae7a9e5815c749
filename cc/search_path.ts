/**
 * The folders in which a compiler looks for headers, in the order of GCC's manual, "Options for
 * Directory Search": `"x"` begins in the including file's own folder, then -iquote; both forms go on
 * with -I, CPATH, -isystem, the built-in folders and -idirafter.
 */
import type { CommandLine } from "./command_line.ts";
import type { ProcessRunner } from "./file_system.ts";
import { FormatError } from "../job/errors.ts";

/** Folders searched for headers, each absolute or relative to the working folder. */
export interface SearchPath {
  /** Only for `"x"`. */
  readonly quote: readonly string[];
  /** For `"x"` and `<x>`. */
  readonly bracket: readonly string[];
}

/**
 * Asks a compiler for its own folders.
 *
 * @throws {FormatError} If it prints no list of folders.
 */
export async function builtInSearchPath(
  processes: ProcessRunner,
  program: string,
  options: {
    readonly language: string;
    readonly flags: readonly string[];
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<SearchPath> {
  const { language, flags, cwd, env } = options;
  const args = ["-v", "-E", ...flags, "-x", language, "/dev/null", "-o", "/dev/null"];
  const { stderr } = await processes.run(program, args, {
    cwd,
    env: { ...env, LC_ALL: "C" },
  });
  return parseSearchPath(stderr, program);
}

/** Where a command has headers looked for, given the folders of the compiler itself: GCC manual, "Directory Options". */
export function searchPathOf(
  line: Pick<CommandLine, "quoteFolders" | "bracketFolders" | "systemFolders" | "afterFolders">,
  builtIn: SearchPath,
): SearchPath {
  const { quoteFolders, bracketFolders, systemFolders, afterFolders } = line;
  return {
    quote: quoteFolders,
    bracket: [...bracketFolders, ...systemFolders, ...builtIn.bracket, ...afterFolders],
  };
}

/**
 * Reads the list that `cc -v` prints.
 *
 * @throws {FormatError} If there is none.
 */
export function parseSearchPath(text: string, program: string): SearchPath {
  const lines = text.split("\n");
  const quoteStart = lines.indexOf('#include "..." search starts here:');
  const bracketStart = lines.indexOf("#include <...> search starts here:");
  const end = lines.indexOf("End of search list.");
  if (bracketStart < 0 || end < bracketStart) {
    throw new FormatError(`the search path of "${program}"`, "it prints no list of folders");
  }
  const folders = (from: number, to: number) =>
    lines.slice(from + 1, to).map((line) => line.trim().replace(/ \(framework directory\)$/, ""));
  return {
    quote: quoteStart < 0 ? [] : folders(quoteStart, bracketStart),
    bracket: folders(bracketStart, end),
  };
}
