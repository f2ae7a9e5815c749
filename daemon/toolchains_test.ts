import { assertEquals, assertStrictEquals } from "@std/assert";
import { createFileDigests } from "../cc/digests.ts";
import type { ProcessRunner } from "../cc/file_system.ts";
import { createFolders } from "../cc/folders.ts";
import { createMemoryFiles } from "../cc/memory_files.ts";
import { createPlaces } from "../cc/places.ts";
import { createToolchains } from "./toolchains.ts";
import type { Uploads } from "./uploads.ts";

/** A machine with two compilers, of which /usr/bin/cc is the first. */
function setUp() {
  const files = createMemoryFiles();
  for (const path of ["/usr/bin/gcc-1", "/usr/bin/gcc-2", "/lib/libc.so.6.1"]) {
    files.write(path, path);
  }
  files.link("/usr/bin/cc", "gcc-1");
  files.link("/lib/libc.so.6", "libc.so.6.1");
  files.write("/usr/lib/locale/C.utf8/LC_CTYPE", "ctype");
  files.tick(1000);
  const processes: ProcessRunner = {
    run: (program, _args) =>
      Promise.resolve({
        code: program === "/usr/bin/ldd" ? 0 : 1,
        stdout: "\tlibc.so.6 => /lib/libc.so.6 (0x1)\n",
        stderr: "",
      }),
  };
  const folders = createFolders(files);
  const tools = {
    files,
    processes,
    folders,
    places: createPlaces(files, folders),
    digests: createFileDigests(files),
    buildShim: () => Promise.resolve(new TextEncoder().encode("shim")),
  };
  const toolchains = createToolchains(tools);
  const uploads: Uploads = { ensure: () => Promise.resolve([]), forget: () => undefined };
  const prepare = () => {
    files.tick(1000);
    folders.nextRound();
    return toolchains.prepare("/usr/bin/cc", "/usr/bin", uploads);
  };
  return { files, prepare };
}

Deno.test("prepare() prepares a toolchain once", async () => {
  const { prepare } = setUp();
  assertStrictEquals(await prepare(), await prepare());
});

Deno.test("prepare() prepares again when the compiler's file has changed", async () => {
  const { files, prepare } = setUp();
  const before = await prepare();
  files.write("/usr/bin/gcc-1", "newer");
  assertEquals((await prepare()).manifest === before.manifest, false);
});

Deno.test("prepare() prepares again when the compiler's name leads to another file", async () => {
  const { files, prepare } = setUp();
  assertEquals((await prepare()).inputs.has("/usr/bin/gcc-1"), true);
  files.remove("/usr/bin/cc");
  files.link("/usr/bin/cc", "gcc-2");
  const { inputs } = await prepare();
  assertEquals([inputs.has("/usr/bin/gcc-1"), inputs.has("/usr/bin/gcc-2")], [false, true]);
});

Deno.test("prepare() sends the locale in which compilers print typographic quotes", async () => {
  const { inputs } = await setUp().prepare();
  assertEquals(inputs.get("/usr/lib/locale/C.utf8/LC_CTYPE")?.kind, "file");
});
