/** Starts a process that outlives its parent and keeps nothing of it open. */

/** A process that {@linkcode startDetached} started. */
export interface DetachedProcess {
  /** Its process id. */
  readonly pid: number;
  /** Resolves when it has ended, while this process lives to see it; never keeps this process alive. */
  readonly ended: Promise<Deno.CommandStatus>;
}

/**
 * Starts `command` in a session of its own, in `/`, with no stdin, stdout and stderr appended to the file
 * `logPath` (0600), and every other descriptor closed. Returns when it is spawned.
 *
 * A pipe that `make` or a script waits on would otherwise never end, and a folder could not be unmounted.
 *
 * @throws {Deno.errors.NotFound} if there is no shell
 */
export function startDetached(command: readonly string[], logPath: string): DetachedProcess {
  const child = new Deno.Command(findShell(), {
    args: ["-c", script, "llama", logPath, ...command],
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "null",
    // setsid(2): no ^C or hang-up of the terminal reaches it.
    detached: true,
  }).spawn();
  child.unref();
  return { pid: child.pid, ended: child.status };
}

// Deno opens its own descriptors close-on-exec, but passes on those it was given, such as those of
// make's jobserver. Only bash can close one above 9.
const script = `
umask 077
log=$1
shift
exec >>"$log" 2>&1
for fd in /dev/fd/*; do
  fd=\${fd##*/}
  case $fd in
    [3-9]) eval "exec $fd>&-" ;;
    [1-9][0-9]*) [ -z "$BASH_VERSION" ] || eval "exec $fd>&-" ;;
  esac
done
exec "$@"
`;

function findShell(): string {
  try {
    Deno.statSync("/bin/bash");
    return "/bin/bash";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "/bin/sh";
    throw error;
  }
}
