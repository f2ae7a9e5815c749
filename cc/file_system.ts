/**
 * The seam between what llamacc knows and the machine: the file system and local processes. Calls are
 * synchronous, as one costs 1 to 2 µs that way and 7 µs through a promise.
 */

/** State of a file that tells whether its content may have changed. */
export interface FileState {
  readonly kind: "file" | "folder" | "link" | "other";
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly size: number;
  readonly inode: number;
  readonly device: number;
  /** Milliseconds since 1970, with as many decimals as the file system gives. */
  readonly mtimeMs: number;
  /** As mtimeMs, for the last change of the file's state. */
  readonly ctimeMs: number;
}

/** An entry of a listed folder. */
export interface FolderEntry {
  readonly name: string;
  readonly kind: "file" | "folder" | "link" | "other";
}

/** What llamacc asks of a file system; `undefined` where there is no such file. */
export interface FileSystem {
  /** State of what `path` names, links followed. */
  stat(path: string): FileState | undefined;
  /** State of `path` itself. */
  lstat(path: string): FileState | undefined;
  /** Target of the link `path`. */
  readLink(path: string): string | undefined;
  /** Bytes of the file, `undefined` also if it cannot be read. */
  read(path: string): Uint8Array<ArrayBuffer> | undefined;
  /** Entries of the folder. */
  list(path: string): readonly FolderEntry[] | undefined;
  /** Whether this user may write to the file, or into the folder; links are followed. */
  isWritable(path: string): boolean;
  /** The clock by which the file system stamps changes, in milliseconds since 1970. */
  now(): number;
  /** Age in milliseconds from which on a change can be told from the next one. */
  readonly settleMs: number;
}

/** What a local process printed and how it ended. */
export interface ProcessOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs local programs. */
export interface ProcessRunner {
  /** Runs `program` with no standard input and exactly the given environment. */
  run(
    program: string,
    args: readonly string[],
    options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  ): Promise<ProcessOutput>;
}

/** Whether two states of one path are of the same unchanged file. */
export function sameState(a: FileState, b: FileState): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs &&
    a.inode === b.inode && a.device === b.device && a.kind === b.kind && a.mode === b.mode;
}

/**
 * Whether the same state will mean the same content. File systems stamp changes by a clock that ticks
 * every 1 to 10 ms, so two changes in one tick look alike: what had just changed when it was looked at
 * cannot be remembered.
 */
export function isSettled(
  state: FileState,
  /** When the look at the content began: a change after that must not count as old. */
  lookedMs: number,
  settleMs: number,
): boolean {
  return lookedMs - state.mtimeMs > settleMs && lookedMs - state.ctimeMs > settleMs;
}
