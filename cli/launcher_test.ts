/** Both thin clients, the one in C and the portable one, against a daemon in this process. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { becomeDaemon, connectRunning } from "../daemon/lifecycle.ts";
import { askControl } from "../daemon/client.ts";
import type { CompileRequest } from "../daemon/protocol.ts";
import { type Connection, serveDaemon } from "../daemon/server.ts";
import { createSlots } from "../daemon/slots.ts";

const cc = await findCompiler();
const here = (name: string) => new URL(name, import.meta.url).pathname;
const runDeno = [Deno.execPath(), "run", "-A", "--no-config", "--no-check"];
const portable = [...runDeno, here("./llamacc.ts")];

async function findCompiler(): Promise<string | undefined> {
  for (const name of ["cc", "gcc", "clang"]) {
    const works = await new Deno.Command(name, { args: ["--version"], stdout: "null" }).output()
      .then(({ success }) => success, () => false);
    if (works) return name;
  }
  return undefined;
}

let compiled: Promise<string> | undefined;

Deno.test.afterAll(async () => {
  if (compiled !== undefined) await Deno.remove(await compiled);
});

/** Puts a launcher at `output`. */
async function makeLauncher(output: string): Promise<void> {
  await Deno.copyFile(await (compiled ??= compileLauncher()), output);
}

/** Compiles the launcher, statically where that works. */
async function compileLauncher(): Promise<string> {
  const output = await Deno.makeTempFile();
  let words = "";
  for (const flags of [["-static"], []]) {
    const { success, stderr } = await new Deno.Command(cc ?? "cc", {
      args: ["-O2", "-Wall", "-Wextra", "-Werror", ...flags, "-o", output, here("./launcher.c")],
    }).output();
    if (success) return output;
    words += decode(stderr);
  }
  throw new Error(`Cannot compile the launcher: ${words}`);
}

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const encode = (text: string) => new TextEncoder().encode(text);

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Bench {
  readonly folder: string;
  readonly llamaDir: string;
  /** How to run the client under test, in a shell too: nothing needs quotes. */
  readonly client: readonly string[];
  run(args: readonly string[], options?: Deno.CommandOptions): Promise<Deno.CommandOutput>;
  spawn(args: readonly string[], options?: Deno.CommandOptions): Deno.ChildProcess;
}

type Handler = (request: CompileRequest, connection: Connection) => Promise<void>;

/** Defines a test for each of the clients. */
function testClients(
  name: string,
  onCompile: Handler,
  test: (bench: Bench) => Promise<void>,
  clients: readonly string[] = ["C", "portable"],
): void {
  for (const client of clients) {
    Deno.test({
      name: `the ${client} client ${name}`,
      ignore: client === "C" && cc === undefined,
      fn: () =>
        inFolder(async (folder) => {
          if (client === "C") await makeLauncher(`${folder}/llamacc`);
          const llamaDir = `${folder}/llama`;
          const instance = await becomeDaemon(llamaDir);
          assert(instance);
          const server = serveDaemon({
            socketPath: instance.socketPath,
            onCompile,
            onControl: (json) => Promise.resolve(json),
          });
          const command = client === "C" ? [`${folder}/llamacc`] : portable;
          const spawn: Bench["spawn"] = (args, options = {}) =>
            new Deno.Command(command[0] ?? "", {
              args: [...command.slice(1), ...args],
              cwd: folder,
              stdin: "null",
              stdout: "piped",
              stderr: "piped",
              ...options,
              env: { LLAMA_DIR: llamaDir, ...options.env },
            }).spawn();
          try {
            await test({
              folder,
              llamaDir,
              client: command,
              spawn,
              run: (args, options) => spawn(args, options).output(),
            });
          } finally {
            server.shutdown("test");
            await server.finished;
            instance.release();
          }
        }),
    });
  }
}

testClients(
  "sends its command, folder, mask and environment, and prints the answer",
  async (request, connection) => {
    const { argv, cwd, umask, stderrIsTerminal, stdoutIsTerminal } = request;
    const seen = [argv.slice(1), cwd, umask, stderrIsTerminal, stdoutIsTerminal, request.env.MARK];
    await connection.stdout(encode(JSON.stringify(seen)));
    await connection.stderr(encode("warning\n"));
    await connection.exit(42);
  },
  async ({ run, folder }) => {
    const { code, stdout, stderr } = await run(["-c", "é b", ""], { env: { MARK: "m=1" } });
    assertEquals(JSON.parse(decode(stdout)), [
      ["-c", "é b", ""],
      folder,
      Deno.umask(),
      false,
      false,
      "m=1",
    ]);
    assertEquals([decode(stderr), code], ["warning\n", 42]);
  },
);

testClients(
  "writes long output whole to a reader that is slow",
  async (_request, connection) => {
    for (let part = 0; part < 4; part++) {
      await connection.stdout(new Uint8Array(700_000).fill(part));
    }
    await connection.exit(0);
  },
  async ({ spawn }) => {
    await using child = spawn([]);
    const counts = [0, 0, 0, 0];
    let last = 0;
    for await (const bytes of child.stdout) {
      for (const byte of bytes) {
        assert(byte >= last);
        last = byte;
        counts[byte] = (counts[byte] ?? 0) + 1;
      }
    }
    assertEquals(counts, [700_000, 700_000, 700_000, 700_000]);
    await child.stderr.cancel();
    assertEquals((await child.status).code, 0);
  },
);

testClients(
  "carries a large environment and many arguments",
  async (request, connection) => {
    const bytes = request.argv.reduce((sum, argument) => sum + argument.length, 0);
    await connection.stdout(encode(`${request.argv.length} ${bytes > 1_000_000}`));
    await connection.stdout(encode(` ${request.env.BIG?.length} ${request.env.BIG2?.length}`));
    await connection.exit(0);
  },
  async ({ run }) => {
    // A single string may have 128 KiB: MAX_ARG_STRLEN of execve(2).
    const big = "x".repeat(131_000);
    const args = Array.from({ length: 10_000 }, (_, index) => `${index}`.padStart(100, "-"));
    const { stdout } = await run(args, { env: { BIG: big, BIG2: big } });
    const count = decode(stdout).split(" ")[0];
    assertEquals(decode(stdout), `${count} true 131000 131000`);
    assertEquals(count, "10001");
  },
);

testClients(
  "dies by the signal that it is told",
  (_request, connection) => connection.kill(15),
  async ({ run }) => {
    const { signal } = await run([]);
    assertEquals(signal, "SIGTERM");
  },
);

testClients(
  "prints the daemon's error on one line and exits with 1",
  (_request, connection) => connection.fail("Cannot do it"),
  async ({ run }) => {
    const { code, stdout, stderr } = await run([]);
    assertEquals([code, decode(stdout), decode(stderr)], [1, "", "llamacc: Cannot do it\n"]);
  },
);

testClients(
  "becomes a program, with its stdin, its arguments and a changed environment",
  (request, connection) =>
    connection.exec({
      program: "/bin/sh",
      argv: ["sh", ...request.argv.slice(1)],
      changes: ["ADDED=a=b", "REMOVED", "CHANGED=new", "NEVER_WAS"],
    }),
  async ({ spawn }) => {
    const script = 'echo "$ADDED|${REMOVED-none}|$CHANGED|$KEPT|$1"; cat; echo words >&2; exit 9';
    const child = spawn(["-c", script, "sh", "one two"], {
      stdin: "piped",
      env: { REMOVED: "r", CHANGED: "old", KEPT: "k" },
    });
    const writer = child.stdin.getWriter();
    await writer.write(encode("from stdin\n"));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    assertEquals(decode(stdout), "a=b|none|new|k|one two\nfrom stdin\n");
    assertEquals([decode(stderr), code], ["words\n", 9]);
  },
);

testClients(
  "passes the signal on that its program died by",
  (_request, connection) =>
    connection.exec({ program: "/bin/sh", argv: ["sh", "-c", "kill -TERM $$"] }),
  async ({ run }) => {
    assertEquals((await run([])).signal, "SIGTERM");
  },
);

testClients(
  "says why a program cannot be run, with the status of a shell",
  (request, connection) =>
    connection.exec({ program: request.argv[1] ?? "", argv: [request.argv[1] ?? ""] }),
  async ({ run, folder }) => {
    const missing = await run([`${folder}/none`]);
    assertEquals(missing.code, 127);
    assertStringIncludes(decode(missing.stderr), `llamacc: Cannot run ${folder}/none: `);
    await Deno.writeTextFile(`${folder}/plain`, "", { mode: 0o644 });
    const plain = await run([`${folder}/plain`]);
    assertEquals(plain.code, 126);
    assertStringIncludes(decode(plain.stderr), `llamacc: Cannot run ${folder}/plain: `);
  },
);

{
  const slots = createSlots(1);
  const order: string[] = [];
  testClients(
    "holds its slot until its program has ended, however that was",
    async (request, connection) => {
      const slot = await slots.acquire(connection.signal);
      try {
        order.push("granted");
        await connection.exec({ program: "/bin/sh", argv: ["sh", ...request.argv.slice(1)] });
        await connection.closed;
        order.push("closed");
      } finally {
        slot.release();
      }
    },
    async ({ run }) => {
      order.length = 0;
      // A lock folder: it fails if two programs run at once.
      const script = "mkdir busy || exit 9; rmdir busy; kill -$0 $$; exit 0";
      const ends = await Promise.all(
        ["KILL", "0", "0", "KILL", "0"].map((signal) => run(["-c", script, signal])),
      );
      assertEquals(ends.map(({ signal, code }) => signal ?? code), [
        "SIGKILL",
        0,
        0,
        "SIGKILL",
        0,
      ]);
      // Granted after closed, each time: the last one may not have closed yet.
      assertEquals(order.slice(0, 9).join(" "), "granted closed ".repeat(5).slice(0, -8));
    },
  );
}

{
  let begun = Promise.withResolvers<void>();
  let left = Promise.withResolvers<void>();
  testClients(
    "leaves the daemon at ^C, which stops its work",
    async (_request, { signal }) => {
      signal.addEventListener("abort", () => left.resolve(), { once: true });
      begun.resolve();
      await left.promise;
    },
    async ({ spawn }) => {
      begun = Promise.withResolvers<void>();
      left = Promise.withResolvers<void>();
      await using child = spawn([], { stdout: "null", stderr: "null" });
      await begun.promise;
      child.kill("SIGINT");
      assertEquals((await child.status).signal, "SIGINT");
      await left.promise;
    },
  );
}

testClients(
  "keeps arguments that are not UTF-8 as they are",
  async (request, connection) => {
    assert(request.notUtf8);
    assertEquals([...request.notUtf8Env], ["BAD"]);
    await connection.exec({
      program: "printf",
      argv: ["printf", ...request.rawArgv.slice(1)],
    });
  },
  async ({ client, llamaDir, folder }) => {
    // Deno itself cannot pass such an argument.
    const script = `BAD=$(printf '\\377') exec ${client.join(" ")} %s "$(printf 'a\\377\\200b')"`;
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", script],
      cwd: folder,
      env: { LLAMA_DIR: llamaDir },
    }).output();
    assertEquals(decode(stderr), "");
    assertEquals([...stdout], [97, 0xff, 0x80, 98]);
  },
  ["C"],
);

testClients(
  "sees its terminal",
  async (request, connection) => {
    const { stderrIsTerminal, stdoutIsTerminal, stdinColumns } = request;
    await connection.stdout(encode(`${stderrIsTerminal} ${stdoutIsTerminal} ${stdinColumns}`));
    await connection.exit(0);
  },
  async ({ client, llamaDir, folder }) => {
    const command = client.join(" ");
    const { stdout } = await new Deno.Command("script", {
      args: ["-qec", `stty cols 132; ${command} >out; ${command} >piped </dev/null`, "/dev/null"],
      cwd: folder,
      stdin: "null",
      env: { LLAMA_DIR: llamaDir },
    }).output();
    assertEquals(decode(stdout), "");
    assertEquals(await Deno.readTextFile(`${folder}/out`), "true false 132");
    assertEquals(await Deno.readTextFile(`${folder}/piped`), "true false 0");
  },
  await new Deno.Command("script", { args: ["--version"] }).output().then(
    ({ success }) => success ? ["C", "portable"] : [],
    () => [],
  ),
);

Deno.test({
  name: "the C client is called by its own name, prefixes and all, or by a compiler's",
  ignore: cc === undefined,
  fn: () =>
    inFolder(async (folder) => {
      await makeLauncher(`${folder}/launcher`);
      const instance = await becomeDaemon(`${folder}/llama`);
      assert(instance);
      const server = serveDaemon({
        socketPath: instance.socketPath,
        async onCompile(request, connection) {
          await connection.stdout(encode(request.argv[0] ?? ""));
          await connection.exit(0);
        },
        onControl: () => Promise.resolve(null),
      });
      const names = ["llamac++", "aarch64-linux-gnu-llamacc", "llamacc-11", "cc", "arm-g++-9.1"];
      for (const name of [...names, "clang", "clang++-14"]) {
        await Deno.symlink("launcher", `${folder}/${name}`);
        // A shell, as Deno would pass the path that it found.
        const { stdout } = await new Deno.Command("sh", {
          args: ["-c", name],
          env: { LLAMA_DIR: `${folder}/llama`, PATH: `${folder}:${Deno.env.get("PATH")}` },
        }).output();
        assertEquals(decode(stdout), name);
      }
      server.shutdown("test");
      await server.finished;
      instance.release();
    }),
});

Deno.test({
  name: "the launcher runs the bundle with Deno when it is called llama, wherever it was moved",
  ignore: cc === undefined,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/a b/bin`, { recursive: true });
      await Deno.mkdir(`${folder}/a b/lib/llama`, { recursive: true });
      await makeLauncher(`${folder}/a b/bin/llama`);
      await Deno.writeTextFile(
        `${folder}/a b/lib/llama/launch`,
        `${Deno.execPath()}\nllama.js\n`,
      );
      await Deno.writeTextFile(
        `${folder}/a b/lib/llama/llama.js`,
        "console.log(JSON.stringify([Deno.args, Deno.env.get('DENO_NO_UPDATE_CHECK')]));" +
          "Deno.exit(5)",
      );
      await Deno.symlink(`${folder}/a b/bin/llama`, `${folder}/llama`);
      const { code, stdout, stderr } = await new Deno.Command(`${folder}/llama`, {
        args: ["run", "-n", "a b"],
        cwd: "/",
      }).output();
      assertEquals(decode(stderr), "");
      assertEquals(JSON.parse(decode(stdout)), [["run", "-n", "a b"], "1"]);
      assertEquals(code, 5);
      await Deno.writeTextFile(`${folder}/a b/lib/llama/launch`, "/none/deno");
      const bad = await new Deno.Command(`${folder}/llama`).output();
      assertEquals(bad.code, 1);
      assertStringIncludes(decode(bad.stderr), "must name the deno executable and the bundle");
    }),
});

/** A folder with both clients, and a `llama` that starts the daemon of daemon/fake_daemon_fixture.ts. */
async function withFakeDaemon(
  test: (
    bench: {
      llamaDir: string;
      clients: string[][];
      run(client: readonly string[], env?: Record<string, string>): Promise<Deno.CommandOutput>;
    },
  ) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const llamaDir = `${folder}/state/llama`;
    const fake = [...runDeno, here("../daemon/fake_daemon_fixture.ts")];
    await Deno.writeTextFile(
      `${folder}/llama`,
      `#!/bin/sh\nexec ${fake.join(" ")} "$@"\n`,
      { mode: 0o755 },
    );
    await Deno.writeTextFile(
      `${folder}/portable.ts`,
      `import { endProcess, runThinClient } from "file://${here("./thin_client.ts")}";
      const llama = ["${folder}/llama"];
      await endProcess(await runThinClient({ argv0: "llamacc", args: Deno.args, llama }));`,
    );
    const clients = [[...runDeno, `${folder}/portable.ts`]];
    if (cc !== undefined) {
      await makeLauncher(`${folder}/llamacc`);
      clients.push([`${folder}/llamacc`]);
    }
    try {
      await test({
        llamaDir,
        clients,
        run: ([program = "", ...args], env = {}) =>
          new Deno.Command(program, { args, cwd: folder, env: { LLAMA_DIR: llamaDir, ...env } })
            .output(),
      });
    } finally {
      await stopDaemon(llamaDir);
    }
  });
}

/** Returns when no daemon is left. */
async function stopDaemon(llamaDir: string): Promise<void> {
  while (true) {
    using connection = await connectRunning(llamaDir);
    if (connection === undefined) break;
    try {
      await askControl(connection, "shutdown");
    } catch (error) {
      // One that is being killed accepts for a moment more.
      if (!(error instanceof LlamaError) || error.code !== "DaemonGone") throw error;
    }
  }
  (await becomeDaemon(llamaDir))?.release();
}

Deno.test("forty clients of both kinds at once start one daemon", () =>
  withFakeDaemon(async ({ llamaDir, clients, run }) => {
    const outputs = await Promise.all(
      clients.flatMap((client) => Array.from({ length: 20 }, () => run(client))),
    );
    const [pid] = (await Deno.readTextFile(`${llamaDir}/starts`)).trim().split("\n");
    assertEquals(outputs.map(({ stderr }) => decode(stderr)).join(""), "");
    assertEquals([...new Set(outputs.map(({ stdout }) => decode(stdout)))], [`${pid}\n`]);
    assertEquals(await Deno.readTextFile(`${llamaDir}/starts`), `${pid}\n`);
    assertEquals(((await Deno.stat(llamaDir)).mode ?? 0) & 0o777, 0o700);
  }));

Deno.test("a client asks again when the daemon is killed, three times at most", () =>
  withFakeDaemon(async ({ llamaDir, clients, run }) => {
    for (const client of clients) {
      const before = await Deno.readTextFile(`${llamaDir}/starts`).catch(() => "");
      const lines = before.split("\n").length - 1;
      // Each daemon kills itself as long as no more than so many were started.
      const lucky = await run([...client, "die", `${lines + 2}`]);
      assertEquals(decode(lucky.stderr), "");
      assertEquals(lucky.code, 0);
      const unlucky = await run([...client, "die", "1000"]);
      assertEquals(unlucky.code, 1);
      assertStringIncludes(
        decode(unlucky.stderr),
        "llamacc: Cannot get an answer as the daemon ended each time; see ",
      );
      const starts = (await Deno.readTextFile(`${llamaDir}/starts`)).trim().split("\n");
      // Three for the first; its last one and up to three more for the second, as a client may meet a
      // daemon that is dying.
      assert(starts.length - lines > 3 && starts.length - lines <= 6, `${starts.length - lines}`);
    }
  }));

Deno.test("a client does not ask again when the daemon is killed after it said something", () =>
  withFakeDaemon(async ({ llamaDir, clients, run }) => {
    for (const client of clients) {
      const { code, stdout, stderr } = await run([...client, "speak-and-die"]);
      assertEquals([code, decode(stdout)], [1, "half"]);
      assertEquals(
        decode(stderr),
        "llamacc: Cannot finish as the daemon ended while it answered\n",
      );
    }
    const starts = (await Deno.readTextFile(`${llamaDir}/starts`)).trim().split("\n");
    assertEquals(starts.length, clients.length);
  }));

Deno.test("a client shows why no daemon could be started", () =>
  withFakeDaemon(async ({ clients, run }) => {
    for (const client of clients) {
      const { code, stderr } = await run(client, { FAKE_DAEMON_FAILS: "1" });
      assertEquals(code, 1);
      assertStringIncludes(decode(stderr), "Cannot start as the test says so");
    }
  }));

Deno.test("a client that started the daemon leaves no pipe and no folder in use", () =>
  withFakeDaemon(async ({ llamaDir, clients, run }) => {
    for (const client of clients) {
      // `output()` inside ends only when nobody holds its pipes any longer.
      const script = `"$@" 5>&1 12>&2; echo ended`;
      const { stdout } = await run(["bash", "-c", script, "bash", ...client]);
      assertStringIncludes(decode(stdout), "\nended\n");
      const pid = decode(stdout).split("\n")[0];
      assertEquals(await Deno.readLink(`/proc/${pid}/cwd`), "/");
      await stopDaemon(llamaDir);
    }
  }));
