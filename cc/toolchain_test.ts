import { assert, assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { realFiles, realProcesses } from "../daemon/real_files.ts";
import type { FileState, FileSystem, ProcessOutput } from "./file_system.ts";
import { createMemoryFiles } from "./memory_files_fixture.ts";
import { recordedProcesses } from "./recorded_processes_fixture.ts";
import { discoverToolchain, findProgram } from "./toolchain.ts";

const PATH = "/usr/bin:/bin";
const PARTS = { driver: "/opt/bin/cc", flags: [], env: { PATH }, cwd: "/" };
const gcc = findProgram("gcc", PATH, realFiles);

Deno.test({
  name: "discoverToolchain() finds all that the local gcc needs for -c",
  ignore: gcc === undefined,
  async fn() {
    assert(gcc);
    const tools = { files: realFiles, processes: realProcesses };
    const { driver, why, libraryPath } = await discoverToolchain(
      { ...PARTS, driver: gcc },
      tools,
    );
    const paths = [...why.keys()];
    assertEquals(driver, gcc);
    assertEquals(paths[0], gcc);
    const names = new Set(paths.map((path) => path.slice(path.lastIndexOf("/") + 1)));
    for (const name of ["cc1", "as", "libc.so.6", "stddef.h", "limits.h"]) {
      assert(names.has(name), `${name} is not among ${paths.length} files`);
    }
    assert([...names].some((name) => /^ld-linux.*\.so\.\d+$/.test(name)), "no loader");
    for (const path of paths) {
      assertEquals([path.startsWith("/"), realFiles.stat(path)?.kind], [true, "file"], path);
    }
    assert(libraryPath.length > 0);
    for (const folder of libraryPath) assertEquals(realFiles.stat(folder)?.kind, "folder");
  },
});

Deno.test({
  name: "discoverToolchain() finds the C++ compiler beside the local gcc",
  ignore: gcc === undefined || findProgram("g++", PATH, realFiles) === undefined,
  async fn() {
    assert(gcc);
    const tools = { files: realFiles, processes: realProcesses };
    const { why } = await discoverToolchain({ ...PARTS, driver: gcc }, tools);
    assert(why.keys().some((path) => path.endsWith("/cc1plus")));
  },
});

/** A compiler in memory: answers `-print-…` and `ldd` from a table. */
function fakeCompiler(answers: Record<string, string | ProcessOutput>) {
  const files = createMemoryFiles();
  for (
    const path of [
      "/opt/bin/cc",
      "/usr/bin/as",
      "/lib/cc1",
      "/lib/libc.so.6",
      "/inc/a.h",
      "/inc/sub/b.h",
    ]
  ) files.write(path, "");
  files.link("/inc/linked.h", "a.h");
  files.link("/inc/gone.h", "nowhere");
  const processes = recordedProcesses((command) =>
    answers[command] ??
      (command.startsWith("/usr/bin/ldd")
        ? "\tlibc.so.6 => /lib/libc.so.6 (0x1)\n"
        : { code: 1, stdout: "trash", stderr: "" })
  );
  return { files: executable(files), processes };
}

function executable<F extends FileSystem>(files: F): F {
  const change = (state: FileState | undefined) => state && { ...state, mode: 0o755 };
  return { ...files, stat: (path) => change(files.stat(path)) };
}

Deno.test("discoverToolchain() takes programs from PATH where the driver has none of its own", async () => {
  const { files, processes } = fakeCompiler({
    "/opt/bin/cc -print-prog-name=cc1": "/lib/cc1\n",
    "/opt/bin/cc -print-prog-name=cc1plus": "cc1plus\n",
    "/opt/bin/cc -print-prog-name=as": "as\n",
    "/opt/bin/cc -print-prog-name=objcopy": "/lib/none\n",
    "/opt/bin/cc -print-file-name=include": "/inc\n",
    "/opt/bin/cc -print-file-name=include-fixed": "include-fixed\n",
  });
  const found = await discoverToolchain(PARTS, { files, processes });
  assertEquals({ ...found, why: [...found.why] }, {
    driver: "/opt/bin/cc",
    why: [
      ["/opt/bin/cc", "the compiler"],
      ["/lib/cc1", "the compiler's cc1"],
      ["/usr/bin/as", "the compiler's as"],
      ["/lib/libc.so.6", "library of cc"],
      ["/inc/a.h", "header of the compiler"],
      ["/inc/sub/b.h", "header of the compiler"],
      ["/inc/linked.h", "header of the compiler"],
    ],
    libraryPath: ["/lib"],
  });
  for (const { env } of processes.calls) assertEquals(env.LC_ALL, "C");
});

Deno.test("discoverToolchain() refuses a driver into which no library can be loaded", async () => {
  const { files, processes } = fakeCompiler({
    "/usr/bin/ldd /opt/bin/cc": "\tstatically linked\n",
  });
  const error = await assertRejects(
    () => discoverToolchain(PARTS, { files, processes }),
    LlamaError,
    'Cannot run "/opt/bin/cc" elsewhere as it is statically linked',
  );
  assertEquals(error.code, "StaticCompiler");
});

Deno.test("discoverToolchain() refuses a script in the place of a program", async () => {
  const { files, processes } = fakeCompiler({
    "/opt/bin/cc -print-prog-name=as": "/usr/bin/as\n",
    "/usr/bin/ldd /usr/bin/as": { code: 1, stdout: "", stderr: "not a dynamic executable" },
  });
  files.write("/usr/bin/as", "#!/bin/sh\n");
  const error = await assertRejects(
    () => discoverToolchain(PARTS, { files, processes }),
    LlamaError,
  );
  assertEquals(error.code, "ScriptCompiler");
});

Deno.test("findProgram() takes the first executable file in PATH", async () => {
  const folder = await Deno.makeTempDir();
  try {
    for (const name of ["a", "b", "c", "d/tool"]) {
      await Deno.mkdir(`${folder}/${name}`, { recursive: true });
    }
    await Deno.writeTextFile(`${folder}/b/tool`, "", { mode: 0o644 });
    await Deno.writeTextFile(`${folder}/c/tool`, "", { mode: 0o755 });
    await Deno.symlink("c/tool", `${folder}/tool`);
    const find = (...folders: string[]) => findProgram("tool", folders.join(":"), realFiles);
    // No such file, not executable, a folder, no absolute folder.
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => `${folder}/${name}`);
    assert(a && b && c && d);
    assertEquals(find(a, b, d, "c", "", c, folder), `${c}/tool`);
    assertEquals(find(folder), `${folder}/tool`);
    assertEquals(find(a, b, d), undefined);
    assertEquals(findProgram("./tool", a, realFiles), "./tool");
    assertEquals(findProgram("tool", "", realFiles), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
