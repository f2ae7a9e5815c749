/**
 * statx(2) called straight through libc. A warm compilation asks for the state of some 250 files, twice:
 * measured in one loaded run, Deno.statSync takes 4.6 µs and 30 µs where there is no file (it builds an
 * error), this takes 1.6 µs in both cases, and it gives nanoseconds where Deno gives milliseconds.
 *
 * The layout of struct statx is that of linux/stat.h, the same on every 64-bit Linux.
 */
import type { FileState } from "../cc/file_system.ts";

/** Asks for a file's state; `undefined` if there is none or it cannot be seen. */
export type Statx = (path: string, followLinks: boolean) => FileState | undefined;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC_STATS = 0x7ff;
const STRUCT_BYTES = 256;
/** Paths whose C strings are kept. */
const MAX_KEPT_PATHS = 200_000;

/** Opens statx; `undefined` where libc cannot be loaded or has none. */
export function openStatx(): Statx | undefined {
  let statx;
  try {
    statx = Deno.dlopen("libc.so.6", {
      statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
    }).symbols.statx;
  } catch (error) {
    // Another libc, or no right to call it: the caller has a slower way.
    if (error instanceof Error) return undefined;
    throw error;
  }
  const call = statx;
  const bytes = new Uint8Array(STRUCT_BYTES);
  const view = new DataView(bytes.buffer);
  const words = new Uint32Array(bytes.buffer);
  const signed = new Int32Array(bytes.buffer);
  const encoder = new TextEncoder();
  const paths = new Map<string, Uint8Array<ArrayBuffer>>();

  const wide = (offset: number) =>
    (words[offset / 4] ?? 0) + (words[offset / 4 + 1] ?? 0) * 2 ** 32;
  // Before 1970 seconds are negative, and nanoseconds count up all the same. They are cut to what a number can hold
  // beside the seconds until 2109, as a time that is rounded up would be in the next second.
  const timeMs = (offset: number) =>
    ((words[offset / 4] ?? 0) + (signed[offset / 4 + 1] ?? 0) * 2 ** 32) * 1000 +
    Math.floor((words[offset / 4 + 2] ?? 0) / 1e6 * 2048) / 2048;
  return (path, followLinks) => {
    let text = paths.get(path);
    if (!text) {
      if (path.includes("\0")) return undefined;
      text = encoder.encode(`${path}\0`);
      if (paths.size >= MAX_KEPT_PATHS) paths.clear();
      paths.set(path, text);
    }
    const flags = followLinks ? 0 : AT_SYMLINK_NOFOLLOW;
    if (call(AT_FDCWD, text, flags, STATX_BASIC_STATS, bytes) !== 0) return undefined;
    const mode = view.getUint16(28, true);
    return {
      kind: KINDS.get(mode & 0o170000) ?? "other",
      mode: mode & 0o7777,
      inode: wide(32),
      size: wide(40),
      ctimeMs: timeMs(96),
      mtimeMs: timeMs(112),
      device: (words[34] ?? 0) * 2 ** 20 + (words[35] ?? 0),
    };
  };
}

/** File types of inode(7). */
const KINDS: ReadonlyMap<number, FileState["kind"]> = new Map([
  [0o100000, "file"],
  [0o040000, "folder"],
  [0o120000, "link"],
]);
