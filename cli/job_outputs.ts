/** Writes what jobs give back. */
import { dirname, resolve } from "@std/path/posix";
import { isInline, LARGE_BYTES } from "../job/content.ts";
import type { Digest } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import type { FileInput, Input } from "../job/manifest.ts";
import { isWanted } from "../job/spec.ts";
import type { ObjectStore } from "../store/object_store.ts";
import { removeIfThere } from "../daemon/write_output.ts";
import type { FileArg } from "./file_args.ts";
import { targetOf, wantedOf } from "./job_wishes.ts";
import { writeAll } from "./output.ts";
import { reasonOf } from "./report_error.ts";

/** Bytes by their digest, wherever they are. */
export type ReadObject = (digest: Digest) => Promise<Uint8Array<ArrayBuffer>>;

/** Where outputs come from. */
export interface ObjectSource {
  readonly read: ReadObject;
  /** Reads an object that is too large for memory, piece by piece. */
  readonly take: (
    digest: Digest,
    take: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
  ) => Promise<unknown>;
}

/** The store as a source. */
export function fromStore(store: ObjectStore): ObjectSource {
  return {
    read: (digest) => store.get(digest),
    take: (digest, take) => store.take(digest, take),
  };
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
  { read, take }: ObjectSource,
  signal?: AbortSignal,
): Promise<string[]> {
  const umask = Deno.umask();
  const folders: { target: string; mode: number }[] = [];
  const renames: { temporary: string; target: string }[] = [];
  const made: string[] = [];
  try {
    for (const { output, target } of targetsOf(outputs, wishes)) {
      signal?.throwIfAborted();
      if (output.kind === "folder") {
        await naming(target, makeFolder(target, made));
        folders.push({ target, mode: output.mode & 0o777 & ~umask });
        continue;
      }
      // Before anything is made: what cannot be had leaves nothing.
      const bytes = await bytesOf(output, read);
      await naming(target, makeFolder(dirname(target), made));
      const temporary = `${dirname(target)}/.llama-${crypto.randomUUID()}`;
      renames.push({ temporary, target });
      await naming(
        target,
        output.kind === "link"
          ? Deno.symlink(output.target, temporary)
          : writeFile(temporary, output, bytes, take, umask),
      );
    }
    signal?.throwIfAborted();
    for (const { temporary, target } of renames) {
      await naming(target, Deno.rename(temporary, target));
    }
  } catch (error) {
    await Promise.all(renames.map(({ temporary }) => removeIfThere(temporary)));
    await removeEmpty(made);
    throw error;
  }
  // A folder without write permission takes its files first.
  for (const { target, mode } of folders.toReversed()) await Deno.chmod(target, mode);
  return [...renames, ...folders].map(({ target }) => target);
}

/**
 * All that is to be written, and where.
 *
 * @throws {LlamaError} `OutputTwice` for two outputs in one place, as nobody could tell which of them is there.
 */
function targetsOf(
  outputs: readonly Input[],
  wishes: readonly FileArg[],
): { readonly output: Input; readonly target: string }[] {
  const all = wishes.flatMap((wish) =>
    outputs.filter(({ path }) => isWanted(path, wantedOf([wish])))
      .map((output) => ({ output, target: targetOf(output.path, wish) }))
  );
  const places = new Map<string, string>();
  for (const { output: { kind, path }, target } of all) {
    if (kind === "folder") continue;
    const other = places.get(resolve(target)) ?? path;
    if (other !== path) {
      throw new LlamaError(
        "OutputTwice",
        `Cannot write both outputs ${quote(other)} and ${quote(path)} to ${quote(target)}`,
      );
    }
    places.set(resolve(target), path);
  }
  return all;
}

/** Makes a folder with those above it; the ones that were not there are added to `made`, the uppermost first. */
async function makeFolder(path: string, made: string[]): Promise<void> {
  const missing: string[] = [];
  for (let folder = resolve(path); !await exists(folder); folder = dirname(folder)) {
    missing.push(folder);
  }
  await Deno.mkdir(path, { recursive: true });
  made.push(...missing.toReversed());
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes folders that were made in vain; another job may use one by now, which is not empty then. */
async function removeEmpty(folders: readonly string[]): Promise<void> {
  for (const folder of folders.toReversed()) {
    try {
      await Deno.remove(folder);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      // ENOTEMPTY has no class of its own.
      if (!(error instanceof Error && "code" in error && error.code === "ENOTEMPTY")) throw error;
    }
  }
}

/** The system's words name the file beside the target, if any. */
async function naming(target: string, written: Promise<void>): Promise<void> {
  try {
    await written;
  } catch (cause) {
    throw new LlamaError("NotWritten", `Cannot write ${quote(target)}: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

async function writeFile(
  path: string,
  { content, mode }: FileInput,
  bytes: Uint8Array | undefined,
  take: ObjectSource["take"],
  umask: number,
): Promise<void> {
  {
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    if (bytes !== undefined) await writeAll(file, bytes);
    else if (!isInline(content)) await take(content.digest, (piece) => writeAll(file, piece));
  }
  await Deno.chmod(path, mode & 0o777 & ~umask);
}

/** The bytes of an output, undefined of one that is too large for memory or is no file. */
async function bytesOf(output: Input, read: ReadObject): Promise<Uint8Array | undefined> {
  if (output.kind !== "file") return undefined;
  const { content } = output;
  if (isInline(content)) return content.bytes;
  return content.size < LARGE_BYTES ? await read(content.digest) : undefined;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
