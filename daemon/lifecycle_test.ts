import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { askControl } from "./client.ts";
import { becomeDaemon, connectDaemon, connectRunning, daemonLogPath } from "./lifecycle.ts";
import { atNewPath } from "./new_path_fixture.ts";
import { serveDaemon } from "./server.ts";
import { startDetached } from "./start_detached.ts";

const inFolder = (test: (llamaDir: string) => Promise<void>) => atNewPath("llama", test);

function serve(socketPath: string) {
  return serveDaemon({
    socketPath,
    onCompile: (_request, connection) => connection.exit(0),
    onControl: (json) => Promise.resolve(json),
  });
}

Deno.test("becomeDaemon() lets one daemon in, and the next after its end", () =>
  inFolder(async (llamaDir) => {
    const first = await becomeDaemon(llamaDir);
    assert(first);
    const server = serve(first.socketPath);
    assertEquals(await becomeDaemon(llamaDir), undefined);
    server.shutdown("test");
    await server.finished;
    const second = becomeDaemon(llamaDir);
    first.release();
    const instance = await second;
    assert(instance);
    instance.release();
  }));

Deno.test("becomeDaemon() removes the socket that a killed daemon left", () =>
  inFolder(async (llamaDir) => {
    Deno.mkdirSync(llamaDir, { mode: 0o700 });
    // The socket outlives the process that made it.
    const script = `const l = Deno.listen({ transport: "unix", path: "${llamaDir}/daemon.sock" });
      Deno.kill(Deno.pid, "SIGKILL"); await l.accept();`;
    await new Deno.Command(Deno.execPath(), { args: ["eval", "--no-config", script] }).output();
    assert(Deno.lstatSync(`${llamaDir}/daemon.sock`).isSocket);
    assertEquals(await connectRunning(llamaDir), undefined);
    const instance = await becomeDaemon(llamaDir);
    assert(instance);
    const server = serve(instance.socketPath);
    using connection = await connectRunning(llamaDir);
    assert(connection);
    assertEquals(await askControl(connection, "ping"), "ping");
    server.shutdown("test");
    await server.finished;
    instance.release();
  }));

Deno.test("becomeDaemon() says so when another one holds the lock and does not answer", () =>
  inFolder(async (llamaDir) => {
    const first = await becomeDaemon(llamaDir);
    assert(first);
    const error = await assertRejects(() => becomeDaemon(llamaDir, 1), LlamaError);
    assertEquals(error.code, "DaemonBusy");
    first.release();
  }));

Deno.test("connectRunning() does not trust a socket in a folder that others can write into", () =>
  inFolder(async (llamaDir) => {
    const instance = await becomeDaemon(llamaDir);
    assert(instance);
    const server = serve(instance.socketPath);
    await Deno.chmod(llamaDir, 0o777);
    const error = await assertRejects(() => connectRunning(llamaDir), LlamaError);
    assertEquals(error.code, "FolderNotPrivate");
    server.shutdown("test");
    await server.finished;
    instance.release();
  }));

Deno.test("connectDaemon() starts a daemon once, whoever asks", () =>
  inFolder(async (llamaDir) => {
    const ends: (() => Promise<void>)[] = [];
    const start = async () => {
      // As a process takes its time to start, in which the others come.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const instance = await becomeDaemon(llamaDir);
      assert(instance);
      const server = serve(instance.socketPath);
      ends.push(async () => {
        server.shutdown("test");
        await server.finished;
        instance.release();
      });
    };
    const connections = await Promise.all(
      Array.from({ length: 10 }, () => connectDaemon({ llamaDir, start })),
    );
    assertEquals(ends.length, 1);
    for (const connection of connections) connection.close();
    for (const end of ends) await end();
  }));

Deno.test("connectDaemon() tells how a daemon ended early, and its last words", () =>
  inFolder(async (llamaDir) => {
    Deno.mkdirSync(llamaDir, { mode: 0o700 });
    Deno.writeTextFileSync(daemonLogPath(llamaDir), "words of an earlier daemon\n");
    for (
      const [script, words] of [
        ["echo no luck; exit 3", "it exited with 3, its last words: no luck"],
        ["exit 4", "it exited with 4"],
        ["kill -9 $$", "it was killed by SIGKILL"],
      ] as const
    ) {
      const start = () => startDetached(["sh", "-c", script], daemonLogPath(llamaDir));
      const error = await assertRejects(() => connectDaemon({ llamaDir, start }), LlamaError);
      assertEquals(error.message, `Cannot start the daemon: ${words}`);
      assertStringIncludes(error.hint ?? "", daemonLogPath(llamaDir));
    }
  }));

Deno.test("connectDaemon() gives up on a daemon that never answers", () =>
  inFolder(async (llamaDir) => {
    const error = await assertRejects(
      () => connectDaemon({ llamaDir, start: () => {}, timeoutMs: 10 }),
      LlamaError,
      "it does not answer after 0.01 s",
    );
    assertEquals(error.code, "DaemonNotStarted");
  }));
