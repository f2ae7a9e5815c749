/** Command lines for a tree. */
import type { Entry, FuzzCase, Step } from "./case.ts";
import { COMPILERS, parentOf } from "./case.ts";
import { makeMode, makeOption } from "./options.ts";
import { createRandom, type Random } from "./random.ts";
import { makeScenario } from "./scenarios.ts";
import { makeTree, type Tree } from "./tree.ts";

/** The case of a seed. */
export function makeCase(seed: number): FuzzCase {
  const random = createRandom(seed);
  const compiler = random.weighted(
    COMPILERS.map((name) => [/^(?:gcc|g\+\+|clang|clang\+\+)$/.test(name) ? 6 : 1, name] as const),
  );
  if (random.chance(0.06)) return makeScenario(random, compiler);
  const tree = makeTree(random);
  const entries = [...tree.entries];
  const steps: Step[] = [];
  for (let left = random.chance(0.06) ? 2 : 1; left > 0; left--) {
    const { args, output } = makeArguments(random, tree);
    if (random.chance(0.12)) entries.push(...existing(random, output));
    steps.push({ kind: "compile", args: respond(random, args, entries) });
  }
  return {
    compiler,
    entries,
    steps,
    cwd: random.weighted([[20, "."], [2, "sub"], [1, "inc"], [1, "cwd link"]]),
    umask: random.weighted([[20, 0o022], [2, 0o077], [1, 0], [1, 0o027], [0.3, 0o777]]),
    env: makeEnvironment(random),
    stdin: random.chance(0.3) ? "int from_stdin;\n" : "",
    ...(random.chance(0.03) && closed(random, entries)),
  };
}

interface Arguments {
  readonly args: readonly string[];
  /** Where the first output is likely to go. */
  readonly output: string;
}

function makeArguments(random: Random, tree: Tree): Arguments {
  const mode = makeMode(random);
  const options = [mode];
  for (let left = random.int(5); left > 0; left--) options.push(makeOption(random, tree));
  const sources = random.weighted([
    [16, [random.pick(tree.sources)]],
    [2, tree.sources],
    [1, [random.pick(["nothing.c", "sub", "", "-", "inc", "./a.c", "{ROOT}/a.c", "a.c/"])]],
    [0.3, []],
  ]).map((path) => respell(random, path));
  const first = sources[0] ?? "a.c";
  const suffix = mode.includes("-S") ? ".s" : mode.includes("-c") ? ".o" : "";
  const base = first.slice(first.lastIndexOf("/") + 1).replace(/\.[^.]*$/, "");
  const written = random.weighted([
    [40, undefined],
    [20, `out${suffix}`],
    [8, `sub/out${suffix}`],
    [4, `{ROOT}/abs${suffix}`],
    [2, "noext"],
    [2, `two.dots${suffix}`],
    [2, `out put${suffix}`],
    [1, `no/such/out${suffix}`],
    [1, "sub"],
    [1, "-"],
    [1, "/dev/null"],
    [1, ""],
    [1, "a.c"],
    [1, `./sub/../out${suffix}`],
  ]);
  const output = written === undefined
    ? []
    : random.chance(0.2)
    ? [`-o${written}`]
    : ["-o", written];
  // -x counts for what follows it, and every order occurs.
  const parts = [...options, output, ...sources.map((source) => [source])];
  const args = (random.chance(0.8) ? random.shuffled(parts) : parts).flat();
  if (random.chance(0.01)) args.pop();
  return { args, output: written ?? (suffix === "" ? "a.out" : base + suffix) };
}

function respell(random: Random, path: string): string {
  return random.weighted([
    [20, path],
    [2, `./${path}`],
    [1, `{ROOT}/${path}`],
    [1, `sub/../${path}`],
    [0.3, `sub//..///${path}`],
  ]);
}

/** What a command finds where it wants to write. */
function existing(random: Random, output: string): Entry[] {
  if (!/^[\w .]+$/.test(output) || output === "sub") return [];
  const file = (path: string, text: string, mode: number): Entry => ({
    kind: "file",
    path,
    text,
    mode,
  });
  const path = random.chance(0.7) ? output : `${output.replace(/\.[^.]*$/, "")}.d`;
  const mode = random.pick([0o644, 0o600, 0o444, 0o755, 0o000, 0o200]);
  return random.weighted<Entry[]>([
    [4, [file(path, "kept\n", mode)]],
    [3, [file(path, "", mode)]],
    [1, [{ kind: "link", path, target: "dangling" }]],
    [1, [file("target", "kept\n", mode), { kind: "link", path, target: "target" }]],
    [1, [file("target", "kept\n", mode), { kind: "hardlink", path, target: "target" }]],
    [1, [{ kind: "folder", path, mode: 0o755 }]],
    [1, [{ kind: "link", path, target: "sub" }]],
    [1, [{ kind: "link", path, target: path }]],
  ]);
}

/** Puts a part of the arguments into response files, at times. */
function respond(random: Random, args: readonly string[], entries: Entry[]): readonly string[] {
  if (!random.chance(0.08) || args.length < 2) return args;
  const at = random.int(args.length);
  const upTo = at + random.int(args.length - at + 1);
  const name = random.pick(["args", "sub/args", "my args.rsp"]);
  const quote = random.pick([
    (word: string) => `"${word.replaceAll(/[\\"]/g, "\\$&")}"`,
    (word: string) => `'${word.replaceAll("'", "'\\''")}'`,
    (word: string) => word.replaceAll(/[\s\\'"]/g, "\\$&"),
    (word: string) => word,
  ]);
  const inside = respond(random, args.slice(at, upTo), entries);
  const text = inside.map(quote).join(random.pick([" ", "\n", "\r\n", "  \t"]));
  entries.push({ kind: "file", path: name, text: text + random.pick(["", "\n"]), mode: 0o644 });
  const word = random.chance(0.05) ? "@no such" : `@${name}`;
  return [...args.slice(0, at), word, ...args.slice(upTo)];
}

function makeEnvironment(random: Random): Record<string, string> {
  const env: Record<string, string> = {};
  const maybe = (probability: number, name: string, ...values: string[]) => {
    if (random.chance(probability)) env[name] = random.pick(values);
  };
  maybe(0.3, "LLAMACC_REMOTE_ASSEMBLE", "1");
  maybe(0.1, "TMPDIR", "{ROOT}/tmp", "{ROOT}/nothing", "sub", "");
  maybe(0.1, "SOURCE_DATE_EPOCH", "0", "1700000000", "nonsense", "");
  maybe(0.1, "LC_ALL", "C", "C.UTF-8", "POSIX", "xx_YY");
  maybe(0.04, "CPATH", "{ROOT}/inc", "inc:sub", ":", "");
  maybe(0.03, "C_INCLUDE_PATH", "{ROOT}/inc", "inc");
  maybe(0.03, "CPLUS_INCLUDE_PATH", "{ROOT}/inc", "inc");
  maybe(0.008, "COMPILER_PATH", "{ROOT}/sub", "/usr/bin");
  maybe(0.008, "DEPENDENCIES_OUTPUT", "deps.txt", "deps.txt target");
  maybe(0.008, "SUNPRO_DEPENDENCIES", "sun.txt");
  maybe(0.008, "GCC_EXEC_PREFIX", "/usr/lib/gcc/", "{ROOT}/");
  maybe(0.02, "TZ", "Europe/Berlin", "UTC0", "nonsense");
  maybe(0.008, "CCC_OVERRIDE_OPTIONS", "+-O1");
  maybe(0.008, "GCC_COMPARE_DEBUG", "1");
  maybe(0.02, "COLUMNS", "30");
  return env;
}

/** Makes something unreadable. */
function closed(random: Random, entries: Entry[]): Record<string, never> {
  const at = random.int(entries.length);
  const entry = entries[at];
  if (entry?.kind === "file") entries[at] = { ...entry, mode: random.pick([0o000, 0o200, 0o111]) };
  if (entry?.kind === "folder" && parentOf(entry.path) === ".") {
    entries[at] = { ...entry, mode: random.pick([0o555, 0o444, 0o111, 0o000]) };
  }
  return {};
}
