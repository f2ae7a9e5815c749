/** A compiler's command line, read as far as llamacc must understand it. */
import type { SpelledOption } from "./auxiliary_names.ts";
import {
  assemblerFiles,
  clangReason,
  type PreprocessorWords,
  readPreprocessorWords,
} from "./option_words.ts";
import { type Effect, type Family, findOption, separateValues } from "./options.ts";
import type { LocalReason } from "./reasons.ts";

/** An argument that is no option: a source, or a file for the linker. */
export interface InputArgument {
  readonly path: string;
  /** The language that -x gave it, `undefined` where its name decides. */
  readonly language: string | undefined;
  /** Its position among the arguments. */
  readonly at: number;
}

/** What a command line says. */
export interface CommandLine {
  /** The arguments that were read. */
  readonly args: readonly string[];
  readonly sources: readonly InputArgument[];
  readonly mode: "link" | "compile" | "assembly" | "preprocess" | "depend";
  /** Nothing is made but messages, and a dependency file where one is asked for. */
  readonly syntaxOnly: boolean;
  /** Clang writes its own representation in place of code for the machine. */
  readonly emitsLlvm: boolean;
  readonly output: string | undefined;
  readonly depend: boolean;
  readonly dependFile: string | undefined;
  /** Further files that options name as outputs. */
  readonly outputFiles: readonly string[];
  /** Files of -include and -imacros. */
  readonly includes: readonly string[];
  readonly quoteFolders: readonly string[];
  readonly bracketFolders: readonly string[];
  readonly systemFolders: readonly string[];
  readonly afterFolders: readonly string[];
  /** Arguments that change the built-in search path. */
  readonly searchFlags: readonly string[];
  /** Arguments that change which programs run, or what they load. */
  readonly partFlags: readonly string[];
  /** Reason of the first option that demands a local run. */
  readonly localReason: LocalReason | undefined;
  readonly flags: ReadonlySet<string>;
  /** All options in their order. */
  readonly options: readonly SpelledOption[];
}

/** Reads the arguments behind the compiler's name, response files expanded. */
export function readCommandLine(args: readonly string[], family: Family = "gcc"): CommandLine {
  const sources: InputArgument[] = [];
  const includes: string[] = [];
  const folders = {
    quote: [] as string[],
    bracket: [] as string[],
    system: [] as string[],
    after: [] as string[],
  };
  const words = { preprocessor: [] as string[], assembler: [] as string[], clang: [] as string[] };
  const searchFlags: string[] = [];
  const partFlags: string[] = [];
  const outputFiles: string[] = [];
  const flags = new Set<string>();
  const options: SpelledOption[] = [];
  let language: string | undefined;
  let mode: CommandLine["mode"] = "link";
  let syntaxOnly = false;
  let emitsLlvm = false;
  let output: string | undefined;
  let depend = false;
  let dependFile: string | undefined;
  let localReason: LocalReason | undefined;

  const apply = (effect: Effect, value: string, spelled: readonly string[]) => {
    if (typeof effect === "object") {
      localReason ??= effect.local;
      return;
    }
    switch (effect) {
      case "compile":
        if (mode === "link") mode = "compile";
        break;
      case "assembly-output":
        if (mode === "link" || mode === "compile") mode = "assembly";
        break;
      case "syntax-only":
        syntaxOnly = true;
        break;
      case "emit-llvm":
        emitsLlvm = true;
        break;
      case "preprocess":
        mode = "preprocess";
        break;
      case "depend-only":
        if (mode !== "preprocess") mode = "depend";
        break;
      case "depend":
        depend = true;
        break;
      case "depend-file":
        dependFile = value;
        break;
      case "output":
        output = value;
        break;
      case "output-file":
        outputFiles.push(value);
        break;
      case "language":
        language = value === "none" ? undefined : value;
        break;
      case "include-file":
        includes.push(value);
        break;
      case "quote-folder":
        folders.quote.push(value);
        break;
      case "bracket-folder":
        if (value !== "-") folders.bracket.push(value);
        else folders.quote.push(...folders.bracket.splice(0));
        break;
      case "system-folder":
        folders.system.push(value);
        break;
      case "after-folder":
        folders.after.push(value);
        break;
      case "split-search":
        folders.quote.push(...folders.bracket.splice(0));
        break;
      case "search":
        searchFlags.push(...spelled);
        break;
      case "part":
        searchFlags.push(...spelled);
        partFlags.push(...spelled);
        break;
      case "plugin-argument":
        if (/[./]/.test(value)) localReason ??= "plugin-argument";
        break;
      case "debug-letters":
        // GCC manual, "Developer Options": -dH makes a core file.
        if (value.includes("H")) localReason ??= "extra-output";
        break;
      case "preprocessor-words":
        words.preprocessor.push(...value.split(","));
        break;
      case "preprocessor-word":
        words.preprocessor.push(value);
        break;
      case "assembler-words":
        words.assembler.push(...value.split(","));
        break;
      case "assembler-word":
        words.assembler.push(value);
        break;
      case "clang-word":
        words.clang.push(value);
        break;
      case "pass":
        break;
    }
  };

  let onlyInputs = false;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (onlyInputs || !argument.startsWith("-")) {
      sources.push({ path: argument, language, at: index });
      continue;
    }
    if (argument === "--" && family === "clang") {
      onlyInputs = true;
      continue;
    }
    const option = findOption(argument, family);
    const count = option ? separateValues(option, argument) : 0;
    const values = args.slice(index + 1, index + 1 + count);
    index += values.length;
    options.push({ argument, value: values[0] });
    if (!option) {
      flags.add(argument);
    } else if (values.length < count) {
      localReason ??= "missing-value";
    } else if (count === 0) {
      flags.add(argument);
      apply(option.effect, argument.slice(option.name.length), [argument]);
    } else {
      apply(option.effect, values[0] ?? "", [argument, ...values]);
    }
  }

  const preprocessor: PreprocessorWords = readPreprocessorWords(words.preprocessor, family);
  if (preprocessor.dependFile !== undefined) {
    // Two names for one file: which wins differs between compilers.
    if (dependFile !== undefined) localReason ??= "preprocessor-options";
    depend = true;
    dependFile = preprocessor.dependFile;
  }
  includes.push(...preprocessor.includes);
  folders.quote.push(...preprocessor.quoteFolders);
  folders.bracket.push(...preprocessor.bracketFolders);
  folders.system.push(...preprocessor.systemFolders);
  folders.after.push(...preprocessor.afterFolders);
  localReason ??= preprocessor.localReason;
  const assembler = assemblerFiles(words.assembler);
  outputFiles.push(...assembler.outputs);
  localReason ??= assembler.localReason ?? clangReason(words.clang);
  return {
    args,
    sources,
    mode,
    syntaxOnly,
    emitsLlvm,
    output,
    depend,
    dependFile,
    outputFiles,
    includes,
    quoteFolders: folders.quote,
    bracketFolders: folders.bracket,
    systemFolders: folders.system,
    afterFolders: folders.after,
    searchFlags,
    partFlags,
    localReason,
    flags,
    options,
  };
}
