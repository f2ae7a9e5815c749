/**
 * `deno task bench`: what a compilation costs this machine, beside what its peers cost, in one run.
 */
import { projectRoot } from "../scripts/config.ts";
import { cleanEnvironment, fetchPackage, run, say } from "../scripts/demo/tools.ts";
import { LEVELDB } from "../scripts/demo/leveldb.ts";
import { guessRows } from "./guess.ts";
import { childrenCpu, isInstalled, type Options, peakOf, processCpu, type Row } from "./measure.ts";

const STARTS = 50;
const JOBS = 10_000;

async function bench(folder: string): Promise<Row[]> {
  const root = projectRoot.pathname;
  const env = cleanEnvironment({ bin: `${root}bin`, llamaDir: `${folder}/llama` });
  const options = { cwd: folder, env };
  const source = await fetchPackage(LEVELDB, env);
  const rows: Row[] = [];
  const repeat = async (what: string, command: string, times: number, note: string) => {
    const cpuMs = await childrenCpu(`for i in $(seq ${times}); do ${command}; done`, options);
    rows.push({ what, cpuMs: cpuMs / times, note });
  };
  const deno = Deno.execPath();
  await Deno.writeTextFile(`${folder}/empty.js`, "");
  await repeat("start of /bin/true", "/bin/true", STARTS, "");
  await repeat("start of an empty Deno program", `${deno} run --no-config empty.js`, 10, "");
  await repeat("llama -version", "llama -version >/dev/null", 10, "");

  try {
    await run(["llama", "bootstrap"], options);
    await run(["llama", "daemon", "-autostart"], options);
    const pid = await daemonPid(options);
    const units = await unitsOf(source);
    const flags = unitFlags(source);
    await Deno.mkdir(`${folder}/objects`);
    const compile = (compiler: string, mode: string) =>
      units.map((unit, index) =>
        `${compiler} ${flags} ${mode} -o objects/${index}.o ${unit} || exit 1`
      ).join("\n");
    const measure = async (what: string, note: string) => {
      const before = await processCpu(pid);
      const client = await childrenCpu(compile("llamac++", "-c"), options);
      const daemon = await processCpu(pid) - before;
      rows.push({ what: `${what}: client`, cpuMs: client / units.length, note: "" });
      rows.push({ what: `${what}: daemon`, cpuMs: daemon / units.length, note });
    };
    await run(["llama", "daemon", "-stats", "-zero"], options);
    await measure("llamac++, first build", "toolchain packed, everything hashed and sent");
    await measure("llamac++, second build", "");
    const stats = JSON.parse(await run(["llama", "daemon", "-stats", "-json"], options));
    const fallbacks = Object.keys(stats.fallback).length;
    if (fallbacks > 0) throw new Error(`Cannot measure: ${JSON.stringify(stats.fallback)}`);
    await say(
      `${units.length} C++ units of LevelDB, twice: ${stats.remote} compiled remotely, ` +
        `${stats.rounds} jobs, ${stats.invocations} invocations, ` +
        `daemon ${Math.round(stats.memoryBytes / 1e6)} MB`,
    );
    rows.push(await restart(options, compile("llamac++", "-c").split("\n", 1)[0] ?? ""));
    const cpu = async (what: string, script: string) => {
      const total = await childrenCpu(script, options);
      rows.push({ what, cpuMs: total / units.length, note: "" });
    };
    await cpu("c++ -M (what the original runs for each file)", compile("c++", "-M"));
    await cpu("c++ -c (the whole compilation, here)", compile("c++", "-c"));
    rows.push(...await guessRows(options));
    rows.push(...await manyJobs(options));
  } finally {
    await run(["llama", "daemon", "-shutdown"], options);
    await run(["llama", "cloud", "-stop"], options);
  }
  return rows;
}

/** What the first unit costs once the daemon, which ends when nothing is to do, has started again. */
async function restart(options: Options, command: string): Promise<Row> {
  await run(["llama", "daemon", "-shutdown"], options);
  await run(["llama", "daemon", "-autostart"], options);
  const pid = await daemonPid(options);
  const before = await processCpu(pid, true);
  await childrenCpu(command, options);
  const cpuMs = await processCpu(pid, true) - before;
  const note = "with all that it runs";
  return { what: "llamac++, first unit after a restart: daemon", cpuMs, note };
}

async function daemonPid(options: Options): Promise<number> {
  return Number(JSON.parse(await run(["llama", "daemon", "-stats", "-json"], options)).pid);
}

/** Jobs that do nothing: what is left is what it costs to run any. */
async function manyJobs(options: Options): Promise<Row[]> {
  const jobs = (command: string) => `seq ${JOBS} | ${command} & echo $! >pid; wait $!`;
  const rows: Row[] = [];
  const measure = async (what: string, command: string) => {
    const peak = peakOf(`${options.cwd}/pid`);
    const cpuMs = await childrenCpu(jobs(command), options);
    const peakMb = Math.round(await peak.end() / 1000);
    rows.push({ what, cpuMs: cpuMs / JOBS, note: `${JOBS} jobs, at most ${peakMb} MB` });
  };
  await measure("llama xargs -j 100 llama true", "llama xargs -quiet -j 100 llama true");
  if (await isInstalled("parallel", options)) {
    await measure("parallel -j 100 true (all of it, here)", "parallel -j 100 true");
  }
  return rows;
}

async function unitsOf(source: string): Promise<string[]> {
  const folder = `${source}/deps/leveldb/leveldb-1.20/db`;
  const units: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (/\.cc$/.test(name) && !/_test\.cc$|^db_bench/.test(name)) units.push(`${folder}/${name}`);
  }
  return units.toSorted();
}

function unitFlags(source: string): string {
  const leveldb = `${source}/deps/leveldb/leveldb-1.20`;
  return "-std=c++11 -O0 -DOS_LINUX -DLEVELDB_PLATFORM_POSIX -DLEVELDB_ATOMIC_PRESENT " +
    `-I${leveldb} -I${leveldb}/include`;
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "llama-bench-" });
  try {
    const rows = await bench(folder);
    await say("\n| what | CPU ms each |\n|---|---|");
    for (const { what, cpuMs, note } of rows) {
      await say(`| ${what}${note && ` (${note})`} | ${cpuMs.toFixed(1)} |`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
