import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { foldersOf, librariesOf, parseLdd } from "./libraries.ts";
import { recordedProcesses } from "./recorded_processes_fixture.ts";

const LDD = [
  "\tlinux-vdso.so.1 (0x00007ffd1a5f2000)",
  "\tlibisl.so.23 => /lib/x86_64-linux-gnu/libisl.so.23 (0x00007f1d2c000000)",
  "\tlibodd.so => /opt/my libs (old)/libodd.so (0x00007f1d2b000000)",
  "\t/opt/direct/libfull.so (0x00007f1d2a000000)",
  "\t/lib64/ld-linux-x86-64.so.2 (0x00007f1d2e000000)",
  "",
].join("\n");

Deno.test("parseLdd() finds libraries and loader, and leaves out what the kernel brings", () => {
  assertEquals(parseLdd(LDD, "/usr/bin/x"), {
    paths: [
      "/lib/x86_64-linux-gnu/libisl.so.23",
      "/opt/my libs (old)/libodd.so",
      "/opt/direct/libfull.so",
      "/lib64/ld-linux-x86-64.so.2",
    ],
    dynamic: true,
  });
});

Deno.test("parseLdd() knows a statically linked program", () => {
  assertEquals(parseLdd("\tstatically linked\n", "/x"), { paths: [], dynamic: false });
});

Deno.test("parseLdd() names a library that is not to be found", () => {
  const error = assertThrows(
    () => parseLdd(`${LDD}\tlibgone.so.1 => not found\n`, "/usr/bin/x"),
    LlamaError,
    'Cannot ship "/usr/bin/x" as its library "libgone.so.1" is not to be found',
  );
  assertEquals(error.code, "LibraryMissing");
});

Deno.test("librariesOf() asks ldd in an environment that cannot mislead it", async () => {
  const processes = recordedProcesses(() => LDD);
  assertEquals((await librariesOf("/usr/bin/x", processes)).dynamic, true);
  assertEquals(processes.calls, [{
    command: "/usr/bin/ldd /usr/bin/x",
    cwd: "/",
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
  }]);
  const missing = recordedProcesses(() => "\tliba.so => not found\n");
  await assertRejects(() => librariesOf("/x", missing), LlamaError, '"liba.so"');
});

Deno.test("librariesOf() takes what ldd refuses for no dynamic program", async () => {
  const processes = recordedProcesses(() => ({
    code: 1,
    stdout: "",
    stderr: "\tnot a dynamic executable\n",
  }));
  assertEquals(await librariesOf("/etc/passwd", processes), { paths: [], dynamic: false });
});

Deno.test("foldersOf() names each folder once, in order", () => {
  assertEquals(foldersOf(["/b/x", "/a/y", "/b/z", "/w", "/a/c/v"]), ["/b", "/a", "/", "/a/c"]);
});
