/** One worker: the process tree that runs one function, its Runtime API and its log. */
import { messageOf } from "../job/errors.ts";
import { type RuntimeApi, startRuntimeApi } from "./runtime_api.ts";
import { type WorkerLog, workerLog } from "./worker_log.ts";
import { killAll, killThoseOf, peakOf, treeOf } from "./worker_processes.ts";
import type { Seal, SealedImage } from "./worker_seal.ts";

/** What a worker needs to start. */
export interface WorkerOptions {
  /** How it is sealed. */
  readonly seal: Seal;
  /** Folder of the unpacked code, which holds `bootstrap`, or of the file system of the image. */
  readonly code: string;
  /** Present if it runs in an image, which takes a seal. */
  readonly image?: SealedImage;
  /** Size of its /tmp in bytes. */
  readonly tmpBytes: number;
  /** Its environment but for AWS_LAMBDA_RUNTIME_API and what tells llama's runtime where to work. */
  readonly environment: Readonly<Record<string, string>>;
  /** Folder for a folder of its own, which is removed when it ends. */
  readonly scratch: string;
}

/** A running worker. */
export interface Worker {
  /** Process id of its outermost process. */
  readonly pid: number;
  /** Its Runtime API. */
  readonly api: RuntimeApi;
  /** What its processes wrote. */
  readonly log: WorkerLog;
  /**
   * Resolves when all its processes are gone and its log is whole, with the end as Lambda names it:
   * `exit status 1`, `signal: killed`, or nothing for status 0.
   */
  readonly exited: Promise<string>;
  /** Whether its first process has ended. */
  hasEnded(): boolean;
  /** Kills all its processes. */
  kill(): void;
  /** The most bytes of memory that its living processes had, each for itself, summed up. */
  memoryBytes(): number;
}

const DRAIN_MS = 1000;

/**
 * Starts a worker. Its Runtime API closes and its folder goes when it ends.
 *
 * @throws {Deno.errors.NotFound} if there is no program to start it.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const api = await startRuntimeApi();
  // Short, as a job may see it in its own paths.
  const scratch = `${options.scratch}/${crypto.randomUUID().slice(0, 8)}`;
  const sealed = options.seal.kind !== "no";
  let child: Deno.ChildProcess;
  try {
    if (!sealed) await makeFolder(options.scratch, scratch);
    const command = options.seal.command({
      code: options.code,
      ...(options.image && { image: options.image }),
      tmpBytes: options.tmpBytes,
      environment: {
        ...options.environment,
        AWS_LAMBDA_RUNTIME_API: api.address,
        // Only a sealed worker has its /tmp for itself, and may sweep it.
        ...(sealed ? { LLAMA_PRIVATE_TMP: "1" } : { LLAMA_WORKER_FOLDER: `${scratch}/w` }),
      },
      scratch,
    });
    child = new Deno.Command(command.program, {
      args: [...command.args],
      clearEnv: true,
      env: { ...command.environment },
      // Makes the process the first of a session and a process group of its own.
      detached: !sealed,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    }).spawn();
  } catch (error) {
    await api.close();
    if (!sealed) await removeFolder(scratch);
    throw error;
  }

  const log = workerLog();
  const readers = [child.stdout.getReader(), child.stderr.getReader()];
  const drained = Promise.all(readers.map((reader) => drain(reader, log)));

  let ended = false;
  async function end(): Promise<string> {
    const status = await child.status;
    ended = true;
    if (!sealed) {
      // A negative id is a process group's: what lost its parent is in no tree, but in the group.
      killAll([-child.pid]);
      killThoseOf(scratch);
      // A process that left the group may hold the pipes for as long as it likes.
      await atMost(DRAIN_MS, drained);
    }
    await Promise.all(sealed ? [drained] : readers.map((reader) => reader.cancel()));
    await drained;
    await api.close();
    if (!sealed) await removeFolder(scratch);
    return nameOfEnd(status);
  }

  return {
    pid: child.pid,
    api,
    log,
    exited: end(),
    hasEnded: () => ended,
    kill: () => killAll(sealed ? [child.pid] : treeOf(child.pid)),
    memoryBytes: () => treeOf(child.pid).reduce((sum, id) => sum + peakOf(id), 0),
  };
}

async function drain(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  log: WorkerLog,
): Promise<void> {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      log.write(value);
    }
  } catch (error) {
    log.write(new TextEncoder().encode(`The log ends here: ${messageOf(error)}\n`));
  }
}

async function atMost(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([
    promise,
    new Promise<void>((resolve) => timer = setTimeout(resolve, ms)),
  ]);
  clearTimeout(timer);
}

async function makeFolder(parent: string, path: string): Promise<void> {
  await Deno.mkdir(parent, { recursive: true, mode: 0o700 });
  await Deno.mkdir(path, { mode: 0o700 });
}

async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A shell's status above 128 tells of a signal, and the seals' first process is a shell. */
function nameOfEnd({ code, signal }: Deno.CommandStatus): string {
  if (signal === "SIGKILL" || code === 128 + 9) return "signal: killed";
  if (signal === "SIGSEGV" || code === 128 + 11) return "signal: segmentation fault";
  if (signal === "SIGABRT" || code === 128 + 6) return "signal: aborted";
  if (signal !== null) return `signal: ${signal}`;
  return code === 0 ? "" : `exit status ${code}`;
}
