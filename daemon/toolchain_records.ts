/**
 * What is known of the toolchains in the store, for `llama toolchain`, which runs without the daemon: a
 * file in `LLAMA_DIR/cache/toolchains` for each compiler, named by a digest of its path and its arguments.
 */
import { asDigest, type Digest, digestOf } from "../job/digest.ts";
import { asArray, asInteger, asObject, asString, parseJson } from "../job/json.ts";
import { LlamaError } from "../job/errors.ts";

/** A toolchain that was put into the store. */
export interface StoredToolchain {
  /** Path of the compiler. */
  readonly driver: string;
  /** Arguments that changed which programs it runs. */
  readonly flags: readonly string[];
  readonly manifest: Digest;
  /** Number of its files. */
  readonly files: number;
  /** Bytes of its files. */
  readonly bytes: number;
  /** Packs that hold its files. */
  readonly packs: number;
}

const DIGITS = 16;

function folderIn(llamaDir: string): string {
  return `${llamaDir}/cache/toolchains`;
}

/** Keeps a record in the place of the one that the same compiler had before. */
export async function keepToolchain(llamaDir: string, toolchain: StoredToolchain): Promise<void> {
  const folder = folderIn(llamaDir);
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const { driver, flags } = toolchain;
  const key = await digestOf(new TextEncoder().encode(JSON.stringify([driver, flags])));
  const path = `${folder}/${key.slice(0, DIGITS)}.json`;
  const fresh = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(fresh, JSON.stringify(toolchain));
  await Deno.rename(fresh, path);
}

/** The records, sorted by the compilers' paths; one that is damaged counts as none. */
export function keptToolchains(llamaDir: string): StoredToolchain[] {
  const folder = folderIn(llamaDir);
  const toolchains: StoredToolchain[] = [];
  for (const name of namesIn(folder)) {
    if (!/^[0-9a-f]+\.json$/.test(name)) continue;
    try {
      toolchains.push(readRecord(Deno.readTextFileSync(`${folder}/${name}`)));
    } catch (error) {
      if (!(error instanceof LlamaError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return toolchains.toSorted((a, b) => a.driver < b.driver ? -1 : a.driver > b.driver ? 1 : 0);
}

/**
 * Reads a record.
 *
 * @throws {FormatError} If it is damaged.
 */
export function readRecord(text: string): StoredToolchain {
  const what = "the record of a toolchain";
  const { driver, flags, manifest, files, bytes, packs } = asObject(parseJson(text, what), what);
  return {
    driver: asString(driver, `${what}: driver`),
    flags: asArray(flags, `${what}: flags`).map((flag) => asString(flag, `${what}: flags`)),
    manifest: asDigest(manifest, `${what}: manifest`),
    files: asInteger(files, `${what}: files`),
    bytes: asInteger(bytes, `${what}: bytes`),
    packs: asInteger(packs, `${what}: packs`),
  };
}

function namesIn(folder: string): string[] {
  try {
    return Array.from(Deno.readDirSync(folder), ({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
