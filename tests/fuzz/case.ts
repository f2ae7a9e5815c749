/** What a case of the fuzzer is: a tree, commands to run in it, and what surrounds them. */

/** Something in a case's folder. */
export type Entry =
  | { readonly kind: "file"; readonly path: string; readonly text: string; readonly mode: number }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "hardlink"; readonly path: string; readonly target: string }
  | { readonly kind: "folder"; readonly path: string; readonly mode: number };

/** A command of a case. */
export type Step =
  /** The compiler, with these arguments. */
  | { readonly kind: "compile"; readonly args: readonly string[] }
  /** Any other command, the same on both sides but for `$CC` and `$CXX`, which are the case's compilers, or `llamacc` and `llamac++`. */
  | { readonly kind: "run"; readonly command: readonly string[] };

/** A case. `{ROOT}` in arguments, links, texts and variables is its folder's path. */
export interface FuzzCase {
  /** Name of the compiler in PATH. */
  readonly compiler: string;
  readonly entries: readonly Entry[];
  readonly steps: readonly Step[];
  /** Where commands run, relative to the folder; may be a link. */
  readonly cwd: string;
  readonly umask: number;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

/** Compilers that cases name; a case whose compiler is not installed is skipped. */
export const COMPILERS = [
  "gcc",
  "g++",
  "cc",
  "c++",
  "clang",
  "clang++",
  "gcc-11",
  "g++-11",
  "aarch64-linux-gnu-gcc",
  "aarch64-linux-gnu-g++",
] as const;

/** A case as a shell script that shows it; what follows `{ROOT}` holds in any empty folder. */
export function scriptOf({ compiler, entries, steps, cwd, umask, env, stdin }: FuzzCase): string {
  const lines = entries.map((entry) => {
    const folder = parentOf(entry.path);
    const make = folder === "." ? "" : `mkdir -p ${quote(folder)}; `;
    const path = quote(entry.path);
    switch (entry.kind) {
      case "file":
        return `${make}printf %s ${quote(entry.text)} >${path}; chmod ${octal(entry.mode)} ${path}`;
      case "link":
        return `${make}ln -s ${quote(entry.target)} ${path}`;
      case "hardlink":
        return `${make}ln ${quote(entry.target)} ${path}`;
      case "folder":
        return `mkdir -p ${path}; chmod ${octal(entry.mode)} ${path}`;
    }
  });
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quote(value)} `).join("");
  const input = stdin === "" ? "" : `printf %s ${quote(stdin)} | `;
  const commands = steps.map((step) =>
    step.kind === "run"
      ? step.command.map(quote).join(" ")
      : `${input}${variables}${[compiler, ...step.args].map(quote).join(" ")}`
  );
  return [...lines, `cd ${quote(cwd)}; umask ${octal(umask)}`, ...commands].join("\n");
}

/** The folder that a relative path is in. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, "0");
}

function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}
