/**
 * The compiler options that llamacc must understand: those that take a separate value (it would look
 * like a source otherwise), decide the mode or the language, shape the search for headers, name
 * outputs, or demand a local run. Commands run verbatim, so every other option simply passes.
 *
 * Source: GCC 12 manual, "Option Summary", and `gcc --help=joined,separate`.
 */

/** How an option takes its value. */
export type ValueForm =
  /** No value: the argument is the option itself. */
  | "none"
  /** In the next argument. */
  | "separate"
  /** In the same argument. */
  | "joined"
  /** In the same argument, or in the next if nothing follows. */
  | "either";

/** What an option means to llamacc. */
export type Effect =
  | "pass"
  | "compile"
  | "assembly-output"
  | "preprocess"
  | "depend-only"
  | "depend"
  | "depend-file"
  | "output"
  | "language"
  | "include-file"
  | "quote-folder"
  | "bracket-folder"
  | "system-folder"
  | "after-folder"
  | "search"
  | "forced-color"
  | "preprocessor-words"
  | { readonly local: string };

/** An option of the compiler. */
export interface Option {
  readonly name: string;
  readonly form: ValueForm;
  readonly effect: Effect;
}

const local = (reason: string): Effect => ({ local: reason });

const row = (name: string, form: ValueForm, effect: Effect): Option => ({ name, form, effect });

/** The table, sorted by name; the longest name that fits an argument wins. */
export const OPTIONS: readonly Option[] = [
  row("-", "none", local("stdin-source")),
  row("--coverage", "none", "pass"),
  row("--param", "either", "pass"),
  row("--sysroot", "separate", "search"),
  row("--sysroot=", "joined", "search"),
  row("-###", "none", local("no-compilation")),
  row("--help", "joined", local("no-compilation")),
  row("--target-help", "none", local("no-compilation")),
  row("--version", "none", local("no-compilation")),
  row("-A", "either", "pass"),
  row("-B", "either", local("compiler-folder")),
  row("-D", "either", "pass"),
  row("-E", "none", "preprocess"),
  row("-I", "either", "bracket-folder"),
  row("-L", "either", "pass"),
  row("-M", "none", "depend-only"),
  row("-MD", "none", "depend"),
  row("-MF", "either", "depend-file"),
  row("-MG", "none", local("depend-generated")),
  row("-MM", "none", "depend-only"),
  row("-MMD", "none", "depend"),
  row("-MP", "none", "pass"),
  row("-MQ", "either", "pass"),
  row("-MT", "either", "pass"),
  row("-S", "none", "assembly-output"),
  row("-T", "either", "pass"),
  row("-U", "either", "pass"),
  row("-Wa,", "joined", local("assembler-options")),
  row("-Wp,", "joined", "preprocessor-words"),
  row("-Xassembler", "separate", local("assembler-options")),
  row("-Xclang", "separate", local("clang-options")),
  row("-Xlinker", "separate", "pass"),
  row("-Xpreprocessor", "separate", local("preprocessor-options")),
  row("-aux-info", "separate", local("extra-output")),
  row("-c", "none", "compile"),
  row("-dumpbase", "separate", local("dump-names")),
  row("-dumpbase-ext", "separate", local("dump-names")),
  row("-dumpdir", "separate", local("dump-names")),
  row("-dumpfullversion", "none", local("no-compilation")),
  row("-dumpmachine", "none", local("no-compilation")),
  row("-dumpspecs", "none", local("no-compilation")),
  row("-dumpversion", "none", local("no-compilation")),
  row("-emit-llvm", "none", local("clang-options")),
  row("-fcallgraph-info", "joined", local("extra-output")),
  row("-fdiagnostics-color", "joined", "forced-color"),
  row("-fdump-", "joined", local("extra-output")),
  row("-fmodules", "joined", local("modules")),
  row("-fno-diagnostics-color", "none", "forced-color"),
  row("-fopt-info", "joined", local("extra-output")),
  row("-fplugin", "joined", local("plugin")),
  row("-fsave-optimization-record", "none", local("extra-output")),
  row("-ftime-report", "none", local("time-report")),
  row("-ftime-trace", "joined", local("time-report")),
  row("-idirafter", "either", "after-folder"),
  row("-imacros", "either", "include-file"),
  row("-imultilib", "either", "pass"),
  row("-include", "either", "include-file"),
  row("-include-pch", "separate", "pass"),
  row("-iprefix", "either", local("search-prefix")),
  row("-iquote", "either", "quote-folder"),
  row("-isysroot", "either", "search"),
  row("-isystem", "either", "system-folder"),
  row("-iwithprefix", "either", local("search-prefix")),
  row("-iwithprefixbefore", "either", local("search-prefix")),
  row("-l", "either", "pass"),
  row("-m32", "none", "search"),
  row("-mx32", "none", "search"),
  row("-nostdinc", "none", "search"),
  row("-nostdinc++", "none", "search"),
  row("-o", "either", "output"),
  row("-pass-exit-codes", "none", "pass"),
  row("-pipe", "none", "pass"),
  row("-print-", "joined", local("no-compilation")),
  row("-save-temps", "joined", local("extra-output")),
  row("-specs", "separate", local("specs")),
  row("-specs=", "joined", local("specs")),
  row("-stdlib=", "joined", "search"),
  row("-target", "separate", local("clang-options")),
  row("-u", "either", "pass"),
  row("-wrapper", "separate", local("wrapper")),
  row("-x", "either", "language"),
  row("-z", "either", "pass"),
].toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

const BY_NAME = new Map(OPTIONS.map((option) => [option.name, option]));
const LONGEST = Math.max(...OPTIONS.map(({ name }) => name.length));

/** The option that `argument` is, by the longest name that fits; `undefined` if none does. */
export function findOption(argument: string): Option | undefined {
  for (let length = Math.min(argument.length, LONGEST); length > 0; length--) {
    const option = BY_NAME.get(argument.slice(0, length));
    if (!option) continue;
    const whole = length === argument.length;
    if (option.form === "joined" || option.form === "either" || whole) return option;
  }
  return undefined;
}
