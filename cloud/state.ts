/**
 * What the embedded cloud keeps on disk, and how it stays whole.
 *
 * The process may be killed at any instruction, and what it has answered with 200 must still be
 * there when it starts again. There is one writer (the lock of serve.ts), no query that needs more
 * than a key, and a few hundred records of a few kilobytes: so a record is one JSON file, and a
 * change is one rename. A database would bring a format of its own and a log to recover; one file
 * for all records would be written whole for each change.
 *
 * Layout under `LLAMA_DIR/cloud`:
 *
 *     lock                 held by the living process
 *     port                 the port, kept over restarts
 *     keys.json            root key and the secret that signs session tokens, 0600
 *     endpoint.json        how to reach the living process, 0600
 *     s3/buckets/NAME=     a bucket's record
 *     s3/objects/NAME=/    a bucket's objects, one file each (object_file.ts)
 *     s3/uploads/ID/       parts of an unfinished multipart upload
 *     cloudformation/ iam/ ecr/  one folder a kind of record
 *     lambda/ base/        functions with their code, and what sealed workers see as their system
 *     images/              file systems of images (images.ts)
 *
 * A write goes to `.tmp-…` beside its target, is synced, renamed over the target, and the folder is
 * synced. So a reader sees the old record or the new one, and all that a kill can leave behind is a
 * file called `.tmp-…`, which is swept at the next start whatever it holds.
 */
import { dirname } from "@std/path/posix";
import { LlamaError, messageOf } from "../job/errors.ts";
import { parseJson } from "../job/json.ts";
import { fileNameOf, textOfFileName } from "./file_name.ts";

const TEMPORARY = ".tmp-";

/** A fresh name for a file that will be renamed to a name in `directory`. */
export function temporaryName(directory: string): string {
  return `${directory}/${TEMPORARY}${crypto.randomUUID()}`;
}

/** Writes `bytes` to `path` so that a kill leaves the old file or the new one; mode is 0600. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryName(dirname(path));
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.syncData();
  } catch (error) {
    await removeIfThere(temporary);
    throw error;
  }
  await renameDurably(temporary, path);
}

/** Renames a synced file over `path` and syncs the folder. */
export async function renameDurably(temporary: string, path: string): Promise<void> {
  await Deno.rename(temporary, path);
  await syncFolder(dirname(path));
}

/** Makes the names in a folder as durable as the files. */
export async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path);
  await folder.sync();
}

/** Removes a file; that it is gone already is no error. */
export async function removeIfThere(path: string, options?: Deno.RemoveOptions): Promise<boolean> {
  try {
    await Deno.remove(path, options);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Reads a file, undefined if it is not there. */
export async function readIfThere(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Paths of all files under `directory`, relative to it; sweeps what a killed write left. */
export async function filesUnder(directory: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(`${directory}/${prefix}`)) {
    const path = `${prefix}${entry.name}`;
    if (entry.name.startsWith(TEMPORARY)) {
      await removeIfThere(`${directory}/${path}`, { recursive: true });
    } else if (entry.isDirectory) found.push(...await filesUnder(directory, `${path}/`));
    else if (entry.isFile) found.push(path);
  }
  return found;
}

/** Records of one kind, all in memory and each in a file of its own. */
export interface Table<T> {
  /** All records by their id, in no order. */
  readonly records: ReadonlyMap<string, T>;
  /** Stores a record; it is durable when the promise resolves, and visible at once. */
  put(id: string, record: T): Promise<void>;
  /** Removes a record; none there is no error. */
  remove(id: string): Promise<void>;
}

/**
 * Opens the records in `directory`, which is made if it is not there.
 *
 * @throws {LlamaError} `DamagedRecord` if a record cannot be read.
 */
export async function openTable<T>(
  directory: string,
  decode: (json: unknown, what: string) => T,
): Promise<Table<T>> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const records = new Map<string, T>();
  for (const path of await filesUnder(directory)) {
    const id = textOfFileName(path);
    if (id === undefined) continue;
    const file = `${directory}/${path}`;
    try {
      records.set(id, decode(parseJson(await Deno.readTextFile(file), id), id));
    } catch (cause) {
      throw new LlamaError(
        "DamagedRecord",
        `Cannot read the record '${file}': ${messageOf(cause)}`,
        { cause, hint: "Remove that file, or start afresh with 'llama cloud -reset'" },
      );
    }
  }

  // Two writes of one record must reach the disk in the order they were made.
  let last: Promise<void> = Promise.resolve();
  function inTurn(act: () => Promise<void>): Promise<void> {
    const mine = last.then(act);
    last = mine.catch(() => {
      // The caller of `mine` gets this error; the next write must go on.
    });
    return mine;
  }

  return {
    records,
    put(id, record) {
      records.set(id, record);
      const path = `${directory}/${fileNameOf(id)}`;
      const bytes = new TextEncoder().encode(JSON.stringify(record, undefined, 1));
      return inTurn(async () => {
        await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeDurably(path, bytes);
      });
    },
    remove(id) {
      records.delete(id);
      const path = `${directory}/${fileNameOf(id)}`;
      return inTurn(async () => {
        if (await removeIfThere(path)) await syncFolder(dirname(path));
      });
    },
  };
}
