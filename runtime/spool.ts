/** A queue of bytes: in memory while it is short, in a file from then on. */
import { joinBytes } from "../job/bytes.ts";
import type { Source } from "./answer.ts";

/** A queue of bytes, which is the source of what is left in it. */
export interface Spool extends Source {
  /** Adds bytes at the end. */
  push(bytes: Uint8Array<ArrayBuffer>): void;
  /** The first bytes, at most `maxBytes`; they stay. */
  peek(maxBytes: number): Uint8Array<ArrayBuffer>;
  /** Takes the first `count` bytes away. */
  drop(count: number): void;
  /** A file with what is left, which must be longer than what memory may hold. */
  file(): string;
  /** Adds no more. */
  close(): void;
}

/** Bytes that are moved at a time. */
const BLOCK_BYTES = 1024 * 1024;

/** Opens an empty queue; the file is at `path` if it is needed. */
export function openSpool(path: string, memoryBytes: number): Spool {
  // All is in one of the two: in `chunks`, or in the file from `from` to `to`.
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let stored: Deno.FsFile | undefined;
  let from = 0;
  let to = 0;
  let size = 0;

  const append = (file: Deno.FsFile, bytes: Uint8Array) => {
    writeAt(file, bytes, to);
    to += bytes.length;
  };
  return {
    get size() {
      return size;
    },
    push(bytes) {
      size += bytes.length;
      if (stored !== undefined && to > 0) return append(stored, bytes);
      chunks.push(bytes);
      if (size <= memoryBytes) return;
      stored ??= Deno.openSync(path, { read: true, write: true, createNew: true, mode: 0o600 });
      for (const chunk of chunks.splice(0)) append(stored, chunk);
    },
    peek(maxBytes) {
      const count = Math.min(size, maxBytes);
      if (stored !== undefined && to > 0) return readAt(stored, count, from);
      const [first = new Uint8Array()] = chunks;
      if (first.length < count) chunks = [joinBytes(chunks)];
      return (chunks[0] ?? first).subarray(0, count);
    },
    drop(count) {
      size -= count;
      if (stored !== undefined && to > 0) {
        from += count;
        if (size > 0) return;
        stored.truncateSync(0);
        from = to = 0;
        return;
      }
      for (let left = count; left > 0;) {
        const first = chunks.shift() ?? new Uint8Array();
        if (first.length > left) chunks.unshift(first.subarray(left));
        left -= Math.min(left, first.length);
      }
    },
    read() {
      return to > 0 ? readRest(path, size, from) : joinBytes(chunks);
    },
    file() {
      if (from === 0) return path;
      using file = Deno.openSync(path, { read: true, write: true });
      for (let at = 0; at < size; at += BLOCK_BYTES) {
        writeAt(file, readAt(file, Math.min(BLOCK_BYTES, size - at), from + at), at);
      }
      file.truncateSync(size);
      from = 0;
      to = size;
      return path;
    },
    close: () => stored?.close(),
  };
}

function readRest(path: string, size: number, from: number): Uint8Array<ArrayBuffer> {
  using file = Deno.openSync(path);
  return readAt(file, size, from);
}

function readAt(file: Deno.FsFile, count: number, at: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  file.seekSync(at, Deno.SeekMode.Start);
  for (let done = 0; done < count;) {
    const read = file.readSync(bytes.subarray(done));
    if (read === null) {
      throw new Deno.errors.UnexpectedEof("The file of a command's output is shorter");
    }
    done += read;
  }
  return bytes;
}

function writeAt(file: Deno.FsFile, bytes: Uint8Array, at: number): void {
  file.seekSync(at, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
}
