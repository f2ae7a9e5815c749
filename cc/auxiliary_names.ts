/**
 * What compilers call the files that they write beside an object: base names, to which each kind of file
 * adds a suffix of its own.
 *
 * Source: GCC 12 manual, "Overall Options" (-dumpdir, -dumpbase, -dumpbase-ext, -save-temps), and
 * process_command() of gcc/gcc.cc; clang's Driver::GetNamedOutputPath() and its tools' own rules.
 */
import type { Family } from "./options.ts";

/** An option as the command line has it. */
export interface SpelledOption {
  /** The argument itself, with its value if that is joined. */
  readonly argument: string;
  /** The value, if it is an argument of its own. */
  readonly value: string | undefined;
}

/** The parts of a command line that name auxiliary files. */
export interface Naming {
  readonly family: Family;
  readonly options: readonly SpelledOption[];
  readonly source: string;
  /** What -o says. */
  readonly output: string | undefined;
}

/** Base names, all spelled as the compiler opens them. */
export interface AuxiliaryNames {
  /** Most files: `dir/x`. */
  readonly base: string;
  /** GCC's dumps, with the source's suffix: `dir/x.c`. */
  readonly dump: string;
  /** Intermediate files that are kept: `dir/x`, or with clang the source's name. */
  readonly temporary: string;
}

/** The base names of a compilation. */
export function auxiliaryNames(naming: Naming): AuxiliaryNames {
  return naming.family === "clang" ? clangNames(naming) : gccNames(naming);
}

function clangNames({ options, source, output }: Naming): AuxiliaryNames {
  const stem = withoutSuffix(baseName(source));
  // Clang takes even /dev/null for a name.
  const base = output === undefined ? stem : withoutSuffix(output);
  const save = options.findLast(({ argument }) => /^--?save-(?:temps|stats)/.test(argument));
  const besideObject = save?.argument.endsWith("=obj") && output !== undefined;
  return { base, dump: base, temporary: besideObject ? folderOf(output) + stem : stem };
}

function gccNames({ options, source, output: spelled }: Naming): AuxiliaryNames {
  // GCC's not_actual_file_p().
  const output = spelled === "-" || spelled === "/dev/null" ? undefined : spelled;
  let folder: string | undefined;
  let base: string | undefined;
  let extension: string | undefined;
  let cwdOnly = false;
  let temporariesDecide = true;
  for (const option of options) {
    if (/^--?save-temps(?:=obj)?$/.test(option.argument)) {
      cwdOnly = false;
      temporariesDecide = true;
    } else if (/^--?save-temps=cwd$/.test(option.argument)) {
      cwdOnly = true;
      temporariesDecide = true;
    } else if (isNamed(option, "dumpdir")) {
      folder = valueOf(option);
      temporariesDecide = false;
    } else if (isNamed(option, "dumpbase")) {
      base = valueOf(option);
    } else if (isNamed(option, "dumpbase-ext")) {
      extension = valueOf(option);
    }
  }
  if (temporariesDecide) folder = cwdOnly || output === undefined ? undefined : folderOf(output);
  const named = (prefix: string, short: string, suffix: string): AuxiliaryNames => ({
    base: prefix + short,
    dump: prefix + short + suffix,
    temporary: prefix + short,
  });
  if (base !== undefined && base !== "") {
    const prefix = base.includes("/") ? "" : folder ?? "";
    const suffix = extension !== undefined && extension.length < base.length &&
        base.endsWith(extension)
      ? extension
      : "";
    return named(prefix, base.slice(0, base.length - suffix.length), suffix);
  }
  const name = baseName(source);
  // An empty -dumpbase asks for the source's name.
  const short = output === undefined || base === ""
    ? withoutSuffix(name)
    : withoutLaterSuffix(baseName(output));
  return named(folder ?? "", short, suffixOf(name));
}

/** The value of an option whose value is joined by `=` or an argument of its own. */
export function valueOf({ argument, value }: SpelledOption): string {
  return value ?? argument.slice(argument.indexOf("=") + 1);
}

/** Whether an option is `-NAME VALUE`, `--NAME VALUE` or either with `=`. */
export function isNamed({ argument, value }: SpelledOption, name: string): boolean {
  if (value !== undefined) return argument === `-${name}` || argument === `--${name}`;
  return argument.startsWith(`-${name}=`) || argument.startsWith(`--${name}=`);
}

/** `path` behind its last slash. */
function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

function suffixOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? "" : name.slice(dot);
}

/** `path` without the suffix of its last component. */
export function withoutSuffix(path: string): string {
  const suffix = suffixOf(baseName(path));
  return suffix === "" ? path : path.slice(0, -suffix.length);
}

/** As {@linkcode withoutSuffix}, but a dot at the beginning begins no suffix. */
function withoutLaterSuffix(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot < 1 ? name : name.slice(0, dot);
}
