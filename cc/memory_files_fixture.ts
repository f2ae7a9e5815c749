/** A file system in memory with a clock that is ticked by hand, for what the real one cannot show. */
import type { FileState, FileSystem, FolderEntry } from "./file_system.ts";
import { cleanPath, parentOf } from "../job/path.ts";

/** A {@linkcode FileSystem} that tests can change. */
export interface MemoryFiles extends FileSystem {
  /** Writes a file, of mode 0o644 unless given, and makes the folders above it. */
  write(path: string, text: string, mode?: number): void;
  /** Makes a folder and those above it. */
  folder(path: string): void;
  /** Makes a link. */
  link(path: string, target: string): void;
  /** Removes what is at `path`. */
  remove(path: string): void;
  /** Lets time pass. */
  tick(ms: number): void;
  /** Names of calls and how often each was made. */
  readonly calls: Map<string, number>;
}

interface Item {
  kind: "file" | "folder" | "link";
  text: string;
  inode: number;
  changedMs: number;
  mode?: number;
}

/** Creates an empty file system. */
export function createMemoryFiles(): MemoryFiles {
  const items = new Map<string, Item>();
  const calls = new Map<string, number>();
  let now = 1_000_000;
  let inodes = 1;
  items.set("/", { kind: "folder", text: "", inode: 1, changedMs: now });

  const called = (name: string) => calls.set(name, (calls.get(name) ?? 0) + 1);
  const touch = (path: string) => {
    const parent = items.get(parentOf(path));
    if (parent) parent.changedMs = now;
  };
  const put = (path: string, kind: Item["kind"], text: string, mode = 0o644) => {
    const parent = parentOf(path);
    if (path !== "/" && !items.has(parent)) put(parent, "folder", "");
    const known = items.get(path);
    if (!known) touch(path);
    // Writing into a file leaves it the file that it was.
    const inode = known?.kind === kind ? known.inode : ++inodes;
    items.set(path, { kind, text, inode, changedMs: now, mode });
  };
  /** Follows links in every component but, unless told to, the last. */
  const resolve = (path: string, followLast: boolean): string | undefined => {
    let pending = path.split("/").filter((name) => name !== "" && name !== ".").reverse();
    let at = "/";
    for (let links = 0; pending.length > 0;) {
      const name = pending.pop() ?? "";
      if (name === "..") {
        at = parentOf(at);
        continue;
      }
      const next = at === "/" ? `/${name}` : `${at}/${name}`;
      const item = items.get(next);
      if (item?.kind === "link" && (followLast || pending.length > 0)) {
        if (++links > 40) return undefined;
        pending = [...pending, ...item.text.split("/").filter(Boolean).reverse()];
        if (item.text.startsWith("/")) at = "/";
        continue;
      }
      if (!item || (pending.length > 0 && item.kind !== "folder")) return undefined;
      at = next;
    }
    return at;
  };
  const stateAt = (path: string | undefined): FileState | undefined => {
    const item = path === undefined ? undefined : items.get(path);
    return item && {
      kind: item.kind,
      mode: item.kind === "folder" ? 0o755 : item.mode ?? 0o644,
      size: item.text.length,
      inode: item.inode,
      device: 1,
      mtimeMs: item.changedMs,
      ctimeMs: item.changedMs,
    };
  };

  return {
    calls,
    stat: (path) => {
      called("stat");
      return stateAt(resolve(path, true));
    },
    lstat: (path) => {
      called("lstat");
      return stateAt(resolve(path, false));
    },
    readLink: (path) => {
      called("readLink");
      const item = items.get(resolve(path, false) ?? "");
      return item?.kind === "link" ? item.text : undefined;
    },
    read: (path) => {
      called("read");
      const item = items.get(resolve(path, true) ?? "");
      return item?.kind === "file" ? new TextEncoder().encode(item.text) : undefined;
    },
    list: (path) => {
      called("list");
      const folder = resolve(path, true);
      if (folder === undefined || items.get(folder)?.kind !== "folder") return undefined;
      const entries: FolderEntry[] = [];
      for (const [other, { kind }] of items) {
        if (other !== "/" && parentOf(other) === folder) {
          entries.push({ name: other.slice(other.lastIndexOf("/") + 1), kind });
        }
      }
      return entries;
    },
    isWritable: (path) => resolve(path, true) !== undefined,
    now: () => now,
    settleMs: 100,
    write: (path, text, mode) => put(cleanPath(path), "file", text, mode),
    folder: (path) => put(cleanPath(path), "folder", ""),
    link: (path, target) => put(cleanPath(path), "link", target),
    remove: (path) => {
      touch(path);
      items.delete(path);
    },
    tick: (ms) => {
      now += ms;
    },
  };
}
