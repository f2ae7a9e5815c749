/**
 * A daemon for tests, with the command line of `llama daemon`: `daemon -autostart` and `daemon -start`.
 *
 * It appends a line to LLAMA_DIR/starts each time that it becomes the daemon. The first argument of a compile
 * request says what to do.
 */
import { becomeDaemon, daemonLogPath, startAndConnect } from "./lifecycle.ts";
import { openDaemonLog } from "./log.ts";
import type { CompileRequest } from "./protocol.ts";
import { type Connection, type DaemonServer, serveDaemon } from "./server.ts";
import { startDetached } from "./start_detached.ts";

async function start(llamaDir: string): Promise<void> {
  const instance = await becomeDaemon(llamaDir);
  if (instance === undefined) return;
  Deno.writeTextFileSync(`${llamaDir}/starts`, `${Deno.pid}\n`, { append: true });
  const log = openDaemonLog({ path: daemonLogPath(llamaDir) });
  const server: DaemonServer = serveDaemon({
    socketPath: instance.socketPath,
    idleTimeoutMs: 60_000,
    log: log.write,
    onCompile: (request, connection) => compile(llamaDir, request, connection),
    onControl: (json) => {
      if (json === "shutdown") server.shutdown("asked");
      return Promise.resolve({ pid: Deno.pid });
    },
  });
  await server.finished;
  log.close();
  instance.release();
}

async function compile(llamaDir: string, request: CompileRequest, connection: Connection) {
  const [, action, countText] = request.argv;
  const count = Number(countText);
  const starts = () => Deno.readTextFileSync(`${llamaDir}/starts`).trim().split("\n").length;
  // Says something first, and so cannot be asked again.
  if (action === "speak-and-die") await connection.stdout(new TextEncoder().encode("half"));
  if (action === "speak-and-die" || (action === "die" && starts() <= count)) {
    Deno.kill(Deno.pid, "SIGKILL");
  }
  await connection.stdout(new TextEncoder().encode(`${Deno.pid}\n`));
  await connection.exit(0);
}

if (import.meta.main) {
  const llamaDir = Deno.env.get("LLAMA_DIR") ?? "";
  const [, flag] = Deno.args;
  if (Deno.env.get("FAKE_DAEMON_FAILS")) {
    await Deno.stderr.write(new TextEncoder().encode("llama: Cannot start as the test says so\n"));
    Deno.exit(1);
  }
  if (flag === "-start") {
    await start(llamaDir);
  } else {
    const command = [Deno.execPath(), "run", "-A", "--no-config", "--no-check"];
    const connection = await startAndConnect({
      llamaDir,
      start: () =>
        startDetached(
          [...command, import.meta.filename ?? "", "daemon", "-start"],
          daemonLogPath(llamaDir),
        ),
    });
    connection.close();
  }
}
