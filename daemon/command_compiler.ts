/** The guess for a command that is a compiler, which finds one header a round if it is left to itself. */
import { resolve } from "@std/path/posix";
import { readCommandLine } from "../cc/command_line.ts";
import { partEnvironment, searchEnvironment } from "../cc/environment.ts";
import { familyOf } from "../cc/family.ts";
import { settleSearchPath } from "../cc/guess.ts";
import { headerMacrosOf, macrosDefinedBy } from "../cc/header_macros.ts";
import { type Language, languageFor } from "../cc/language.ts";
import { builtInSearchPath, searchPathOf } from "../cc/search_path.ts";
import { discoverToolchain } from "../cc/toolchain.ts";
import { LlamaError } from "../job/errors.ts";
import type { UnitPlanTools } from "./unit_plan.ts";

const COMPILER = /(?:^|[/-])(?:cc|c\+\+|gcc|g\+\+|clang|clang\+\+)(?:-[\d.]+)?$/;

/** Programs of the compiler and the closure of its sources; nothing for any other program. */
export async function guessForCompiler(
  driver: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  tools: Pick<UnitPlanTools, "files" | "processes" | "folders" | "guesser">,
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
  const guessed = new Set<string>();
  try {
    for (const path of (await discoverToolchain(parts, tools)).why.keys()) guessed.add(path);
    for (const [language, sources] of languages) {
      const builtIn = await builtInSearchPath(processes, driver, {
        language: language.name,
        flags: line.searchFlags,
        cwd,
        env: searchEnvironment(env),
      });
      const search = settleSearchPath(
        searchPathOf(line, builtIn),
        cwd,
        (path) => folders.names(path) !== undefined,
      );
      const roots = [...sources, "/usr/include/stdc-predef.h"];
      const named = {
        macros: headerMacrosOf(line.options),
        defined: macrosDefinedBy(line.options),
      };
      for (const path of guesser.guess({ roots, search, cwd, ...named })) guessed.add(path);
      for (const folder of [...search.quote, ...search.bracket]) guessed.add(folder);
    }
  } catch (error) {
    // The proof finds what cannot be guessed, or says why it cannot run elsewhere.
    if (!(error instanceof LlamaError)) throw error;
  }
  return [...guessed];
}
