/**
 * Asks a compiler which of its options take the next argument. With -### it compiles nothing and prints the
 * commands that it would run: a file that an option took is the source of none of them.
 */
import { type Family, findOption, OPTIONS, separateValues } from "../cc/options.ts";

/** What became of one compiler's options. */
export interface ProbedOptions {
  /** How many names were tried. */
  readonly tried: number;
  /** Those whose next argument the compiler takes and the table does not. */
  readonly missing: readonly string[];
  /** Those whose next argument the table takes and the compiler does not. */
  readonly extra: readonly string[];
  /** Those that the compiler does not take at all, or not with such a value. */
  readonly unclear: readonly string[];
}

/** Names that are tried at once. */
const GROUP = 48;
/** Values that the compiler would refuse if they were any other word. */
const VALUES: ReadonlyMap<string, string> = new Map([
  ["-x", "c"],
  ["--language", "c"],
  ["--param", "ggc-min-expand=10"],
  ["-mthread-model", "posix"],
  ["-arch", "x86_64"],
  ["-target", "x86_64-linux-gnu"],
  ["-working-directory", "."],
  ["--std", "c11"],
  ["--machine", "64"],
]);
/** Options that print and end, or make the compiler read all others in another way. */
const ENDS =
  /^(?:--?help|--?version|--target-help|-dump(?:machine|version|specs|fullversion)|--?print-|--autocomplete|--completion|-cc1|--driver-mode|-###|-$|--$)/;

/** Options of which a compiler itself says that they take a separate value, and those of the table. */
export async function likelyNames(compiler: string, family: Family): Promise<string[]> {
  const rows = OPTIONS.filter(({ only = family }) => only === family).map(({ name }) => name);
  const told = family === "gcc"
    ? (await output(compiler, ["--help=separate"], "/")).matchAll(/^ +(-[^\s<]+)/gm)
    : (await output(compiler, ["--help-hidden"], "/")).matchAll(/^ +(-[^\s<]+) </gm);
  return [...new Set([...rows, ...[...told].map(([, name = ""]) => name)])];
}

/** All options that a compiler names when it completes words, and those of the table. */
export async function allNames(compiler: string): Promise<string[]> {
  const names = new Set<string>(OPTIONS.map(({ name }) => name));
  const texts = await Promise.all(
    [["--completion=-"], ["--autocomplete=-"], ["--autocomplete=--"], ["--help-hidden"]].map((
      args,
    ) => output(compiler, args, "/")),
  );
  for (const line of texts.join("\n").split("\n")) {
    const [, name = "", equals = ""] = /^ *(-[^\s=<]*)(=?)/.exec(line) ?? [];
    if (name.length < 2) continue;
    names.add(name);
    if (equals !== "") names.add(`${name}=`);
  }
  return [...names].toSorted();
}

/** Tries all `names`. */
export async function probeOptions(
  compiler: string,
  family: Family,
  names: readonly string[],
): Promise<ProbedOptions> {
  const folder = await Deno.makeTempDir();
  const missing: string[] = [];
  const extra: string[] = [];
  const unclear: string[] = [];
  const tried = names.filter((name) => !ENDS.test(name));
  try {
    const settle = async (group: readonly string[]): Promise<void> => {
      // Some options make the driver remove or write what they name, even so.
      for (const name of ["last.c", ...group.map((_, index) => `p${index}.c`)]) {
        await Deno.writeTextFile(`${folder}/${name}`, "");
      }
      const args = group.flatMap((name, index) => [name, ...valuesFor(name, index, family)]);
      const text = await output(compiler, ["-###", "-c", ...args, "last.c"], folder);
      const compiled = sourcesIn(text);
      const expected = group.flatMap((name, index) => {
        if (VALUES.has(name) || takesNext(name, family)) return [];
        return [`p${index}.c`];
      });
      const isSo = compiled.has("last.c") && compiled.size === expected.length + 1 &&
        expected.every((name) => compiled.has(name));
      if (isSo) return;
      const [name = ""] = group;
      if (group.length > 1) {
        const refused = group.filter((name) => isRefused(name, text));
        const rest = group.filter((name) => !refused.includes(name));
        const half = rest.length >> 1;
        const parts = refused.length > 0 ? [rest] : [rest.slice(0, half), rest.slice(half)];
        for (const part of [...refused.map((name) => [name]), ...parts]) {
          if (part.length > 0) await settle(part);
        }
      } else if (!compiled.has("last.c")) unclear.push(name);
      else if (takesNext(name, family)) extra.push(name);
      else missing.push(name);
    };
    for (let start = 0; start < tried.length; start += GROUP) {
      await settle(tried.slice(start, start + GROUP));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return { tried: tried.length, missing, extra, unclear };
}

/** As many values as the table says, and one if it says none: that one is a source then. */
function valuesFor(name: string, index: number, family: Family): string[] {
  const option = findOption(name, family);
  const count = option ? separateValues(option, name) : 0;
  return Array.from({ length: Math.max(1, count) }, () => VALUES.get(name) ?? `p${index}.c`);
}

function takesNext(name: string, family: Family): boolean {
  const option = findOption(name, family);
  return option !== undefined && separateValues(option, name) > 0;
}

/** Whether the driver complains of that option. */
function isRefused(name: string, text: string): boolean {
  return text.split("\n").some((line) =>
    /error: /.test(line) && (line.includes(`'${name}'`) || line.includes(`'${name} `))
  );
}

/** The sources that the printed commands compile. */
function sourcesIn(text: string): Set<string> {
  const found = text.matchAll(/ (\w+\.c) -quiet |"-main-file-name" "(\w+\.c)"/g);
  return new Set([...found].map(([, gcc, clang]) => gcc ?? clang ?? ""));
}

async function output(compiler: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(compiler, {
    args: [...args],
    cwd,
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}
