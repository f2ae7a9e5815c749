/**
 * Whole projects, built by their own makefiles with llamacc in a private embedded cloud and with the
 * local compiler at the same paths: every file that the build leaves must be the same.
 */
import { assert, assertEquals } from "@std/assert";
import { cleanEnvironment, run, type RunOptions, say } from "../../scripts/demo/tools.ts";
import { debianSource, type Source } from "./sources.ts";

const root = new URL("../../", import.meta.url).pathname;

/** What `llama daemon -stats -json` prints, as far as it is needed. */
interface Stats {
  readonly remote: number;
  readonly rounds: number;
  readonly voids: Readonly<Record<string, number>>;
  readonly local: Readonly<Record<string, number>>;
  readonly fallback: Readonly<Record<string, number>>;
}

interface Project {
  readonly name: string;
  /** Prepares the folder; what it compiles does not count. */
  readonly configure: (cc: string, flags: string) => readonly (readonly string[])[];
  readonly make: (cc: string, flags: string) => readonly string[];
}

const PROJECTS: readonly Project[] = [
  {
    name: "lua5.4",
    configure: () => [],
    make: (cc, flags) => [
      ...["make", "-C", "src", `CC=${cc}`, `CFLAGS=-Wall -Wextra -DLUA_COMPAT_5_3 ${flags}`],
      ...["SYSCFLAGS=-DLUA_USE_LINUX -MMD", "SYSLIBS=-Wl,-E -ldl", "all"],
    ],
  },
  {
    name: "zlib",
    configure: (cc, flags) => [["env", `CC=${cc}`, `CFLAGS=${flags}`, "./configure"]],
    make: () => ["make", "all"],
  },
];

const FLAGS = ["-O2", "-O2 -g"];
/** Jobs of make; far more than cores, as a build on Lambda has. */
const JOBS = 16;
/** Units that are built without any guess. */
const UNGUESSED = [
  "lapi",
  "lcode",
  "ldebug",
  "ldo",
  "lfunc",
  "lgc",
  "llex",
  "lparser",
  "lstrlib",
  "lvm",
];

interface Lab {
  readonly folder: string;
  readonly options: RunOptions;
  readonly stats: (...args: string[]) => Promise<Stats>;
}

/** Runs `test` with a cloud of its own, whose workers have no headers. */
async function inCloud(test: (lab: Lab) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "llama-slow-" });
  const env = cleanEnvironment({ bin: `${root}bin`, llamaDir: `${folder}/llama` });
  const options = { cwd: folder, env };
  try {
    await run(["llama", "bootstrap"], options);
    await run(["llama", "daemon", "-autostart"], options);
    const headers = await run(["llama", "invoke", "llama", "ls", "/usr/include"], options).then(
      () => "some",
      (error) => String(error),
    );
    assert(/No such file or directory/.test(headers), `a worker has headers: ${headers}`);
    await test({
      folder,
      options,
      stats: async (...args) =>
        JSON.parse(await run(["llama", "daemon", "-stats", "-json", ...args], options)),
    });
  } finally {
    await run(["llama", "daemon", "-shutdown"], options).catch((error) => say(String(error)));
    await run(["llama", "cloud", "-stop"], options);
    await Deno.remove(folder, { recursive: true });
  }
}

for (const project of PROJECTS) {
  const source = await debianSource(project.name, Deno.env.toObject());
  Deno.test({
    name: `${project.name} built by llamacc is, byte for byte, what the local compiler builds` +
      skipped(source),
    ignore: source.kind === "missing",
    fn: () => inCloud((lab) => compareBuilds(project, folderOf(source), lab)),
  });
  if (project.name !== "lua5.4") continue;
  Deno.test({
    name: `${project.name} compiles without any guess, as the compiler itself finds its inputs` +
      skipped(source),
    ignore: source.kind === "missing",
    fn: () => inCloud((lab) => compileUnguessed(folderOf(source), lab)),
  });
}

function skipped(source: Source): string {
  return source.kind === "missing" ? ` (skipped: no source: ${source.reason})` : "";
}

function folderOf(source: Source): string {
  assert(source.kind === "found");
  return source.folder;
}

async function compareBuilds(project: Project, source: string, lab: Lab): Promise<void> {
  const { folder, options, stats } = lab;
  const rows: (readonly (string | number)[])[] = [
    ["flags", "units", "remote", "jobs", "jobs/unit", "equal files", "fallback", "seconds"],
  ];
  const builds: { counted: Stats; objects: number; different: readonly string[] }[] = [];
  for (const flags of FLAGS) {
    const build = async (cc: string, kept: string) => {
      const work = `${folder}/work`;
      await run(["cp", "-a", source, work], options);
      const inWork = { ...options, cwd: work };
      for (const command of project.configure(cc, flags)) await run(command, inWork);
      if (cc === "llamacc") await stats("-zero");
      const startMs = performance.now();
      await run([...project.make(cc, flags), `-j${JOBS}`], inWork);
      const seconds = (performance.now() - startMs) / 1000;
      await Deno.rename(work, `${folder}/${kept}`);
      return seconds;
    };
    const remoteSeconds = await build("llamacc", "remote");
    const counted = await stats();
    const localSeconds = await build("cc", "local");
    const { total, objects, different } = await compareTrees(`${folder}/remote`, `${folder}/local`);
    rows.push([
      flags,
      objects,
      counted.remote,
      counted.rounds,
      (counted.rounds / counted.remote).toFixed(2),
      `${total - different.length} of ${total}`,
      sum(counted.fallback),
      `${remoteSeconds.toFixed(1)} (local ${localSeconds.toFixed(1)})`,
    ]);
    builds.push({ counted, objects, different });
    for (const kept of ["remote", "local"]) {
      await Deno.remove(`${folder}/${kept}`, { recursive: true });
    }
  }
  await printTable(project.name, rows);
  for (const { counted, objects, different } of builds) {
    assertEquals(different, [], "files differ");
    assert(objects >= 30, `only ${objects} objects`);
    assertEquals(counted.remote, objects);
    assertEquals(counted.fallback, {});
    const { link = 0, ...unexpected } = counted.local;
    assert(link > 0, "nothing was linked");
    assertEquals(unexpected, {}, "ran here");
  }
}

async function compileUnguessed(source: string, { folder, options, stats }: Lab): Promise<void> {
  await run(["cp", "-a", `${source}/src`, `${folder}/work`], options);
  const inWork = {
    cwd: `${folder}/work`,
    env: { ...options.env, LLAMACC_TEST_NO_GUESS: "1", LLAMACC_LOCAL_FALLBACK: "0" },
  };
  const rows: (readonly (string | number)[])[] = [["unit", "jobs"]];
  let rounds = 0;
  for (const unit of UNGUESSED) {
    const compile = async (cc: string, object: string) => {
      await run([cc, "-O2", "-g", "-DLUA_USE_LINUX", "-c", `${unit}.c`], inWork);
      await Deno.rename(`${folder}/work/${unit}.o`, `${folder}/${object}`);
      return await Deno.readFile(`${folder}/${object}`);
    };
    await stats("-zero");
    const there = await compile("llamacc", "there.o");
    const counted = await stats();
    assertEquals([counted.remote, counted.fallback, counted.local], [1, {}, {}], unit);
    rounds += counted.rounds;
    rows.push([unit, counted.rounds]);
    assertEquals(there.toBase64(), (await compile("cc", "here.o")).toBase64(), unit);
  }
  await printTable("lua5.4 without a guess", rows);
  assert(rounds > UNGUESSED.length, `${rounds} jobs can only be if something was guessed`);
}

/** What configure writes down of its own run, with the compiler's name in it. */
const CONFIGURED = /(?:^|\/)(?:configure\.log|Makefile|zlib\.pc)$/;

/** Compares all files of two folders by their paths in them. */
async function compareTrees(a: string, b: string) {
  const all = new Set([...await filesBelow(a), ...await filesBelow(b)]);
  const paths = [...all].filter((path) => !CONFIGURED.test(path)).toSorted();
  const different: string[] = [];
  for (const path of paths) {
    if (await readIfThere(`${a}/${path}`) !== await readIfThere(`${b}/${path}`)) {
      different.push(path);
    }
  }
  const objects = paths.filter((path) => /\.l?o$/.test(path)).length;
  return { total: paths.length, objects, different };
}

async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (isDirectory) paths.push(...await filesBelow(`${folder}/${name}`, `${prefix}${name}/`));
    else if (isFile) paths.push(`${prefix}${name}`);
  }
  return paths;
}

async function readIfThere(path: string): Promise<string> {
  try {
    return (await Deno.readFile(path)).toBase64();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "absent";
    throw error;
  }
}

async function printTable(
  title: string,
  rows: readonly (readonly (string | number)[])[],
): Promise<void> {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, String(cell).length);
    }
  }
  await say(`\n${title}`);
  for (const row of rows) {
    await say(
      `  ${row.map((cell, column) => String(cell).padEnd(widths[column] ?? 0)).join("  ")}`,
    );
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
