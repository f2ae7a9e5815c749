/** Units whose inputs only the compiler itself finds, one header a job: the proof of the proof. */
import { assert, assertEquals } from "@std/assert";
import { fetchPackage, run, say } from "../../scripts/demo/tools.ts";
import { LEVELDB } from "../../scripts/demo/leveldb.ts";
import { inCloud, type Lab } from "./lab.ts";
import { debianSource } from "./sources.ts";

/** Sources of one project. */
interface Units {
  readonly cc: string;
  readonly remote: string;
  readonly flags: readonly string[];
  /** Folder in which they are compiled, a copy of the sources. */
  readonly source: string;
  /** Paths in it. */
  readonly names: readonly string[];
}

const LUA = [
  ...["lapi", "lcode", "ldebug", "ldo", "lfunc", "lgc", "llex", "lparser", "lstrlib", "lvm"],
];
const LEVELDB_FLAGS = [
  ..."-std=c++11 -O1 -DOS_LINUX -DLEVELDB_PLATFORM_POSIX -DLEVELDB_ATOMIC_PRESENT".split(" "),
  ...["-I.", "-Iinclude"],
];
const CXX_UNITS = 20;

const lua = await debianSource("lua5.4", Deno.env.toObject());

Deno.test({
  name: "lua5.4 compiles without any guess, as the compiler itself finds its inputs" +
    (lua.kind === "missing" ? ` (skipped: no source: ${lua.reason})` : ""),
  ignore: lua.kind === "missing",
  fn: () =>
    inCloud((lab) => {
      assert(lua.kind === "found");
      const flags = ["-O2", "-g", "-DLUA_USE_LINUX"];
      const names = LUA.map((name) => `${name}.c`);
      return compileUnguessed(
        { cc: "cc", remote: "llamacc", flags, source: `${lua.folder}/src`, names },
        lab,
      );
    }),
});

Deno.test(`${CXX_UNITS} units of LevelDB compile without any guess`, () =>
  inCloud(async (lab) => {
    const package_ = await fetchPackage(LEVELDB, Deno.env.toObject());
    const source = `${package_}/deps/leveldb/leveldb-1.20`;
    const names: string[] = [];
    for (const folder of ["db", "table", "util"]) {
      for await (const { name } of Deno.readDir(`${source}/${folder}`)) {
        if (/\.cc$/.test(name) && !/_test|^db_bench|^test/.test(name)) {
          names.push(`${folder}/${name}`);
        }
      }
    }
    const chosen = names.toSorted().slice(0, CXX_UNITS);
    assertEquals(chosen.length, CXX_UNITS);
    await compileUnguessed(
      { cc: "c++", remote: "llamac++", flags: LEVELDB_FLAGS, source, names: chosen },
      lab,
    );
  }));

async function compileUnguessed(units: Units, { folder, options, stats }: Lab): Promise<void> {
  await run(["cp", "-a", units.source, `${folder}/work`], options);
  const inWork = {
    cwd: `${folder}/work`,
    env: { ...options.env, LLAMACC_TEST_NO_GUESS: "1", LLAMACC_LOCAL_FALLBACK: "0" },
  };
  let rounds = 0;
  for (const unit of units.names) {
    const compile = async (compiler: string, object: string) => {
      await run([compiler, ...units.flags, "-c", unit, "-o", "made.o"], inWork);
      await Deno.rename(`${folder}/work/made.o`, `${folder}/${object}`);
      return await Deno.readFile(`${folder}/${object}`);
    };
    await stats("-zero");
    const there = await compile(units.remote, "there.o");
    const counted = await stats();
    assertEquals([counted.remote, counted.fallback, counted.local], [1, {}, {}], unit);
    rounds += counted.rounds;
    await say(`  ${unit}: ${counted.rounds} jobs`);
    assertEquals(there.toBase64(), (await compile(units.cc, "here.o")).toBase64(), unit);
  }
  assert(rounds > units.names.length, `${rounds} jobs can only be if something was guessed`);
}
