import { assert, assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { makeLinks } from "./compiler_links.ts";
import { thisProcess } from "./self.ts";

async function withMachine(
  client: string,
  test: (folder: string, make: () => ReturnType<typeof makeLinks>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.mkdir(`${folder}/usr`);
    await Deno.mkdir(`${folder}/own bin`);
    const names = ["gcc", "g++-11", "arm-none-eabi-gcc", "clang++", "gcc-ar", "cc.old", "c++filt"];
    for (const name of names) {
      await Deno.writeTextFile(`${folder}/usr/${name}`, "\x7fELF", { mode: 0o755 });
    }
    await Deno.writeTextFile(`${folder}/own bin/llamacc`, client, { mode: 0o755 });
    await Deno.symlink("llamacc", `${folder}/own bin/clang`);
    const env = { PATH: `${folder}/own bin:${folder}/usr` };
    // Nothing is beside this bundle.
    const self = { ...thisProcess(), moduleUrl: `file://${folder}/lib/llama/llama.js` };
    await test(folder, () => makeLinks("links", { env, cwd: folder }, self));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const NAMES = ["arm-none-eabi-gcc", "clang++", "g++-11", "gcc"];

Deno.test("makeLinks() links each compiler's name to the client, and again when it is called again", () =>
  withMachine("\x7fELF", async (folder, make) => {
    assertEquals(await make(), { folder: `${folder}/links`, names: NAMES });
    assertEquals(await Deno.readLink(`${folder}/links/gcc`), `${folder}/own bin/llamacc`);
    await make();
    await Deno.remove(`${folder}/links/gcc`);
    await Deno.writeTextFile(`${folder}/links/gcc`, "of the user");
    const error = await assertRejects(make, LlamaError);
    assertEquals(error.code, "NotALink");
    assertEquals(await Deno.readTextFile(`${folder}/links/gcc`), "of the user");
  }));

Deno.test("makeLinks() makes scripts that tell their name where the client is a script", () => {
  const client = '#!/bin/sh\necho "$LLAMACC_ARGV0 $*"\n';
  return withMachine(client, async (folder, make) => {
    assertEquals((await make()).names, NAMES);
    const { stdout } = await new Deno.Command(`${folder}/links/g++-11`, { args: ["-c", "a b"] })
      .output();
    assertEquals(new TextDecoder().decode(stdout), "g++-11 -c a b\n");
    assert((await make()).names.length === NAMES.length);
  });
});
