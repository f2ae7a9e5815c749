/**
 * `deno task demo` shows llama at work: it makes an embedded cloud, gets the sources of LevelDB from the
 * npm registry, compiles them in functions of that cloud and with the local compiler, and compares all
 * objects byte for byte. Its cloud is in a temporary folder and is gone at the end; the sources are kept in
 * `~/.cache/llama`.
 */
import { projectRoot } from "./config.ts";
import { LEVELDB } from "./demo/leveldb.ts";
import { cleanEnvironment, fetchPackage, run, say } from "./demo/tools.ts";

/** Compilations at once elsewhere. */
const JOBS = 16;
/** A compilation that did not end elsewhere is a failure here; no demonstration may hide one. */
const MIN_REMOTE = 40;

/** What `llama daemon -stats -json` prints, as far as it is needed. */
interface Stats {
  readonly remote: number;
  readonly rounds: number;
  readonly invocations: number;
  readonly remoteMs: number;
  readonly costUsd: number;
  readonly local: Readonly<Record<string, number>>;
  readonly fallback: Readonly<Record<string, number>>;
}

async function demo(folder: string): Promise<boolean> {
  const root = projectRoot.pathname;
  const env = cleanEnvironment({ bin: `${root}bin`, llamaDir: `${folder}/llama` });
  const options = { cwd: folder, env };
  const source = await fetchPackage(LEVELDB, env);
  await say(`Sources: ${LEVELDB.name} ${LEVELDB.version} (LevelDB and Snappy)`);
  const make = ["make", "-s", "-f", `${root}scripts/demo/Makefile`, `SRC=${source}`];
  const objects = (await run([...make, "list"], options)).trim().split("\n");

  try {
    await say("\n$ llama bootstrap");
    await run(["llama", "bootstrap"], { ...options, echo: true });
    await run(["llama", "daemon", "-autostart"], options);

    await say(`\n$ make -j${JOBS} CC=llamacc CXX=llamac++`);
    const remoteMs = await timed(() =>
      run([...make, `-j${JOBS}`, "CXX=llamac++"], { ...options, progress: objects.length })
    );
    const stats: Stats = JSON.parse(await run(["llama", "daemon", "-stats", "-json"], options));
    for (const test of ["bloom_test", "skiplist_test", "table_test"]) {
      await run([`./${test}`], options);
    }
    await Deno.rename(`${folder}/objects`, `${folder}/remote`);

    const cores = navigator.hardwareConcurrency;
    await say(`\n$ make -j${cores} CXX=c++`);
    const localMs = await timed(() =>
      run([...make, `-j${cores}`, "CXX=c++"], { ...options, progress: objects.length })
    );

    const names = [...objects, ...objects.map((object) => object.replace(/\.o$/, ".d"))];
    const different = await differing(folder, names);
    await report({ objects, stats, remoteMs, localMs, different });
    return different.length === 0 && stats.remote >= MIN_REMOTE &&
      Object.keys(stats.fallback).length === 0;
  } finally {
    await run(["llama", "daemon", "-shutdown"], options);
    await run(["llama", "cloud", "-stop"], options);
  }
}

async function differing(folder: string, names: readonly string[]): Promise<string[]> {
  const different: string[] = [];
  for (const name of names) {
    const here = await Deno.readFile(`${folder}/${name}`);
    const there = await Deno.readFile(`${folder}/${name.replace(/^objects/, "remote")}`);
    if (here.toBase64() !== there.toBase64()) different.push(name);
  }
  return different;
}

async function report(result: {
  readonly objects: readonly string[];
  readonly stats: Stats;
  readonly remoteMs: number;
  readonly localMs: number;
  readonly different: readonly string[];
}): Promise<void> {
  const { objects, stats, remoteMs, localMs, different } = result;
  const reasons = (counts: Readonly<Record<string, number>>) => {
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const named = Object.entries(counts).map(([reason, count]) => `${reason} ${count}`).join(", ");
    return total === 0 ? "0" : `${total}  (${named})`;
  };
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const rows: [string, string][] = [
    ["files", String(objects.length)],
    [
      "compiled remotely",
      `${stats.remote}  (${stats.rounds} jobs, ${stats.invocations} invocations)`,
    ],
    ["run locally by choice", reasons(stats.local)],
    ["fallbacks", reasons(stats.fallback)],
    [
      "identical objects",
      `${
        objects.length - different.filter((name) => name.endsWith(".o")).length
      } of ${objects.length}`,
    ],
    [
      "identical .d files",
      `${
        objects.length - different.filter((name) => name.endsWith(".d")).length
      } of ${objects.length}`,
    ],
    ["wall time, remote", `${seconds(remoteMs)}  (on this machine's own cores)`],
    ["wall time, local", seconds(localMs)],
    [
      "cost on AWS",
      `about $${stats.costUsd.toFixed(4)}  (${seconds(stats.remoteMs)} of a 1,769 MB function)`,
    ],
  ];
  await say("");
  for (const [name, value] of rows) await say(`  ${name.padEnd(24)}${value}`);
  for (const name of different) await say(`DIFFERENT: ${name}`);
  await say(
    different.length === 0
      ? "\nEvery object is, byte for byte, the local compiler's.\n"
      : "\nThe objects above are not those of the local compiler.\n",
  );
  await say("Next: npx -y deno task install   puts llama, llamacc and llamac++ on your PATH");
  await say(
    "      llama bootstrap            makes your own embedded cloud, or one in your AWS account",
  );
  await say("      make -j100 CC=llamacc CXX=llamac++");
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await act();
  return performance.now() - startMs;
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "llama-demo-" });
  try {
    if (!await demo(folder)) {
      await say("The demonstration failed");
      Deno.exitCode = 1;
    }
  } catch (error) {
    await say(error instanceof Error ? error.message : String(error));
    Deno.exitCode = 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
