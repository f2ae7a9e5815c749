/** The guess for a command that is a compiler, which finds one header a round if it is left to itself. */
import { resolve } from "@std/path/posix";
import { readCommandLine } from "../cc/command_line.ts";
import { partEnvironment, SEARCH_VARIABLES } from "../cc/environment.ts";
import { familyOf } from "../cc/family.ts";
import type { FileSystem, ProcessRunner } from "../cc/file_system.ts";
import type { Folders } from "../cc/folders.ts";
import { type Guesser, settleSearchPath } from "../cc/guess.ts";
import { type Language, languageFor } from "../cc/language.ts";
import { builtInSearchPath } from "../cc/search_path.ts";
import { discoverToolchain } from "../cc/toolchain.ts";
import { FormatError, LlamaError } from "../job/errors.ts";

/** What {@linkcode guessForCompiler} works with. */
export interface CompilerGuessTools {
  readonly files: FileSystem;
  readonly processes: ProcessRunner;
  readonly folders: Folders;
  readonly guesser: Guesser;
}

const COMPILER = /(?:^|[/-])(?:cc|c\+\+|gcc|g\+\+|clang|clang\+\+)(?:-[\d.]+)?$/;

/** Programs of the compiler and the closure of its sources; nothing for any other program. */
export async function guessForCompiler(
  driver: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  tools: CompilerGuessTools,
): Promise<readonly string[]> {
  if (!COMPILER.test(driver)) return [];
  const { files, processes, folders, guesser } = tools;
  const line = readCommandLine(args, familyOf(driver, files));
  const isCxx = /\+\+(?:-[\d.]+)?$/.test(driver);
  const languages = new Map<Language, string[]>();
  for (const { path, language } of line.sources) {
    const found = languageFor(path, language, isCxx);
    if (typeof found === "string") continue;
    languages.set(found, [...languages.get(found) ?? [], resolve(cwd, path)]);
  }
  if (languages.size === 0) return [];
  const parts = { driver, flags: line.partFlags, env: partEnvironment(env), cwd };
  const searchEnv: Record<string, string> = { PATH: env.PATH ?? "" };
  for (const name of SEARCH_VARIABLES) if (env[name] !== undefined) searchEnv[name] = env[name];
  const guessed = new Set<string>();
  try {
    for (const path of (await discoverToolchain(parts, tools)).why.keys()) guessed.add(path);
    for (const [language, sources] of languages) {
      const { bracket } = await builtInSearchPath(processes, driver, {
        language: language.name,
        flags: line.searchFlags,
        cwd,
        env: searchEnv,
      });
      const search = settleSearchPath(
        {
          quote: line.quoteFolders,
          bracket: [
            ...line.bracketFolders,
            ...line.systemFolders,
            ...bracket,
            ...line.afterFolders,
          ],
        },
        cwd,
        (path) => folders.names(path) !== undefined,
      );
      const roots = [...sources, "/usr/include/stdc-predef.h"];
      for (const path of guesser.guess({ roots, search, cwd })) guessed.add(path);
      for (const folder of [...search.quote, ...search.bracket]) guessed.add(folder);
    }
  } catch (error) {
    // The proof finds what cannot be guessed, or says why it cannot run elsewhere.
    if (!(error instanceof LlamaError || error instanceof FormatError)) throw error;
  }
  return [...guessed];
}
