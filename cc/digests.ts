/**
 * Digests of files, kept by the file's state (device, inode, size, mtime, ctime, mode). A file that had
 * just changed when it was read is read again next time ({@linkcode isSettled}).
 */
import { type Digest, digestOf } from "../job/digest.ts";
import { type FileState, type FileSystem, isSettled, sameState } from "./file_system.ts";

/** What is known of a file's content. */
export interface KnownFile {
  readonly digest: Digest;
  readonly state: FileState;
  /** Whether the same state will mean the same content. */
  readonly settled: boolean;
}

/** Bytes of a file that was just read. */
export interface ReadBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The file's state before that. */
  readonly state: FileState;
  /** When the reading began. */
  readonly lookedMs: number;
}

/** Digests of files, with memory. */
export interface FileDigests {
  /** The digest if it is known for the file's state as it is now. */
  known(path: string, state: FileState): KnownFile | undefined;
  /** Takes the digest of bytes that were just read of a file, which saves reading it once more. */
  learn(path: string, read: ReadBytes): void;
  /** Reads and hashes the file; `undefined` if it cannot be read or changes all the time. */
  compute(path: string): Promise<KnownFile | undefined>;
  /** Where an object's bytes can be found on this machine. */
  pathOf(digest: Digest): string | undefined;
  /** Bytes of an object from its file, `undefined` if that is unknown or holds something else by now. */
  read(digest: Digest): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** All that is known, for keeping. */
  entries(): Iterable<readonly [string, KnownFile]>;
  /** Takes over what was kept. */
  remember(path: string, file: KnownFile): void;
}

const MAX_TRIES = 3;

/**
 * Creates an empty memory of digests.
 *
 * @param hash Hashes at once; without it {@linkcode FileDigests.learn} learns nothing.
 */
export function createFileDigests(
  files: FileSystem,
  hash?: (bytes: Uint8Array<ArrayBuffer>) => Digest,
): FileDigests {
  const byPath = new Map<string, KnownFile>();
  const paths = new Map<Digest, string>();
  const remember = (path: string, file: KnownFile) => {
    byPath.set(path, file);
    paths.set(file.digest, path);
  };
  return {
    known: (path, state) => {
      const file = byPath.get(path);
      return file && file.settled && sameState(file.state, state) ? file : undefined;
    },
    learn: (path, { bytes, state, lookedMs }) => {
      if (!hash || bytes.length !== state.size) return;
      const after = files.stat(path);
      // If it is not what it was, the bytes are of neither state.
      if (!after || !sameState(state, after)) return;
      const settled = isSettled(after, lookedMs, files.settleMs);
      remember(path, { digest: hash(bytes), state: after, settled });
    },
    compute: async (path) => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const lookedMs = files.now();
        const before = files.stat(path);
        const bytes = before?.kind === "file" ? files.read(path) : undefined;
        const after = files.stat(path);
        if (!before || !bytes || !after) return undefined;
        if (!sameState(before, after) || bytes.length !== after.size) continue;
        const settled = isSettled(after, lookedMs, files.settleMs);
        const file = { digest: await digestOf(bytes), state: after, settled };
        remember(path, file);
        return file;
      }
      return undefined;
    },
    pathOf: (digest) => paths.get(digest),
    read: async (digest) => {
      const path = paths.get(digest);
      const bytes = path === undefined ? undefined : files.read(path);
      return bytes && await digestOf(bytes) === digest ? bytes : undefined;
    },
    entries: () => byPath.entries(),
    remember,
  };
}
