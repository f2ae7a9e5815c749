/**
 * Which compiler llamacc stands in for, by the name that it was called by:
 *
 *     llamacc, llamac++               LLAMACC_LOCAL_CC, LLAMACC_LOCAL_CXX, else cc, c++
 *     aarch64-linux-gnu-llamacc       aarch64-linux-gnu-gcc, else -clang, else -cc
 *     llamac++-11                     g++-11, else clang++-11
 *     llamacc-clang, llamac++-clang-14   clang, clang++-14
 *     any other, such as gcc          the next one of that name in PATH
 *
 * A name with a prefix or a suffix says what it wants, so the variables do not count there: a build for
 * another machine has compilers for this one, too.
 */
import type { Settings } from "./settings.ts";

/** A compiler as it was asked for. */
export interface AskedCompiler {
  /** What to look for, the best first. */
  readonly names: readonly string[];
  /** Arguments of the compiler that stand before those of each command. */
  readonly args: readonly string[];
  /** A program that runs the compiler, such as ccache, with its own arguments. */
  readonly runner: readonly string[];
  /** Whether C counts as C++. */
  readonly cxx: boolean;
  /** The variable that would name another one. */
  readonly variable: "LLAMACC_LOCAL_CC" | "LLAMACC_LOCAL_CXX" | undefined;
}

/** `llamacc` between a prefix and a suffix. */
const OWN_NAME = /^(.+-)?llamac(c|\+\+)(?:-(gcc|clang))?(-\d[\w.]*)?$/;
/** Names of C++ compilers, with or without a version. */
const CXX_NAME = /\+\+(?:-\d[\w.]*)?$/;
/** Programs that run the compiler that their first argument or their own name tells. */
const RUNNERS = new Set(["ccache", "sccache", "distcc", "icecc", "buildcache"]);

const SIBLINGS = new Map([["gcc", "g++"], ["clang", "clang++"], ["cc", "c++"]]
  .flatMap(([c = "", cxx = ""]) => [[c, cxx], [cxx, c]]));

/** Reads the name that this program was called by; `isFile` tells whether a name is one file's. */
export function askedCompiler(
  calledAs: string,
  settings: Pick<Settings, "localCc" | "localCxx">,
  isFile: (name: string) => boolean,
): AskedCompiler {
  const base = baseOf(calledAs);
  const own = OWN_NAME.exec(base);
  const plain = { args: [], runner: [], variable: undefined };
  if (!own) return { ...plain, names: [base], cxx: CXX_NAME.test(base) };
  const [, prefix = "", ending, family, version = ""] = own;
  const cxx = ending === "++";
  if (prefix === "" && family === undefined && version === "") {
    const variable = cxx ? "LLAMACC_LOCAL_CXX" : "LLAMACC_LOCAL_CC";
    const asked = readCommand(cxx ? settings.localCxx : settings.localCc, isFile);
    const isCxx = cxx || asked.names.some((name) => CXX_NAME.test(name));
    return { ...asked, cxx: isCxx, variable };
  }
  const [gcc, clang, other] = cxx ? ["g++", "clang++", "c++"] : ["gcc", "clang", "cc"];
  const families = family === "gcc"
    ? [gcc]
    : family === "clang"
    ? [clang]
    : version === ""
    ? [gcc, clang, other]
    : [gcc, clang];
  return { ...plain, names: families.map((name) => `${prefix}${name}${version}`), cxx };
}

/** Whether a program of that name runs other compilers. */
export function isRunner(name: string): boolean {
  return RUNNERS.has(baseOf(name));
}

/**
 * The name under which the compiler of the other language is installed beside `name`: `g++-12` for `gcc-12`.
 */
export function siblingName(name: string): string | undefined {
  const match = /^(.*?)(gcc|g\+\+|clang\+\+|clang|c\+\+|cc)(-\d[\w.]*)?$/.exec(name);
  if (!match) return undefined;
  const [, prefix = "", family = "", version = ""] = match;
  return prefix + (SIBLINGS.get(family) ?? family) + version;
}

/** Reads what CC may hold in a makefile: `gcc`, `/a b/gcc`, `gcc -m32`, `ccache gcc`. */
function readCommand(
  command: string,
  isFile: (name: string) => boolean,
): Pick<AskedCompiler, "names" | "args" | "runner"> {
  const words = command.trim().split(/\s+/);
  if (words.length === 1 || isFile(command)) return { names: [command], args: [], runner: [] };
  const start = words.findIndex((word, index) => index > 0 && !word.startsWith("-"));
  const at = isRunner(words[0] ?? "") && start > 0 ? start : 0;
  return { names: [words[at] ?? ""], args: words.slice(at + 1), runner: words.slice(0, at) };
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
