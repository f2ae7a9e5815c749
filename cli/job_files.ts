/** Files between this machine and a job: inputs that `-f` names go, outputs that `-o` names come. */
import { dirname, resolve } from "@std/path/posix";
import { isInline } from "../job/content.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError, messageOf } from "../job/errors.ts";
import type { FileInput, Input } from "../job/manifest.ts";
import { isWanted, type Wanted } from "../job/spec.ts";
import type { FileArg } from "./file_args.ts";
import { removeIfThere } from "../daemon/write_output.ts";
import { usageError } from "./flags.ts";
import { writeAll } from "./output.ts";

/** Bytes by their digest, wherever they are. */
export type ReadObject = (digest: Digest) => Promise<Uint8Array<ArrayBuffer>>;

/** The inputs of a job, and where those of their bytes are that do not travel in the request. */
export interface CollectedFiles {
  readonly inputs: readonly Input[];
  /**
   * Reads bytes of an input again, undefined if none of them has the digest.
   *
   * @throws {LlamaError} `FileChanged`
   */
  readonly read: (digest: Digest) => Promise<Uint8Array<ArrayBuffer> | undefined>;
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
  const addFile = async (local: string, path: string, info: Deno.FileInfo) => {
    const bytes = await Deno.readFile(local);
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
      await addAny(child, path === "" ? name : `${path}/${name}`, await Deno.lstat(child));
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

/** What a job with these outputs wants: each path, and all below it where it is a folder. */
export function wantedOf(outputs: readonly FileArg[]): Wanted[] {
  return outputs.map(({ remote }) => ({ match: "tree", path: remote }));
}

/**
 * An output that was an input as well and did not change is not in a job's answer. This adds it, so
 * that it still arrives under its new name.
 */
export function withUnchanged(
  outputs: readonly Input[],
  inputs: readonly Input[],
  wishes: readonly FileArg[],
): Input[] {
  const given = new Set(outputs.map(({ path }) => path));
  const wanted = wantedOf(wishes);
  return [
    ...outputs,
    ...inputs.filter(({ path }) => !given.has(path) && isWanted(path, wanted)),
  ];
}

/** Whether the unchanged input `path` is wanted just where it came from, so that it stays untouched. */
export function isInPlace(
  path: string,
  sources: readonly FileArg[],
  wishes: readonly FileArg[],
): boolean {
  const localOf = (args: readonly FileArg[]) =>
    args.filter((arg) => isWanted(path, wantedOf([arg]))).map((arg) =>
      resolve(targetOf(path, arg))
    );
  const from = localOf(sources);
  return localOf(wishes).every((target) => from.includes(target));
}

/** The wishes that no output fulfils. */
export function missingOutputs(
  outputs: readonly Input[],
  wishes: readonly FileArg[],
): readonly FileArg[] {
  return wishes.filter((wish) =>
    wish.remote !== "" && !outputs.some(({ path }) => isWanted(path, wantedOf([wish])))
  );
}

/**
 * Refuses a job that succeeded without an output that it was to make.
 *
 * @throws {LlamaError} `OutputMissing`.
 */
export function refuseMissing(outputs: readonly Input[], wishes: readonly FileArg[]): void {
  const missing = missingOutputs(outputs, wishes).map(({ remote }) => JSON.stringify(remote));
  if (missing.length === 0) return;
  throw new LlamaError(
    "OutputMissing",
    `The command succeeded and did not make the output ${missing.join(", ")}`,
  );
}

/**
 * Writes `outputs` where `wishes` want them: all beside their targets first, then each renamed, so
 * that a failure or an interruption leaves the old files or the new ones and nothing in between.
 *
 * @returns The local paths that were written.
 */
export async function writeOutputs(
  outputs: readonly Input[],
  wishes: readonly FileArg[],
  read: ReadObject,
  signal?: AbortSignal,
): Promise<string[]> {
  const umask = Deno.umask();
  const folders: { target: string; mode: number }[] = [];
  const renames: { temporary: string; target: string }[] = [];
  try {
    for (const wish of wishes) {
      for (const output of outputs) {
        if (!isWanted(output.path, wantedOf([wish]))) continue;
        signal?.throwIfAborted();
        const target = targetOf(output.path, wish);
        if (output.kind === "folder") {
          await naming(target, Deno.mkdir(target, { recursive: true }));
          folders.push({ target, mode: output.mode & 0o777 & ~umask });
          continue;
        }
        const bytes = output.kind === "file" ? await bytesOf(output, read) : undefined;
        await naming(target, Deno.mkdir(dirname(target), { recursive: true }));
        const temporary = `${dirname(target)}/.llama-${crypto.randomUUID()}`;
        renames.push({ temporary, target });
        await naming(
          target,
          output.kind === "link"
            ? Deno.symlink(output.target, temporary)
            : writeFile(temporary, output, bytes ?? new Uint8Array(), umask),
        );
      }
    }
    signal?.throwIfAborted();
    for (const { temporary, target } of renames) {
      await naming(target, Deno.rename(temporary, target));
    }
  } catch (error) {
    await Promise.all(renames.map(({ temporary }) => removeIfThere(temporary)));
    throw error;
  }
  // A folder without write permission takes its files first.
  for (const { target, mode } of folders.toReversed()) await Deno.chmod(target, mode);
  return [...renames, ...folders].map(({ target }) => target);
}

/** The system's words name the file beside the target, if any. */
async function naming(target: string, written: Promise<void>): Promise<void> {
  try {
    await written;
  } catch (cause) {
    const reason = messageOf(cause).replace(/ \(os error \d+\).*$/s, "");
    throw new LlamaError("NotWritten", `Cannot write ${quote(target)}: ${reason}`, { cause });
  }
}

async function writeFile(
  path: string,
  output: FileInput,
  bytes: Uint8Array,
  umask: number,
): Promise<void> {
  {
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    await writeAll(file, bytes);
  }
  await Deno.chmod(path, output.mode & 0o777 & ~umask);
}

async function bytesOf(output: FileInput, read: ReadObject): Promise<Uint8Array> {
  return isInline(output.content) ? output.content.bytes : await read(output.content.digest);
}

function targetOf(path: string, { local, remote }: FileArg): string {
  const base = local.replace(/(?<=.)\/+$/, "");
  if (path === remote) return base;
  const rest = remote === "" ? path : path.slice(remote.length + 1);
  return base === "/" ? `/${rest}` : `${base}/${rest}`;
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
