/** How a file of a job looks: permission bits, modification time, and bytes put in place of others. */
import { LlamaError } from "../job/errors.ts";

/** How an object looks in a job's root. */
export interface Look {
  /** Permission bits. */
  readonly mode: number;
  /** Modification time in milliseconds since 1970; any when absent. */
  readonly mtimeMs?: number;
  /** Bytes put in place of others, such as the path of a program's loader. */
  readonly patch?: Patch;
}

/** Bytes that stand in a file in place of the object's own. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Gives the file at `path`, which holds an object's own bytes, its look; returns what a patch replaced. */
export function dress(path: string, { mode, mtimeMs, patch }: Look): Patch | undefined {
  const replaced = patch && patchFile(path, patch);
  if (mtimeMs !== undefined) setModified(path, mtimeMs);
  Deno.chmodSync(path, mode);
  return replaced;
}

/** Sets a file's modification time. */
export function setModified(path: string, mtimeMs: number): void {
  const time = mtimeMs / 1000;
  Deno.utimeSync(path, time, time);
}

/** Puts the patch into a file and returns what it replaced. */
export function patchFile(path: string, patch: Patch): Patch {
  using file = Deno.openSync(path, { read: true, write: true });
  const before = new Uint8Array(patch.bytes.length);
  file.seekSync(patch.offset, Deno.SeekMode.Start);
  readFully(file, before);
  file.seekSync(patch.offset, Deno.SeekMode.Start);
  writeFully(file, patch.bytes);
  return { offset: patch.offset, bytes: before };
}

function readFully(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let filled = 0; filled < bytes.length;) {
    const read = file.readSync(bytes.subarray(filled));
    if (read === null) throw new LlamaError("CacheLost", "Cannot patch a file beyond its end");
    filled += read;
  }
}

function writeFully(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += file.writeSync(bytes.subarray(written));
  }
}
