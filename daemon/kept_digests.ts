/**
 * Digests of files that outlive a process: a standard library is 1,500 files and a compiler is 100 MB, which take 0.3 s
 * to read and hash and 10 ms to look at.
 *
 * On disk they are text, a line for each file: `<digest> <mode> <size> <inode> <device> <mtimeMs> <ctimeMs> <path>`. A
 * line that cannot be read counts as none, as a file whose state is another one does.
 */
import { createFileDigests, type FileDigests, type KnownFile } from "../cc/digests.ts";
import type { FileState, FileSystem } from "../cc/file_system.ts";
import { replaceFile } from "./write_output.ts";

/** Digests with a memory on disk. */
export interface KeptDigests extends FileDigests {
  /** Keeps what is new. */
  keep(): Promise<void>;
}

/** Most files that are remembered; the oldest go first. 4 MB, and 90 ms of a start at the most. */
const MAX_FILES = 20_000;
const LINE = /^([0-9a-f]{64}) (\d+) (\d+) (\d+) (\d+) (-?[\d.]+) (-?[\d.]+) (\/[^\n]*)$/;

/** Opens the memory kept in `path`, which need not exist. */
export async function openKeptDigests(path: string, files: FileSystem): Promise<KeptDigests> {
  const digests = createFileDigests(files);
  const kept = new Map<string, FileState>();
  for (const [name, file] of decodeDigests(await readText(path))) {
    kept.set(name, file.state);
    digests.remember(name, file);
  }
  return {
    ...digests,
    keep: async () => {
      const all = [...digests.entries()].filter(isKept);
      if (all.every(([name, { state }]) => kept.get(name) === state)) return;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
      const text = encodeDigests(all.slice(-MAX_FILES));
      await replaceFile(path, new TextEncoder().encode(text), 0o600);
      for (const [name, { state }] of all) kept.set(name, state);
    },
  };
}

/** The lines for `files`, but for those that had just changed when they were read. */
export function encodeDigests(files: Iterable<readonly [string, KnownFile]>): string {
  return [...files].filter(isKept).map(([name, { digest, state }]) =>
    [
      ...[digest, state.mode, state.size, state.inode, state.device],
      ...[state.mtimeMs, state.ctimeMs, name],
    ].join(" ") + "\n"
  ).join("");
}

/** The files that lines tell of. */
export function* decodeDigests(text: string): Generator<readonly [string, KnownFile]> {
  for (const line of text.split("\n")) {
    const fields = LINE.exec(line);
    if (fields === null) continue;
    const [, digest = "", mode, size, inode, device, mtimeMs, ctimeMs, name = ""] = fields;
    const state: FileState = {
      kind: "file",
      mode: Number(mode),
      size: Number(size),
      inode: Number(inode),
      device: Number(device),
      mtimeMs: Number(mtimeMs),
      ctimeMs: Number(ctimeMs),
    };
    yield [name, { digest, state, settled: true }];
  }
}

function isKept([name, { settled }]: readonly [string, KnownFile]): boolean {
  return settled && !name.includes("\n");
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
