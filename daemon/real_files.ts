/** The real file system and real processes behind the seams of cc/. */
import {
  type FileState,
  type FileSystem,
  type FolderEntry,
  isSettled,
  type ProcessOutput,
  type ProcessRunner,
  sameState,
} from "../cc/file_system.ts";
import { type CanWrite, openAccess } from "./access.ts";
import { openStatx, type Statx } from "./statx.ts";

/** Ten ticks of the slowest clock of Linux file systems, 10 ms. */
const STATX_SETTLE_MS = 100;
/** Deno gives the time of a file's last change in whole seconds. */
const DENO_SETTLE_MS = 1100;

let statx: Statx | undefined | null = null;
let canWrite: CanWrite | undefined | null = null;

function findStatx(): Statx | undefined {
  if (statx === null) statx = openStatx();
  return statx;
}

function isWritable(path: string): boolean {
  if (canWrite === null) canWrite = openAccess();
  // Without it writing tells.
  return canWrite?.(path) ?? true;
}

function stateAt(path: string, followLinks: boolean): FileState | undefined {
  const quick = findStatx();
  if (quick) return quick(path, followLinks);
  return attempt(() => stateOf(followLinks ? Deno.statSync(path) : Deno.lstatSync(path)));
}

/** What links hold, by their path. A failed readlink(2) costs 30 µs in Deno, a good one 10, lstat(2) 1. */
const links = new Map<string, { readonly state: FileState; readonly target: string }>();
const MAX_KEPT_LINKS = 100_000;

function readLink(path: string): string | undefined {
  const lookedMs = Date.now();
  const state = stateAt(path, false);
  if (state?.kind !== "link") return undefined;
  const known = links.get(path);
  if (known && sameState(known.state, state)) return known.target;
  const target = attempt(() => Deno.readLinkSync(path));
  if (target !== undefined && isSettled(state, lookedMs, realFiles.settleMs)) {
    if (links.size >= MAX_KEPT_LINKS) links.clear();
    links.set(path, { state, target });
  }
  return target;
}

function list(path: string): FolderEntry[] | undefined {
  if (stateAt(path, true)?.kind !== "folder") return undefined;
  return attempt(() => Array.from(Deno.readDirSync(path), entryOf));
}

/** The file system of this machine. */
export const realFiles: FileSystem = {
  stat: (path) => stateAt(path, true),
  lstat: (path) => stateAt(path, false),
  readLink,
  read: (path) => attempt(() => Deno.readFileSync(path)),
  list,
  isWritable,
  now: () => Date.now(),
  get settleMs() {
    return findStatx() ? STATX_SETTLE_MS : DENO_SETTLE_MS;
  },
};

/** Processes of this machine. */
export const realProcesses: ProcessRunner = {
  run: async (program, args, { cwd, env }): Promise<ProcessOutput> => {
    const output = await new Deno.Command(program, {
      args: [...args],
      cwd,
      env: { ...env },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
  },
};

function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    // Whatever keeps the file from being seen here keeps the local compiler from seeing it.
    if (error instanceof Error && ("code" in error || error instanceof Deno.errors.NotFound)) {
      return undefined;
    }
    throw error;
  }
}

function stateOf(info: Deno.FileInfo): FileState {
  return {
    kind: info.isFile ? "file" : info.isDirectory ? "folder" : info.isSymlink ? "link" : "other",
    mode: (info.mode ?? 0) & 0o7777,
    size: info.size,
    inode: info.ino ?? 0,
    device: info.dev,
    mtimeMs: info.mtime?.getTime() ?? 0,
    ctimeMs: info.ctime?.getTime() ?? 0,
  };
}

function entryOf(entry: Deno.DirEntry): FolderEntry {
  return {
    name: entry.name,
    kind: entry.isSymlink ? "link" : entry.isDirectory ? "folder" : entry.isFile ? "file" : "other",
  };
}
