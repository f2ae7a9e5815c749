/** Files of this machine that a job is sent, as `-f` and templates name them. */
import { LARGE_BYTES, MAX_OBJECT_BYTES } from "../job/content.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import { digestOfFile } from "../store/large_object.ts";
import type { FileArg } from "./file_args.ts";
import { usageError } from "./flags.ts";

/** The inputs of a job, and where those of their bytes are that do not travel in the request. */
export interface CollectedFiles {
  readonly inputs: readonly Input[];
  /**
   * Reads bytes of an input again, undefined if none of them has the digest.
   *
   * @throws {LlamaError} `FileChanged`
   */
  readonly read: (digest: Digest) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The file of an input that is too large for memory, undefined for any other. */
  readonly fileOf: (digest: Digest) => string | undefined;
}

/** Larger files go to the store, where the next job finds them. */
const MAX_INLINE_BYTES = 64 * 1024;
/** Most bytes of all files of a request: Lambda takes 6 MiB, base64 and all. */
const MAX_INLINE_TOTAL_BYTES = 1024 * 1024;

/**
 * Reads the files and folders of `files`, whole folders with modes, links and empty folders.
 *
 * @throws {LlamaError} If one is missing, is no file, folder or link, or two have one remote path.
 */
export async function collectFiles(
  files: readonly FileArg[],
  signal?: AbortSignal,
): Promise<CollectedFiles> {
  const inputs = new Map<string, Input>();
  const places = new Map<Digest, string>();
  let inlineBytes = 0;

  const add = (input: Input, local: string) => {
    const other = inputs.get(input.path);
    if (other !== undefined && !(other.kind === "folder" && input.kind === "folder")) {
      throw usageError(
        `Cannot send ${quote(local)} as another input has the remote path ${quote(input.path)} too`,
      );
    }
    inputs.set(input.path, input);
  };
  const large = new Map<Digest, string>();
  const addFile = async (local: string, path: string, info: Deno.FileInfo) => {
    if (info.size >= LARGE_BYTES) {
      refuseTooLarge(local, info.size);
      const digest = await listed(local, digestOfFile(local, signal));
      large.set(digest, local);
      const content = { digest, size: info.size };
      return add({ kind: "file", path, mode: modeOf(info), ...mtimeOf(info), content }, local);
    }
    const bytes = await listed(local, Deno.readFile(local));
    const common = { kind: "file", path, mode: modeOf(info), ...mtimeOf(info) } as const;
    if (bytes.length <= MAX_INLINE_BYTES && inlineBytes + bytes.length <= MAX_INLINE_TOTAL_BYTES) {
      inlineBytes += bytes.length;
      return add({ ...common, content: { bytes } }, local);
    }
    const digest = await digestOf(bytes);
    places.set(digest, local);
    add({ ...common, content: { digest, size: bytes.length } }, local);
  };
  const addFolder = async (local: string, path: string, info: Deno.FileInfo) => {
    const names = [];
    for await (const { name } of Deno.readDir(local)) names.push(name);
    if (path !== "" && (names.length === 0 || modeOf(info) !== 0o755)) {
      add({ kind: "folder", path, mode: modeOf(info) }, local);
    }
    for (const name of names.toSorted()) {
      const child = `${local.replace(/\/+$/, "")}/${name}`;
      await addAny(
        child,
        path === "" ? name : `${path}/${name}`,
        await listed(child, Deno.lstat(child)),
      );
    }
  };
  const addAny = async (local: string, path: string, info: Deno.FileInfo): Promise<void> => {
    signal?.throwIfAborted();
    if (info.isFile) return await addFile(local, path, info);
    if (info.isDirectory) return await addFolder(local, path, info);
    if (info.isSymlink) {
      return add({ kind: "link", path, target: await Deno.readLink(local) }, local);
    }
    throw new LlamaError(
      "NotAFile",
      `Cannot send ${quote(local)} as it is neither a file nor a folder nor a link`,
    );
  };

  for (const { local, remote } of files) {
    let info: Deno.FileInfo;
    try {
      info = await Deno.stat(local);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new LlamaError("FileMissing", `Cannot send ${quote(local)} as it does not exist`);
    }
    if (remote === "" && !info.isDirectory) {
      throw usageError(`Cannot send ${quote(local)} as the job's folder, as it is no folder`);
    }
    await addAny(local, remote, info);
  }
  return {
    inputs: [...inputs.values()],
    fileOf: (digest) => large.get(digest),
    read: async (digest) => {
      const local = places.get(digest);
      if (local === undefined) return undefined;
      const bytes = await Deno.readFile(local);
      if (await digestOf(bytes) === digest) return bytes;
      throw new LlamaError("FileChanged", `Cannot send ${quote(local)} as it changed meanwhile`, {
        hint: "run the command again",
      });
    },
  };
}

/** What was listed and is not found has a name that is not text, or has gone. */
async function listed<T>(local: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw local.includes("\uFFFD")
      ? new LlamaError("NameNotText", `Cannot send ${quote(local)} as its name is not UTF-8`, {
        cause,
        hint: "rename it",
      })
      : new LlamaError("FileChanged", `Cannot send ${quote(local)} as it vanished meanwhile`, {
        cause,
        hint: "run the command again",
      });
  }
}

/**
 * Refuses what no object can hold.
 *
 * @throws {LlamaError} `FileTooLarge`.
 */
export function refuseTooLarge(name: string, bytes: number): void {
  if (bytes <= MAX_OBJECT_BYTES) return;
  throw new LlamaError(
    "FileTooLarge",
    `Cannot send ${quote(name)} as it has ${bytes} bytes, and ${MAX_OBJECT_BYTES} is the most`,
    { hint: "divide it, or give it to the command in another way" },
  );
}

function modeOf(info: Deno.FileInfo): number {
  return (info.mode ?? 0o644) & 0o7777;
}

function mtimeOf(info: Deno.FileInfo): { mtimeMs?: number } {
  return info.mtime === null ? {} : { mtimeMs: Math.floor(info.mtime.getTime()) };
}

function quote(text: string): string {
  return JSON.stringify(text);
}
