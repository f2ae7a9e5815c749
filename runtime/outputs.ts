/**
 * Finds what a job made or changed of what it may give back. Nothing is read through a link that
 * leads out of the root, and pipes, sockets and devices are no outputs.
 */
import { LlamaError } from "../job/errors.ts";
import { parentOf } from "../job/path.ts";
import type { Wanted } from "../job/spec.ts";
import type { Source } from "./answer.ts";
import { type Layout, realPathOf } from "./layout.ts";
import { fingerprint, type Libc, sameFingerprint } from "./libc.ts";

/** An output whose bytes are not read yet. */
export type FoundOutput =
  | {
    readonly kind: "file";
    readonly path: string;
    readonly mode: number;
    readonly mtimeMs?: number;
    readonly source: Source;
  }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "folder"; readonly path: string; readonly mode: number };

/** Bounds of what a job gives back. */
export interface OutputLimits {
  /** Most bytes of one file. */
  readonly maxFileBytes: number;
}

/** A time set so much before the job began was set on purpose, and travels. */
const CLOCK_SLACK_MS = 1000;
const PERMISSIONS = 0o7777;
/** inode(7). */
const TYPE_BITS = 0o170000;
const FOLDER_TYPE = 0o040000;

/**
 * Outputs in the order of their paths, each once.
 *
 * @throws {LlamaError} `OutputNotAFile`, `OutputOutsideRoot`, `OutputTooLarge`, `OutputNameNotText`.
 */
export function findOutputs(
  wanted: readonly Wanted[],
  layout: Layout,
  startedMs: number,
  limits: OutputLimits,
  libc: Libc | undefined,
): FoundOutput[] {
  const found = new Map<string, FoundOutput>();
  const realRoot = Deno.realPathSync(layout.root);

  const take = (path: string, exact: boolean): Deno.FileInfo | undefined => {
    const file = realPathOf(layout.root, path);
    const info = lstatOrNone(file);
    if (info === undefined) return undefined;
    if (found.has(path)) return info;
    const before = layout.before.get(path);
    if (before !== undefined) {
      const now = fingerprint(libc, file);
      // A folder's times change with what is in it, which is looked at for itself.
      const untouched = info.isDirectory ? before.mode === now?.mode : sameFingerprint(before, now);
      if (untouched) return info;
    }
    const mode = (info.mode ?? 0) & PERMISSIONS;
    if (info.isSymlink) {
      found.set(path, { kind: "link", path, target: ownTarget(Deno.readLinkSync(file), layout) });
    } else if (info.isDirectory) {
      if (path !== "" && path !== "/") found.set(path, { kind: "folder", path, mode });
    } else if (info.isFile) {
      if (info.size > limits.maxFileBytes) {
        throw new LlamaError(
          "OutputTooLarge",
          `Cannot give back ${
            quote(path)
          } as it has ${info.size} bytes, the limit is ${limits.maxFileBytes}`,
        );
      }
      const mtimeMs = info.mtime?.getTime();
      found.set(path, {
        kind: "file",
        path,
        mode,
        ...(mtimeMs !== undefined && mtimeMs < startedMs - CLOCK_SLACK_MS && { mtimeMs }),
        source: {
          size: info.size,
          read: () => readOwn(file, mode),
          file: () => withPermission(file, mode, 0o600, () => readable(file)),
        },
      });
    } else if (exact) {
      throw new LlamaError(
        "OutputNotAFile",
        `Cannot give back ${quote(path)} as it is a pipe, socket or device`,
      );
    }
    return info;
  };

  const walk = (path: string, info: Deno.FileInfo | undefined): void => {
    if (!info?.isDirectory) return;
    for (const name of namesIn(realPathOf(layout.root, path), info.mode ?? 0)) {
      const child = path === "" || path === "/" ? path + name : `${path}/${name}`;
      walk(child, take(child, false) ?? lost(child));
    }
  };

  for (const { match, path } of wanted) {
    if (!parentIsInside(path, layout.root, realRoot)) continue;
    if (match === "exact") {
      take(path, true);
    } else if (match === "tree") {
      walk(path, take(path, true));
    } else {
      const folder = parentOf(path);
      const real = realPathOf(layout.root, folder);
      const info = lstatOrNone(real);
      const start = path.slice(path.lastIndexOf("/") + 1);
      const names = info?.isDirectory ? namesIn(real, info.mode ?? 0) : [];
      for (const name of names.filter((name) => name.startsWith(start))) {
        const child = folder === "" || folder === "/" ? folder + name : `${folder}/${name}`;
        if (!lstatOrNone(realPathOf(layout.root, child))?.isDirectory) take(child, false);
      }
    }
  }
  return [...found.values()].sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
}

/** Paths of files and links that the job could have given back and that it removed. */
export function findRemoved({ root, before }: Layout): string[] {
  return [...before].flatMap(([path, { mode }]) =>
    (mode & TYPE_BITS) !== FOLDER_TYPE && lstatOrNone(realPathOf(root, path)) === undefined
      ? path
      : []
  );
}

function parentIsInside(path: string, root: string, realRoot: string): boolean {
  if (path === "" || path === "/") return true;
  let real: string;
  try {
    real = Deno.realPathSync(realPathOf(root, parentOf(path)));
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
  if (real === realRoot || real.startsWith(realRoot + "/")) return true;
  throw new LlamaError(
    "OutputOutsideRoot",
    `Cannot give back ${quote(path)} as a link on the way leads out of the job's folder`,
  );
}

/** The target as the job knows it. */
function ownTarget(target: string, { root, rooted }: Layout): string {
  if (!rooted) return target;
  if (target === root) return "/";
  return target.startsWith(root + "/") ? target.slice(root.length) : target;
}

function namesIn(folder: string, mode: number): string[] {
  const list = () => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return withPermission(folder, mode, 0o700, list);
}

/** The file, if it can be read. */
function readable(file: string): string {
  Deno.openSync(file).close();
  return file;
}

function readOwn(file: string, mode: number): Uint8Array<ArrayBuffer> {
  return withPermission(file, mode, 0o600, () => Deno.readFileSync(file));
}

/** The job may have taken its own permission away; it is ours to give. */
function withPermission<T>(path: string, mode: number, enough: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    Deno.chmodSync(path, (mode & PERMISSIONS) | enough);
    return read();
  }
}

function lost(path: string): never {
  throw new LlamaError(
    "OutputNameNotText",
    `Cannot give back ${quote(path)} as its name is not UTF-8`,
  );
}

function lstatOrNone(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

function quote(path: string): string {
  return JSON.stringify(path);
}
