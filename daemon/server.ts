/** The daemon's socket: it listens, reads requests, and gives each to its handler. */
import { LlamaError, messageOf } from "../job/errors.ts";
import {
  ClientGone,
  type Connection,
  createConnection,
  type ServerConnection,
} from "./connection.ts";
import { type Frame, readFrames } from "./frame.ts";
import { maxSocketPathBytes, preparePrivateFolder } from "./llama_dir.ts";
import { type CompileRequest, decodeCompile, decodeControl, frameKinds } from "./protocol.ts";

export type { Connection };

/** What {@linkcode serveDaemon} needs. */
export interface DaemonServerOptions {
  /** Where to listen; nothing may be there (see `becomeDaemon()` for what a killed daemon left). */
  readonly socketPath: string;
  /**
   * Answers a compile request and ends the answer. What it throws becomes an error line of the client.
   * It should stop when `connection.signal` aborts.
   */
  onCompile(request: CompileRequest, connection: Connection): Promise<void>;
  /**
   * Returns the JSON that answers a control request; what it throws becomes an error of the client.
   * It may call `shutdown()`, which ends the server after the answer.
   */
  onControl(json: unknown, connection: Connection): Promise<unknown>;
  /** Ends the server after so long without a connection, never unless given. */
  readonly idleTimeoutMs?: number;
  /** Most connections at once, 2048 unless given; further clients wait for their turn. */
  readonly maxConnections?: number;
  /** Time a client has to send a request, 60,000 unless given. */
  readonly requestTimeoutMs?: number;
  /** Time that requests have to end after a shutdown, 10,000 unless given. */
  readonly drainTimeoutMs?: number;
  /** The clock in milliseconds, `Date.now` unless given. */
  now?(): number;
  /** Takes an event for the log, nothing is kept unless given. */
  log?(event: string, fields: Readonly<Record<string, string | number>>): void;
}

/** Counters of a {@linkcode DaemonServer}. */
export interface DaemonServerStats {
  /** Connections open now. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Compile requests in progress, those that ended in an exec not among them. */
  readonly compiling: number;
  /** Time since the start. */
  readonly uptimeMs: number;
}

/** A daemon that listens. */
export interface DaemonServer {
  /** Resolves when the socket is gone and every connection is closed. */
  readonly finished: Promise<void>;
  /**
   * Removes the socket, lets the requests in progress end (in bounded time) and closes the rest.
   * Returns at once; {@linkcode finished} tells the end.
   */
  shutdown(reason: string): void;
  /** Returns the counters. */
  stats(): DaemonServerStats;
}

const acceptRetryMs = 100;
const abortGraceMs = 1000;

/**
 * Listens on `socketPath`, which gets mode 0600 in a folder that must be the user's own.
 *
 * @throws {LlamaError} `SocketPathTooLong` if the system cannot hold the path
 * @throws {LlamaError} `NotAFolder`, `FolderNotOwn` or `FolderNotPrivate` if the folder is not safe
 * @throws {LlamaError} `SocketInUse` if something is at the path
 */
export function serveDaemon(options: DaemonServerOptions): DaemonServer {
  const { socketPath, idleTimeoutMs, maxConnections = 2048 } = options;
  const { requestTimeoutMs = 60_000, drainTimeoutMs = 10_000 } = options;
  const now = options.now ?? Date.now;
  const log = options.log ?? (() => {});
  const listener = listen(socketPath);
  const startedMs = now();
  const connections = new Map<ServerConnection, { busy: boolean }>();
  let accepted = 0;
  let stopping = false;
  let idleTimer: ReturnType<typeof setTimeout> | undefined;
  let drainTimer: ReturnType<typeof setTimeout> | undefined;
  let wakeAccept = (): void => {};
  const { promise: allClosed, resolve: resolveAllClosed } = Promise.withResolvers<void>();

  const shutdown = (reason: string): void => {
    if (stopping) return;
    stopping = true;
    log("stopping", { reason, connections: connections.size });
    clearTimeout(idleTimer);
    listener.close();
    removeSocket(socketPath);
    wakeAccept();
    for (const [connection, { busy }] of connections) {
      // A client that was not served yet asks the next daemon; a leased one does not notice.
      if (!busy || connection.ended()) connection.close();
    }
    if (connections.size === 0) return resolveAllClosed();
    drainTimer = setTimeout(() => {
      for (const connection of connections.keys()) {
        connection.close(new LlamaError("DaemonStopped", "Cannot go on as the daemon stops"));
      }
      // For handlers that do not heed their signal.
      drainTimer = setTimeout(resolveAllClosed, abortGraceMs);
    }, drainTimeoutMs);
  };

  const startIdling = (): void => {
    if (idleTimeoutMs === undefined || stopping || connections.size > 0) return;
    idleTimer = setTimeout(() => shutdown("idle"), idleTimeoutMs);
  };

  const serveRequest = async (frame: Frame, connection: ServerConnection): Promise<void> => {
    try {
      if (frame.kind === frameKinds.compile) {
        await options.onCompile(decodeCompile(frame.payload), connection);
        if (!connection.ended() && !connection.signal.aborted) {
          throw new LlamaError("NoAnswer", "Cannot tell how the command ended: it has no answer");
        }
      } else if (frame.kind === frameKinds.control) {
        const answer = await options.onControl(decodeControl(frame.payload), connection);
        await connection.send({ type: "json", text: JSON.stringify(answer ?? null) });
      } else {
        throw new LlamaError("BadRequest", `Cannot serve a request of kind ${frame.kind}`);
      }
    } catch (error) {
      if (error instanceof ClientGone || error === connection.signal.reason) return;
      log("request-failed", { connection: connection.id, error: messageOf(error) });
      await reportFailure(connection, error);
    }
  };

  const serveConnection = async (conn: Deno.UnixConn, connection: ServerConnection) => {
    const state = { busy: false };
    connections.set(connection, state);
    let requestTimer: ReturnType<typeof setTimeout> | undefined;
    try {
      const frames = readFrames(conn);
      let next = frames.next();
      while (true) {
        requestTimer = setTimeout(() => {
          log("request-timeout", { connection: connection.id });
          connection.close();
        }, requestTimeoutMs);
        const { value: frame } = await next;
        clearTimeout(requestTimer);
        if (frame === undefined) return;
        state.busy = true;
        // Reads on while the request is served, as only that tells that the client went away.
        next = frames.next();
        const left = next.then(({ done }) => {
          if (done || frame.kind === frameKinds.compile) connection.close();
        }, () => connection.close());
        await serveRequest(frame, connection);
        if (connection.leased()) await left;
        if (frame.kind !== frameKinds.control || stopping || connection.signal.aborted) return;
        state.busy = false;
        connection.restart();
      }
    } catch (error) {
      if (error instanceof LlamaError) {
        log("bad-frame", { connection: connection.id, error: error.message });
        await reportFailure(connection, error);
      } else if (!isClosed(error)) {
        log("connection-failed", { connection: connection.id, error: messageOf(error) });
      }
    } finally {
      clearTimeout(requestTimer);
      connection.close();
      connections.delete(connection);
      wakeAccept();
      if (stopping && connections.size === 0) resolveAllClosed();
      startIdling();
    }
  };

  const acceptAll = async (): Promise<void> => {
    while (!stopping) {
      if (connections.size >= maxConnections) {
        await new Promise<void>((resolve) => wakeAccept = resolve);
        continue;
      }
      let conn: Deno.UnixConn;
      try {
        conn = await listener.accept();
      } catch (error) {
        if (stopping) return;
        // Out of file descriptors, for instance: those who are served give theirs back.
        log("accept-failed", { error: messageOf(error) });
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, acceptRetryMs);
          wakeAccept = () => (clearTimeout(timer), resolve());
        });
        continue;
      }
      if (stopping) return conn.close();
      clearTimeout(idleTimer);
      accepted++;
      // It handles its own failures.
      void serveConnection(conn, createConnection(accepted, conn));
    }
  };

  const serveUntilStopped = async (): Promise<void> => {
    await acceptAll();
    await allClosed;
    clearTimeout(drainTimer);
    log("stopped", {});
  };

  startIdling();
  log("listening", { socket: socketPath });
  return {
    finished: serveUntilStopped(),
    shutdown,
    stats: () => ({
      connections: connections.size,
      accepted,
      compiling: [...connections].filter(([connection, { busy }]) => busy && !connection.ended())
        .length,
      uptimeMs: now() - startedMs,
    }),
  };
}

async function reportFailure(connection: ServerConnection, error: unknown): Promise<void> {
  if (connection.ended() || connection.signal.aborted) return;
  const hint = error instanceof LlamaError ? error.hint : undefined;
  try {
    await connection.fail(hint === undefined ? messageOf(error) : `${messageOf(error)}; ${hint}`);
  } catch (gone) {
    // Nobody is left to be told.
    if (!(gone instanceof ClientGone)) throw gone;
  }
}

function removeSocket(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    // Closing the listener may have removed it.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.ConnectionReset;
}

function listen(socketPath: string): Deno.UnixListener {
  const bytes = new TextEncoder().encode(socketPath).length;
  if (bytes > maxSocketPathBytes) {
    throw new LlamaError(
      "SocketPathTooLong",
      `Cannot start the daemon as the socket path is too long: ${bytes} bytes, ` +
        `the limit is ${maxSocketPathBytes}`,
      { hint: "set LLAMA_DIR to a shorter folder" },
    );
  }
  preparePrivateFolder(socketPath.slice(0, socketPath.lastIndexOf("/")) || "/");
  // bind(2) makes the socket with the mask's mode, so there is no moment in which it is open to others.
  const umask = Deno.umask(0o177);
  try {
    return Deno.listen({ transport: "unix", path: socketPath });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new LlamaError(
      "SocketInUse",
      `Cannot start the daemon as "${socketPath}" is there already`,
      { cause: error },
    );
  } finally {
    Deno.umask(umask);
  }
}
