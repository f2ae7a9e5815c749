import { assert, assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { createCompileHandler } from "./compile.ts";
import type { Connection } from "./connection.ts";
import { CloudUnavailable } from "./remote_compile.ts";
import type { CompileRequest, ExecCommand } from "./protocol.ts";
import { leftFile } from "./left_file.ts";
import { realFiles } from "./real_files.ts";
import type { Compiled, RemoteRequest } from "./remote_request.ts";
import type { LocalEnd } from "./run_as_client.ts";
import { createSlots } from "./slots.ts";
import { createStats } from "./stats.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** A connection that notes what the client is told. */
interface Client {
  readonly connection: Connection;
  readonly said: string[];
  readonly execs: ExecCommand[];
  /** Resolves when the client has been told to become a program. */
  readonly execed: Promise<void>;
  leave(): void;
}

function createClient(): Client {
  const said: string[] = [];
  const execs: ExecCommand[] = [];
  const abort = new AbortController();
  const { promise: closed, resolve: leave } = Promise.withResolvers<void>();
  const { promise: execed, resolve: resolveExeced } = Promise.withResolvers<void>();
  const say = (what: string) => {
    said.push(what);
    return Promise.resolve();
  };
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    said,
    execs,
    execed,
    leave: () => {
      abort.abort(new Error("left"));
      leave();
    },
    connection: {
      id: 1,
      signal: abort.signal,
      closed,
      stdout: (bytes) => say(`stdout ${text(bytes)}`),
      stderr: (bytes) => say(`stderr ${text(bytes)}`),
      exit: (status) => say(`exit ${status}`),
      kill: (signal) => say(`kill ${signal}`),
      fail: (message) => say(`fail ${message}`),
      exec: (command) => {
        execs.push(command);
        resolveExeced();
        return say("exec");
      },
    },
  };
}

interface Bench {
  readonly folder: string;
  readonly stats: ReturnType<typeof createStats>["current"];
  readonly slots: ReturnType<typeof createSlots>;
  readonly log: string[];
  readonly remotes: RemoteRequest[];
  remote: (request: RemoteRequest) => Promise<Compiled>;
  /** The number that decides whether a compilation is verified. */
  chance: number;
  /** What a local compiler that the daemon runs does and says. */
  here: (request: CompileRequest) => LocalEnd;
  /** The commands of those. */
  readonly ranHere: string[][];
  /** Compiles; a client that becomes another program ends at once. */
  compile(
    command: string,
    request?: Partial<CompileRequest>,
  ): Promise<{ said: string[]; exec: ExecCommand | undefined }>;
  start(command: string, client: Client, request?: Partial<CompileRequest>): Promise<void>;
}

/** A machine whose PATH is one folder with a `cc` and a `c++`, and a source beside them. */
async function withBench(test: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  for (const name of ["cc", "c++", "gcc-12"]) {
    await Deno.writeTextFile(`${folder}/${name}`, "", { mode: 0o755 });
  }
  await Deno.writeTextFile(`${folder}/a.c`, "");
  const stats = createStats();
  const slots = createSlots(1);
  const log: string[] = [];
  const remotes: RemoteRequest[] = [];
  const handler = createCompileHandler({
    files: realFiles,
    slots,
    stats,
    locales: () => Promise.resolve(new Set(["C.utf8"])),
    verification: {
      random: () => bench.chance,
      run: (request, argv) => {
        bench.ranHere.push([...argv]);
        assertEquals(slots.stats().busy, 1);
        return Promise.resolve(bench.here(request));
      },
      readFile: leftFile,
      setMode: Deno.chmodSync,
      sleep: () => Promise.resolve(),
    },
    log: (event, fields) => log.push(`${event} ${JSON.stringify(fields)}`),
    remote: {
      preview: () => Promise.reject(new LlamaError("NoPreview", "Cannot preview")),
      compile: (request) => {
        remotes.push(request);
        return bench.remote(request);
      },
    },
  });
  const start: Bench["start"] = (command, { connection }, request = {}) => {
    const argv = command.split(" ");
    return handler({
      umask: 0o22,
      stderrIsTerminal: false,
      stdoutIsTerminal: false,
      stdinColumns: 0,
      argv,
      rawArgv: argv.map((word) => new TextEncoder().encode(word)),
      cwd: folder,
      notUtf8: false,
      notUtf8Env: new Set(),
      ...request,
      env: { PATH: folder, ...request.env },
    }, connection);
  };
  const bench: Bench = {
    folder,
    stats: stats.current,
    slots,
    log,
    remotes,
    chance: 0,
    ranHere: [],
    here: () => ({ code: 3, signal: null, stdout: bytesOf("out"), stderr: bytesOf("err") }),
    remote: () =>
      Promise.resolve({
        kind: "compiled",
        stdout: new TextEncoder().encode("out"),
        stderr: new TextEncoder().encode("err"),
        code: 3,
      }),
    start,
    compile: async (command, request) => {
      const client = createClient();
      const { connection } = client;
      const exec = connection.exec;
      const ended = start(command, {
        ...client,
        connection: {
          ...connection,
          exec: async (what) => {
            await exec(what);
            client.leave();
          },
        },
      }, request);
      await ended;
      return { said: client.said, exec: client.execs[0] };
    },
  };
  try {
    await test(bench);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function wordsOf(exec: ExecCommand | undefined): string[] {
  return (exec?.argv ?? []).map((word) =>
    typeof word === "string" ? word : new TextDecoder().decode(word)
  );
}

Deno.test("a compilation elsewhere prints and exits as the compiler did", () =>
  withBench(async (bench) => {
    const { said } = await bench.compile("llamacc -O2 -c a.c");
    assertEquals(said, ["stderr err", "stdout out", "exit 3"]);
    const [remote] = bench.remotes;
    assertEquals(
      [remote?.driver, remote?.name, remote?.args, remote?.compilation.output],
      [`${bench.folder}/cc`, "cc", ["-O2", "-c", "a.c"], "a.o"],
    );
    assertEquals([bench.stats.local, bench.stats.fallback, bench.log], [{}, {}, []]);
  }));

Deno.test("llamac++ takes C++ and its compiler", () =>
  withBench(async (bench) => {
    await bench.compile("/usr/local/bin/llamac++ -c a.c");
    const [remote] = bench.remotes;
    assertEquals(
      [remote?.driver, remote?.name, remote?.compilation.language.name],
      [`${bench.folder}/c++`, "c++", "c++"],
    );
  }));

Deno.test("what must run here runs here in a slot, with the reason counted", () =>
  withBench(async (bench) => {
    const { said, exec } = await bench.compile("llamacc a.o -o a");
    assertEquals([said, exec?.program, wordsOf(exec)], [
      ["exec"],
      `${bench.folder}/cc`,
      ["cc", "a.o", "-o", "a"],
    ]);
    const { granted, busy } = bench.slots.stats();
    assertEquals([bench.remotes.length, granted, busy], [0, 1, 0]);
    const cases: readonly (readonly [string, Partial<CompileRequest>, string])[] = [
      ["llamacc -E a.c", {}, "preprocess-only"],
      ["llamacc -c none.c", {}, "no-such-source"],
      ["llamacc -c a.c", { cwd: "/" }, "no-such-source"],
      ["llamacc -c a.c", { env: { LLAMACC_LOCAL: "1" } }, "LLAMACC_LOCAL"],
      ["llamacc -c a.c", { env: { DEPENDENCIES_OUTPUT: "/x" } }, "DEPENDENCIES_OUTPUT"],
      ["llamacc -c a.c", { notUtf8: true }, "not-utf8"],
      ["llamacc -c a.c", { env: { CPATH: "x" }, notUtf8Env: new Set(["CPATH"]) }, "not-utf8"],
    ];
    for (const [command, request, reason] of cases) {
      const before = bench.stats.local[reason] ?? 0;
      assertEquals((await bench.compile(command, request)).said, ["exec"]);
      assertEquals(bench.stats.local[reason], before + 1, reason);
    }
    // A variable that no compiler reads may hold what it will.
    await bench.compile("llamacc -c a.c", { env: { X: "x" }, notUtf8Env: new Set(["X"]) });
    assertEquals(bench.remotes.length, 1);
  }));

Deno.test("local commands take turns, until the program has ended", () =>
  withBench(async (bench) => {
    const clients = [createClient(), createClient()];
    const [first, second] = clients;
    assert(first && second);
    const ended = clients.map((client) => bench.start("llamacc a.o", client));
    await first.execed;
    assertEquals([first.execs.length, second.execs.length], [1, 0]);
    assertEquals(bench.slots.stats().busy, 1);
    first.leave();
    await ended[0];
    await second.execed;
    second.leave();
    await ended[1];
    assertEquals(bench.slots.stats().busy, 0);
  }));

Deno.test("arguments that are no text reach the local compiler as they came", () =>
  withBench(async (bench) => {
    const raw = new Uint8Array([0x2d, 0x44, 0xff]);
    const { exec } = await bench.compile("llamacc -c a.c", {
      notUtf8: true,
      rawArgv: [new TextEncoder().encode("llamacc"), raw],
    });
    assertEquals(exec?.argv, ["cc", raw]);
  }));

Deno.test("a compilation that fails elsewhere is done here, with the reason counted and logged", () =>
  withBench(async (bench) => {
    const failures: readonly (readonly [unknown, string, string])[] = [
      [new LlamaError("TooManyRounds", "Cannot find all"), "TooManyRounds", "Cannot find all"],
      [new LlamaError("X", "Cannot", { hint: "try it" }), "X", "Cannot; try it"],
      [new TypeError("a fault"), "InternalError", "a fault"],
    ];
    for (const [error, reason, message] of failures) {
      bench.remote = () => Promise.reject(error);
      const { said, exec } = await bench.compile("llamacc -c a.c");
      assertEquals([said, wordsOf(exec)], [["exec"], ["cc", "-c", "a.c"]]);
      assertEquals(bench.stats.fallback[reason], 1);
      assertEquals(bench.log.pop(), `fallback ${JSON.stringify({ reason, message })}`);
    }
  }));

Deno.test("without the fallback a failure is an error", () =>
  withBench(async (bench) => {
    bench.remote = () => Promise.reject(new LlamaError("X", "Cannot do it"));
    const error = await assertRejects(
      () => bench.compile("llamacc -c a.c", { env: { LLAMACC_LOCAL_FALLBACK: "0" } }),
      LlamaError,
      "Cannot compile elsewhere: Cannot do it",
    );
    assertEquals([error.code, bench.slots.stats().granted], ["NoFallback", 0]);
  }));

Deno.test("nothing runs here for a client that has left", () =>
  withBench(async (bench) => {
    const client = createClient();
    bench.remote = () => {
      client.leave();
      return Promise.reject(new LlamaError("X", "Cannot do it"));
    };
    await assertRejects(() => bench.start("llamacc -c a.c", client), LlamaError, "Cannot do it");
    assertEquals([client.said, bench.stats.fallback], [[], {}]);
  }));

Deno.test("the compiler is the first in PATH that is not llamacc itself", () =>
  withBench(async (bench) => {
    const { folder } = bench;
    const shadow = `${folder}/shadow`;
    await Deno.mkdir(shadow);
    await Deno.writeTextFile(`${shadow}/llamacc`, "", { mode: 0o755 });
    await Deno.symlink("llamacc", `${shadow}/other`);
    await Deno.symlink("other", `${shadow}/cc`);
    await bench.compile("llamacc -c a.c", { env: { PATH: `${shadow}:${folder}` } });
    assertEquals(bench.remotes[0]?.driver, `${folder}/cc`);
    await bench.compile("llamacc -c a.c", { env: { LLAMACC_LOCAL_CC: "gcc-12" } });
    assertEquals([bench.remotes[1]?.driver, bench.remotes[1]?.name], [
      `${folder}/gcc-12`,
      "gcc-12",
    ]);
    const env = { LLAMACC_LOCAL_CC: `${folder}/cc` };
    await bench.compile("llamacc -c a.c", { env });
    assertEquals([bench.remotes[2]?.driver, bench.remotes[2]?.name], [
      `${folder}/cc`,
      `${folder}/cc`,
    ]);
    for (const PATH of ["/none", "relative", `${folder}/none`]) {
      const error = await assertRejects(
        () => bench.compile("llamacc -c a.c", { env: { PATH } }),
        LlamaError,
        'Cannot find the compiler "cc" in PATH',
      );
      assertEquals(error.hint, "install one, or set LLAMACC_LOCAL_CC to its path");
    }
  }));

Deno.test("a command below a local run takes no slot and is not counted", () =>
  withBench(async (bench) => {
    const running = createClient();
    const ended = bench.start("llamacc -E a.c", running);
    await running.execed;
    // The only slot is taken: this would wait for ever.
    const { exec, said } = await bench.compile("llamacc -c a.c", { env: { LLAMACC_NESTED: "1" } });
    assertEquals([said, wordsOf(exec)], [["exec"], ["cc", "-c", "a.c"]]);
    assertEquals(exec?.changes, ["LLAMACC_NESTED=2"]);
    assertEquals(running.execs[0]?.changes, ["LLAMACC_NESTED=1"]);
    running.leave();
    await ended;
    assertEquals([bench.stats.local, bench.remotes], [{ "preprocess-only": 1 }, []]);
  }));

Deno.test("a compiler behind links of its name sees a PATH without them, here and elsewhere", () =>
  withBench(async (bench) => {
    const { folder } = bench;
    await Deno.mkdir(`${folder}/links`);
    await Deno.writeTextFile(`${folder}/llamacc`, "", { mode: 0o755 });
    await Deno.symlink("../llamacc", `${folder}/links/gcc-12`);
    const env = { PATH: `${folder}/links:${folder}` };
    await bench.compile("gcc-12 -c a.c", { env });
    assertEquals([bench.remotes[0]?.name, bench.remotes[0]?.request.env.PATH], ["gcc-12", folder]);
    const { exec } = await bench.compile("gcc-12 -E a.c", { env });
    assertEquals(exec?.changes, ["LLAMACC_NESTED=1", `PATH=${folder}`]);
  }));

Deno.test("a compiler that is a script runs here, with that counted", () =>
  withBench(async (bench) => {
    await Deno.writeTextFile(`${bench.folder}/cc`, "#!/bin/sh\nexec gcc-12\n");
    await bench.compile("llamacc -c a.c");
    await bench.compile("llamacc -E a.c");
    assertEquals(bench.stats.local, { "compiler-script": 1, "preprocess-only": 1 });
  }));

Deno.test("arguments of LLAMACC_LOCAL_CC stand before those of the command", () =>
  withBench(async (bench) => {
    const env = { LLAMACC_LOCAL_CC: "gcc-12 -m32 -O1" };
    await bench.compile("llamacc -c a.c", { env });
    assertEquals(bench.remotes[0]?.args, ["-m32", "-O1", "-c", "a.c"]);
    assertEquals(bench.remotes[0]?.line.searchFlags, ["-m32"]);
    const { exec } = await bench.compile("llamacc -E a.c", { env });
    assertEquals(wordsOf(exec), ["gcc-12", "-m32", "-O1", "-E", "a.c"]);
  }));

Deno.test("filtered warnings reach no compiler, here or elsewhere", () =>
  withBench(async (bench) => {
    const env = { LLAMACC_FILTER_WARNINGS: "odd" };
    await bench.compile("llamacc -Wodd -Wall -c a.c", { env });
    assertEquals(bench.remotes[0]?.args, ["-Wall", "-c", "a.c"]);
    const { exec } = await bench.compile("llamacc -Wodd -E a.c", { env });
    assertEquals(wordsOf(exec), ["cc", "-E", "a.c"]);
  }));

Deno.test("LLAMACC_VERBOSE says where a command runs, and unknown variables are told", () =>
  withBench(async (bench) => {
    const env = { LLAMACC_VERBOSE: "1" };
    assertEquals(
      (await bench.compile("llamacc -c a.c", { env })).said[0],
      "stderr llamacc: run elsewhere: cc -c a.c\n",
    );
    assertEquals((await bench.compile("llamacc -E a.c", { env })).said, [
      "stderr llamacc: run here (preprocess-only): cc -E a.c\n",
      "exec",
    ]);
    bench.remote = () => Promise.reject(new LlamaError("X", "no"));
    assertEquals((await bench.compile("llamacc -c a.c", { env })).said.slice(1), [
      "stderr llamacc: run here after all (X: no): cc -c a.c\n",
      "exec",
    ]);
    assertEquals((await bench.compile("llamacc -E a.c", { env: { LLAMACC_LOACL: "1" } })).said, [
      "stderr llamacc: warning: the variable LLAMACC_LOACL means nothing to llamacc\n",
      "exec",
    ]);
  }));

Deno.test("a build hears once that the cloud fails, and another build hears it, too", () =>
  withBench(async (bench) => {
    bench.remote = () => Promise.reject(new CloudUnavailable(new LlamaError("X", "Cannot do it")));
    const compile = async (id: string) =>
      (await bench.compile("llamacc -c a.c", { env: { LLAMACC_BUILD_ID: id } })).said;
    const words = "stderr llamacc: compiling on this machine: Cannot do it\n";
    assertEquals([await compile("a"), await compile("a"), await compile("b")], [
      [words, "exec"],
      ["exec"],
      [words, "exec"],
    ]);
    for (let i = 0; i < 20; i++) assertEquals(await compile("b"), ["exec"]);
  }));

Deno.test("a build of which much runs here unexpectedly hears it once, before the compiler", () =>
  withBench(async (bench) => {
    bench.remote = () => Promise.reject(new LlamaError("TooManyRounds", "Cannot find all"));
    const said: string[] = [];
    for (let i = 0; i < 12; i++) said.push(...(await bench.compile("llamacc -c a.c")).said);
    assertEquals(said.filter((word) => word !== "exec"), [
      "stderr llamacc: 10 of 10 compilations ran on this machine (most: TooManyRounds); " +
      "llama daemon -stats says why\n",
    ]);
    const env = { LLAMACC_BUILD_ID: "b", DEPENDENCIES_OUTPUT: "/x" };
    for (let i = 0; i < 9; i++) await bench.compile("llamacc -c a.c", { env });
    assertEquals((await bench.compile("llamacc -c a.c", { env })).said, [
      "stderr llamacc: 10 of 10 compilations ran on this machine (most: DEPENDENCIES_OUTPUT); " +
      "llama daemon -stats -build b says why\n",
      "exec",
    ]);
    // Links do not surprise.
    for (let i = 0; i < 20; i++) {
      assertEquals((await bench.compile("llamacc a.o", { env: { LLAMACC_BUILD_ID: "l" } })).said, [
        "exec",
      ]);
    }
  }));

/** Gives the bytes of `a.o` to be kept, as a verified compilation elsewhere does. */
function keeping(bench: Bench, text: string): void {
  bench.remote = ({ keep }) => {
    const path = `${bench.folder}/a.o`;
    keep?.({
      files: new Map([[path, { bytes: bytesOf(text), mode: 0o644 }]]),
      removed: [],
      list: () => [path],
    });
    return Promise.resolve({
      kind: "compiled",
      stdout: bytesOf("out"),
      stderr: bytesOf("err"),
      code: 3,
    });
  };
}

Deno.test("LLAMACC_VERIFY compiles here, too, and what is here stands", () =>
  withBench(async (bench) => {
    const env = { LLAMACC_VERIFY: "1" };
    keeping(bench, "object");
    bench.here = () => {
      Deno.writeTextFileSync(`${bench.folder}/a.o`, "object");
      return { code: 3, signal: null, stdout: bytesOf("out"), stderr: bytesOf("err") };
    };
    const { said } = await bench.compile("llamacc -c a.c", { env });
    assertEquals(said, ["stdout out", "stderr err", "exit 3"]);
    assertEquals(bench.ranHere, [["cc", "-c", "a.c"]]);
    assertEquals(bench.stats.verified, { same: 1 });

    keeping(bench, "another");
    assertEquals((await bench.compile("llamacc -c a.c", { env })).said, [
      "stdout out",
      "stderr err",
      `stderr llamacc: verified, and "${bench.folder}/a.o" differs in line 1: "another" elsewhere, ` +
      '"object" here; what is here stands: cc -c a.c\n',
      "exit 3",
    ]);
    assertEquals(bench.stats.verified, { same: 1, different: 1 });
    assertEquals(await Deno.readTextFile(`${bench.folder}/a.o`), "object");
    assertEquals([bench.ranHere.length, bench.slots.stats().busy], [3, 0]);
  }));

Deno.test("a verified compiler that a signal ends here ends the client so, and is told", () =>
  withBench(async (bench) => {
    keeping(bench, "object");
    bench.here = () => ({
      code: 139,
      signal: "SIGSEGV",
      stdout: bytesOf("out"),
      stderr: bytesOf("err"),
    });
    const { said } = await bench.compile("llamacc -c a.c", { env: { LLAMACC_VERIFY: "1" } });
    assertEquals([said.at(-1), said.length], ["kill 11", 4]);
    assert(said[2]?.includes('a.o" is made elsewhere alone, and 1 more differences;'), said[2]);
  }));

Deno.test("a rate verifies some, and nothing that runs here anyway", () =>
  withBench(async (bench) => {
    const env = { LLAMACC_VERIFY: "0.05" };
    for (const [chance, verified] of [[0.05, undefined], [0.049, 1]] as const) {
      bench.chance = chance;
      await bench.compile("llamacc -c a.c", { env });
      assertEquals(bench.stats.verified.same, verified);
    }
    bench.remote = () => Promise.reject(new LlamaError("X", "Cannot do it"));
    assertEquals((await bench.compile("llamacc -c a.c", { env })).said, ["exec"]);
    assertEquals((await bench.compile("llamacc -E a.c", { env })).said, ["exec"]);
    assertEquals(bench.stats.verified, { same: 1 });
    const { said } = await bench.compile("llamacc -E a.c", { env: { LLAMACC_VERIFY: "5%" } });
    assertEquals(said, [
      'stderr llamacc: warning: LLAMACC_VERIFY must be a number from 0 to 1, such as 0.05, not "5%"; ' +
      "nothing is verified\n",
      "exec",
    ]);
  }));

Deno.test("both sides of a verified compilation are asked for the colours of a terminal", () =>
  withBench(async (bench) => {
    const colour = "-fdiagnostics-color=always";
    const on = async (TERM: string, LLAMACC_VERIFY: string) => {
      await bench.compile("llamacc -c a.c", {
        stderrIsTerminal: true,
        env: { TERM, LLAMACC_VERIFY },
      });
      const remote = bench.remotes.at(-1);
      return [remote?.request.stderrIsTerminal, remote?.args, bench.ranHere.pop()];
    };
    assertEquals(await on("xterm", "1"), [false, [colour, "-c", "a.c"], [
      "cc",
      colour,
      "-c",
      "a.c",
    ]]);
    assertEquals(await on("dumb", "1"), [false, ["-c", "a.c"], ["cc", "-c", "a.c"]]);
    assertEquals(await on("xterm", "0"), [true, ["-c", "a.c"], undefined]);
  }));
