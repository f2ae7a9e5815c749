/**
 * Digests of files that outlive a process, for commands that run without the daemon: a standard library is
 * 1,500 files and ffmpeg's libraries are 100 MB, which take 0.3 s to read and hash and 10 ms to look at.
 *
 * On disk it is text, a line for each file: `<digest> <mode> <size> <inode> <device> <mtimeMs> <ctimeMs> <path>`. A
 * line that cannot be read counts as none, as a file whose state is another one does.
 */
import { createFileDigests, type FileDigests } from "../cc/digests.ts";
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
  for (const line of (await readText(path)).split("\n")) {
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
    kept.set(name, state);
    digests.remember(name, { digest, state, settled: true });
  }
  return {
    ...digests,
    keep: async () => {
      const all = [...digests.entries()]
        .filter(([name, { settled }]) => settled && !name.includes("\n"));
      if (all.every(([name, { state }]) => kept.get(name) === state)) return;
      const lines = all.slice(-MAX_FILES).map(([name, { digest, state }]) =>
        [
          ...[digest, state.mode, state.size, state.inode, state.device],
          ...[state.mtimeMs, state.ctimeMs, name],
        ].join(" ")
      );
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
      await replaceFile(path, new TextEncoder().encode(lines.join("\n") + "\n"), 0o600);
      for (const [name, { state }] of all) kept.set(name, state);
    },
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
