/** Runs the local compiler in the daemon, as the client would have run it. */
import type { CompileRequest } from "./protocol.ts";

/** Time that a program has to end when it is told to. */
const GRACE_MS = 2_000;

/** What a local run left behind, its files apart. */
export interface LocalEnd {
  /** Exit status; 128 + N if signal N ended it. */
  readonly code: number;
  /** The signal that ended it. */
  readonly signal: Deno.Signal | null;
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array<ArrayBuffer>;
}

/**
 * Runs `argv` in the client's folder, with its environment and its file mode creation mask. Its standard
 * input is empty, and its output goes through pipes. If `signal` aborts, all that it started is told to end, so
 * that a driver removes what is half made, and is killed if it does not.
 */
export async function runAsClient(
  { cwd, env, umask, notUtf8Env }: CompileRequest,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<LocalEnd> {
  signal.throwIfAborted();
  const known = Object.entries(env).filter(([name]) => !notUtf8Env.has(name));
  // The shell finds the program in the client's PATH and leaves its name as it is; the daemon's mask is not the client's.
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", `umask ${umask.toString(8)}; exec "$@"`, "sh", ...argv],
    cwd,
    env: Object.fromEntries(known),
    clearEnv: true,
    detached: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const kill = (by: Deno.Signal) => {
    try {
      // The group: a driver leaves its programs behind.
      Deno.kill(-child.pid, by);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  const stop = () => {
    kill("SIGTERM");
    timer = setTimeout(() => kill("SIGKILL"), GRACE_MS);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const { code, signal: by, stdout, stderr } = await child.output();
    signal.throwIfAborted();
    return { code, signal: by, stdout, stderr };
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(timer);
  }
}
