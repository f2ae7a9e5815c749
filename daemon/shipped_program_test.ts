import { assert, assertEquals, assertRejects } from "@std/assert";
import { findProgram } from "../cc/toolchain.ts";
import { LlamaError } from "../job/errors.ts";
import { realFiles } from "./real_files.ts";
import { openRealTools } from "./real_tools.ts";
import { shipProgram } from "./shipped_program.ts";

const PATH = "/usr/bin:/bin";
const ldd = findProgram("ldd", PATH, realFiles);

/** Ships `name` of this machine. */
function ship(name: string, data: readonly string[] = []) {
  return shipProgram({ name, data, path: PATH, cwd: "/" }, openRealTools());
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "shipProgram() collects a program with its libraries, its loader and the data",
  ignore: ldd === undefined,
  fn: () =>
    withFolder(async (folder) => {
      await Deno.mkdir(`${folder}/data/sub`, { recursive: true });
      await Deno.writeTextFile(`${folder}/data/sub/x`, "x");
      const shipment = await ship("sort", [`${folder}/data`]);
      assertEquals([shipment.program, shipment.dynamic], ["/usr/bin/sort", true]);
      const kinds = new Map(shipment.inputs.map(({ path, kind }) => [path, kind]));
      assertEquals(kinds.get(`${folder}/data`), "folder");
      assertEquals(kinds.get(`${folder}/data/sub/x`), "file");
      const names = shipment.inputs.map(({ path }) => path.slice(path.lastIndexOf("/") + 1));
      assert(names.some((name) => name.startsWith("libc.so.6")));
      assert(names.some((name) => /^ld-/.test(name)));
      assert(shipment.libraryPath.length > 0);
    }),
});

Deno.test({
  name: "shipProgram() comes to an end where links in the data lead back",
  ignore: ldd === undefined,
  fn: () =>
    withFolder(async (folder) => {
      await Deno.mkdir(`${folder}/a`);
      await Deno.writeTextFile(`${folder}/a/x`, "x");
      for (const name of ["one", "two", "three"]) {
        await Deno.symlink("..", `${folder}/a/${name}`);
        await Deno.symlink("a", `${folder}/${name}`);
      }
      const { inputs } = await ship("sort", [folder]);
      const own = inputs.filter(({ path }) => path.startsWith(folder))
        .map(({ path, kind }) => `${kind} ${path.slice(folder.length)}`).toSorted();
      assertEquals(own, [
        "file /a/x",
        "folder ",
        "folder /a",
        ...["/a/one", "/a/three", "/a/two", "/one", "/three", "/two"].map((path) => `link ${path}`),
      ]);
    }),
});

Deno.test("shipProgram() refuses what cannot travel", () =>
  withFolder(async (folder) => {
    const script = `${folder}/script`;
    await Deno.writeTextFile(script, "#!/no/such/shell\n", { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/plain`, "", { mode: 0o644 });
    await Deno.writeTextFile(`${folder}/text`, "text", { mode: 0o755 });
    await Deno.copyFile("/bin/sort", `${folder}/setuid`).catch(() =>
      Deno.copyFile("/usr/bin/sort", `${folder}/setuid`)
    );
    await Deno.chmod(`${folder}/setuid`, 0o4755);
    const codeOf = async (name: string, data: readonly string[] = []) =>
      (await assertRejects(() => ship(name, data), LlamaError)).code;
    assertEquals(await codeOf("no-such-program"), "ProgramNotFound");
    assertEquals(await codeOf(`${folder}/none`), "ProgramNotFound");
    assertEquals(await codeOf(folder), "ProgramNotShipped");
    for (const name of ["plain", "text"]) {
      assertEquals(await codeOf(`${folder}/${name}`), "ProgramNotShipped");
    }
    assertEquals(await codeOf(`${folder}/setuid`), "ProgramNotShipped");
    assertEquals(await codeOf(script), "InterpreterMissing");
    if (ldd) assertEquals(await codeOf("sort", [`${folder}/none`]), "FileMissing");
  }));

Deno.test({
  name: "shipProgram() takes a program that ldd refuses for a static one",
  ignore: ldd === undefined,
  fn: () =>
    withFolder(async (folder) => {
      const path = `${folder}/plain`;
      await Deno.writeTextFile(path, "\x7fELF and no more", { mode: 0o755 });
      const shipment = await ship(path);
      assertEquals([shipment.dynamic, shipment.libraryPath], [false, []]);
      assertEquals(shipment.inputs.map((input) => input.path), [path]);
    }),
});
