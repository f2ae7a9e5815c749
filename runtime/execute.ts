/**
 * Runs a job's command. It gets a session of its own, an environment that holds nothing of the
 * runtime's, and bounded time and output; whatever it has started is dead when this returns.
 */
import { LlamaError, messageOf } from "../job/errors.ts";
import type { OutputName } from "../job/output_stream.ts";
import type { Proof } from "../job/proof.ts";
import type { ExitStatus, Usage } from "../job/result.ts";
import type { JobSpec } from "../job/spec.ts";
import { type Capture, capture, type CaptureLimits, type PassOn } from "./capture.ts";
import { rootedEnvironment } from "./job_environment.ts";
import { type Layout, realPathOf } from "./layout.ts";
import { type Libc, NO_USAGE } from "./libc.ts";
import { bystanders, killJob } from "./processes.ts";
import { findImageProgram, findPlainProgram, findRootedProgram, type Program } from "./program.ts";
import { readShimLog } from "./shim_log.ts";
import { timedOut, timeLimit, type TimeLimits } from "./time_limit.ts";

/** What running a command needs of the worker. */
export interface ExecuteTools extends TimeLimits {
  readonly libc: Libc | undefined;
  /** Environment of a job that is not rooted, before the job's own: PATH and HOME. */
  readonly plainEnv: Readonly<Record<string, string>>;
  readonly limits: CaptureLimits;
  /** Takes what the command prints as it comes. */
  readonly passOn?: PassOn;
}

/** What a command reads: bytes, or a file that is too large for memory. */
export type Stdin =
  | { readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly file: string };

/** A command that ended by itself. */
export interface Executed {
  readonly status: ExitStatus;
  readonly stdout: Capture;
  readonly stderr: Capture;
  readonly usage: Usage;
  readonly proof?: Proof;
}

/** Threads and processes that a job cannot take, so that the runtime can go on. */
const RESERVED_PROCESSES = 64;
/** How long a stream may stay open once all processes that we could find are dead. */
const STREAM_GRACE_MS = 2000;
const MAX_LOG_BYTES = 64 * 1024 * 1024;

/**
 * Runs the command of `spec` in `layout`. `scratch` is a path for the runtime's own files of this job.
 *
 * @throws {LlamaError} `CommandNotFound`, `CommandNotExecutable`, `TimedOut`, `OutputTooLarge`,
 * `DiskFull`.
 */
export async function execute(
  spec: JobSpec,
  stdin: Stdin | undefined,
  layout: Layout,
  scratch: string,
  tools: ExecuteTools,
): Promise<Executed> {
  const { libc, limits } = tools;
  const cwd = realPathOf(layout.root, spec.cwd);
  const log = spec.rooted?.shim === undefined ? undefined : `${scratch}.log`;
  if (log) Deno.writeFileSync(log, new Uint8Array(), { createNew: true, mode: 0o600 });
  const env = spec.rooted
    ? rootedEnvironment(spec, layout.root, log)
    : { ...tools.plainEnv, ...spec.env };
  const program = spec.rooted?.image
    ? findImageProgram(spec, tools.plainEnv.PATH)
    : spec.rooted
    ? findRootedProgram(spec, layout.root)
    : findPlainProgram(spec, layout.root, cwd, env.PATH);
  const limit = timeLimit(spec, tools);
  if (limit.ms <= 0) throw timedOut(spec, limit);
  const before = bystanders(libc);
  const usageBefore = libc?.childrenUsage() ?? NO_USAGE;
  const hasStdin = stdin !== undefined && ("file" in stdin || stdin.bytes.length > 0);
  const child = spawn(program, env, cwd, hasStdin, spec, libc);
  let stopped: "time" | "output" | undefined;
  const stop = (reason: typeof stopped) => {
    stopped ??= reason;
    killJob(child.pid, before, libc);
  };
  const timer = setTimeout(() => stop("time"), limit.ms);
  const onTrouble = () => stop("output");
  const keep = (name: OutputName) => {
    const { passOn } = tools;
    const pass = passOn && ((bytes: Uint8Array<ArrayBuffer>) => passOn(name, bytes));
    return capture(child[name], `${scratch}.${name}`, limits, onTrouble, pass);
  };
  const [stdout, stderr] = [keep("stdout"), keep("stderr")];
  const fed = hasStdin ? feed(child.stdin, stdin) : undefined;
  const ended = await child.status;
  clearTimeout(timer);
  killJob(child.pid, before, libc);
  await streamsEnd([stdout, stderr]);
  const feedError = await fed;
  if (feedError !== undefined) throw feedError;
  for (const [name, stream] of [["stdout", stdout], ["stderr", stderr]] as const) {
    if (stream.tooLarge()) throw outputTooLarge(spec, name, limits.maxBytes);
    if (stream.failure() !== undefined) throw stream.failure();
  }
  if (stopped === "time") throw timedOut(spec, limit);
  return {
    status: ended.signal === null
      ? { kind: "exit", code: ended.code }
      : { kind: "signal", signal: ended.signal },
    stdout,
    stderr,
    usage: usageSince(usageBefore, libc),
    ...(log && { proof: proofOf(log, program, layout) }),
  };
}

function spawn(
  program: Program,
  env: Record<string, string>,
  cwd: string,
  hasStdin: boolean,
  spec: JobSpec,
  libc: Libc | undefined,
): Deno.ChildProcess {
  const command = new Deno.Command(program.file, {
    args: [...program.args],
    cwd,
    env: spec.rooted?.shim === undefined ? env : { ...env, LLAMA_SHIM_ARGV0: program.name },
    clearEnv: true,
    detached: true,
    stdin: hasStdin ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  });
  const restore = libc?.lowerProcessLimit(RESERVED_PROCESSES);
  // The caller applies its own mask to what comes back, so the job shows what it asked for.
  const umask = Deno.umask(0);
  try {
    return command.spawn();
  } catch (cause) {
    if (isTooLong(cause)) throw argumentsTooLong(spec, cause);
    throw new LlamaError(
      "CommandNotExecutable",
      `Cannot run ${JSON.stringify(spec.args[0])} as ${spawnProblem(cause)}`,
      { cause },
    );
  } finally {
    Deno.umask(umask);
    restore?.();
  }
}

/** E2BIG of execve(2). */
function isTooLong(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "E2BIG";
}

/** Of execve(2), "Limits on size of arguments and environment": 32 pages of 4 KiB with the zero at the end. */
const MAX_ARGUMENT_BYTES = 131_071;

function argumentsTooLong({ args, env }: JobSpec, cause: unknown): LlamaError {
  const bytes = (texts: readonly string[]) =>
    texts.map((text) => new TextEncoder().encode(text).length);
  const each = bytes(args);
  const longest = Math.max(...each);
  const all = [...each, ...bytes(Object.entries(env).flat())].reduce((sum, size) => sum + size, 0);
  const reason = longest > MAX_ARGUMENT_BYTES
    ? `an argument has ${longest} bytes, and ${MAX_ARGUMENT_BYTES} is the most`
    : `its arguments and environment have ${all} bytes`;
  return new LlamaError(
    "ArgumentsTooLong",
    `Cannot run ${JSON.stringify(args[0])} as ${reason}`,
    { cause, hint: "give it a file, as .AsFile in a template does" },
  );
}

function spawnProblem(cause: unknown): string {
  // The file is there; what is not is the loader or interpreter that it names.
  if (cause instanceof Deno.errors.NotFound) return "the interpreter that it names is not there";
  return `it does not start: ${messageOf(cause)}`;
}

/** Writes all of stdin and returns what went wrong; a command need not read it. */
async function feed(
  stdin: WritableStream<Uint8Array<ArrayBufferLike>>,
  from: Stdin,
): Promise<unknown> {
  try {
    if ("file" in from) {
      await (await Deno.open(from.file)).readable.pipeTo(stdin);
    } else {
      const writer = stdin.getWriter();
      await writer.write(from.bytes);
      await writer.close();
    }
    return undefined;
  } catch (error) {
    return error instanceof Deno.errors.BrokenPipe ? undefined : error;
  }
}

async function streamsEnd(streams: readonly Capture[]): Promise<void> {
  const all = Promise.all(streams.map(({ done }) => done));
  // A process that we could not find may still hold them open.
  const timer = setTimeout(() => {
    for (const stream of streams) stream.giveUp();
  }, STREAM_GRACE_MS);
  await all;
  clearTimeout(timer);
}

function outputTooLarge({ args }: JobSpec, stream: string, maxBytes: number): LlamaError {
  return new LlamaError(
    "OutputTooLarge",
    `Cannot keep ${stream} of ${JSON.stringify(args[0])} as it is longer than ${maxBytes} bytes`,
  );
}

function usageSince(before: Usage, libc: Libc | undefined): Usage {
  const after = libc?.childrenUsage() ?? NO_USAGE;
  return {
    userMs: after.userMs - before.userMs,
    systemMs: after.systemMs - before.systemMs,
    maxRssBytes: after.maxRssBytes,
  };
}

function proofOf(log: string, { seen }: Program, layout: Layout): Proof {
  const tooLong = Deno.statSync(log).size > MAX_LOG_BYTES;
  const bytes = tooLong ? new Uint8Array() : Deno.readFileSync(log);
  const blind = [...seen.blind];
  if (tooLong) blind.push("the path shim's log is too long");
  else if (bytes.length === 0 && blind.length === 0) blind.push("the path shim was not loaded");
  return readShimLog(bytes, {
    opened: [...seen.opened, ...layout.loaders],
    absent: [...seen.absent, ...layout.absentLoaders],
    blind,
  });
}
