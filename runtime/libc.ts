/**
 * The few calls of the C library that Deno has no word for, by foreign function interface. Without
 * them (no FFI, another libc) jobs still run: usage is zero, orphans that left the process group are
 * not found, and cached files are compared without their change time.
 *
 * Structures and numbers: prctl(2), getrusage(2), waitid(2), getrlimit(2), statx(2), statvfs(3) of
 * Linux and glibc; they are the same on x86_64 and aarch64.
 */

/** What tells whether a file was touched; times are split, as nanoseconds do not fit a number. */
export interface Fingerprint {
  readonly inode: number;
  readonly size: number;
  /** Type and permission bits. */
  readonly mode: number;
  readonly mtimeS: number;
  readonly mtimeNs: number;
  readonly ctimeS: number;
  readonly ctimeNs: number;
}

/** What all children that ended have used so far. */
export interface ChildrenUsage {
  readonly userMs: number;
  readonly systemMs: number;
  readonly maxRssBytes: number;
}

/** Calls into the C library. */
export interface Libc {
  /** Makes orphans among the descendants children of this process. */
  becomeSubreaper(): boolean;
  /** Whether this process has any child, ended ones that nobody waited for included. */
  hasChildren(): boolean;
  /** Takes leave of the ended child `pid`, if it has ended. */
  reap(pid: number): void;
  /** What ended children have used so far. */
  childrenUsage(): ChildrenUsage;
  /** State of a file itself, links not followed; undefined where there is none. */
  fingerprint(path: string): Fingerprint | undefined;
  /** Free bytes of the file system that holds `path`. */
  freeBytes(path: string): number | undefined;
  /**
   * Lowers this process's limit of processes by `reserve`, so that a child that forks without end
   * leaves room for us; returns the call that puts it back.
   */
  lowerProcessLimit(reserve: number): () => void;
}

const PR_SET_CHILD_SUBREAPER = 36;
const RUSAGE_CHILDREN = -1;
const P_ALL = 0;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const RLIMIT_NPROC = 6;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC_STATS = 0x7ff;
const PATH_MAX = 4096;

/** Opens the C library; undefined where that is impossible. */
export function openLibc(): Libc | undefined {
  try {
    return bind();
  } catch {
    // Every caller has a way without it, and says so in its doc.
    return undefined;
  }
}

function bind(): Libc {
  const { symbols } = Deno.dlopen("libc.so.6", {
    prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
    waitid: { parameters: ["i32", "u32", "buffer", "i32"], result: "i32" },
    waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
    getrusage: { parameters: ["i32", "buffer"], result: "i32" },
    getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
    setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
    statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
    statvfs: { parameters: ["buffer", "buffer"], result: "i32" },
  });
  const scratch = new Uint8Array(256);
  const view = new DataView(scratch.buffer);
  const pathBytes = new Uint8Array(PATH_MAX);
  const encoder = new TextEncoder();
  const cString = (path: string): boolean => {
    const { read, written } = encoder.encodeInto(path, pathBytes);
    if (read < path.length || written >= PATH_MAX) return false;
    pathBytes[written] = 0;
    return true;
  };
  // A BigInt in between would take half a microsecond for each state.
  const number64 = (offset: number) =>
    view.getUint32(offset, true) + view.getInt32(offset + 4, true) * 0x1_0000_0000;
  const timeMs = (offset: number) => number64(offset) * 1000 + number64(offset + 8) / 1000;
  return {
    becomeSubreaper: () => symbols.prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) === 0,
    hasChildren: () => symbols.waitid(P_ALL, 0, scratch, WEXITED | WNOHANG | WNOWAIT) === 0,
    reap: (pid) => {
      symbols.waitpid(pid, scratch, WNOHANG);
    },
    childrenUsage: () => {
      if (symbols.getrusage(RUSAGE_CHILDREN, scratch) !== 0) return NO_USAGE;
      return {
        userMs: timeMs(0),
        systemMs: timeMs(16),
        maxRssBytes: number64(32) * 1024,
      };
    },
    fingerprint: (path) => {
      if (!cString(path)) return undefined;
      const flags = AT_SYMLINK_NOFOLLOW;
      if (symbols.statx(AT_FDCWD, pathBytes, flags, STATX_BASIC_STATS, scratch) !== 0) {
        return undefined;
      }
      return {
        inode: number64(32),
        size: number64(40),
        mode: view.getUint16(28, true),
        mtimeS: number64(112),
        mtimeNs: view.getUint32(120, true),
        ctimeS: number64(96),
        ctimeNs: view.getUint32(104, true),
      };
    },
    freeBytes: (path) => {
      if (!cString(path) || symbols.statvfs(pathBytes, scratch) !== 0) return undefined;
      return number64(8) * number64(32);
    },
    lowerProcessLimit: (reserve) => {
      if (symbols.getrlimit(RLIMIT_NPROC, scratch) !== 0) return () => {};
      const before = scratch.slice(0, 16);
      const soft = view.getBigUint64(0, true);
      const lowered = soft - BigInt(reserve);
      if (soft > 0xffff_ffffn || lowered < BigInt(reserve)) return () => {};
      view.setBigUint64(0, lowered, true);
      symbols.setrlimit(RLIMIT_NPROC, scratch);
      return () => {
        symbols.setrlimit(RLIMIT_NPROC, before);
      };
    },
  };
}

/** The usage that is reported where it cannot be measured. */
export const NO_USAGE: ChildrenUsage = { userMs: 0, systemMs: 0, maxRssBytes: 0 };

/** State of a file itself; without the C library, times are those that Deno tells. */
export function fingerprint(libc: Libc | undefined, path: string): Fingerprint | undefined {
  if (libc) return libc.fingerprint(path);
  try {
    const { ino, size, mode, mtime, ctime } = Deno.lstatSync(path);
    return {
      inode: ino ?? 0,
      size,
      mode: mode ?? 0,
      mtimeS: mtime?.getTime() ?? 0,
      mtimeNs: 0,
      ctimeS: ctime?.getTime() ?? 0,
      ctimeNs: 0,
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

/** Whether two fingerprints are of the same untouched file. */
export function sameFingerprint(a: Fingerprint | undefined, b: Fingerprint | undefined): boolean {
  return a !== undefined && b !== undefined && a.inode === b.inode && a.size === b.size &&
    a.mode === b.mode && a.mtimeS === b.mtimeS && a.mtimeNs === b.mtimeNs &&
    a.ctimeS === b.ctimeS && a.ctimeNs === b.ctimeNs;
}
