/**
 * One daemon a LLAMA_DIR, started by whoever needs it first.
 *
 * `daemon.lock` is held by the daemon while it lives, so the system itself tells whether there is one, however the
 * last one ended. `daemon.start.lock` is held by the one client that starts a daemon, while
 * the others wait for it: both are flock(2), which cli/launcher.c uses, too. Who holds the first lock owns the
 * socket and may remove what a killed daemon left.
 */
import { LlamaError, messageOf } from "../job/errors.ts";
import { checkPrivateFolder, preparePrivateFolder, socketPathIn } from "./llama_dir.ts";
import { lastLogLine } from "./log.ts";
import type { DetachedProcess } from "./start_detached.ts";

/** The right to be the daemon of a folder. */
export interface DaemonInstance {
  /** Where this daemon, and nobody else, may listen. */
  readonly socketPath: string;
  /** Lets the next daemon begin; the socket must be gone. */
  release(): void;
}

/** Path of the daemon's log. */
export function daemonLogPath(llamaDir: string): string {
  return `${llamaDir}/daemon.log`;
}

/**
 * Becomes the daemon of `llamaDir` and removes a socket that a killed one left. Returns undefined if a
 * daemon answers there already; one that is about to end is waited for.
 *
 * @throws {LlamaError} `DaemonBusy` if another one holds the lock, without a socket, for `timeoutMs`
 * (15,000 unless given)
 * @throws {LlamaError} whatever `preparePrivateFolder()` and `socketPathIn()` throw
 */
export async function becomeDaemon(
  llamaDir: string,
  timeoutMs = 15_000,
): Promise<DaemonInstance | undefined> {
  preparePrivateFolder(llamaDir);
  const socketPath = socketPathIn(llamaDir);
  const lock = await openLock(`${llamaDir}/daemon.lock`);
  let held = false;
  try {
    await poll(timeoutMs, async () => {
      held = await lock.tryLock(true);
      return held || await answers(socketPath);
    });
    if (held) {
      removeIfThere(socketPath);
      return { socketPath, release: () => lock.close() };
    }
    if (await answers(socketPath)) return undefined;
  } finally {
    if (!held) lock.close();
  }
  throw new LlamaError(
    "DaemonBusy",
    `Cannot start the daemon as another one holds "${llamaDir}/daemon.lock" and does not answer`,
    { hint: `see ${daemonLogPath(llamaDir)}` },
  );
}

/** How a client reaches the daemon of a folder. */
export interface ConnectDaemonOptions {
  /** The folder, absolute. */
  readonly llamaDir: string;
  /** Starts a daemon and returns at once; if it returns the process, an early end of it is noticed. */
  start(): DetachedProcess | Promise<DetachedProcess | void> | void;
  /** Time to wait for a daemon that was started, 15,000 unless given. */
  readonly timeoutMs?: number;
}

/**
 * Connects to the daemon, and starts it first if there is none. Of many clients at once one starts it.
 * The caller closes the connection.
 *
 * @throws {LlamaError} `DaemonNotStarted` if it does not answer in time; the message has the last line of its log
 * @throws {LlamaError} whatever `checkPrivateFolder()` and `socketPathIn()` throw
 */
export async function connectDaemon(options: ConnectDaemonOptions): Promise<Deno.UnixConn> {
  const { llamaDir, timeoutMs = 15_000 } = options;
  const running = await connectRunning(llamaDir);
  if (running !== undefined) return running;
  preparePrivateFolder(llamaDir);
  const lock = await openLock(`${llamaDir}/daemon.start.lock`);
  try {
    const beforeMs = performance.now();
    await lock.lock(true);
    const started = await connectRunning(llamaDir);
    if (started !== undefined) return started;
    // Hundreds of clients must not try one after the other what none of them can do.
    if (performance.now() - beforeMs > timeoutMs) throw notStarted(llamaDir, 0, "no client could");
    return await startAndConnect(options);
  } finally {
    lock.close();
  }
}

/**
 * Starts a daemon without regard to other clients and connects to it: what `llama daemon -autostart` does,
 * which cli/launcher.c runs while it holds `daemon.start.lock`. Of two daemons that start at once the lock
 * `daemon.lock` leaves one.
 *
 * @throws {LlamaError} `DaemonNotStarted` if it does not answer in time
 */
export async function startAndConnect(options: ConnectDaemonOptions): Promise<Deno.UnixConn> {
  const { llamaDir, timeoutMs = 15_000 } = options;
  preparePrivateFolder(llamaDir);
  const logStart = sizeOf(daemonLogPath(llamaDir));
  const child = await options.start();
  let ended: Deno.CommandStatus | undefined;
  if (child) void child.ended.then((status) => ended = status);
  let connection: Deno.UnixConn | undefined;
  await poll(timeoutMs, async () => {
    // Taken before the attempt: a daemon that ended because another one runs leaves that one to find.
    const over = ended;
    connection = await connectRunning(llamaDir);
    return connection !== undefined || over !== undefined;
  });
  if (connection !== undefined) return connection;
  throw notStarted(
    llamaDir,
    logStart,
    ended === undefined
      ? `it does not answer after ${timeoutMs / 1000} s`
      : ended.signal === null
      ? `it exited with ${ended.code}`
      : `it was killed by ${ended.signal}`,
  );
}

/**
 * Connects to the daemon of `llamaDir`, or returns undefined if there is none.
 *
 * @throws {LlamaError} whatever `checkPrivateFolder()` and `socketPathIn()` throw
 */
export async function connectRunning(llamaDir: string): Promise<Deno.UnixConn | undefined> {
  const path = socketPathIn(llamaDir);
  while (true) {
    try {
      checkPrivateFolder(llamaDir);
      return await Deno.connect({ transport: "unix", path });
    } catch (error) {
      if (error instanceof Deno.errors.WouldBlock) {
        // The line of those who want to connect is full.
        await pause(5);
        continue;
      }
      if (
        error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused
      ) return undefined;
      if (error instanceof LlamaError) throw error;
      throw new LlamaError("DaemonNotReached", `Cannot reach the daemon: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

function notStarted(llamaDir: string, logStart: number, problem: string): LlamaError {
  const path = daemonLogPath(llamaDir);
  const line = lastLogLine(path, logStart);
  return new LlamaError(
    "DaemonNotStarted",
    `Cannot start the daemon: ${problem}` + (line === undefined ? "" : `, its last words: ${line}`),
    { hint: `see ${path}` },
  );
}

async function answers(socketPath: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path: socketPath })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.WouldBlock) return true;
    if (
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused
    ) return false;
    throw error;
  }
}

function openLock(path: string): Promise<Deno.FsFile> {
  return Deno.open(path, { create: true, write: true, mode: 0o600 });
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Asks until `done` says so, at first often, for no longer than `timeoutMs`. */
async function poll(timeoutMs: number, done: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (let waitMs = 2; !(await done()); waitMs = Math.min(waitMs * 2, 50)) {
    if (performance.now() >= endMs) return;
    await pause(waitMs);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
