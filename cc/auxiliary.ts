/**
 * The files that a compiler may write beside its object, as far as the command line tells: what comes back
 * from a worker is written only if it is declared here.
 */
import {
  auxiliaryNames,
  isNamed,
  type Naming,
  type SpelledOption,
  valueOf,
  withoutSuffix,
} from "./auxiliary_names.ts";

/** Files of which only the beginning of the name is known. */
export interface FileFamily {
  /** As the compiler spells it, with the folder; no file's name is all of it. */
  readonly prefix: string;
  /** What may follow; never a slash. */
  readonly rest: RegExp;
}

/** What a compilation writes, its object or assembly left aside. */
export interface Auxiliary {
  /** As the compiler spells them, each once. */
  readonly files: readonly string[];
  readonly families: readonly FileFamily[];
  /** Those of {@linkcode Auxiliary.files} that the compiler may read again once it has written them. */
  readonly readAgain: readonly string[];
  /** Those that are opened to be read, too, though emptied: GCC's gcov-io.cc, gcov_open(). */
  readonly notes: readonly string[];
  /** Whether there may be files whose names cannot be told. */
  readonly unknown: boolean;
}

/** GCC's dumps: `.` number, kind of pass, `.` name; gcc/dumpfile.cc, dump_manager::get_dump_file_name(). */
const PASS_DUMP = /^\d+[a-z]\.[^/]+$/;
/** gcc/analyzer/engine.cc; each node of the exploded graph may have a file. */
const ANALYZER_DUMP =
  /^(?:analyzer\.(?:txt|json\.gz)|(?:callgraph|supergraph|supergraph-eg|state-purge|eg)\.dot|eg\.txt|en-\d+\.txt)$/;

/** Where GCC and clang leave notes for gcov(1). */
const NOTES = ".gcno";
/** Suffixes to the base name of auxiliary files, by the option that asks for them. */
const BY_SUFFIX: readonly { readonly option: RegExp; readonly suffixes: readonly string[] }[] = [
  { option: /^(?:--?coverage|-ftest-coverage)$/, suffixes: [NOTES] },
  { option: /^-fstack-usage$/, suffixes: [".su"] },
  { option: /^-fcallgraph-info/, suffixes: [".ci"] },
  { option: /^-gsplit-dwarf/, suffixes: [".dwo"] },
  { option: /^-emit-interface-stubs$/, suffixes: [".ifs"] },
];
/** GCC 13 manual, "Diagnostic Message Formatting": files are named for the source, later for the dumps. */
const MESSAGE_SUFFIXES: ReadonlyMap<string, string> = new Map([
  ["sarif-file", ".sarif"],
  ["json-file", ".gcc.json"],
]);
/** What becomes of a source on its way to an object, by its language. */
const TEMPORARY_SUFFIXES = [".i", ".ii", ".mi", ".mii", ".s", ".bc", ".tmp.bc"];
/** gcc/dumpfile.cc, dump_open(): names that stand for streams. */
const STREAMS: ReadonlySet<string> = new Set(["stderr", "stdout", "-"]);
/** Options whose files have random names, or are added to. */
const UNKNOWN_FILES = /^-(?:fcompare-debug|fproc-stat-report=|time=)/;

/** Files of an option's own value: `-NAME VALUE`, `-NAME=VALUE`. */
const NAMED_FILES: readonly string[] = [
  "aux-info",
  "foptimization-record-file",
  "fprofile-note",
  "fdump-go-spec",
];

/** The dependency file of a compilation for which -MD or -MMD asks and that -MF does not name. */
export function dependFileOf(naming: Naming): string {
  const { output } = naming;
  return `${output === undefined ? auxiliaryNames(naming).base : withoutSuffix(output)}.d`;
}

/** What {@linkcode auxiliaryOf} reads. */
export interface AuxiliaryQuestion extends Naming {
  /** Files that options name as outputs. */
  readonly outputFiles: readonly string[];
}

/** The files that a compilation may write beside its object and its dependency file. */
export function auxiliaryOf(naming: AuxiliaryQuestion): Auxiliary {
  const names = auxiliaryNames(naming);
  const files = new Set(naming.outputFiles);
  const readAgain = new Set<string>();
  const notes = new Set<string>();
  const dumps = new Set<RegExp>();
  let unknown = false;

  const dumped = (option: SpelledOption) => {
    const { argument } = option;
    const file = argument.includes("=") ? valueOf(option) : undefined;
    // Named for the headers, in the working folder.
    if (argument.startsWith("-fdump-ada-spec")) unknown = true;
    else if (argument.startsWith("-fdump-final-insns")) {
      files.add(file === undefined || file === "." ? `${names.dump}.gkd` : file);
    } else if (argument.startsWith("-fdump-analyzer")) dumps.add(ANALYZER_DUMP);
    else if (file === undefined) dumps.add(PASS_DUMP);
    else if (!STREAMS.has(file)) files.add(file);
  };

  const timed = (option: SpelledOption) => {
    const file = option.argument.includes("=") ? valueOf(option) : `${names.base}.json`;
    // Later versions of clang take a folder, too.
    if (file.endsWith("/")) unknown = true;
    files.add(file);
  };

  for (const option of naming.options) {
    const { argument } = option;
    for (const { option: pattern, suffixes } of BY_SUFFIX) {
      if (!pattern.test(argument)) continue;
      for (const suffix of suffixes) {
        files.add(names.base + suffix);
        if (suffix === NOTES) notes.add(names.base + suffix);
      }
    }
    for (const name of NAMED_FILES) {
      if (!isNamed(option, name)) continue;
      files.add(valueOf(option));
      if (name === "fprofile-note") notes.add(valueOf(option));
    }
    if (/^--?save-temps/.test(argument)) {
      for (const suffix of TEMPORARY_SUFFIXES) readAgain.add(names.temporary + suffix);
    } else if (argument.startsWith("-save-stats")) files.add(`${names.temporary}.stats`);
    else if (argument.startsWith("-fsave-optimization-record")) {
      files.add(`${names.dump}.opt-record.json.gz`);
      for (const format of ["yaml", "bitstream"]) files.add(`${names.base}.opt.${format}`);
    } else if (/^-ftime-trace(?:=|$)/.test(argument)) timed(option);
    else if (argument.startsWith("-fdiagnostics-format=")) {
      const suffix = MESSAGE_SUFFIXES.get(valueOf(option));
      for (const base of [naming.source, names.dump]) if (suffix) files.add(base + suffix);
    } else if (argument.startsWith("-fopt-info")) {
      const file = argument.includes("=") ? valueOf(option) : "stderr";
      if (!STREAMS.has(file)) files.add(file);
    } else if (argument.startsWith("-fdump-") && !argument.startsWith("-fdump-go-spec")) {
      dumped(option);
    } else if (/^-d[a-zA-Z]*a/.test(argument) || isNamed(option, "dump")) dumps.add(PASS_DUMP);
    else if (UNKNOWN_FILES.test(argument)) unknown = true;
  }
  for (const file of readAgain) files.add(file);
  files.delete("-");
  return {
    files: [...files],
    families: [...dumps].map((rest) => ({ prefix: `${names.dump}.`, rest })),
    readAgain: [...readAgain],
    notes: [...notes],
    unknown,
  };
}
