/** Whether a command line is compiled remotely, and if not, why. */
import type { CommandLine } from "./command_line.ts";
import { isProbe } from "./probe.ts";

/** What the compiler of a source is told to take it for. */
export interface Language {
  /** Value for -x that gives the same search path. */
  readonly name:
    | "c"
    | "c++"
    | "objective-c"
    | "objective-c++"
    | "assembler-with-cpp"
    | "assembler"
    | "cpp-output"
    | "c++-cpp-output"
    | "objective-c-cpp-output"
    | "objective-c++-cpp-output";
  readonly assembler: boolean;
  readonly preprocessed: boolean;
}

/** One translation unit that can be compiled elsewhere. */
export interface Compilation {
  /** As the command line spells it. */
  readonly source: string;
  readonly language: Language;
  /** As the command line spells it, or as the compiler derives it. */
  readonly output: string;
  readonly dependFile: string | undefined;
  /** Further files that the compiler writes unasked. */
  readonly extraOutputs: readonly string[];
}

/** The decision, as data. */
export type Decision =
  | { readonly kind: "remote"; readonly compilation: Compilation }
  | { readonly kind: "local"; readonly reason: string };

const C: Language = { name: "c", assembler: false, preprocessed: false };
const CXX: Language = { name: "c++", assembler: false, preprocessed: false };
const C_OUTPUT: Language = { name: "cpp-output", assembler: false, preprocessed: true };
const CXX_OUTPUT: Language = { name: "c++-cpp-output", assembler: false, preprocessed: true };
const OBJC: Language = { name: "objective-c", assembler: false, preprocessed: false };
const OBJCXX: Language = { name: "objective-c++", assembler: false, preprocessed: false };
const OBJC_OUTPUT: Language = {
  name: "objective-c-cpp-output",
  assembler: false,
  preprocessed: true,
};
const OBJCXX_OUTPUT: Language = {
  name: "objective-c++-cpp-output",
  assembler: false,
  preprocessed: true,
};
const ASSEMBLER_CPP: Language = {
  name: "assembler-with-cpp",
  assembler: true,
  preprocessed: false,
};
const ASSEMBLER: Language = { name: "assembler", assembler: true, preprocessed: true };

/** GCC manual, "Options Controlling the Kind of Output": what a file's suffix means. */
const BY_SUFFIX: ReadonlyMap<string, Language> = new Map([
  [".c", C],
  [".i", C_OUTPUT],
  [".ii", CXX_OUTPUT],
  [".cc", CXX],
  [".cp", CXX],
  [".cxx", CXX],
  [".cpp", CXX],
  [".CPP", CXX],
  [".c++", CXX],
  [".C", CXX],
  [".m", OBJC],
  [".mi", OBJC_OUTPUT],
  [".mm", OBJCXX],
  [".M", OBJCXX],
  [".mii", OBJCXX_OUTPUT],
  [".S", ASSEMBLER_CPP],
  [".sx", ASSEMBLER_CPP],
  [".s", ASSEMBLER],
]);

const BY_NAME: ReadonlyMap<string, Language> = new Map(
  [
    C,
    CXX,
    C_OUTPUT,
    CXX_OUTPUT,
    OBJC,
    OBJCXX,
    OBJC_OUTPUT,
    OBJCXX_OUTPUT,
    ASSEMBLER_CPP,
    ASSEMBLER,
  ].map((language) => [language.name, language]),
);

/** What may be asked of {@linkcode decide} beside the command line. */
export interface DecisionOptions {
  /** The driver takes C for C++, as g++ does. */
  readonly cxx: boolean;
  readonly remoteAssemble: boolean;
}

const local = (reason: string): Decision => ({ kind: "local", reason });

/** Decides where a command runs. */
export function decide(line: CommandLine, options: DecisionOptions): Decision {
  if (line.localReason !== undefined) return local(line.localReason);
  if (line.mode === "link") return local(line.sources.length === 0 ? "no-source" : "link");
  if (line.mode === "preprocess") return local("preprocess-only");
  if (line.mode === "depend") return local("depend-only");
  const [source, ...others] = line.sources;
  if (!source) return local("no-source");
  if (others.length > 0) return local("several-sources");
  const suffix = suffixOf(source.path);
  let language = source.language === undefined
    ? BY_SUFFIX.get(suffix)
    : BY_NAME.get(source.language);
  if (!language) return local("language");
  if (options.cxx && source.language === undefined) {
    if (language === C) language = CXX;
    else if (language === C_OUTPUT) language = CXX_OUTPUT;
  }
  if (language === ASSEMBLER && !options.remoteAssemble) return local("assembler");
  if (isProbe(source.path, line.output)) return local("configure-probe");
  const base = nameOf(source.path).slice(0, nameOf(source.path).length - suffix.length);
  const output = line.output ?? `${base}${line.mode === "compile" ? ".o" : ".s"}`;
  if (output === "-") return local("stdout-output");
  return {
    kind: "remote",
    compilation: {
      source: source.path,
      language,
      output,
      dependFile: dependFileOf(line, output),
      extraOutputs: extraOutputsOf(line, output),
    },
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function suffixOf(path: string): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "" : name.slice(dot);
}

function withoutSuffix(path: string): string {
  const suffix = suffixOf(path);
  return suffix === "" ? path : path.slice(0, -suffix.length);
}

function dependFileOf(line: CommandLine, output: string): string | undefined {
  if (!line.depend) return undefined;
  return line.dependFile ?? `${withoutSuffix(output)}.d`;
}

/** GCC manual, "Dump options": auxiliary files are named after the output. */
function extraOutputsOf(line: CommandLine, output: string): string[] {
  const base = withoutSuffix(output);
  const extra: string[] = [];
  const has = (...names: string[]) => names.some((name) => line.flags.has(name));
  if (has("--coverage", "-coverage", "-ftest-coverage")) extra.push(`${base}.gcno`);
  if (has("-fstack-usage")) extra.push(`${base}.su`);
  if (has("-gsplit-dwarf")) extra.push(`${base}.dwo`);
  return extra;
}
