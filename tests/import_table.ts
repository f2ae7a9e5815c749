/**
 * Who may import whom, as ARCHITECTURE.md has it: a room is a folder, and an arrow from one to another
 * exists only if the table below has it. Tests are bound by one rule alone, that nobody imports an
 * executable's module.
 */

/** One import of a module. */
export interface Arrow {
  /** Path of the importing module from the project's root. */
  readonly from: string;
  /** Path of the imported module from the project's root, or a specifier such as `node:zlib`. */
  readonly to: string;
  /** Whether it is an `import()`, an `import type`, or neither. */
  readonly kind: "static" | "dynamic" | "type";
}

/** Prefixes of the modules that each room may import, beside its own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  job: [],
  aws: ["job/bytes.ts", "job/errors.ts", "job/json.ts"],
  store: ["job/", "aws/"],
  runtime: ["job/", "store/"],
  cc: ["job/"],
  daemon: ["job/", "aws/", "store/", "cc/"],
  // The package's own name and version stand in deno.json.
  cli: ["job/", "aws/", "store/", "cc/", "daemon/", "cloud/serve.ts", "deno.json"],
  cloud: ["job/errors.ts", "job/json.ts"],
  "mod.ts": ["job/"],
};

/** Folders that are not part of the program, and may import any room. */
const TOOLS: ReadonlySet<string> = new Set(["bench", "scripts", "tests"]);

/** Modules that are programs; the public module alone may load one, when it is the main module. */
const EXECUTABLES: ReadonlySet<string> = new Set([
  "cli/llama.ts",
  "cli/llamacc.ts",
  "cli/llamacxx.ts",
  "runtime/main.ts",
]);

/** What breaks the table, one line each, sorted. */
export function violationsOf(arrows: readonly Arrow[]): string[] {
  const found = arrows.flatMap((arrow) => {
    const problem = problemOf(arrow);
    return problem === undefined ? [] : [`${arrow.from} imports ${arrow.to}: ${problem}`];
  });
  return [...new Set([...found, ...cyclesOf(arrows)])].toSorted();
}

function problemOf({ from, to, kind }: Arrow): string | undefined {
  if (EXECUTABLES.has(to) && !(from === "mod.ts" && to === "cli/llama.ts" && kind === "dynamic")) {
    return "nobody imports an executable's module";
  }
  const room = roomOf(from);
  if (isTest(from) || TOOLS.has(room)) return undefined;
  if (isTest(to)) return "it is a test";
  if (room === "job" && !to.startsWith("job/")) {
    return to === "node:zlib" ? undefined : "job stands alone";
  }
  if (!isPath(to) || roomOf(to) === room || EXECUTABLES.has(to)) return undefined;
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return `${room} is not in the table`;
  return allowed.some((prefix) => to.startsWith(prefix))
    ? undefined
    : "the table has no such arrow";
}

/** Static imports that lead back to where they start; each cycle once, from its first module. */
function cyclesOf(arrows: readonly Arrow[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, kind } of arrows) {
    if (kind === "static") next.set(from, [...next.get(from) ?? [], to]);
  }
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (module: string, trail: readonly string[]): void => {
    const start = trail.indexOf(module);
    if (start >= 0) {
      cycles.push(`${[...trail.slice(start), module].join(" -> ")}: a cycle`);
      return;
    }
    if (done.has(module)) return;
    for (const to of next.get(module) ?? []) visit(to, [...trail, module]);
    done.add(module);
  };
  for (const module of [...next.keys()].toSorted()) visit(module, []);
  return cycles;
}

function roomOf(path: string): string {
  return path.split("/")[0] ?? path;
}

function isPath(specifier: string): boolean {
  return !/^(node|npm|jsr|https?|data):/.test(specifier) && !specifier.startsWith("offline/");
}

/** Whether a module exists for tests only. */
export function isTest(path: string): boolean {
  return /_(test|fixture)\.ts$|\/testdata\//.test(path);
}
