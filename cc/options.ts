/**
 * The compiler options that llamacc must understand: those that take a separate value (it would look
 * like a source otherwise), decide the mode or the language, shape the search for headers, name
 * outputs, or demand a local run. Commands run verbatim, so every other option simply passes.
 *
 * Sources: GCC 12's gcc/common.opt, gcc/c-family/c.opt and option_map of gcc/opts-common.cc (the
 * spellings with two dashes); clang 14's clang/include/clang/Driver/Options.td.
 * `scripts/check_options.ts` holds the table against the installed compilers.
 */

import type { LocalReason } from "./reasons.ts";

/** Compilers whose options mostly mean the same. */
export type Family = "gcc" | "clang";

/** How an option takes its value. */
export type ValueForm =
  /** No value: the argument is the option itself. */
  | "none"
  /** In the next argument. */
  | "separate"
  /** In the same argument. */
  | "joined"
  /** In the same argument, or in the next if nothing follows. */
  | "either"
  /** One in the same argument and one in the next. */
  | "joined and separate"
  /** In the next two arguments. */
  | "two"
  /** In the next three arguments. */
  | "three";

/** What an option means to llamacc. */
export type Effect =
  | "pass"
  | "compile"
  | "assembly-output"
  | "syntax-only"
  | "emit-llvm"
  | "preprocess"
  | "depend-only"
  | "depend"
  | "depend-file"
  | "output"
  /** The value is a file that the compiler writes beside its output. */
  | "output-file"
  | "language"
  | "include-file"
  | "quote-folder"
  | "bracket-folder"
  | "system-folder"
  | "after-folder"
  | "split-search"
  | "search"
  /** It changes which programs the compiler runs, or what they load, and where headers are. */
  | "part"
  /** A plugin's own argument, which may name a file that it writes. */
  | "plugin-argument"
  | "debug-letters"
  | "preprocessor-words"
  | "preprocessor-word"
  | "assembler-words"
  | "assembler-word"
  | "clang-word"
  | { readonly local: LocalReason };

/** An option of the compiler. */
export interface Option {
  readonly name: string;
  readonly form: ValueForm;
  readonly effect: Effect;
  /** The compiler that has it, where the other takes such an argument for something else. */
  readonly only?: Family;
}

const local = (reason: LocalReason): Effect => ({ local: reason });

const row = (name: string, form: ValueForm, effect: Effect, only?: Family): Option =>
  only === undefined ? { name, form, effect } : { name, form, effect, only };

/** The table, sorted by name; the longest name that fits an argument wins. */
export const OPTIONS: readonly Option[] = [
  row("-", "none", local("stdin-source")),
  row("-###", "none", local("no-compilation")),
  row("--analyze", "none", local("no-compilation")),
  row("--analyzer-output", "either", "pass"),
  row("--assemble", "none", "assembly-output"),
  row("--assert", "separate", "pass"),
  row("--autocomplete=", "joined", local("no-compilation")),
  row("--compile", "none", "compile"),
  row("--completion=", "joined", local("no-compilation")),
  row("--config", "either", local("config-file")),
  row("--coverage", "none", "pass"),
  row("--def", "separate", "pass", "gcc"),
  row("--define-macro", "separate", "pass"),
  row("--dependencies", "none", "depend-only"),
  row("--driver-mode=", "joined", local("driver-mode")),
  row("--dump", "separate", "debug-letters", "gcc"),
  row("--dump=", "joined", "debug-letters", "gcc"),
  row("--dumpbase", "separate", "pass", "gcc"),
  row("--dumpbase-ext", "separate", "pass", "gcc"),
  row("--dumpdir", "separate", "pass", "gcc"),
  row("--entry", "separate", "pass", "gcc"),
  row("--for-assembler", "separate", "assembler-word"),
  row("--for-assembler=", "joined", "assembler-words"),
  row("--for-linker", "separate", "pass"),
  row("--force-link", "separate", "pass"),
  row("--gcc-toolchain", "separate", "search"),
  row("--gcc-toolchain=", "joined", "search"),
  row("--help", "joined", local("no-compilation")),
  row("--imacros", "separate", "include-file"),
  row("--imacros=", "joined", "include-file"),
  row("--include", "separate", "include-file"),
  row("--include-barrier", "none", "split-search"),
  row("--include-directory", "separate", "bracket-folder"),
  row("--include-directory-after", "separate", "after-folder"),
  row("--include-directory-after=", "joined", "after-folder"),
  row("--include-directory=", "joined", "bracket-folder"),
  row("--include-prefix", "separate", "search"),
  row("--include-prefix=", "joined", "search"),
  row("--include-with-prefix", "separate", "search"),
  row("--include-with-prefix-after", "separate", "search"),
  row("--include-with-prefix-after=", "joined", "search"),
  row("--include-with-prefix-before", "separate", "search"),
  row("--include-with-prefix-before=", "joined", "search"),
  row("--include-with-prefix=", "joined", "search"),
  row("--include=", "joined", "include-file"),
  row("--intrinsic-modules-path", "separate", "pass", "gcc"),
  row("--language", "separate", "language"),
  row("--language=", "joined", "language"),
  row("--library-directory", "separate", "pass"),
  row("--machine-arch=native", "none", local("native-processor")),
  row("--machine-cpu=native", "none", local("native-processor")),
  row("--machine-tune=native", "none", local("native-processor")),
  row("--machine=32", "none", "search"),
  row("--machine=64", "none", "search"),
  row("--machine=arch=native", "none", local("native-processor")),
  row("--machine=cpu=native", "none", local("native-processor")),
  row("--machine=tune=native", "none", local("native-processor")),
  row("--no-standard-includes", "none", "search"),
  row("--no-sysroot-suffix", "none", "search"),
  row("--no-system-header-prefix", "separate", "pass", "clang"),
  row("--output", "separate", "output"),
  row("--output-pch=", "either", local("precompiling")),
  row("--output=", "joined", "output"),
  row("--param", "either", "pass"),
  row("--precompile", "none", local("modules")),
  row("--prefix", "separate", "part"),
  row("--prefix=", "joined", "part"),
  row("--preprocess", "none", "preprocess"),
  row("--print-", "joined", local("no-compilation")),
  row("--print-missing-file-dependencies", "none", local("depend-generated")),
  row("--rtlib", "separate", "pass", "clang"),
  row("--serialize-diagnostics", "separate", "output-file", "clang"),
  row("--specs", "separate", "part"),
  row("--specs=", "joined", "part"),
  row("--stdlib", "separate", "search"),
  row("--stdlib=", "joined", "search"),
  row("--sysroot", "separate", "search"),
  row("--sysroot=", "joined", "search"),
  row("--system-header-prefix", "separate", "pass", "clang"),
  row("--target", "separate", "search", "clang"),
  row("--target-help", "none", local("no-compilation")),
  row("--target=", "joined", "search"),
  row("--undefine-macro", "separate", "pass"),
  row("--user-dependencies", "none", "depend-only"),
  row("--verbose", "none", local("verbose")),
  row("--version", "none", local("no-compilation")),
  row("--write-dependencies", "none", "depend"),
  row("--write-user-dependencies", "none", "depend"),
  row("-A", "either", "pass"),
  row("-B", "either", "part"),
  row("-D", "either", "pass"),
  row("-E", "none", "preprocess"),
  row("-F", "either", "search"),
  row("-G", "either", "pass"),
  row("-Hd", "separate", "pass", "gcc"),
  row("-Hf", "separate", "pass", "gcc"),
  row("-I", "either", "bracket-folder"),
  row("-I-", "none", "split-search"),
  row("-J", "either", "pass", "gcc"),
  row("-L", "either", "pass"),
  row("-M", "none", "depend-only"),
  row("-MD", "none", "depend"),
  row("-MF", "either", "depend-file"),
  row("-MG", "none", local("depend-generated")),
  row("-MJ", "either", "output-file", "clang"),
  row("-MM", "none", "depend-only"),
  row("-MMD", "none", "depend"),
  row("-MP", "none", "pass"),
  row("-MQ", "either", "pass"),
  row("-MT", "either", "pass"),
  row("-R", "either", "pass", "gcc"),
  row("-S", "none", "assembly-output"),
  row("-T", "either", "pass"),
  row("-Tbss", "either", "pass"),
  row("-Tdata", "either", "pass"),
  row("-Ttext", "either", "pass"),
  row("-U", "either", "pass"),
  row("-V", "either", "pass"),
  row("-Wa,", "joined", "assembler-words"),
  row("-Wp,", "joined", "preprocessor-words"),
  row("-Xanalyzer", "separate", "pass"),
  row("-Xarch_", "joined and separate", "pass"),
  row("-Xassembler", "separate", "assembler-word"),
  row("-Xclang", "separate", "clang-word"),
  row("-Xcuda-fatbinary", "separate", "pass"),
  row("-Xcuda-ptxas", "separate", "pass"),
  row("-Xf", "separate", "pass", "gcc"),
  row("-Xlinker", "separate", "pass"),
  row("-Xopenmp-target", "separate", "pass"),
  row("-Xopenmp-target=", "joined and separate", "pass"),
  row("-Xpreprocessor", "separate", "preprocessor-word"),
  row("-allowable_client", "separate", "pass", "clang"),
  row("-arch", "separate", "search", "clang"),
  row("-arcmt-migrate-report-output", "separate", "pass", "clang"),
  row("-aux-info", "separate", "output-file", "gcc"),
  row("-b", "either", "pass", "clang"),
  row("-bundle_loader", "separate", "pass", "clang"),
  row("-c", "none", "compile"),
  row("-cc1", "joined", local("no-compilation"), "clang"),
  row("-ccc-", "joined", local("clang-options"), "clang"),
  row("-ccc-arcmt-migrate", "separate", local("clang-options"), "clang"),
  row("-ccc-gcc-name", "separate", local("clang-options"), "clang"),
  row("-ccc-install-dir", "separate", local("clang-options"), "clang"),
  row("-ccc-objcmt-migrate", "separate", local("clang-options"), "clang"),
  row("-client_name", "either", "pass", "clang"),
  row("-compatibility_version", "either", "pass", "clang"),
  row("-current_version", "either", "pass", "clang"),
  row("-cxx-isystem", "either", "search", "clang"),
  row("-d", "joined", "debug-letters"),
  row("-dependency-dot", "separate", "output-file", "clang"),
  row("-dependency-file", "separate", "output-file", "clang"),
  row("-dsym-dir", "either", "pass", "clang"),
  row("-dumpbase", "separate", "pass", "gcc"),
  row("-dumpbase-ext", "separate", "pass", "gcc"),
  row("-dumpdir", "separate", "pass", "gcc"),
  row("-dumpfullversion", "none", local("no-compilation")),
  row("-dumpmachine", "none", local("no-compilation")),
  row("-dumpspecs", "none", local("no-compilation")),
  row("-dumpversion", "none", local("no-compilation")),
  row("-dylib_file", "separate", "pass", "clang"),
  row("-e", "either", "pass"),
  row("-emit-ast", "none", local("no-compilation"), "clang"),
  row("-emit-interface-stubs", "none", local("no-compilation"), "clang"),
  row("-emit-llvm", "none", "emit-llvm", "clang"),
  row("-emit-merged-ifs", "none", local("no-compilation"), "clang"),
  row("-exported_symbols_list", "separate", "pass", "clang"),
  row("-fansi-escape-codes", "none", "pass"),
  row("-fcolor-diagnostics", "none", "pass"),
  row("-fdebug-compilation-dir", "separate", "pass", "clang"),
  row("-fdiagnostics-color", "joined", "pass"),
  row("-fdiagnostics-plain-output", "none", "pass"),
  row("-filelist", "separate", "pass", "clang"),
  row("-fintrinsic-modules-path", "separate", "pass", "gcc"),
  row("-fmodule", "joined", local("modules")),
  row("-fmodules-user-build-path", "separate", local("modules")),
  row("-fmodulo-", "joined", "pass"),
  row("-fnew-alignment", "separate", "pass", "clang"),
  row("-fno-color-diagnostics", "none", "pass"),
  row("-fno-diagnostics-color", "none", "pass"),
  row("-force_load", "separate", "pass", "clang"),
  row("-fplugin-arg-", "joined", "plugin-argument"),
  row("-fplugin=", "joined", "part"),
  row("-framework", "separate", "pass", "clang"),
  row("-fsyntax-only", "none", "syntax-only"),
  row("-ftrapv-handler", "separate", "pass", "clang"),
  row("-fxray-always-instrument=", "either", "pass"),
  row("-fxray-attr-list=", "either", "pass"),
  row("-fxray-instruction-threshold", "separate", "pass", "clang"),
  row("-fxray-instruction-threshold=", "either", "pass"),
  row("-fxray-instrumentation-bundle=", "either", "pass"),
  row("-fxray-modes=", "either", "pass"),
  row("-fxray-never-instrument=", "either", "pass"),
  row("-gcc-toolchain", "separate", "search", "clang"),
  row("-gen-cdb-fragment-path", "separate", local("extra-output"), "clang"),
  row("-gnatO", "separate", "pass", "gcc"),
  row("-h", "either", "pass", "gcc"),
  row("-help", "none", local("no-compilation"), "clang"),
  row("-idirafter", "either", "after-folder"),
  row("-iframework", "either", "search"),
  row("-iframeworkwithsysroot", "either", "search"),
  row("-imacros", "either", "include-file"),
  row("-image_base", "separate", "pass", "clang"),
  row("-imultiarch", "either", "search"),
  row("-imultilib", "either", "search"),
  row("-include", "either", "include-file"),
  row("-include-pch", "separate", "pass", "clang"),
  row("-index-store-path", "separate", "pass", "clang"),
  row("-init", "separate", "pass", "clang"),
  row("-install_name", "separate", "pass", "clang"),
  row("-iprefix", "either", "search"),
  row("-iquote", "either", "quote-folder"),
  row("-isysroot", "either", "search"),
  row("-isystem", "either", "system-folder"),
  row("-isystem-after", "either", "after-folder", "clang"),
  row("-ivfsoverlay", "either", "pass", "clang"),
  row("-iwithprefix", "either", "search"),
  row("-iwithprefixbefore", "either", "search"),
  row("-iwithsysroot", "either", "search", "clang"),
  row("-l", "either", "pass"),
  row("-m16", "none", "search"),
  row("-m32", "none", "search"),
  row("-m64", "none", "search"),
  row("-meabi", "separate", "pass", "clang"),
  row("-mllvm", "separate", "pass"),
  row("-module-dependency-dir", "separate", local("extra-output"), "clang"),
  row("-module-file-info", "none", local("no-compilation"), "clang"),
  row("-mthread-model", "separate", "pass"),
  row("-multiply_defined", "separate", "pass", "clang"),
  row("-multiply_defined_unused", "separate", "pass", "clang"),
  row("-mx32", "none", "search"),
  row("-no-canonical-prefixes", "none", "search"),
  row("-no-sysroot-suffix", "none", "search"),
  row("-nobuiltininc", "none", "search"),
  row("-nostdinc", "none", "search"),
  row("-nostdinc++", "none", "search"),
  row("-nostdlibinc", "none", "search"),
  row("-o", "either", "output"),
  row("-objcmt-", "joined", local("clang-options"), "clang"),
  row("-object-file-name", "separate", "pass", "clang"),
  row("-pagezero_size", "separate", "pass", "clang"),
  row("-print-", "joined", local("no-compilation")),
  row("-read_only_relocs", "separate", "pass", "clang"),
  row("-resource-dir", "separate", "search", "clang"),
  row("-resource-dir=", "joined", "search", "clang"),
  row("-rewrite-", "joined", local("no-compilation"), "clang"),
  row("-rpath", "separate", "pass", "clang"),
  row("-sectalign", "three", "pass", "clang"),
  row("-sectcreate", "three", "pass", "clang"),
  row("-sectobjectsymbols", "two", "pass", "clang"),
  row("-sectorder", "three", "pass", "clang"),
  row("-seg1addr", "either", "pass", "clang"),
  row("-seg_addr_table", "separate", "pass", "clang"),
  row("-seg_addr_table_filename", "separate", "pass", "clang"),
  row("-segaddr", "two", "pass", "clang"),
  row("-segcreate", "three", "pass", "clang"),
  row("-segprot", "three", "pass", "clang"),
  row("-segs_read_only_addr", "separate", "pass", "clang"),
  row("-segs_read_write_addr", "separate", "pass", "clang"),
  row("-serialize-diagnostics", "separate", "output-file", "clang"),
  row("-specs", "separate", "part"),
  row("-specs=", "joined", "part"),
  row("-stdlib", "none", "pass"),
  row("-stdlib++-isystem", "either", "search", "clang"),
  row("-stdlib=", "joined", "search"),
  row("-target", "separate", "search", "clang"),
  row("-u", "either", "pass"),
  row("-umbrella", "separate", "pass", "clang"),
  row("-undef", "none", "pass"),
  row("-undefined", "separate", "pass", "clang"),
  row("-unexported_symbols_list", "separate", "pass", "clang"),
  row("-v", "none", local("verbose")),
  row("-verify-pch", "none", local("no-compilation"), "clang"),
  row("-weak_framework", "separate", "pass", "clang"),
  row("-weak_library", "separate", "pass", "clang"),
  row("-weak_reference_mismatches", "separate", "pass", "clang"),
  row("-working-directory", "either", local("working-folder"), "clang"),
  row("-wrapper", "separate", local("wrapper"), "gcc"),
  row("-x", "either", "language"),
  row("-z", "either", "pass"),
];

const BY_NAME: Readonly<Record<Family, ReadonlyMap<string, Option>>> = {
  gcc: namesOf("gcc"),
  clang: namesOf("clang"),
};
const LONGEST = Math.max(...OPTIONS.map(({ name }) => name.length));

function namesOf(family: Family): ReadonlyMap<string, Option> {
  return new Map(
    OPTIONS.filter(({ only }) => only === undefined || only === family)
      .map((option) => [option.name, option]),
  );
}

/** The option that `argument` is, by the longest name that fits; `undefined` if none does. */
export function findOption(argument: string, family: Family = "gcc"): Option | undefined {
  for (let length = Math.min(argument.length, LONGEST); length > 0; length--) {
    const option = BY_NAME[family].get(argument.slice(0, length));
    if (!option) continue;
    if (length === argument.length || takesJoined(option)) return option;
  }
  return undefined;
}

/** How many of the arguments behind `argument` are the values of `option`. */
export function separateValues({ name, form }: Option, argument: string): number {
  switch (form) {
    case "none":
    case "joined":
      return 0;
    case "either":
      return argument.length === name.length ? 1 : 0;
    case "separate":
    case "joined and separate":
      return 1;
    case "two":
      return 2;
    case "three":
      return 3;
  }
}

function takesJoined({ form }: Option): boolean {
  return form === "joined" || form === "either" || form === "joined and separate";
}

/** Arguments that belong together: an option with its values, or what is no option. */
export interface WholeOption {
  readonly option: Option | undefined;
  /** The first of them. */
  readonly arg: string;
  readonly whole: readonly string[];
}

/** The arguments behind a compiler's name, those that belong together at a time. */
export function* wholeOptions(args: readonly string[]): Generator<WholeOption> {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    const option = findOption(arg);
    const count = option ? separateValues(option, arg) : 0;
    yield { option, arg, whole: args.slice(index, index + 1 + count) };
    index += count;
  }
}
