import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { recordedProcesses } from "../cc/recorded_processes_fixture.ts";
import { findProgram } from "../cc/toolchain.ts";
import { preprocess } from "./preprocess.ts";
import { realFiles, realProcesses } from "./real_files.ts";
import { type RemoteRequest, StaysHere } from "./remote_request.ts";
import { remoteRequestsOf } from "./remote_request_fixture.ts";
import { createSlots } from "./slots.ts";

const PATH = "/usr/bin:/bin";
const gcc = findProgram("gcc", PATH, realFiles);

function requestOf(
  command: string,
  cwd: string,
  options: { env?: Record<string, string>; signal?: AbortSignal } = {},
): RemoteRequest {
  const env = { PATH, ...options.env };
  const [request] = remoteRequestsOf(command, {
    ...options,
    driver: gcc ?? "/usr/bin/gcc",
    cwd,
    env,
  });
  assert(request);
  return request;
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
        const { stderr, text, args } = await preprocess(
          requestOf("-MMD -c a.c -o out.o", cwd, { env }),
          tools,
        );
        assertEquals(stderr, "");
        assertEquals(text.path, "/.llama/text/a.c");
        assert(gcc);
        const shown = new TextDecoder().decode(text.bytes);
        assertEquals(shown.includes("(2 * (21))"), full === "1");
        assertEquals(await Deno.readTextFile(`${cwd}/out.d`), "out.o: a.c a.h\n");
        const elsewhere = await Deno.makeTempDir();
        try {
          await Deno.writeFile(`${elsewhere}/a.c`, text.bytes);
          const compiled = await realProcesses.run(
            gcc,
            args.map((arg) => arg === text.path ? "a.c" : arg),
            { cwd: elsewhere, env: { PATH } },
          );
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
  name: "preprocess() leaves it to the compiler here to say what is wrong",
  ignore: gcc === undefined,
  fn: () =>
    withProject(async (cwd) => {
      await Deno.writeTextFile(`${cwd}/b.c`, '#include "none.h"\n');
      await Deno.writeTextFile(`${cwd}/w.c`, "#warning words\n");
      const slots = createSlots(1);
      const tools = { processes: realProcesses, slots };
      await assertRejects(() => preprocess(requestOf("-c b.c", cwd), tools), StaysHere);
      const warned = requestOf("-c w.c", cwd);
      assertStringIncludes((await preprocess(warned, tools)).stderr, "#warning words");
      // There it would have been coloured.
      const request = { ...warned.request, stderrIsTerminal: true };
      await assertRejects(() => preprocess({ ...warned, request }, tools), StaysHere);
      assertEquals(slots.stats().busy, 0);
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
