/**
 * What options hand on to the compiler's programs: -Wp, and -Xpreprocessor to the preprocessor, -Wa, and
 * -Xassembler to the assembler, -Xclang to clang's own front end. They are read as far as they name files
 * or change what is made.
 */
import { type Family, findOption, separateValues } from "./options.ts";
import type { LocalReason } from "./reasons.ts";

/** What words for the preprocessor say. */
export interface PreprocessorWords {
  readonly dependFile: string | undefined;
  readonly includes: readonly string[];
  readonly quoteFolders: readonly string[];
  readonly bracketFolders: readonly string[];
  readonly systemFolders: readonly string[];
  readonly afterFolders: readonly string[];
  readonly localReason: LocalReason | undefined;
}

/** Reads the words for the preprocessor, which spells -MD and -MMD with a file (GCC manual, "-MD -MF file"). */
export function readPreprocessorWords(
  words: readonly string[],
  family: Family,
): PreprocessorWords {
  const includes: string[] = [];
  const quoteFolders: string[] = [];
  const bracketFolders: string[] = [];
  const systemFolders: string[] = [];
  const afterFolders: string[] = [];
  let dependFile: string | undefined;
  let localReason: LocalReason | undefined;
  // Clang reads -Wp,-MD,FILE itself, and only if it stands alone.
  const isAlone = family === "gcc" || words.length === 2;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    if (word === "-MD" || word === "-MMD") {
      const file = words[++index];
      if (file === undefined || dependFile !== undefined || !isAlone) {
        localReason ??= "preprocessor-options";
      }
      dependFile ??= file;
      continue;
    }
    const option = findOption(word, family);
    if (!option) {
      if (!word.startsWith("-")) localReason ??= "preprocessor-options";
      continue;
    }
    const count = separateValues(option, word);
    const value = count === 0 ? word.slice(option.name.length) : words[index + 1];
    index += count;
    if (value === undefined) {
      localReason ??= "preprocessor-options";
      continue;
    }
    switch (option.effect) {
      case "include-file":
        includes.push(value);
        break;
      case "quote-folder":
        quoteFolders.push(value);
        break;
      case "bracket-folder":
        bracketFolders.push(value);
        break;
      case "system-folder":
        systemFolders.push(value);
        break;
      case "after-folder":
        afterFolders.push(value);
        break;
      case "pass":
      case "debug-letters":
        break;
      default:
        localReason ??= "preprocessor-options";
    }
  }
  return {
    dependFile,
    includes,
    quoteFolders,
    bracketFolders,
    systemFolders,
    afterFolders,
    localReason,
  };
}

/** Options of GNU as with a separate value (binutils, gas/as.c), but for those that name outputs. */
const ASSEMBLER_VALUES = new Set(["-I", "--defsym", "-defsym"]);

/** Files that words for the assembler name as outputs. */
export function assemblerFiles(
  words: readonly string[],
): { readonly outputs: readonly string[]; readonly localReason: LocalReason | undefined } {
  const outputs: string[] = [];
  let localReason: LocalReason | undefined;
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const listing = /^-a[a-z]*=(.+)$/.exec(word)?.[1];
    if (listing !== undefined) {
      outputs.push(listing);
    } else if (word === "--MD" || word === "-MD") {
      const file = words[++index];
      if (file === undefined) localReason ??= "assembler-options";
      else outputs.push(file);
    } else if (/^--?MD=/.test(word)) {
      outputs.push(word.slice(word.indexOf("=") + 1));
    } else if (ASSEMBLER_VALUES.has(word)) {
      index++;
    } else if (/^-o|^[^-]|^--?(?:help|version|target-help|statistics)/.test(word)) {
      localReason ??= "assembler-options";
    }
  }
  return { outputs, localReason };
}

/** Options of clang -cc1 that choose another action or name an output of their own (Options.td). */
const CLANG_MAKES_MORE =
  /^-(?:o$|E$|M|S$|D?emit-|fsyntax-only|ast-|analy[sz]|dump-|dependency-|header-include-|split-dwarf-|dwarf-|main-file|module|fmodule|pch|rewrite-|templight|print-|verify-pch|stats-file|serialize-diag|opt-record|coverage-|fixit|code-completion|extract-api|sys-header-deps|MT|index|opt-record-|fprofile|ftime|load|plugin|add-plugin|include-pch|working-directory|triple|x$|$)/;

/** Why words for clang's front end demand a local run. */
export function clangReason(words: readonly string[]): LocalReason | undefined {
  return words.some((word) => CLANG_MAKES_MORE.test(word)) ? "clang-options" : undefined;
}
