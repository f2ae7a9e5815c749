/** The daemon's end of one client's connection. */
import { LlamaError } from "../job/errors.ts";
import { type Answer, encodeAnswer, type ExecCommand } from "./protocol.ts";

/** What a handler answers through. Each method resolves when the bytes are with the system. */
export interface Connection {
  /** Counts from 1, for the log. */
  readonly id: number;
  /** Aborts when the client goes away before its answer has ended, or when the daemon cannot wait. */
  readonly signal: AbortSignal;
  /** Resolves when the connection is closed: after {@linkcode exec}, when the program has ended. */
  readonly closed: Promise<void>;
  /** Has the client write to its stdout. */
  stdout(bytes: Uint8Array): Promise<void>;
  /** Has the client write to its stderr. */
  stderr(bytes: Uint8Array): Promise<void>;
  /** Has the client exit with `status` and ends the answer. */
  exit(status: number): Promise<void>;
  /** Has the client die by the signal of that number and ends the answer. */
  kill(signal: number): Promise<void>;
  /** Has the client become another program and ends the answer; {@linkcode closed} tells its end. */
  exec(command: ExecCommand): Promise<void>;
  /** Has the client print `llamacc: MESSAGE` and exit with 1, and ends the answer. */
  fail(message: string): Promise<void>;
}

/** Thrown from a {@linkcode Connection} whose client has left. */
export class ClientGone extends LlamaError {
  /** Name of the class. */
  override readonly name = "ClientGone";

  /** Creates the error. */
  constructor(options: ErrorOptions = {}) {
    super("ClientGone", "Cannot answer the client as it has left", options);
  }
}

/** A {@linkcode Connection} with what only the server may do. */
export interface ServerConnection extends Connection {
  /** Whether the answer has ended. */
  ended(): boolean;
  /** Whether the answer has ended in {@linkcode Connection.exec}, so that the client keeps its lease. */
  leased(): boolean;
  /** Sends any answer. */
  send(answer: Answer): Promise<void>;
  /** Starts a further answer on the same connection. */
  restart(): void;
  /** Closes the connection, and aborts what runs for it unless its answer has ended. */
  close(reason?: unknown): void;
}

// Long output goes out in parts, so that no frame comes near the limit.
const partBytes = 1024 * 1024;

/** Wraps a connection that was accepted. */
export function createConnection(
  id: number,
  conn: { write(bytes: Uint8Array): Promise<number>; close(): void },
): ServerConnection {
  const abort = new AbortController();
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<void>();
  let ended = false;
  let leased = false;
  let open = true;
  let last: Promise<void> = Promise.resolve();

  const close = (reason: unknown = new ClientGone()): void => {
    if (!open) return;
    open = false;
    conn.close();
    if (!ended) abort.abort(reason);
    resolveClosed();
  };

  const writeAll = async (bytes: Uint8Array): Promise<void> => {
    try {
      while (bytes.length > 0) {
        if (!open) throw new ClientGone();
        bytes = bytes.subarray(await conn.write(bytes));
      }
    } catch (cause) {
      close();
      throw cause instanceof ClientGone ? cause : new ClientGone({ cause });
    }
  };

  const send = (answer: Answer, final: boolean): Promise<void> => {
    if (ended) {
      return Promise.reject(
        new LlamaError("AnswerEnded", `Cannot send "${answer.type}" as the answer has ended`),
      );
    }
    const frame = encodeAnswer(answer);
    if (final) ended = true;
    // A frame must not begin inside another one; an earlier failure fails the later ones, too.
    const written = last.then(() => writeAll(frame));
    // The failure belongs to the caller that gets `written`.
    last = written.catch(() => {});
    return written;
  };

  const sendOutput = async (type: "stdout" | "stderr", bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length; at += partBytes) {
      await send({ type, bytes: bytes.subarray(at, at + partBytes) }, false);
    }
  };

  return {
    id,
    signal: abort.signal,
    closed,
    stdout: (bytes) => sendOutput("stdout", bytes),
    stderr: (bytes) => sendOutput("stderr", bytes),
    exit: (status) => send({ type: "exit", status }, true),
    kill: (signal) => send({ type: "signal", signal }, true),
    exec: (command) => {
      leased = true;
      return send({ type: "exec", command }, true);
    },
    fail: (message) => send({ type: "error", message }, true),
    ended: () => ended,
    leased: () => leased,
    send: (answer) => send(answer, answer.type !== "stdout" && answer.type !== "stderr"),
    restart: () => {
      ended = false;
    },
    close,
  };
}
