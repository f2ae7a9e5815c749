import { assert, assertEquals, assertRejects } from "@std/assert";
import { readCommandLine } from "../cc/command_line.ts";
import { decide } from "../cc/decision.ts";
import { recordedProcesses } from "../cc/recorded_processes_fixture.ts";
import { readSettings } from "../cc/settings.ts";
import { findProgram } from "../cc/toolchain.ts";
import { preprocess } from "./preprocess.ts";
import { realFiles, realProcesses } from "./real_files.ts";
import type { RemoteRequest } from "./remote_request.ts";
import { createSlots } from "./slots.ts";

const PATH = "/usr/bin:/bin";
const gcc = findProgram("gcc", PATH, realFiles);

function requestOf(
  command: string,
  cwd: string,
  options: { env?: Record<string, string>; signal?: AbortSignal } = {},
): RemoteRequest {
  const args = command.split(" ");
  const env = { PATH, ...options.env };
  const line = readCommandLine(args);
  const decision = decide(line, { cxx: false, remoteAssemble: false });
  assert(decision.kind === "remote");
  const [compilation] = decision.compilations;
  assert(compilation);
  return {
    request: {
      umask: 0o22,
      stderrIsTerminal: false,
      stdoutIsTerminal: false,
      stdinColumns: 0,
      argv: ["llamacc", ...args],
      rawArgv: [],
      cwd,
      env,
      notUtf8: false,
      notUtf8Env: new Set(),
    },
    settings: readSettings(env),
    driver: gcc ?? "/usr/bin/gcc",
    name: "gcc",
    args,
    line,
    compilation,
    signal: options.signal ?? new AbortController().signal,
  };
}

async function withProject(test: (cwd: string) => Promise<void>): Promise<void> {
  const cwd = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${cwd}/a.c`,
      '#include "a.h"\n#define TWICE(x) (2 * (x))\nint a = TWICE(A);\n',
    );
    await Deno.writeTextFile(`${cwd}/a.h`, "#define A 21\n");
    await test(cwd);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
}

Deno.test({
  name: "preprocess() gives a text that compiles without any header, and writes the dependencies",
  ignore: gcc === undefined,
  fn: () =>
    withProject(async (cwd) => {
      const slots = createSlots(1);
      const tools = { processes: realProcesses, slots };
      for (const full of ["0", "1"]) {
        const env = { LLAMACC_FULL_PREPROCESS: full };
        const { code, stderr, text, args } = await preprocess(
          requestOf("-MMD -c a.c -o out.o", cwd, { env }),
          tools,
        );
        assertEquals([code, stderr], [0, ""]);
        assert(text && gcc);
        const shown = new TextDecoder().decode(text);
        assertEquals(shown.includes("(2 * (21))"), full === "1");
        assertEquals(await Deno.readTextFile(`${cwd}/out.d`), "out.o: a.c a.h\n");
        const elsewhere = await Deno.makeTempDir();
        try {
          await Deno.writeFile(`${elsewhere}/a.c`, text);
          const compiled = await realProcesses.run(gcc, args, { cwd: elsewhere, env: { PATH } });
          assertEquals(compiled, { code: 0, stdout: "", stderr: "" });
          assertEquals(realFiles.stat(`${elsewhere}/out.o`)?.kind, "file");
          assertEquals(realFiles.stat(`${elsewhere}/out.d`), undefined);
        } finally {
          await Deno.remove(elsewhere, { recursive: true });
        }
      }
      assertEquals([slots.stats().granted, slots.stats().busy], [2, 0]);
    }),
});

Deno.test({
  name: "preprocess() gives the preprocessor's complaint and no text",
  ignore: gcc === undefined,
  fn: () =>
    withProject(async (cwd) => {
      await Deno.writeTextFile(`${cwd}/b.c`, '#include "none.h"\n');
      const slots = createSlots(1);
      const { code, stderr, text } = await preprocess(
        requestOf("-c b.c", cwd),
        { processes: realProcesses, slots },
      );
      assertEquals([code, text, slots.stats().busy], [1, undefined, 0]);
      assert(stderr.includes("none.h"), stderr);
    }),
});

Deno.test("preprocess() runs in a slot, and gives it back whatever happens", async () => {
  const slots = createSlots(1);
  let busy = 0;
  let folder = "";
  const processes = recordedProcesses((command) => {
    busy = slots.stats().busy;
    folder = command.slice(command.lastIndexOf(" ") + 1).replace(/\/[^/]*$/, "");
    throw new Error("cannot run");
  });
  await assertRejects(
    () => preprocess(requestOf("-c a.c", "/"), { processes, slots }),
    Error,
    "cannot run",
  );
  assertEquals([busy, slots.stats().busy], [1, 0]);
  assertEquals(realFiles.stat(folder), undefined);
});

Deno.test("preprocess() leaves nothing behind for a client that left while it waited", async () => {
  const slots = createSlots(1);
  const held = await slots.acquire();
  const processes = recordedProcesses(() => "");
  const abort = new AbortController();
  const tmp = await Deno.makeTempDir();
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", tmp);
  try {
    const waiting = preprocess(requestOf("-c a.c", "/", { signal: abort.signal }), {
      processes,
      slots,
    });
    abort.abort(new Error("left"));
    await assertRejects(() => waiting, Error, "left");
    assertEquals([processes.calls, [...Deno.readDirSync(tmp)]], [[], []]);
  } finally {
    held.release();
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
    await Deno.remove(tmp, { recursive: true });
  }
});
