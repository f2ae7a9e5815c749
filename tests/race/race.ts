/** Compiles trees that change meanwhile: each object must be that of one state of the tree that there was. */
import type { BuildCloud, Stats } from "../build_cloud.ts";
import type { FuzzOptions } from "../fuzz/fuzzer.ts";
import { createRandom } from "../fuzz/random.ts";
import { compileIn, openJudge, type Outcome, wouldRunHere } from "./judge.ts";
import { createTexts, makeTree, SOURCES, writeTree } from "./tree.ts";
import { openWriter, type State } from "./writer.ts";

/** What a run found. */
export interface RaceReport {
  readonly cases: number;
  readonly compilations: number;
  /** Compilations during which the tree changed. */
  readonly raced: number;
  /** Those that llamacc would have left to the local compiler. */
  readonly here: number;
  readonly failures: readonly string[];
  /** The daemon's counters. */
  readonly counted: Pick<Stats, "rounds" | "remote" | "voids">;
}

/** Cases at once: llamacc waits for most of its time. */
const LANES = 2;
const MAX_FAILURES = 5;
/** Compilations of each source while the tree changes. */
const TIMES = 2;
const CHANGES = 12;
/** Most milliseconds between two changes. */
const PAUSE_MS = 25;

/** A compilation that has ended. */
interface Ended {
  readonly source: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly outcome: Outcome;
}

/** Runs the cases. */
export async function race(cloud: BuildCloud, { seed, cases }: FuzzOptions): Promise<RaceReport> {
  await cloud.stats("zero");
  const failures: string[] = [];
  const report = { cases: 0, compilations: 0, raced: 0, here: 0 };
  let next = seed;
  const lane = async (index: number) => {
    while (next < seed + cases && failures.length < MAX_FAILURES) {
      const own = next++;
      const folder = `${cloud.work}/lane${index}`;
      await Deno.mkdir(`${folder}/aside`, { recursive: true });
      const found = await runCase(cloud, folder, own);
      await Deno.remove(folder, { recursive: true });
      report.cases++;
      report.compilations += found.compilations;
      report.raced += found.raced;
      report.here += found.here;
      failures.push(...found.failures);
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)));
  const { rounds, remote, voids } = await cloud.stats();
  return { ...report, failures, counted: { rounds, remote, voids } };
}

async function runCase(cloud: BuildCloud, folder: string, seed: number) {
  const random = createRandom(seed);
  const texts = createTexts(random);
  const begin = makeTree(random, texts);
  const tree = `${folder}/tree`;
  writeTree(tree, begin);
  const writer = openWriter(tree, `${folder}/aside`, begin, random, texts);
  const judge = openJudge(cloud, `${folder}/copy`);
  const ended: Ended[] = [];
  const compile = async (source: string, object: string) => {
    const startedMs = performance.now();
    const outcome = await compileIn(cloud, "llamacc", tree, source, `${folder}/${object}.o`);
    ended.push({ source, startedMs, endedMs: performance.now(), outcome });
  };
  const compiling = SOURCES.map(async (source, index) => {
    for (let time = 0; time < TIMES; time++) await compile(source, `${index}`);
  });
  for (let changes = random.int(CHANGES); changes > 0; changes--) {
    await new Promise((resolve) => setTimeout(resolve, random.int(PAUSE_MS)));
    writer.change();
  }
  await Promise.all(compiling);
  // What was remembered of all that is not to be taken for the last state.
  for (const source of SOURCES) await compile(source, "last");
  let raced = 0;
  let here = 0;
  const failures: string[] = [];
  for (const compilation of ended) {
    const possible = statesDuring(writer.states, compilation);
    if (possible.length > 1) raced++;
    if (wouldRunHere(compilation.outcome)) {
      here++;
      if (possible.length > 1) continue;
    }
    let isOne = false;
    for (const { tree } of possible.toReversed()) {
      isOne ||= await judge.expect(tree, compilation.source) === compilation.outcome;
    }
    if (!isOne) failures.push(describe(seed, compilation, possible));
  }
  return { compilations: ended.length, raced, here, failures };
}

/** The states that may have been in force at some moment of a compilation. */
function statesDuring(states: readonly State[], { startedMs, endedMs }: Ended): State[] {
  return states.filter(({ notBefore }, index) =>
    notBefore <= endedMs && (states[index + 1]?.notAfter ?? Infinity) >= startedMs
  );
}

function describe(seed: number, compilation: Ended, possible: readonly State[]): string {
  const { source, startedMs, endedMs, outcome } = compilation;
  const lines = possible.map(({ notBefore, change }) =>
    `  ${(notBefore - startedMs).toFixed(1)} ms: ${change}`
  );
  const first = possible[0]?.tree ?? new Map();
  const texts = [...first].map(([path, item]) =>
    `  ${path}: ${item === "folder" ? "folder" : JSON.stringify("text" in item ? item.text : item)}`
  );
  return [
    `--- case ${seed}, ${source}, took ${(endedMs - startedMs).toFixed(1)} ms; repeat it with ` +
    `LLAMA_FUZZ_SEED=${seed} LLAMA_FUZZ_CASES=1, though the times will be others`,
    ...lines,
    ...texts,
    `  ended as no state of these would: ${outcome.slice(0, 600)}`,
  ].join("\n");
}
