/**
 * Unpacks the zip of a function.
 *
 * The archive comes from a request, so nothing in it is believed: an entry may not leave the folder
 * by its name, by a link or by a name that goes through a link, and the bytes are counted as they
 * come out, not as the archive says. Links are made after all files, so that no file is written
 * through one; a link's `..` may stand only at its front, where the folders are real ones, so that
 * what it means is what it says.
 */
import { dirname, join } from "@std/path/posix";
import { BlobReader, type Entry, ZipReader } from "@zip.js/zip.js";
import { LlamaError, messageOf } from "../job/errors.ts";

/** What {@linkcode unzip} allows. */
export interface UnzipOptions {
  /** Most bytes that the entries may have in all, unpacked. */
  readonly maxBytes: number;
}

/**
 * Unpacks `zip` into `directory`, which must exist. Permission bits are kept, set-id bits are not;
 * an archive made where there are none gives files 0644 and folders 0755.
 *
 * @returns Bytes of all files.
 * @throws {LlamaError} `BadZip` if it cannot be read or an entry leads out of the folder.
 * @throws {LlamaError} `ZipTooLarge` if it holds more than `maxBytes`.
 */
export async function unzip(
  zip: Uint8Array<ArrayBuffer>,
  directory: string,
  options: UnzipOptions,
): Promise<number> {
  const reader = new ZipReader(new BlobReader(new Blob([zip])), { useWebWorkers: false });
  try {
    const entries = await entriesOf(reader);
    const links = new Map<string, Entry>();
    for (const entry of entries) {
      const name = safeName(entry.filename);
      if (entry.symlink) links.set(name, entry);
    }
    let total = 0;
    const folders = new Map<string, number>();
    for (const entry of entries) {
      const name = safeName(entry.filename);
      for (let above = dirname(name); above !== "."; above = dirname(above)) {
        if (links.has(above)) throw badZip(`the entry '${name}' goes through the link '${above}'`);
        if (!folders.has(above)) folders.set(above, 0o755);
      }
      if (links.has(name)) continue;
      const path = join(directory, name);
      if (entry.directory) {
        await Deno.mkdir(path, { recursive: true, mode: 0o755 });
        folders.set(name, permissions(entry, 0o755));
        continue;
      }
      await Deno.mkdir(dirname(path), { recursive: true, mode: 0o755 });
      total += await writeEntry(entry, path, options.maxBytes - total);
      await Deno.chmod(path, permissions(entry, 0o644));
    }
    for (const [name, entry] of links) total += await makeLink(entry, name, directory);
    // Last, as a folder without the write bit takes no file, and deepest first, as one without the
    // search bit hides what is in it. This also undoes what the umask did to the folders.
    for (const [name, mode] of [...folders].sort((a, b) => b[0].length - a[0].length)) {
      await Deno.chmod(join(directory, name), mode);
    }
    return total;
  } finally {
    await reader.close();
  }
}

async function entriesOf(reader: ZipReader<Blob>): Promise<Entry[]> {
  try {
    return await reader.getEntries();
  } catch (cause) {
    throw badZip(messageOf(cause), cause);
  }
}

function safeName(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || name.includes("\0") || parts.includes("..") || parts.length === 0) {
    throw badZip(`the entry '${name}' leads out of the folder`);
  }
  return parts.join("/");
}

function permissions(entry: Entry, fallback: number): number {
  const mode = (entry.unixMode ?? 0) & 0o777;
  return mode === 0 ? fallback : mode;
}

async function writeEntry(entry: Entry, path: string, maxBytes: number): Promise<number> {
  if (entry.directory) return 0;
  if (entry.encrypted) throw badZip(`the entry '${entry.filename}' is encrypted`);
  let written = 0;
  using file = await openNew(path, entry.filename);
  const sink = new WritableStream<Uint8Array>({
    async write(chunk) {
      written += chunk.length;
      if (written > maxBytes) throw new Error("too large");
      for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
    },
  });
  try {
    await entry.getData(sink, { checkSignature: true });
    await file.syncData();
  } catch (cause) {
    if (written > maxBytes) {
      throw new LlamaError(
        "ZipTooLarge",
        "Cannot unpack the archive as its files are larger than allowed",
        { cause },
      );
    }
    throw badZip(`the entry '${entry.filename}': ${messageOf(cause)}`, cause);
  }
  return written;
}

async function openNew(path: string, name: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) {
      throw badZip(`the entry '${name}' is there twice`, cause);
    }
    throw cause;
  }
}

async function makeLink(entry: Entry, name: string, directory: string): Promise<number> {
  if (entry.directory) throw badZip(`the link '${name}' is a folder`);
  if (entry.uncompressedSize > 4096) throw badZip(`the link '${name}' is too long`);
  const target = new TextDecoder().decode(await entry.arrayBuffer());
  const parts = target.split("/");
  const up = parts.findIndex((part) => part !== "..");
  const depth = name.split("/").length - 1;
  const inside = target !== "" && !target.startsWith("/") && up !== -1 && up <= depth &&
    !parts.slice(up).includes("..");
  if (!inside) throw badZip(`the link '${name}' leads out of the folder`);
  const path = join(directory, name);
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await Deno.symlink(target, path);
  return target.length;
}

function badZip(problem: string, cause?: unknown): LlamaError {
  return new LlamaError("BadZip", `Cannot unpack the archive: ${problem}`, { cause });
}
