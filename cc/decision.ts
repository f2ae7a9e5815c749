/** Whether a command line is compiled remotely, and if not, why. */
import { type Auxiliary, auxiliaryOf, dependFileOf } from "./auxiliary.ts";
import type { CommandLine, InputArgument } from "./command_line.ts";
import { type Language, languageFor } from "./language.ts";
import { type Family, findOption, separateValues } from "./options.ts";
import { isProbe } from "./probe.ts";
import type { LocalReason } from "./reasons.ts";

/** One translation unit that can be compiled elsewhere. */
export interface Compilation {
  /** As the command line spells it. */
  readonly source: string;
  readonly language: Language;
  /** As the command line spells it, or as the compiler derives it; `-` for standard output. */
  readonly output: string;
  /** Whether a compiler that ends well writes that file; it may only check syntax, or print. */
  readonly makesOutput: boolean;
  /** `-` for standard output. */
  readonly dependFile: string | undefined;
  /** Further files that the compiler may write. */
  readonly auxiliary: Auxiliary;
  /** Files beside the source that must be there, such as objects for the linker. */
  readonly reads: readonly string[];
  /** Arguments that compile it alone, response files expanded. */
  readonly args: readonly string[];
}

/** The decision, as data. */
export type Decision =
  | {
    readonly kind: "remote";
    /** One for each source, in the order of the command line. */
    readonly compilations: readonly Compilation[];
  }
  | { readonly kind: "local"; readonly reason: string };

/** What may be asked of {@linkcode decide} beside the command line. */
export interface DecisionOptions {
  /** The driver takes C for C++, as g++ does. */
  readonly cxx: boolean;
  readonly remoteAssemble: boolean;
  /** Whose options these are, GCC's unless given. */
  readonly family?: Family;
}

/** With several sources GCC takes these for parts of a folder's name. */
const DUMP_NAME = /^--?dump(?:base|dir)/;

const local = (reason: LocalReason): Decision => ({ kind: "local", reason });

/** Decides where a command runs. */
export function decide(line: CommandLine, options: DecisionOptions): Decision {
  const compiles = line.mode === "compile" || line.mode === "assembly";
  if (compiles && line.sources.some(({ path }) => isProbe(path, line.output))) {
    return local("configure-probe");
  }
  if (line.localReason !== undefined) return local(line.localReason);
  if (line.sources.length === 0) return local("no-source");
  if (line.mode === "preprocess") return local("preprocess-only");
  if (line.mode === "depend") return local("depend-only");
  if (line.mode === "link" && !line.syntaxOnly) return local("link");
  const sources: { readonly argument: InputArgument; readonly language: Language }[] = [];
  const reads: string[] = [];
  for (const argument of line.sources) {
    const language = languageFor(argument.path, argument.language, options.cxx);
    if (language === "linker") reads.push(argument.path);
    else if (language === "header") return local("precompiling");
    else if (language === "other") return local("language");
    else if (language.name === "assembler" && !options.remoteAssemble) return local("assembler");
    else sources.push({ argument, language });
  }
  if (sources.length === 0) return local("no-source");
  // Without -c the names of other files depend on things that only a link has.
  if (line.mode === "link" && line.depend && line.dependFile === undefined) return local("link");
  const single = sources.length === 1;
  // Clang says once that it takes C for C++.
  const isToldOnce = options.cxx && options.family === "clang" &&
    sources.some(({ argument }) => /\.[ci]$/.test(argument.path));
  if (
    !single &&
    (isToldOnce || reads.length > 0 || line.output !== undefined || line.dependFile !== undefined ||
      line.outputFiles.length > 0 || line.options.some(({ argument }) => DUMP_NAME.test(argument)))
  ) return local("several-sources");
  const compilations = sources.map(({ argument, language }): Compilation => {
    const output = line.output ?? defaultOutput(argument.path, line);
    const naming = { ...line, source: argument.path, family: options.family ?? "gcc" };
    return {
      source: argument.path,
      language,
      output,
      makesOutput: output !== "-" && !line.syntaxOnly,
      dependFile: line.depend ? line.dependFile ?? dependFileOf(naming) : undefined,
      auxiliary: auxiliaryOf(naming),
      reads,
      args: single
        ? line.args
        : alone(line, argument, sources.at(-1)?.argument === argument, options.family),
    };
  });
  const outputs = new Set(compilations.map(({ output }) => output));
  if (compilations.some(({ source }) => outputs.has(source))) return local("same-file");
  if (outputs.size < compilations.length) return local("several-sources");
  const files = compilations.flatMap(({ auxiliary }) => auxiliary.files);
  if (new Set(files).size < files.length) return local("several-sources");
  if (compilations.some(({ auxiliary }) => auxiliary.unknown)) return local("extra-output");
  const more = compilations.some(({ auxiliary }) =>
    auxiliary.families.length > 0 || auxiliary.files.length > line.outputFiles.length
  );
  if (line.mode === "link" && more) return local("link");
  return { kind: "remote", compilations };
}

/** Without the other sources, and without a -x behind the last one, of which GCC says that it does nothing. */
function alone(
  { args, sources }: CommandLine,
  { at }: InputArgument,
  isLast: boolean,
  family: Family = "gcc",
): string[] {
  const others = new Set(sources.map((source) => source.at).filter((other) => other !== at));
  const kept: string[] = [];
  for (let index = 0; index < args.length; index++) {
    if (others.has(index)) continue;
    const arg = args[index] ?? "";
    const option = index === at ? undefined : findOption(arg, family);
    const values = option ? separateValues(option, arg) : 0;
    if (isLast || index < at || option?.effect !== "language") {
      kept.push(...args.slice(index, index + 1 + values));
    }
    index += values;
  }
  return kept;
}

function defaultOutput(source: string, { mode, emitsLlvm }: CommandLine): string {
  const base = nameOf(source).slice(0, nameOf(source).length - suffixOf(source).length);
  if (mode === "assembly") return `${base}${emitsLlvm ? ".ll" : ".s"}`;
  return `${base}${emitsLlvm ? ".bc" : ".o"}`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function suffixOf(path: string): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "" : name.slice(dot);
}
