/**
 * What the daemon and its clients say to each other.
 *
 * The constraints: `make -j400` starts 400 clients, so a client must be able to be a small C program
 * without libraries (cli/launcher.c: about a millisecond of CPU and under 1 MB, where a Deno process
 * costs 10 ms and 28 MB); arguments, paths and variables are bytes, not text; a request is an environment
 * of some kilobytes and up to 2 MB of arguments; and a client must not have to know what its arguments
 * mean. JSON was rejected for the request: C would need a parser and an escaper, and bytes that are
 * not UTF-8 would need a further encoding. HTTP was rejected as its headers cost more than the message.
 *
 * The socket is `LLAMA_DIR/daemon.sock`. Numbers are u32le, a string is its length and its bytes
 * (without NUL), a list is its count and its strings. A frame is
 *
 *     u32 kind, u32 payload length (up to 16 MiB), payload
 *
 * Requests, which begin with the protocol's version so that an old daemon can say that it is old:
 *
 *     1 COMPILE  u32 version, u32 umask, u32 flags, list argv, string cwd, list environment
 *                flags: 1 stderr is a terminal, 2 stdout is a terminal, 4 the size of files is
 *                limited, 8 an answer cannot be written; the upper 16 bits are the columns of
 *                the terminal at stdin, 0 where there is none. The current folder is empty if it
 *                cannot be told
 *     2 CONTROL  u32 version, string JSON
 *
 * Answers. Any number of STDOUT and STDERR, then one of the others, which ends the answer:
 *
 *     16 STDOUT  the payload is to be written to stdout
 *     17 STDERR  the payload is to be written to stderr
 *     18 EXIT    u32 status
 *     19 SIGNAL  u32 number: the client sets that signal's default action and kills itself by it
 *     20 EXEC    string program, list argv, list changes: the client puts the program in its own place.
 *                A change is `K=V` to set a variable or `K` to remove it
 *     21 JSON    the payload is the JSON that answers a CONTROL
 *     22 ERROR   the payload is one line for `llamacc: LINE` on stderr; the client exits with 1
 *
 * A client leaves by closing the socket (^C needs nothing else), and the daemon then stops what it does
 * for it. After EXEC the socket stays open in the program, and that is the lease of its local core: the
 * slot is free again when the connection closes, however the program ended.
 *
 * A connection carries one COMPILE, or any number of CONTROL one after the other.
 */
import { FormatError, LlamaError } from "../job/errors.ts";
import { parseJson } from "../job/json.ts";
import { createFields, encodeFrame, type FieldReader, type Frame, readFields } from "./frame.ts";

/** The version that every request begins with. */
export const protocolVersion = 1;

/** The kinds of frames. */
export const frameKinds = {
  compile: 1,
  control: 2,
  stdout: 16,
  stderr: 17,
  exit: 18,
  signal: 19,
  exec: 20,
  json: 21,
  error: 22,
} as const;

const stderrFlag = 1;
const stdoutFlag = 2;
const fileSizeFlag = 4;
const brokenFlag = 8;
const columnsShift = 16;

/** Without these rights a compiler cannot open its own temporary files again. */
const ownMask = 0o600;

/** A string of the system: text, or bytes where they are not UTF-8. */
export type SystemText = string | Uint8Array;

/** What a client sends to have a command run. */
export interface CompileCall {
  /** File mode creation mask of the client. */
  readonly umask: number;
  /** Whether the client's stderr is a terminal. */
  readonly stderrIsTerminal: boolean;
  /** Whether the client's stdout is a terminal. */
  readonly stdoutIsTerminal: boolean;
  /** Columns of the terminal at the client's stdin, 0 where there is none. */
  readonly stdinColumns: number;
  /** The command, with the name that the client was called by in front. */
  readonly argv: readonly SystemText[];
  /** Whether a limit stands for the size of files that the client writes; none unless given. */
  readonly fileSizeIsLimited?: boolean;
  /** Whether an answer could not be written; it could unless given. */
  readonly outputIsBroken?: boolean;
  /** The client's current folder, empty if it cannot be told. */
  readonly cwd: SystemText;
  /** The whole environment, an item `K=V` a variable. */
  readonly environment: readonly SystemText[];
}

/** What of a client's process decides what a compiler does. */
export type ClientReason = "broken-output" | "file-size-limit" | "no-working-folder" | "umask";

/** A {@linkcode CompileCall} as the daemon sees it. */
export interface CompileRequest {
  /** File mode creation mask of the client. */
  readonly umask: number;
  /** Whether the client's stderr is a terminal. */
  readonly stderrIsTerminal: boolean;
  /** Whether the client's stdout is a terminal. */
  readonly stdoutIsTerminal: boolean;
  /** Columns of the terminal at the client's stdin, 0 where there is none. */
  readonly stdinColumns: number;
  /** The command, with the name that the client was called by in front; never empty. */
  readonly argv: readonly string[];
  /** The bytes of `argv`, for an EXEC that must keep arguments which are not UTF-8. */
  readonly rawArgv: readonly Uint8Array[];
  /** The client's current folder, absolute; `/` if it cannot be told. */
  readonly cwd: string;
  /** Why only the client's own process can run the command; any can unless given. */
  readonly clientReason?: ClientReason;
  /** The environment, without a prototype; of a variable given twice the first counts. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether `argv` or `cwd` had bytes that are not UTF-8, which `argv` and `cwd` cannot hold. */
  readonly notUtf8: boolean;
  /** Names in `env` whose values had bytes that are not UTF-8. */
  readonly notUtf8Env: ReadonlySet<string>;
}

/** A program for the client to become. */
export interface ExecCommand {
  /** Path of the program; a name without a slash is looked up in PATH. */
  readonly program: SystemText;
  /** All arguments, with `argv[0]`. */
  readonly argv: readonly SystemText[];
  /** `K=V` to set a variable, `K` to remove it; none unless given. */
  readonly changes?: readonly SystemText[];
}

/** One frame from the daemon. */
export type Answer =
  | { readonly type: "stdout"; readonly bytes: Uint8Array }
  | { readonly type: "stderr"; readonly bytes: Uint8Array }
  | { readonly type: "exit"; readonly status: number }
  | { readonly type: "signal"; readonly signal: number }
  | { readonly type: "exec"; readonly command: ExecCommand }
  | { readonly type: "json"; readonly text: string }
  | { readonly type: "error"; readonly message: string };

/** Returns the frame that asks for a command. */
export function encodeCompile(call: CompileCall): Uint8Array {
  const fields = createFields();
  fields.u32(protocolVersion);
  fields.u32(call.umask);
  fields.u32(
    ((call.stderrIsTerminal ? stderrFlag : 0) | (call.stdoutIsTerminal ? stdoutFlag : 0) |
      (call.fileSizeIsLimited ? fileSizeFlag : 0) | (call.outputIsBroken ? brokenFlag : 0) |
      call.stdinColumns << columnsShift) >>> 0,
  );
  fields.list(call.argv);
  fields.text(call.cwd);
  fields.list(call.environment);
  return encodeFrame(frameKinds.compile, fields.finish());
}

/** Returns the frame of a control request. */
export function encodeControl(json: unknown): Uint8Array {
  const fields = createFields();
  fields.u32(protocolVersion);
  fields.text(JSON.stringify(json));
  return encodeFrame(frameKinds.control, fields.finish());
}

/**
 * Reads the payload of a COMPILE frame.
 *
 * @throws {LlamaError} `ProtocolVersion` if the client speaks another version
 * @throws {FormatError} if the payload is not as laid out above
 */
export function decodeCompile(payload: Uint8Array): CompileRequest {
  const fields = versioned(payload, "a compile request");
  const umask = fields.u32() & 0o777;
  const flags = fields.u32();
  const rawArgv = fields.list();
  const rawCwd = fields.bytes();
  const rawEnvironment = fields.list();
  fields.end();
  if (rawArgv.length === 0) throw new FormatError("a compile request", "it has no argument");
  let notUtf8 = false;
  const decode = (bytes: Uint8Array): string => {
    const text = decodeUtf8(bytes);
    notUtf8 ||= !text.exact;
    return text.value;
  };
  const argv = rawArgv.map(decode);
  const givenCwd = decode(rawCwd);
  const cwd = givenCwd === "" ? "/" : givenCwd;
  if (!cwd.startsWith("/")) {
    throw new FormatError("a compile request", "its current folder is not absolute");
  }
  const env: Record<string, string> = Object.create(null);
  const notUtf8Env = new Set<string>();
  for (const raw of rawEnvironment) {
    const { value, exact } = decodeUtf8(raw);
    const split = value.indexOf("=", 1);
    if (split < 0) continue;
    const name = value.slice(0, split);
    if (name in env) continue;
    env[name] = value.slice(split + 1);
    if (!exact) notUtf8Env.add(name);
  }
  const clientReason = givenCwd === ""
    ? "no-working-folder"
    : (flags & fileSizeFlag) !== 0
    ? "file-size-limit"
    : (flags & brokenFlag) !== 0
    ? "broken-output"
    : (umask & ownMask) !== 0
    ? "umask"
    : undefined;
  return {
    ...(clientReason && { clientReason }),
    umask,
    stderrIsTerminal: (flags & stderrFlag) !== 0,
    stdoutIsTerminal: (flags & stdoutFlag) !== 0,
    stdinColumns: flags >>> columnsShift,
    argv,
    rawArgv,
    cwd,
    env,
    notUtf8,
    notUtf8Env,
  };
}

/**
 * Reads the payload of a CONTROL frame and returns its JSON, which is not checked further.
 *
 * @throws {LlamaError} `ProtocolVersion` if the client speaks another version
 * @throws {FormatError} if the payload is not as laid out above
 */
export function decodeControl(payload: Uint8Array): unknown {
  const fields = versioned(payload, "a control request");
  const text = decodeUtf8(fields.bytes()).value;
  fields.end();
  return parseJson(text, "a control request");
}

function versioned(payload: Uint8Array, what: string): FieldReader {
  const fields = readFields(payload, what);
  const version = fields.u32();
  if (version === protocolVersion) return fields;
  throw new LlamaError(
    "ProtocolVersion",
    `Cannot serve this client as it speaks version ${version} of the protocol: ` +
      `the daemon that runs speaks version ${protocolVersion}`,
    { hint: "run `llama daemon -shutdown` and try again" },
  );
}

/** Returns the frame of an answer. */
export function encodeAnswer(answer: Answer): Uint8Array {
  switch (answer.type) {
    case "stdout":
    case "stderr":
      return encodeFrame(frameKinds[answer.type], answer.bytes);
    case "exit":
      return encodeFrame(frameKinds.exit, word(answer.status));
    case "signal":
      return encodeFrame(frameKinds.signal, word(answer.signal));
    case "exec": {
      const fields = createFields();
      fields.text(answer.command.program);
      fields.list(answer.command.argv);
      fields.list(answer.command.changes ?? []);
      return encodeFrame(frameKinds.exec, fields.finish());
    }
    case "json":
      return encodeFrame(frameKinds.json, encoder.encode(answer.text));
    case "error":
      return encodeFrame(
        frameKinds.error,
        encoder.encode(answer.message.replace(/\s*\n\s*/g, " ")),
      );
  }
}

/**
 * Reads a frame that came from the daemon.
 *
 * @throws {FormatError} if the kind is unknown or the payload is not as laid out above
 */
export function decodeAnswer({ kind, payload }: Frame): Answer {
  const what = "an answer of the daemon";
  switch (kind) {
    case frameKinds.stdout:
      return { type: "stdout", bytes: payload };
    case frameKinds.stderr:
      return { type: "stderr", bytes: payload };
    case frameKinds.exit:
      return { type: "exit", status: lastWord(payload, what) };
    case frameKinds.signal:
      return { type: "signal", signal: lastWord(payload, what) };
    case frameKinds.exec: {
      const fields = readFields(payload, what);
      const program = toSystemText(fields.bytes());
      const argv = fields.list().map(toSystemText);
      const changes = fields.list().map(toSystemText);
      fields.end();
      return { type: "exec", command: { program, argv, changes } };
    }
    case frameKinds.json:
      return { type: "json", text: decodeUtf8(payload).value };
    case frameKinds.error:
      return { type: "error", message: decodeUtf8(payload).value };
    default:
      throw new FormatError(what, `its kind ${kind} is unknown`);
  }
}

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): { value: string; exact: boolean } {
  try {
    return { value: strict.decode(bytes), exact: true };
  } catch {
    // The decoder says no more than that the bytes are not UTF-8.
    return { value: lenient.decode(bytes), exact: false };
  }
}

function toSystemText(bytes: Uint8Array): SystemText {
  const { value, exact } = decodeUtf8(bytes);
  return exact ? value : bytes;
}

function word(value: number): Uint8Array {
  const fields = createFields();
  fields.u32(value);
  return fields.finish();
}

function lastWord(payload: Uint8Array, what: string): number {
  const fields = readFields(payload, what);
  const value = fields.u32();
  fields.end();
  return value;
}
