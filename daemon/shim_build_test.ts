import { assert, assertEquals, assertRejects } from "@std/assert";
import { findProgram } from "../cc/toolchain.ts";
import { LlamaError } from "../job/errors.ts";
import { realFiles, realProcesses } from "./real_files.ts";
import { buildShim } from "./shim_build.ts";

const PATH = "/usr/bin:/bin";
const gcc = findProgram("gcc", PATH, realFiles);
const cxx = findProgram("g++", PATH, realFiles);

async function versionOf(compiler: string): Promise<string> {
  const { stdout } = await realProcesses.run(compiler, ["-dumpfullversion"], { cwd: "/", env: {} });
  return stdout;
}

Deno.test({
  name: "buildShim() makes a shared library, equal for equal compilers, of C also by one for C++",
  ignore: gcc === undefined,
  async fn() {
    assert(gcc);
    const [first, second] = await Promise.all([buildShim(gcc), buildShim(cxx ?? gcc)]);
    // ELF, "ELF Header": the magic number, and the type ET_DYN at byte 16.
    assertEquals([...first.subarray(0, 4)], [0x7f, 0x45, 0x4c, 0x46]);
    assertEquals(first[16], 3);
    if (await versionOf(gcc) === await versionOf(cxx ?? gcc)) assertEquals(first, second);
  },
});

Deno.test("buildShim() repeats the first line of the compiler's complaint, and cleans up", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const compiler = `${folder}/cc`;
    const script = `#!/bin/sh\npwd >${folder}/where\necho first >&2\necho second >&2\nexit 1\n`;
    await Deno.writeTextFile(compiler, script, { mode: 0o755 });
    const error = await assertRejects(() => buildShim(compiler, []), LlamaError);
    assertEquals([error.code, error.message], [
      "ShimNotBuilt",
      `Cannot compile the path shim with "${compiler}": first`,
    ]);
    const where = (await Deno.readTextFile(`${folder}/where`)).trim();
    await assertRejects(() => Deno.stat(where), Deno.errors.NotFound);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const cross = findProgram("aarch64-linux-gnu-gcc", PATH, realFiles);

Deno.test({
  name: "buildShim() leaves it to another compiler where the first compiles for another machine",
  ignore: gcc === undefined || cross === undefined,
  async fn() {
    assert(gcc && cross);
    assertEquals(await buildShim(cross, ["no-such-compiler", gcc]), await buildShim(gcc));
    const error = await assertRejects(() => buildShim(cross, []), LlamaError);
    assertEquals(
      error.message,
      `Cannot compile the path shim with "${cross}" as it compiles for other machines`,
    );
  },
});
