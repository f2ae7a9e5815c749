/**
 * The unpacked code of functions: one folder for each zip, named by its SHA-256.
 *
 * A zip is unpacked into a folder of another name, which is then renamed, and nothing in it is ever
 * written again: writing a `bootstrap` that some worker is just being forked from would give "Text
 * file busy". A folder goes when no function has it and no worker of it lives.
 */
import { LlamaError } from "../job/errors.ts";
import { invalidParameter } from "./lambda_errors.ts";
import { removeIfThere, syncFolder, temporaryName } from "./state.ts";
import { unzip } from "./unzip.ts";

/** Most bytes of a function unpacked (Lambda quotas: 250 MB). */
export const MAX_UNPACKED_BYTES = 262_144_000;

/** The unpacked code of all functions. */
export interface CodeStore {
  /**
   * Unpacks a zip if it is not there, and gives its digest.
   *
   * @throws {ServiceError} `InvalidParameterValueException` if it is no zip or too large.
   */
  add(zip: Uint8Array<ArrayBuffer>): Promise<string>;
  /** Folder of a digest. */
  folder(digest: string): string;
  /** Keeps a folder until the function that it returns is called. */
  hold(digest: string): () => void;
  /** Removes all folders that are neither in `used` nor held. */
  collect(used: ReadonlySet<string>): Promise<void>;
}

/** Opens the code in `directory`, which is made if it is not there. */
export async function openCodeStore(directory: string): Promise<CodeStore> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const held = new Map<string, number>();

  return {
    folder: (digest) => `${directory}/${digest}`,
    async add(zip) {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", zip)).toHex();
      const target = `${directory}/${digest}`;
      if (await isFolder(target)) return digest;
      const temporary = temporaryName(directory);
      await Deno.mkdir(temporary);
      try {
        await unzip(zip, temporary, { maxBytes: MAX_UNPACKED_BYTES });
        await Deno.chmod(temporary, 0o755);
        await Deno.rename(temporary, target);
      } catch (error) {
        await removeIfThere(temporary, { recursive: true });
        throw error instanceof LlamaError ? problemOf(error) : error;
      }
      await syncFolder(directory);
      return digest;
    },
    hold(digest) {
      held.set(digest, (held.get(digest) ?? 0) + 1);
      let released = false;
      return () => {
        if (released) return;
        released = true;
        const left = (held.get(digest) ?? 1) - 1;
        if (left === 0) held.delete(digest);
        else held.set(digest, left);
      };
    },
    async collect(used) {
      for await (const { name } of Deno.readDir(directory)) {
        if (used.has(name) || held.has(name)) continue;
        await removeIfThere(`${directory}/${name}`, { recursive: true });
      }
    },
  };
}

function problemOf(error: LlamaError): Error {
  if (error.code === "ZipTooLarge") {
    return invalidParameter(`Unzipped size must be smaller than ${MAX_UNPACKED_BYTES} bytes`);
  }
  if (error.code === "BadZip") {
    return invalidParameter(
      "Could not unzip uploaded file. Please check your file, then try to upload again. " +
        `(${error.message})`,
    );
  }
  return error;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
