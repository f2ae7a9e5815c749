/** Runs cases with the compiler and with llamacc, and tells what differs. */
import type { BuildCloud, Stats } from "../build_cloud.ts";
import { COMPILERS, type FuzzCase, scriptOf } from "./case.ts";
import { makeCase } from "./command.ts";
import { describe, type Difference, differencesOf, isUnstable } from "./difference.ts";
import { reduceCase } from "./reduce.ts";
import { type Outcome, type Place, runCase } from "./replica.ts";

/** What the environment asks of a run. */
export interface FuzzOptions {
  /** Seed of the first case; the others count on from it. */
  readonly seed: number;
  readonly cases: number;
}

/** How a run ended. */
export interface FuzzReport {
  readonly ran: number;
  /** Cases whose compiler is not installed. */
  readonly skipped: number;
  /** A text for each case that differs, with all that is needed to repeat it. */
  readonly failures: readonly string[];
  /** What two runs of the compiler alone do not repeat either, with how often it was met. */
  readonly unstable: Readonly<Record<string, number>>;
  readonly stats: Stats;
  /** What the daemon's log says of compilations that ran here after all, with how often it does. */
  readonly fallbacks: Readonly<Record<string, number>>;
}

/** Cases at once: llamacc waits for most of its time. */
const LANES = 3;
/** A run with more failures ends: they have few causes. */
const MAX_FAILURES = 12;
/** Runs of the compiler that tell what it does not repeat. */
const REPEATS = 3;
/** Those for what differs in each run: 4 in 100 objects of GCC's -flto have another length, as their random names compress. */
const MANY_REPEATS = 200;

/** The seed and the count of LLAMA_FUZZ_SEED and LLAMA_FUZZ_CASES, or those given. */
export function fuzzOptions(
  env: Readonly<Record<string, string>>,
  usual: FuzzOptions,
): FuzzOptions {
  const number = (name: string, otherwise: number) => {
    const value = env[name];
    if (value === undefined || value === "") return otherwise;
    if (/^\d+$/.test(value)) return Number(value);
    throw new Error(`Cannot use ${name} as it is no number: "${value}"`);
  };
  return {
    seed: number("LLAMA_FUZZ_SEED", usual.seed),
    cases: number("LLAMA_FUZZ_CASES", usual.cases),
  };
}

/** Runs the cases. */
export async function fuzz(cloud: BuildCloud, options: FuzzOptions): Promise<FuzzReport> {
  const installed = await installedCompilers(cloud);
  const failures: string[] = [];
  const unstable: Record<string, number> = {};
  let ran = 0;
  let skipped = 0;
  let next = options.seed;
  const end = options.seed + options.cases;
  await cloud.stats("zero");
  const lane = async (index: number) => {
    const place: Place = { cloud, root: `${cloud.work}/lane${index}` };
    while (next < end && failures.length < MAX_FAILURES) {
      const seed = next++;
      const fuzzed = makeCase(seed);
      if (!installed.has(fuzzed.compiler)) {
        skipped++;
        continue;
      }
      ran++;
      const found = await examine(place, fuzzed);
      for (const where of found.unstable) {
        const kind = where.replace(/^bytes of .*?(?=\.\w+$|$)/, "bytes of *").replace(/ \d+$/, "");
        unstable[kind] = (unstable[kind] ?? 0) + 1;
      }
      const [difference] = found.differences;
      if (difference) failures.push(await explain(place, seed, fuzzed, difference));
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)));
  const fallbacks = fallbacksOf(await Deno.readTextFile(`${cloud.llamaDir}/daemon.log`));
  return { ran, skipped, failures, unstable, stats: await cloud.stats(), fallbacks };
}

/** The report in a few lines. */
export function summaryOf(report: FuzzReport): string {
  const { ran, skipped, failures, unstable, stats, fallbacks } = report;
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts).sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} ${count}`)
      .join(", ") || "none";
  return [
    `${ran} cases, ${failures.length} differ, ${skipped} skipped as a compiler is not installed`,
    `remote: ${stats.remote}`,
    `local: ${list(stats.local)}`,
    `fallback: ${list(stats.fallback)}`,
    ...Object.entries(fallbacks).map(([message, count]) => `  ${count} times: ${message}`),
    `not repeated by the compiler itself: ${list(unstable)}`,
  ].join("\n");
}

function fallbacksOf(log: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of log.split("\n").filter((line) => /\bfallback\b/.test(line))) {
    const message = line.replace(/^.*?\bfallback\b\s*/, "").replaceAll(
      /"[^"]*\/lane\d+[^"]*"/g,
      "...",
    );
    counts[message] = (counts[message] ?? 0) + 1;
  }
  return counts;
}

/** What is found out about a case. */
export interface Examined {
  /** What differs, and not between runs of the compiler. */
  readonly differences: readonly Difference[];
  /** What differs, but between runs of the compiler, too. */
  readonly unstable: readonly string[];
}

/** Runs a case with the compiler and with llamacc, and again with the compiler where they differ. */
export async function examine(place: Place, fuzzed: FuzzCase): Promise<Examined> {
  const here: Outcome[] = [await runCase(place, fuzzed, "compiler")];
  const there = await runCase(place, fuzzed, "llamacc");
  const all = here.flatMap((outcome) => differencesOf(outcome, there));
  let differences = all;
  const differsHere = ({ where }: Difference) =>
    new Set(here.map((outcome) => outcome.get(where))).size > 1;
  const limit = () => differences.every(differsHere) ? MANY_REPEATS : REPEATS;
  while (differences.length > 0 && here.length <= limit()) {
    here.push(await runCase(place, fuzzed, "compiler"));
    differences = differences.filter((difference) => !isUnstable(difference, here));
  }
  const left = new Set(differences);
  return {
    differences,
    unstable: all.filter((difference) => !left.has(difference)).map(({ where }) => where),
  };
}

async function explain(
  place: Place,
  seed: number,
  fuzzed: FuzzCase,
  difference: Difference,
): Promise<string> {
  let last = difference;
  const small = await reduceCase(fuzzed, async (smaller) => {
    const { differences: [same] } = await examine(place, smaller);
    if (same === undefined || kindOf(same) !== kindOf(difference)) return false;
    last = same;
    return true;
  });
  return [
    `--- case ${seed}; repeat it with LLAMA_FUZZ_SEED=${seed} LLAMA_FUZZ_CASES=1`,
    scriptOf(fuzzed).split("\n").slice(-1 - fuzzed.steps.length).join("\n"),
    `differs in ${describe(difference)}`,
    "reduced:",
    scriptOf(small),
    `differs in ${describe(last)}`,
  ].join("\n");
}

function kindOf({ where, here, there }: Difference): string {
  return `${where.replace(/ of .*/, "")} ${here === undefined} ${there === undefined}`;
}

async function installedCompilers(cloud: BuildCloud): Promise<ReadonlySet<string>> {
  const script = 'for name in "$@"; do command -v "$name" >/dev/null && echo "$name"; done; true';
  return new Set((await cloud.must(["sh", "-c", script, "sh", ...COMPILERS])).split("\n"));
}
