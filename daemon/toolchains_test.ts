import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { createFileDigests } from "../cc/digests.ts";
import type { ProcessRunner } from "../cc/file_system.ts";
import { createFolders } from "../cc/folders.ts";
import { createMemoryFiles } from "../cc/memory_files_fixture.ts";
import { createPlaces } from "../cc/places.ts";
import { isInline } from "../job/content.ts";
import type { Digest } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { decodeManifest } from "../job/manifest.ts";
import { openKeptToolchains } from "./kept_toolchains.ts";
import { atNewPath } from "./new_path_fixture.ts";
import { createToolchains } from "./toolchains.ts";
import { noUploads, type ReadObject, type Uploads } from "./uploads.ts";

/** A machine with two compilers, of which /usr/bin/cc is the first. */
function setUp(keptIn?: string, shimSource: Digest = "1".repeat(64)) {
  const files = createMemoryFiles();
  for (const path of ["/usr/bin/gcc-1", "/usr/bin/gcc-2", "/lib/libc.so.6.1"]) {
    files.write(path, path);
  }
  files.write("/inc/include/stddef.h", "");
  files.write("/etc/os-release", "");
  files.link("/usr/bin/cc", "gcc-1");
  files.link("/lib/libc.so.6", "libc.so.6.1");
  files.write("/usr/lib/locale/C.utf8/LC_CTYPE", "ctype");
  files.tick(1000);
  const processes: ProcessRunner & { linked: string | undefined; asked: number } = {
    linked: undefined,
    asked: 0,
    run: (program, args) => {
      if (args[0] === "-print-file-name=include") {
        return Promise.resolve({ code: 0, stdout: "/inc/include\n", stderr: "" });
      }
      if (args[0] === "/usr/bin/cc") processes.asked++;
      if (args[0] === "/p/plug.so") {
        const stdout = "\tlibword.so => /p/lib/libword.so (0x1)\n";
        return Promise.resolve({ code: 0, stdout, stderr: "" });
      }
      return Promise.resolve({
        code: program === "/usr/bin/ldd" ? 0 : 1,
        stdout: processes.linked ?? "\tlibc.so.6 => /lib/libc.so.6 (0x1)\n",
        stderr: "",
      });
    },
  };
  const folders = createFolders(files);
  const digests = createFileDigests(files);
  const problems: unknown[] = [];
  const onProblem = (problem: unknown) => void problems.push(problem);
  const keeping = { digests, shimSource: () => Promise.resolve(shimSource), onProblem };
  const tools = {
    files,
    processes,
    folders,
    places: createPlaces(files, folders),
    digests,
    ...keptIn !== undefined && { kept: openKeptToolchains(keptIn, keeping) },
    buildShim: () => {
      builds++;
      return Promise.resolve(new TextEncoder().encode("shim"));
    },
    rehearse: () => Promise.resolve(["/etc/os-release", "/no/such/file", ...beside]),
  };
  const beside: string[] = [];
  let builds = 0;
  const toolchains = createToolchains(tools);
  let read: ReadObject = () => Promise.resolve(undefined);
  const uploads: Uploads = {
    ensure: (_, given) => {
      read = given;
      return Promise.resolve([]);
    },
    has: () => false,
    repack: noUploads.repack,
    forget: () => undefined,
  };
  const prepare = (path = "/usr/bin") => {
    files.tick(1000);
    folders.nextRound();
    const parts = { driver: "/usr/bin/cc", flags: [], env: { PATH: path }, cwd: "/" };
    return toolchains.prepare(parts, uploads);
  };
  return {
    files,
    toolchains,
    processes,
    beside,
    prepare,
    builds: () => builds,
    problems,
    read: (digest: Digest) => read(digest),
  };
}

Deno.test("prepare() prepares a toolchain once", async () => {
  const { prepare } = setUp();
  assertStrictEquals(await prepare(), await prepare());
});

Deno.test("prepare() compiles the shim once for the same programs", async () => {
  const { files, prepare, builds } = setUp();
  await prepare("/usr/bin");
  await prepare("/opt:/usr/bin");
  assertEquals(builds(), 1);
  files.write("/usr/bin/gcc-1", "newer");
  await prepare();
  assertEquals(builds(), 2);
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

Deno.test("prepare() sends what the compiler looks at beside its programs, if it is there", async () => {
  const { inputs } = await setUp().prepare();
  assertEquals(inputs.get("/etc/os-release")?.kind, "file");
  assertEquals(inputs.has("/no/such/file"), false);
});

Deno.test("prepare() tells compilers apart by their bytes, whatever they print", async () => {
  const { files, prepare } = setUp();
  const first = await prepare();
  files.remove("/usr/bin/cc");
  files.link("/usr/bin/cc", "gcc-2");
  const second = await prepare();
  files.write("/usr/bin/gcc-2", "/usr/bin/gcc-1");
  const third = await prepare();
  assertEquals(new Set([first, second, third].map(({ manifest }) => manifest)).size, 3);
});

Deno.test("prepare() looks once at a compiler that is statically linked, until it is another", async () => {
  const { files, prepare, processes } = setUp();
  processes.linked = "\tstatically linked\n";
  for (let tries = 0; tries < 3; tries++) {
    const error = await assertRejects(prepare, LlamaError);
    assertEquals(error.code, "StaticCompiler");
  }
  assertEquals(processes.asked, 1);
  processes.linked = undefined;
  files.write("/usr/bin/gcc-1", "dynamic by now");
  assertEquals((await prepare()).driver, "/usr/bin/cc");
});

Deno.test("prepare() sends the libraries of a plugin, too, and tells the loader where they are", async () => {
  const { files, prepare, beside } = setUp();
  files.write("/p/plug.so", "");
  files.write("/p/lib/libword.so", "");
  beside.push("/p/plug.so");
  const { inputs, libraryPath } = await prepare();
  assertEquals(inputs.get("/p/lib/libword.so")?.kind, "file");
  assertEquals(libraryPath, ["/lib", "/p/lib"]);
});

Deno.test("prepare() sends no script that the compiler runs in the place of a program", async () => {
  const { files, prepare, beside } = setUp();
  files.write("/p/as", "#!/bin/sh\n", 0o755);
  beside.push("/p/as");
  const error = await assertRejects(prepare, LlamaError);
  assertEquals(error.code, "ScriptCompiler");
});

Deno.test("prepare() keeps no other failure", async () => {
  const { files, prepare } = setUp();
  files.remove("/lib/libc.so.6.1");
  const error = await assertRejects(prepare, LlamaError);
  assertEquals(error.code, "ToolchainUnreadable");
  files.write("/lib/libc.so.6.1", "");
  assertEquals((await prepare()).inputs.has("/lib/libc.so.6.1"), true);
});

Deno.test("prepare() sends nothing under the digest of what a file held before", async () => {
  const { files, prepare, read } = setUp();
  const { inputs } = await prepare();
  const driver = inputs.get("/usr/bin/gcc-1");
  assert(driver?.kind === "file" && !isInline(driver.content));
  const { digest } = driver.content;
  assertEquals(await read(digest), new TextEncoder().encode("/usr/bin/gcc-1"));
  files.write("/usr/bin/gcc-1", "/usr/bin/gcc-x");
  assertEquals(await read(digest), undefined);
});

Deno.test("read() gives the manifest and the shim, by which a worker finds all else", async () => {
  const { prepare, toolchains } = setUp();
  const ready = await prepare();
  const bytes = toolchains.read(ready.manifest);
  assert(bytes);
  assertEquals(bytes, ready.manifestBytes);
  const { inputs } = decodeManifest(bytes, "manifest");
  assertEquals(inputs, [...ready.inputs.values()]);
  const shim = inputs.find(({ path }) => path === ready.shim);
  assert(shim?.kind === "file" && !isInline(shim.content));
  assertEquals(toolchains.read(shim.content.digest), new TextEncoder().encode("shim"));
  assertEquals(toolchains.read("0".repeat(64)), undefined);
});

Deno.test("check() has a toolchain prepared again whose header has changed", async () => {
  const { files, prepare, toolchains } = setUp();
  const before = await prepare();
  toolchains.check(before);
  assertStrictEquals(await prepare(), before);
  files.write("/inc/include/stddef.h", "changed");
  assertStrictEquals(await prepare(), before);
  toolchains.check(before);
  const after = await prepare();
  assertEquals(after.manifest === before.manifest, false);
});

const withFolder = (test: (folder: string) => Promise<void>) => atNewPath("compilers", test);

Deno.test("prepare() asks no compiler that was asked before the daemon started", () =>
  withFolder(async (folder) => {
    const first = await setUp(folder).prepare();
    const { prepare, processes, builds, files, read, toolchains } = setUp(folder);
    const again = await prepare();
    assertEquals([processes.asked, builds()], [0, 0]);
    assertEquals([again.manifest, again.libraryPath], [first.manifest, first.libraryPath]);
    assertEquals(files.calls.get("read"), undefined);
    const driver = again.inputs.get("/usr/bin/gcc-1");
    assert(driver?.kind === "file" && !isInline(driver.content));
    assertEquals(await read(driver.content.digest), new TextEncoder().encode("/usr/bin/gcc-1"));
    const shim = again.inputs.get(again.shim);
    assert(shim?.kind === "file" && !isInline(shim.content));
    assertEquals(toolchains.read(shim.content.digest), new TextEncoder().encode("shim"));
    const { mode } = await Deno.stat(folder);
    assertEquals((mode ?? 0) & 0o777, 0o700);
  }));

Deno.test("prepare() asks a compiler of which a program is another by now", () =>
  withFolder(async (folder) => {
    const first = await setUp(folder).prepare();
    const changes: readonly ((files: ReturnType<typeof createMemoryFiles>) => void)[] = [
      (files) => files.write("/usr/bin/gcc-1", "newer"),
      (files) => files.write("/lib/libc.so.6.1", "newer"),
      (files) => {
        files.remove("/usr/bin/cc");
        files.link("/usr/bin/cc", "gcc-2");
      },
    ];
    for (const change of changes) {
      const { files, prepare, processes, builds } = setUp(folder);
      change(files);
      const after = await prepare();
      assertEquals([processes.asked, builds()], [1, 1]);
      assertEquals(after.manifest === first.manifest, false);
      await setUp(folder).prepare();
    }
  }));

Deno.test("prepare() takes a header that is another by now, without asking", () =>
  withFolder(async (folder) => {
    const first = await setUp(folder).prepare();
    const { files, prepare, processes } = setUp(folder);
    files.write("/inc/include/stddef.h", "newer");
    const { manifest } = await prepare();
    assertEquals([processes.asked, manifest === first.manifest], [0, false]);
  }));

Deno.test("prepare() asks where what was kept is damaged, for another shim, or cannot be written", () =>
  withFolder(async (folder) => {
    await setUp(folder).prepare();
    const [{ name } = { name: "" }] = Deno.readDirSync(folder);
    const whole = await Deno.readTextFile(`${folder}/${name}`);
    for (const text of ["", "{", whole.slice(0, -9), whole.replace(':1,"', ':2,"'), "[]", "{}"]) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
      const { prepare, processes } = setUp(folder);
      await prepare();
      assertEquals(processes.asked, 1, text.slice(0, 20));
      assertEquals(await Deno.readTextFile(`${folder}/${name}`), whole);
    }
    const other = setUp(folder, "2".repeat(64));
    await other.prepare();
    assertEquals(other.processes.asked, 1);
    await Deno.remove(folder, { recursive: true });
    await Deno.writeTextFile(folder, "in the way");
    const { prepare, processes, problems } = setUp(folder);
    await prepare();
    assertEquals([processes.asked, problems.length], [1, 2]);
  }));

Deno.test("learn() has what proofs have found sent from the beginning, after a restart", () =>
  withFolder(async (folder) => {
    const { files, prepare, toolchains } = setUp(folder);
    files.write("/usr/lib/more.cfg", "");
    const before = await prepare();
    await toolchains.learn(before, ["/usr/lib/more.cfg", "/usr/lib/gone.cfg"]);
    assertEquals([...before.extras], ["/usr/lib/more.cfg", "/usr/lib/gone.cfg"]);
    const next = setUp(folder);
    next.files.write("/usr/lib/more.cfg", "");
    const { inputs } = await next.prepare();
    assertEquals(next.processes.asked, 0);
    assertEquals([inputs.has("/usr/lib/more.cfg"), inputs.has("/usr/lib/gone.cfg")], [true, false]);
    // It is no program of the compiler: without it nothing need be asked.
    const last = setUp(folder);
    assertEquals((await last.prepare()).inputs.has("/usr/lib/more.cfg"), false);
    assertEquals(last.processes.asked, 0);
  }));

Deno.test("learn() has the compiler asked after a restart if a program was found beside it", () =>
  withFolder(async (folder) => {
    const { files, prepare, toolchains } = setUp(folder);
    files.write("/usr/local/bin/as", "", 0o755);
    await toolchains.learn(await prepare(), ["/usr/local/bin/as"]);
    const next = setUp(folder);
    await next.prepare();
    assertEquals(next.processes.asked, 1);
  }));
