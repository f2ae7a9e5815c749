import { assert, assertEquals } from "@std/assert";
import { findProgram } from "../cc/toolchain.ts";
import { realFiles, realProcesses } from "./real_files.ts";
import { rehearse } from "./rehearsal.ts";
import { buildShim } from "./shim_build.ts";

const PATH = "/usr/bin:/bin";
const tools = { files: realFiles, processes: realProcesses };
const parts = (driver: string) => ({ driver, flags: [], env: { PATH }, cwd: "/" });
const find = (name: string) => findProgram(name, PATH, realFiles);
const cc = find("cc");

Deno.test({
  name: "rehearse() names what cc looks at, and nothing that it makes",
  ignore: cc === undefined,
  async fn() {
    assert(cc);
    const found = await rehearse(parts(cc), await buildShim(cc), tools);
    assert(found.some((path) => /\/include\/stdc-predef\.h$/.test(path)), found.join("\n"));
    assert(found.some((path) => path === cc));
    for (const path of found) {
      assert(realFiles.lstat(path) !== undefined, path);
      assert(!/^\/(?:tmp|dev|proc)\//.test(path), path);
    }
    assertEquals(found, [...new Set(found)].toSorted());
  },
});

Deno.test({
  name:
    "rehearse() names the compilers among which clang chooses, and all of a folder that it lists",
  ignore: cc === undefined || find("clang") === undefined,
  async fn() {
    assert(cc);
    const found = await rehearse(parts(find("clang") ?? ""), await buildShim(cc), tools);
    assert(
      found.some((path) => /\/lib\/gcc\/[^/]+\/[^/]+\/crtbegin\.o$/.test(path)),
      found.join("\n"),
    );
    const opt = Array.from(Deno.readDirSync("/opt"), ({ name }) => `/opt/${name}`);
    for (const path of opt) assert(found.includes(path), path);
  },
});

Deno.test("rehearse() finds nothing where the compiler does not run", async () => {
  assertEquals(await rehearse(parts("/bin/false"), new Uint8Array(), tools), []);
});
