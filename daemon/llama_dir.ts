/** The folder that the daemon's socket lives in, as the thin clients need it. */
import { LlamaError } from "../job/errors.ts";

/** Longest path of a Unix socket in bytes: sun_path of unix(7) holds 108 with the final NUL. */
export const maxSocketPathBytes = 107;

/**
 * The folder of everything that llama keeps, absolute: LLAMA_DIR, otherwise `.llama` in the home folder,
 * which is HOME or, where that is not set, the user's own of `/etc/passwd`.
 *
 * @throws {LlamaError} `NoHome` if there is neither
 */
export function findLlamaDir(
  /** Returns a variable of the environment. */
  variable: (name: string) => string | undefined,
): string {
  const own = variable("LLAMA_DIR");
  if (own) return own.startsWith("/") ? own : `${Deno.cwd()}/${own}`;
  const home = variable("HOME") || homeOf(Deno.uid());
  if (home) return `${home}/.llama`;
  throw new LlamaError("NoHome", "Cannot tell where llama keeps its files as HOME is not set", {
    hint: "set LLAMA_DIR to a folder of your own",
  });
}

function homeOf(uid: number | null): string | undefined {
  let users: string;
  try {
    users = Deno.readTextFileSync("/etc/passwd");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  // passwd(5): name:password:UID:GID:GECOS:directory:shell
  return users.split("\n").map((line) => line.split(":")).find((user) => user[2] === `${uid}`)?.[5];
}

/**
 * The path of the daemon's socket.
 *
 * @throws {LlamaError} `SocketPathTooLong` if the system cannot hold it
 */
export function socketPathIn(llamaDir: string): string {
  const path = `${llamaDir}/daemon.sock`;
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= maxSocketPathBytes) return path;
  throw new LlamaError(
    "SocketPathTooLong",
    `Cannot reach the daemon as the socket path is too long: ${bytes} bytes, ` +
      `the limit is ${maxSocketPathBytes}`,
    { hint: "set LLAMA_DIR to a shorter folder" },
  );
}

/**
 * Makes the folder (0700) if there is none, and checks that nobody else can put a socket into it: who
 * answers there tells clients what to execute.
 *
 * @throws {LlamaError} `NotAFolder`, `FolderNotOwn` or `FolderNotPrivate`
 */
export function preparePrivateFolder(path: string): void {
  Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  checkPrivateFolder(path);
}

/**
 * Checks that a folder is one's own and closed to writers.
 *
 * @throws {LlamaError} `NotAFolder`, `FolderNotOwn` or `FolderNotPrivate`
 * @throws {Deno.errors.NotFound} if there is none
 */
export function checkPrivateFolder(path: string): void {
  const { isDirectory, uid, mode } = Deno.statSync(path);
  if (!isDirectory) {
    throw new LlamaError("NotAFolder", `Cannot use "${path}" for the daemon: it is not a folder`);
  }
  const hint = "set LLAMA_DIR to a folder of your own";
  if (uid !== null && uid !== Deno.uid() && uid !== 0) {
    throw new LlamaError(
      "FolderNotOwn",
      `Cannot use "${path}" for the daemon: it belongs to user ${uid}`,
      { hint },
    );
  }
  if (mode !== null && (mode & 0o022) !== 0) {
    throw new LlamaError(
      "FolderNotPrivate",
      `Cannot use "${path}" for the daemon: others can write into it`,
      { hint: `run chmod 700 "${path}"` },
    );
  }
}
