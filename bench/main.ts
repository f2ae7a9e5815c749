/**
 * `deno task bench`: what a compilation costs this machine, beside what its peers cost, in one run. CPU is
 * counted, not time, as other work on the machine drifts into times.
 */
import { projectRoot } from "../scripts/config.ts";
import { cleanEnvironment, fetchPackage, run, say } from "../scripts/demo/tools.ts";
import { LEVELDB } from "../scripts/demo/leveldb.ts";

/** CPU of a process, its user and system time together. */
interface Row {
  readonly what: string;
  readonly cpuMs: number;
  readonly note: string;
}

/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Deno runs on (proc(5), sysconf). */
const TICK_MS = 10;
const STARTS = 50;
const JOBS = 10_000;

/** How commands are run. */
interface Options {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

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
    const pid = Number(JSON.parse(await run(["llama", "daemon", "-stats", "-json"], options)).pid);
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
    const cpu = async (what: string, script: string) => {
      const total = await childrenCpu(script, options);
      rows.push({ what, cpuMs: total / units.length, note: "" });
    };
    await cpu("c++ -M (what the original runs for each file)", compile("c++", "-M"));
    await cpu("c++ -c (the whole compilation, here)", compile("c++", "-c"));
    rows.push(...await manyJobs(options));
  } finally {
    await run(["llama", "daemon", "-shutdown"], options);
    await run(["llama", "cloud", "-stop"], options);
  }
  return rows;
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

async function isInstalled(program: string, options: Options): Promise<boolean> {
  return await run(["sh", "-c", `command -v ${program} || :`], options) !== "";
}

/** Watches the greatest resident set, in kB, of the process whose id comes to stand in `pidFile`; proc(5), status. */
function peakOf(pidFile: string): { end(): Promise<number> } {
  let peakKb = 0;
  let isOver = false;
  const watching = (async () => {
    await Deno.writeTextFile(pidFile, "");
    while (!isOver) {
      const pid = (await Deno.readTextFile(pidFile)).trim();
      const status = pid && await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
      peakKb = Math.max(peakKb, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return peakKb;
  })();
  return {
    end: () => {
      isOver = true;
      return watching;
    },
  };
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

/** CPU of all processes that a shell script starts and waits for; bash(1), `times`. */
async function childrenCpu(
  script: string,
  options: Options,
): Promise<number> {
  const path = `${options.cwd}/script.sh`;
  await Deno.writeTextFile(path, `{\n${script}\n} >/dev/null 2>&1\ntimes\n`);
  const text = await run(["bash", path], options);
  const [user, system] = (text.trim().split("\n").at(-1) ?? "").split(" ").map((part) => {
    const [minutes, seconds] = part.replace("s", "").split("m").map(Number);
    return ((minutes ?? NaN) * 60 + (seconds ?? NaN)) * 1000;
  });
  return (user ?? NaN) + (system ?? NaN);
}

/** CPU of one process so far; proc(5), /proc/PID/stat, fields 14 and 15. */
async function processCpu(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
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
