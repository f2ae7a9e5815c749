/**
 * Whole projects, built by their own build systems with llamacc in a private embedded cloud and with the
 * local compiler at the same paths: every file that the build leaves must be the same.
 *
 * `LLAMA_SLOW=zlib,redis` chooses projects, `LLAMA_SLOW_UNITS=30` builds no more objects of those whose
 * objects are chosen (a machine with other work). Each row of the table goes to `~/.cache/llama/slow.md` as
 * soon as it is known. With `LLAMA_SLOW_KEEP=1` builds that differ are kept.
 */
import { assert, assertEquals } from "@std/assert";
import { run, say } from "../../scripts/demo/tools.ts";
import { inCloud, type Lab, type Stats } from "./lab.ts";
import { type Build, type Project, PROJECTS } from "./projects.ts";
import { debianSource } from "./sources.ts";
import { compareTrees } from "./trees.ts";

/** Added to the build system's own flags. */
const FLAGS = ["", "-g -gsplit-dwarf"];
/** Jobs of make; far more than cores, as a build on Lambda has. */
const JOBS = 16;

interface Compilers {
  readonly cc: string;
  readonly cxx: string;
}

const GCC: Compilers = { cc: "gcc", cxx: "g++" };
const CLANG: Compilers = { cc: "clang", cxx: "clang++" };

/** Reasons of local runs that every build has. */
const EXPECTED: ReadonlySet<string> = new Set([
  ...["assembler", "configure-probe", "depend-only", "link", "no-compilation", "no-source"],
  ...["missing-value", "preprocess-only", "stdin-source", "verbose"],
]);

const HEADER = [
  ...["project", "compiler", "flags added", "units", "remote", "jobs", "jobs per unit"],
  ...["in a second build", "inputs sent for each", "not read"],
  ...["equal files", "fallbacks", "run here, by reason", "seconds", "local compiler"],
];

const chosen = Deno.env.get("LLAMA_SLOW")?.split(",");
const unitLimit = Number(Deno.env.get("LLAMA_SLOW_UNITS") ?? Infinity);
const rows: (readonly string[])[] = [];

for (const project of PROJECTS) {
  if (chosen !== undefined && !chosen.includes(project.name)) continue;
  const source = await debianSource(
    project.package ?? project.name,
    Deno.env.toObject(),
    project.unpacked,
  );
  for (const compilers of project.clang ? [GCC, CLANG] : [GCC]) {
    Deno.test({
      name: `${project.name} built by llamacc is, byte for byte, what ${compilers.cc} builds` +
        (source.kind === "missing" ? ` (skipped: no source: ${source.reason})` : ""),
      ignore: source.kind === "missing",
      fn: () =>
        inCloud(async (lab) => {
          assert(source.kind === "found");
          const problems: string[] = [];
          for (const flags of FLAGS) {
            const comparison = { project, compilers, flags, source: source.folder };
            problems.push(...await compareBuilds(comparison, lab));
          }
          assertEquals(problems, []);
        }),
    });
  }
}

Deno.test.afterAll(async () => {
  if (rows.length === 0) return;
  await say("");
  for (const row of [HEADER, HEADER.map(() => "---"), ...rows]) await say(markdown(row));
});

interface Comparison {
  readonly project: Project;
  readonly compilers: Compilers;
  readonly flags: string;
  readonly source: string;
}

/** What a build left, and how long it took. */
interface Built {
  readonly seconds: number;
  readonly configured: Stats;
  readonly counted: Stats;
}

/** Builds elsewhere, twice unless flags are added, and here, prints a row, and returns what is not as it should be. */
async function compareBuilds(comparison: Comparison, lab: Lab): Promise<string[]> {
  const { project, compilers, flags } = comparison;
  const remote = await build(comparison, { cc: "llamacc", cxx: "llamac++" }, "remote", lab);
  const again = flags === ""
    ? await build(comparison, { cc: "llamacc", cxx: "llamac++" }, "again", lab)
    : undefined;
  if (again) await Deno.remove(`${lab.folder}/again`, { recursive: true });
  const local = await build(comparison, compilers, "local", lab);
  const { total, objects, dwos, different } = await compareTrees(
    `${lab.folder}/remote`,
    `${lab.folder}/local`,
    project.ignored ?? /^$/,
  );
  const { counted, configured } = remote;
  // Where the objects are chosen, others were there before, and some are of other compilers.
  const units = Math.min(objects, wantedUnits(project));
  await keep([
    ...[project.name, compilers.cc, flags || "none", String(units), String(counted.remote)],
    ...[String(counted.rounds), perUnit(counted)],
    again ? perUnit(again.counted) : "",
    ...[(counted.inputs / Math.max(1, counted.remote)).toFixed(0), percentUnused(counted)],
    ...[`${total - different.length} of ${total}`, list(counted.fallback)],
    list(add(configured.local, counted.local)),
    ...[remote.seconds.toFixed(1), local.seconds.toFixed(1)],
  ]);
  await say(`  void: ${list(counted.voids)}`);
  const problems = different.map((path) => `different: ${path}`);
  for (const { fallback, local } of [configured, counted, ...again ? [again.counted] : []]) {
    if (sum(fallback) > 0) problems.push(`ran here after all: ${list(fallback)}`);
    const unexpected = Object.keys(local).filter((reason) => !EXPECTED.has(reason));
    if (unexpected.length > 0) problems.push(`ran here: ${unexpected.join(", ")}`);
  }
  if (configured.remote > 0 && !project.compilesBefore) {
    problems.push(`probes that ran elsewhere: ${configured.remote}`);
  }
  if (objects < Math.min(project.atLeast, wantedUnits(project))) {
    problems.push(`only ${objects} objects`);
  }
  if (counted.remote < units) problems.push(`only ${counted.remote} of ${units} ran elsewhere`);
  if (flags.includes("-gsplit-dwarf") && dwos === 0) problems.push("no .dwo file");
  for (const problem of problems) await say(`  ${problem}`);
  const kept = problems.length > 0 && Deno.env.has("LLAMA_SLOW_KEEP")
    ? await Deno.makeTempDir({ prefix: "llama-slow-kept-" })
    : undefined;
  for (const name of ["remote", "local"]) {
    if (kept === undefined) await Deno.remove(`${lab.folder}/${name}`, { recursive: true });
    else await Deno.rename(`${lab.folder}/${name}`, `${kept}/${name}`);
  }
  if (kept !== undefined) await say(`  all is kept in ${kept}`);
  return problems.map((problem) => `${flags || "no flags added"}: ${problem}`);
}

async function build(
  { project, flags, source, compilers }: Comparison,
  used: Compilers,
  kept: string,
  { folder, options, stats }: Lab,
): Promise<Built> {
  const work = `${folder}/work`;
  const settings: Build = { ...used, flags, source, work };
  const inWork = {
    cwd: work,
    env: {
      ...options.env,
      ...project.env,
      LLAMACC_LOCAL_CC: compilers.cc,
      LLAMACC_LOCAL_CXX: compilers.cxx,
      // Messages in English and no colours, whoever runs this.
      LC_ALL: "C.UTF-8",
    },
  };
  if (project.outOfTree) await Deno.mkdir(work);
  else await run(["cp", "-a", source, work], options);
  await stats("-zero");
  for (const command of project.configure?.(settings) ?? []) await run(command, inWork);
  const targets: string[] = [];
  if (project.targets) {
    const { list, object } = project.targets;
    const count = wantedUnits(project);
    const printed = await run(list(settings), inWork);
    const found = [...printed.matchAll(object)].map(([, name = ""]) => name);
    targets.push(...[...new Set(found)].toSorted().slice(0, count));
    assertEquals(targets.length, count, "fewer objects than wanted");
  }
  const configured = await stats("-zero");
  const startMs = performance.now();
  await run([...project.make(settings), `-j${JOBS}`, ...targets], inWork);
  const seconds = (performance.now() - startMs) / 1000;
  const counted = await stats();
  await Deno.rename(work, `${folder}/${kept}`);
  return { seconds, configured, counted };
}

/** Objects to be built of a project whose objects are chosen; of others, all. */
function wantedUnits({ targets }: Project): number {
  return targets ? Math.min(targets.count, unitLimit) : Infinity;
}

/** Prints a row and keeps it, as a later project may be interrupted. */
async function keep(row: readonly string[]): Promise<void> {
  rows.push(row);
  await say(markdown(row));
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  await Deno.writeTextFile(`${cache}/llama/slow.md`, `${markdown(row)}\n`, { append: true });
}

function perUnit({ rounds, remote }: Stats): string {
  return (rounds / Math.max(1, remote)).toFixed(2);
}

function percentUnused({ inputs, inputsUsed }: Stats): string {
  return `${(100 * (1 - inputsUsed / Math.max(1, inputs))).toFixed(0)} %`;
}

function markdown(row: readonly string[]): string {
  return `| ${row.join(" | ")} |`;
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts).toSorted().map(([reason, count]) => `${reason} ${count}`)
    .join(", ") || "none";
}

function add(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const total: Record<string, number> = { ...a };
  for (const [reason, count] of Object.entries(b)) total[reason] = (total[reason] ?? 0) + count;
  return total;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
