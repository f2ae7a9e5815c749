/** The client's end of the daemon's socket. */
import { LlamaError } from "../job/errors.ts";
import { parseJson } from "../job/json.ts";
import { type FrameSource, readFrames } from "./frame.ts";
import {
  type Answer,
  type CompileCall,
  decodeAnswer,
  encodeCompile,
  encodeControl,
} from "./protocol.ts";

/** A connection to the daemon, as `connectDaemon()` makes. */
export interface DaemonSocket extends FrameSource {
  /** Writes some of `bytes` and returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Sends a command and yields the answers, the one that ends it last. After an `exec` the connection is the
 * lease of a local core: close it when the program has ended.
 *
 * @throws {LlamaError} `DaemonGone` if the daemon ends before its answer does
 */
export async function* askCompile(
  socket: DaemonSocket,
  call: CompileCall,
): AsyncGenerator<Answer, void, void> {
  await using frames = readFrames(patient(socket));
  await sendAll(socket, encodeCompile(call));
  for await (const frame of frames) {
    const answer = decodeAnswer(frame);
    yield answer;
    if (answer.type !== "stdout" && answer.type !== "stderr") return;
  }
}

/**
 * Sends a control request and returns the JSON of the answer. The connection can carry another one after it.
 *
 * @throws {LlamaError} `DaemonGone` if the daemon ends before it answers
 * @throws {LlamaError} `DaemonRefused` with the daemon's own words
 */
export async function askControl(socket: DaemonSocket, json: unknown): Promise<unknown> {
  await using frames = readFrames(patient(socket));
  await sendAll(socket, encodeControl(json));
  const { value: frame } = await frames.next();
  if (frame === undefined) throw daemonGone();
  const answer = decodeAnswer(frame);
  if (answer.type === "json") return parseJson(answer.text, "an answer of the daemon");
  throw new LlamaError(
    "DaemonRefused",
    answer.type === "error" ? answer.message : `Cannot use an answer of type "${answer.type}"`,
  );
}

/** Writes all of `bytes`; that the daemon is gone shows when its answer is read. */
async function sendAll(socket: DaemonSocket, bytes: Uint8Array): Promise<void> {
  try {
    while (bytes.length > 0) bytes = bytes.subarray(await socket.write(bytes));
  } catch (error) {
    // The daemon may have said why it does not listen on.
    if (!isGone(error)) throw error;
  }
}

function patient(socket: DaemonSocket): FrameSource {
  return {
    async read(target) {
      let count: number | null;
      try {
        count = await socket.read(target);
      } catch (error) {
        if (isGone(error)) throw daemonGone(error);
        throw error;
      }
      if (count === null) throw daemonGone();
      return count;
    },
  };
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset;
}

function daemonGone(cause?: unknown): LlamaError {
  return new LlamaError(
    "DaemonGone",
    "Cannot tell how the command ended as the daemon has gone",
    { cause },
  );
}
