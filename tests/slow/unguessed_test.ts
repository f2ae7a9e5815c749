/** Units of lua5.4 whose inputs only the compiler itself finds. */
import { assert, assertEquals } from "@std/assert";
import { run, say } from "../../scripts/demo/tools.ts";
import { inCloud, type Lab } from "./lab.ts";
import { debianSource } from "./sources.ts";

const UNITS = [
  ...["lapi", "lcode", "ldebug", "ldo", "lfunc", "lgc", "llex", "lparser", "lstrlib", "lvm"],
];

const source = await debianSource("lua5.4", Deno.env.toObject());

Deno.test({
  name: "lua5.4 compiles without any guess, as the compiler itself finds its inputs" +
    (source.kind === "missing" ? ` (skipped: no source: ${source.reason})` : ""),
  ignore: source.kind === "missing",
  fn: () =>
    inCloud((lab) => {
      assert(source.kind === "found");
      return compileUnguessed(source.folder, lab);
    }),
});

async function compileUnguessed(source: string, { folder, options, stats }: Lab): Promise<void> {
  await run(["cp", "-a", `${source}/src`, `${folder}/work`], options);
  const inWork = {
    cwd: `${folder}/work`,
    env: { ...options.env, LLAMACC_TEST_NO_GUESS: "1", LLAMACC_LOCAL_FALLBACK: "0" },
  };
  let rounds = 0;
  for (const unit of UNITS) {
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
    await say(`  ${unit}: ${counted.rounds} jobs`);
    assertEquals(there.toBase64(), (await compile("cc", "here.o")).toBase64(), unit);
  }
  assert(rounds > UNITS.length, `${rounds} jobs can only be if something was guessed`);
}
