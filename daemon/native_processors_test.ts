import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { ProcessRunner } from "../cc/file_system.ts";
import { withProcessor } from "../cc/native_processor.ts";
import { findProgram } from "../cc/toolchain.ts";
import { createNativeProcessors } from "./native_processors.ts";
import { realFiles, realProcesses } from "./real_files.ts";
import { type RemoteRequest, StaysHere } from "./remote_request.ts";
import { remoteRequestsOf } from "./remote_request_fixture.ts";

const PATH = "/usr/bin:/bin";
const compilers = ["gcc", "gcc-11", "clang"].map((name) => findProgram(name, PATH, realFiles))
  .filter((driver) => driver !== undefined);
/** Both have processors of which neither can be taken for the other's. */
const X86 = Deno.build.arch === "x86_64";
const SOURCE = "void f(float *x) { for (int i = 0; i < 4096; i++) x[i] = x[i] * x[i] + 1; }\n";

/** A machine with another processor than this one: `skylake-avx512`, known to all compilers. */
const skylake: ProcessRunner = {
  run: async (program, args, options) => {
    const output = await realProcesses.run(
      program,
      args.map((arg) => arg.replace(/^-m(arch|tune)=native$/, "-m$1=skylake-avx512")),
      options,
    );
    // Only the marks of the probe stand before and behind what gcc found out.
    const stderr = output.stderr.replace(
      /("-DLLAMA_EXPANSION=(\d)").*?(?= "-DLLAMA_EXPANSION=)/g,
      (_, mark: string, which: string) =>
        `${mark} "-m${which === "0" ? "arch" : "tune"}=skylake-avx512" -mprefer-vector-width=512`,
    );
    return { ...output, stderr };
  },
};

function requestOf(driver: string, command: string, cwd: string): RemoteRequest {
  const [request] = remoteRequestsOf(command, { driver, name: driver, cwd, env: { PATH } });
  assert(request);
  return request;
}

/** Compiles as a worker would that is told of the processor that `processes` have. */
async function assemblyOf(
  driver: string,
  command: string,
  processes: ProcessRunner,
): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.c`, SOURCE);
    const remote = requestOf(driver, command, folder);
    const processor = await createNativeProcessors(processes)(remote);
    assert(processor);
    if (processor.specs) await Deno.writeTextFile(`${folder}/native.specs`, processor.specs);
    const args = withProcessor(remote.args, processor, `${folder}/native.specs`);
    const { code, stderr } = await realProcesses.run(driver, args, { cwd: folder, env: { PATH } });
    assertEquals([code, stderr], [0, ""]);
    return await Deno.readTextFile(`${folder}/a.s`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const driver of compilers) {
  Deno.test({
    name: `createNativeProcessors() has ${driver} make code for this machine wherever it runs`,
    ignore: !X86,
    fn: async () => {
      const plain = async (command: string) => {
        const folder = await Deno.makeTempDir();
        try {
          await Deno.writeTextFile(`${folder}/a.c`, SOURCE);
          await realProcesses.run(driver, command.split(" "), { cwd: folder, env: { PATH } });
          return await Deno.readTextFile(`${folder}/a.s`);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      };
      for (const flags of ["-march=native", "-mtune=native", "-march=native -mno-avx2"]) {
        const command = `-O3 ${flags} -S a.c`;
        assertEquals(await assemblyOf(driver, command, realProcesses), await plain(command), flags);
      }
    },
  });

  Deno.test({
    name: `createNativeProcessors() never has ${driver} ask the processor of the worker`,
    ignore: !X86,
    fn: async () => {
      const wide = "-O3 -mprefer-vector-width=512 -march=native -S a.c";
      assertStringIncludes(await assemblyOf(driver, wide, skylake), "%zmm");
    },
  });
}

Deno.test("createNativeProcessors() asks each compiler once for the same flags", async () => {
  const calls: string[] = [];
  const processes: ProcessRunner = {
    run: (_, args) => {
      calls.push(args[0] ?? "");
      const stderr = ' "clang" "-cc1" "-triple" "x86_64-" "-target-cpu" "znver3"\n';
      return Promise.resolve({ code: args[0] === "-dumpspecs" ? 1 : 0, stdout: "", stderr });
    },
  };
  const find = createNativeProcessors(processes);
  for (const source of ["a.c", "b.c"]) {
    const found = await find(requestOf("clang", `-march=native -c ${source}`, "/"));
    assertEquals(found?.names?.arch, "znver3");
  }
  assertEquals(calls, ["-dumpspecs", "-###"]);
  assertEquals(await find(requestOf("clang", "-march=x86-64 -c a.c", "/")), undefined);
  for (const told of ["-march=native -grecord-command-line -c a.c", "-march=native -c a.S"]) {
    await assertRejects(() => find(requestOf("clang", told, "/")), StaysHere);
  }
});
