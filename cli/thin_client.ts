/**
 * The portable llamacc: what cli/launcher.c does, where no C compiler made that one.
 *
 * What it imports is start-up time of every compilation, so it imports little.
 */
import { callersEnvironment } from "../job/callers_environment.ts";
import { LlamaError, messageOf } from "../job/errors.ts";
import { askCompile } from "../daemon/client.ts";
import { connectDaemon, daemonLogPath } from "../daemon/lifecycle.ts";
import { findLlamaDir } from "../daemon/llama_dir.ts";
import type { Answer, CompileCall, ExecCommand, SystemText } from "../daemon/protocol.ts";
import { startDetached } from "../daemon/start_detached.ts";

/** What {@linkcode runThinClient} needs. */
export interface ThinClientOptions {
  /** The name that the user called, `llamacc` or `llamac++`. */
  readonly argv0: string;
  /** The arguments after it. */
  readonly args: readonly string[];
  /** How to run `llama`. */
  readonly llama: readonly string[];
}

/** How the client has to end. */
export type Ending =
  | { readonly type: "exit"; readonly status: number }
  | {
    readonly type: "signal";
    readonly signal: Deno.Signal | number;
    /** The status to exit with where the signal does not end the process. */
    readonly status: number;
  };

const maxRetries = 3;
const retryPauseMs = 50;
const signalPauseMs = 500;

/** Has the daemon run the command, prints what it answers, and returns how to end. */
export async function runThinClient(options: ThinClientOptions): Promise<Ending> {
  try {
    return await runCommand(options);
  } catch (error) {
    const hint = error instanceof LlamaError && error.hint !== undefined ? `; ${error.hint}` : "";
    await say(`${messageOf(error)}${hint}`);
    return { type: "exit", status: error instanceof LlamaError ? error.exitCode : 1 };
  }
}

/** Ends this process. */
export async function endProcess(ending: Ending): Promise<never> {
  if (ending.type === "signal") {
    Deno.kill(Deno.pid, ending.signal);
    // Once listened to, a signal takes its default way through a thread of Deno's; and some, such as
    // SIGPIPE, Deno ignores.
    await new Promise((resolve) => setTimeout(resolve, signalPauseMs));
  }
  Deno.exit(ending.status);
}

/** Empty if it is gone. */
function currentFolder(): string {
  try {
    return Deno.cwd();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

async function runCommand({ argv0, args, llama }: ThinClientOptions): Promise<Ending> {
  const llamaDir = findLlamaDir((name) => Deno.env.get(name));
  const call: CompileCall = {
    umask: Deno.umask(),
    stderrIsTerminal: Deno.stderr.isTerminal(),
    stdoutIsTerminal: Deno.stdout.isTerminal(),
    stdinColumns: Deno.stdin.isTerminal() ? Deno.consoleSize().columns : 0,
    argv: [argv0, ...args],
    cwd: currentFolder(),
    environment: Object.entries(callersEnvironment(Deno.env.toObject())).map(([name, value]) =>
      `${name}=${value}`
    ),
  };
  const start = () => {
    Deno.env.set("LLAMA_DIR", llamaDir);
    return startDetached([...llama, "daemon", "-start"], daemonLogPath(llamaDir));
  };
  for (let attempt = 0; attempt <= maxRetries; attempt++) {
    using connection = await connectDaemon({ llamaDir, start });
    let printed = false;
    try {
      for await (const answer of askCompile(connection, call)) {
        const ending = await follow(answer);
        if (ending !== undefined) return ending;
        printed = true;
      }
    } catch (error) {
      if (!(error instanceof LlamaError) || error.code !== "DaemonGone") throw error;
      if (printed) {
        throw new LlamaError(
          "DaemonGone",
          "Cannot finish as the daemon ended while it answered",
          { cause: error },
        );
      }
      // A daemon that is being killed may accept for a moment more.
      await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
    }
  }
  throw new LlamaError("DaemonGone", "Cannot get an answer as the daemon ended each time", {
    hint: `see ${daemonLogPath(llamaDir)}`,
  });
}

async function follow(answer: Answer): Promise<Ending | undefined> {
  switch (answer.type) {
    case "stdout":
      await writeAll(Deno.stdout, answer.bytes);
      return undefined;
    case "stderr":
      await writeWords(answer.bytes);
      return undefined;
    case "exit":
      return { type: "exit", status: answer.status & 255 };
    case "signal":
      return { ...answer, status: 128 + (answer.signal & 127) };
    case "exec":
      return await runInPlace(answer.command);
    case "error":
      throw new LlamaError("DaemonRefused", answer.message);
    case "json":
      throw new LlamaError("BadAnswer", "Cannot understand the daemon", {
        hint: "run `llama daemon -shutdown` and try again",
      });
  }
}

/** Runs the program and waits for it: Deno has no exec. The caller's connection is its lease. */
async function runInPlace(command: ExecCommand): Promise<Ending> {
  const program = toText(command.program);
  const args = command.argv.slice(1).map(toText);
  const env = callersEnvironment(Deno.env.toObject());
  for (const change of (command.changes ?? []).map(toText)) {
    const split = change.indexOf("=");
    if (split < 0) delete env[change];
    else env[change.slice(0, split)] = change.slice(split + 1);
  }
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args,
      env,
      clearEnv: true,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (cause) {
    const found = !(cause instanceof Deno.errors.NotFound);
    throw new LlamaError("CannotExec", `Cannot run ${program}: ${messageOf(cause)}`, {
      cause,
      exitCode: found ? 126 : 127,
    });
  }
  // The program must not outlive what its caller takes for it.
  const signals: Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
  const forwards = signals.map((signal) => {
    const forward = () => {
      try {
        child.kill(signal);
      } catch (error) {
        // It has just ended.
        if (!(error instanceof TypeError)) throw error;
      }
    };
    Deno.addSignalListener(signal, forward);
    return () => Deno.removeSignalListener(signal, forward);
  });
  const { code, signal } = await child.status;
  for (const stop of forwards) stop();
  return signal === null
    ? { type: "exit", status: code }
    : { type: "signal", signal, status: code };
}

function toText(value: SystemText): string {
  if (typeof value === "string") return value;
  throw new LlamaError(
    "NotUtf8",
    `Cannot pass "${new TextDecoder().decode(value)}" on as it is not UTF-8`,
    { hint: "install the llamacc that is made with a C compiler" },
  );
}

async function say(line: string): Promise<void> {
  await writeWords(new TextEncoder().encode(`llamacc: ${line}\n`));
}

/** Writes to stderr; as of a compiler, words that nobody can hear are no failure. */
async function writeWords(bytes: Uint8Array): Promise<void> {
  try {
    await writeAll(Deno.stderr, bytes);
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

async function writeAll(
  target: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(await target.write(bytes));
    } catch (error) {
      // A terminal may have been made non-blocking by others.
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
