/**
 * The executable `llama`: reads the environment, finds the command, runs it and reports its error.
 * Nothing else is loaded before the command is known.
 */
import { callersEnvironment } from "../job/callers_environment.ts";
import { findLlamaDir } from "../daemon/llama_dir.ts";
import type { Command } from "./command.ts";
import { COMMANDS, GLOBAL_FLAGS, VERSION_FLAG } from "./commands.ts";
import { parseFlags, usageError } from "./flags.ts";
import { nearest } from "./nearest.ts";
import { processOutput, writeAll, writeAllSync } from "./output.ts";
import { INTERRUPTED, isBrokenPipe, reportJson, reportLine, reportOf } from "./report_error.ts";

/** Milliseconds that a command has to clean up after ^C. */
const CLEAN_UP_MS = 3000;

/** Runs `llama` with `args` and returns its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const env = callersEnvironment(Deno.env.toObject());
  try {
    return await dispatch(args, env);
  } catch (error) {
    if (isBrokenPipe(error)) return 1;
    const report = reportOf(error);
    const text = env.LLAMA_DEBUG && error instanceof Error && error.stack
      ? `${reportLine(report)}\n${error.stack}\n`
      : `${reportLine(report)}\n`;
    writeAllSync(Deno.stderr, new TextEncoder().encode(text));
    if (args.some((arg) => /^--?json(=true|=1)?$/.test(arg))) {
      await print(JSON.stringify(reportJson(report)) + "\n");
    }
    return report.exitCode;
  }
}

/**
 * Refuses arguments that are not UTF-8, which Deno shows with U+FFFD in place of the bytes; proc(5), cmdline.
 *
 * @throws {LlamaError} With code `Usage`.
 */
async function refuseLostBytes(args: readonly string[]): Promise<void> {
  const lossy = args.find((arg) => arg.includes("\uFFFD"));
  if (lossy === undefined || Deno.build.os !== "linux") return;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    decoder.decode(await Deno.readFile("/proc/self/cmdline"));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw usageError(`The argument ${JSON.stringify(lossy)} is not UTF-8`, "a job takes text only");
  }
}

async function dispatch(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  await refuseLostBytes(args);
  const before = parseFlags(args, [...GLOBAL_FLAGS, VERSION_FLAG], true);
  const name = before.operands[0] ?? (before.flags.has("version") ? "version" : undefined);
  if (name === undefined || name === "help") {
    return await help(before.operands[1], name === "help" || before.flags.has("help"));
  }
  const command = await load(name);
  const line = parseFlags(
    [...globalsOf(args, before.operands.length), ...before.operands.slice(1)],
    [...GLOBAL_FLAGS, ...command.flags],
    command.endAtOperand ?? false,
  );
  if (line.flags.has("help")) {
    await print(command.usage);
    return 0;
  }
  const cwd = Deno.cwd();
  const output = processOutput({ json: line.flags.has("json"), quiet: line.flags.has("quiet") });
  return await runUntilSignal((signal) =>
    command.run({
      flags: line.flags,
      operands: line.operands,
      env,
      cwd,
      llamaDir: findLlamaDir((name) => env[name]),
      output,
      signal,
    })
  );
}

/** The arguments before the command, but for `-version`, which is one, and for a `--` at their end. */
function globalsOf(args: readonly string[], operandCount: number): readonly string[] {
  const globals = args.slice(0, args.length - operandCount);
  if (globals.at(-1) === "--") globals.pop();
  return operandCount > 0 ? globals : globals.filter((arg) => !/^--?v(ersion)?(=|$)/.test(arg));
}

async function load(name: string): Promise<Command> {
  const entry = COMMANDS.find((entry) => entry.name === name);
  if (entry !== undefined) return await entry.load();
  const near = nearest(name, COMMANDS.map(({ name }) => name));
  throw usageError(
    `Unknown command ${JSON.stringify(name)}`,
    near === undefined ? "llama help lists the commands" : `did you mean ${near}?`,
  );
}

async function help(topic: string | undefined, asked: boolean): Promise<number> {
  if (topic !== undefined && topic !== "help") {
    await print((await load(topic)).usage);
    return 0;
  }
  const text = (await import("./help.ts")).overview();
  if (asked) await print(text);
  else writeAllSync(Deno.stderr, new TextEncoder().encode(text));
  return asked ? 0 : 2;
}

async function print(text: string): Promise<void> {
  await writeAll(Deno.stdout, new TextEncoder().encode(text));
}

/**
 * Runs `task` with a signal that ^C and SIGTERM abort. A task that has not ended soon after is left
 * behind; a second ^C does not wait at all.
 */
async function runUntilSignal(task: (signal: AbortSignal) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  const { promise: tooLate, resolve: giveUp } = Promise.withResolvers<number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let status = INTERRUPTED;
  const stop = (code: number) => () => {
    if (controller.signal.aborted) return giveUp(status);
    status = code;
    timer = setTimeout(() => giveUp(status), CLEAN_UP_MS);
    controller.abort(new DOMException("Interrupted", "AbortError"));
  };
  const onInterrupt = stop(INTERRUPTED);
  const onTerminate = stop(143);
  const onTooLarge = () => undefined;
  Deno.addSignalListener("SIGINT", onInterrupt);
  Deno.addSignalListener("SIGTERM", onTerminate);
  // A write beyond `ulimit -f` then fails and is told, where it would end this process at once; signal(7).
  if (Deno.build.os === "linux") Deno.addSignalListener("SIGXFSZ", onTooLarge);
  try {
    return await Promise.race([task(controller.signal), tooLate]);
  } catch (error) {
    if (controller.signal.aborted) return status;
    throw error;
  } finally {
    // Deno loads its timers when they are first used, which takes 10 ms of each start.
    if (timer !== undefined) clearTimeout(timer);
    Deno.removeSignalListener("SIGINT", onInterrupt);
    Deno.removeSignalListener("SIGTERM", onTerminate);
    if (Deno.build.os === "linux") Deno.removeSignalListener("SIGXFSZ", onTooLarge);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
