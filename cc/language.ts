/** What a compiler takes a file for. */

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

/** What is compiled nowhere but here, or not at all. */
export type OtherFile =
  /** A header, of which a compiler makes a precompiled one. */
  | "header"
  /** A source in a language that llamacc does not know. */
  | "other"
  /** What the linker takes. */
  | "linker";

const plain = (name: Language["name"]): Language => ({
  name,
  assembler: false,
  preprocessed: false,
});
const preprocessed = (name: Language["name"]): Language => ({ ...plain(name), preprocessed: true });

const C = plain("c");
const CXX = plain("c++");
const OBJC = plain("objective-c");
const OBJCXX = plain("objective-c++");
const C_OUTPUT = preprocessed("cpp-output");
const CXX_OUTPUT = preprocessed("c++-cpp-output");
const OBJC_OUTPUT = preprocessed("objective-c-cpp-output");
const OBJCXX_OUTPUT = preprocessed("objective-c++-cpp-output");
const ASSEMBLER_CPP: Language = { ...plain("assembler-with-cpp"), assembler: true };
const ASSEMBLER: Language = { ...preprocessed("assembler"), assembler: true };

/** GCC manual, "Options Controlling the Kind of Output"; clang's Types.def has the same for these. */
const BY_SUFFIX: ReadonlyMap<string, Language | OtherFile> = new Map<string, Language | OtherFile>([
  ["c", C],
  ["i", C_OUTPUT],
  ["ii", CXX_OUTPUT],
  ["cc", CXX],
  ["cp", CXX],
  ["cxx", CXX],
  ["cpp", CXX],
  ["CPP", CXX],
  ["c++", CXX],
  ["C", CXX],
  ["m", OBJC],
  ["mi", OBJC_OUTPUT],
  ["mm", OBJCXX],
  ["M", OBJCXX],
  ["mii", OBJCXX_OUTPUT],
  ["S", ASSEMBLER_CPP],
  ["sx", ASSEMBLER_CPP],
  ["s", ASSEMBLER],
  ...words("h hh H hp hxx hpp HPP h++ tcc", "header"),
  // Fortran, D, Go, Ada, Modula-2.
  ...words("f for ftn fi F FOR FTN fpp FPP f77 F77 f90 F90 f95 F95 f03 F03 f08 F08", "other"),
  ...words("d di dd go ads adb mod def", "other"),
  // Clang's: OpenCL, CUDA, HIP, LLVM's own, modules, RenderScript.
  ...words("cl clcpp cu cui hip ll bc ast pcm cppm ccm cxxm c++m iim rs fs ifs", "other"),
]);

/** Values of -x; any other one is another language, or a mistake. */
const BY_NAME: ReadonlyMap<string, Language | OtherFile> = new Map<string, Language | OtherFile>([
  ...[C, CXX, OBJC, OBJCXX, C_OUTPUT, CXX_OUTPUT, OBJC_OUTPUT, OBJCXX_OUTPUT].map((
    language,
  ) => [language.name, language] as const),
  [ASSEMBLER_CPP.name, ASSEMBLER_CPP],
  [ASSEMBLER.name, ASSEMBLER],
  ["objc-cpp-output", OBJC_OUTPUT],
  ...words("c-header c++-header c++-system-header c++-user-header", "header"),
  ...words("objective-c-header objective-c++-header", "header"),
]);

/** What g++ takes for C++ although its name says C. */
const CXX_FOR: ReadonlyMap<Language | OtherFile, Language> = new Map([
  [C, CXX],
  [C_OUTPUT, CXX_OUTPUT],
]);

/** What a file is, by the value of -x, if it has one, or by its name. */
export function languageFor(
  path: string,
  asked: string | undefined,
  cxx: boolean,
): Language | OtherFile {
  if (asked !== undefined) return BY_NAME.get(asked) ?? "other";
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  const found = dot < 0 ? "linker" : BY_SUFFIX.get(name.slice(dot + 1)) ?? "linker";
  return cxx ? CXX_FOR.get(found) ?? found : found;
}

function words(text: string, value: OtherFile): [string, OtherFile][] {
  return text.split(" ").map((word) => [word, value]);
}
