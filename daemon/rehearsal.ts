/**
 * A rehearsal: the compiler runs here once for each language on an empty source, under the path shim, whose
 * records name what it looks at beside its programs: clang the folders of installed GCCs and the release of
 * the system, a cross compiler the headers of its target. Sent with the toolchain, they need no round of
 * any compilation. Nothing depends on it: what it misses the proof finds.
 */
import type { FileSystem, ProcessRunner } from "../cc/file_system.ts";
import type { CompilerParts } from "../cc/toolchain.ts";

/** What {@linkcode rehearse} works with. */
export interface RehearsalTools {
  readonly files: FileSystem;
  readonly processes: ProcessRunner;
}

/** Languages of `-x` in which other programs and folders count. */
const LANGUAGES = ["c", "c++", "assembler-with-cpp"];
/**
 * The root that changes nothing: with it the shim records and every path means what it did. proc(5).
 */
const SAME_ROOT = "/proc/self/root";
/** Most entries of a listed folder that are taken along. */
const MAX_LISTED = 256;
/** What compilers make for themselves, and what is everywhere. */
const PASSING = /^\/(?:tmp(?:\/[^/]*)?$|dev\/|proc\/|$)/;

/** The files and folders that the compiler looked at, and all entries of folders it listed. */
export async function rehearse(
  { driver, flags, env, cwd }: CompilerParts,
  shim: Uint8Array,
  { files, processes }: RehearsalTools,
): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "llama-rehearsal-" });
  try {
    const library = `${folder}/path_shim.so`;
    await Deno.writeFile(library, shim);
    const logs = await Promise.all(LANGUAGES.map(async (language, index) => {
      const log = `${folder}/${index}`;
      await Deno.writeFile(log, new Uint8Array());
      const args = [...flags, "-c", "-x", language, "/dev/null", "-o", "/dev/null"];
      await processes.run(driver, args, {
        cwd,
        env: {
          ...env,
          LC_ALL: "C",
          LD_PRELOAD: library,
          LLAMA_SHIM_ROOT: SAME_ROOT,
          LLAMA_SHIM_LOG: log,
        },
      });
      return await Deno.readTextFile(log);
    }));
    return findingsOf(logs.join(""), files);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Reads the shim's records, which runtime/path_shim.c describes. */
function findingsOf(log: string, files: FileSystem): string[] {
  const found = new Set<string>();
  for (const record of log.split("\0")) {
    const path = record.slice(1);
    if (PASSING.test(path)) continue;
    if (record.startsWith("O")) found.add(path);
    if (!record.startsWith("L")) continue;
    found.add(path);
    const entries = files.list(path) ?? [];
    if (entries.length > MAX_LISTED) continue;
    for (const { name } of entries) found.add(`${path}/${name}`);
  }
  return [...found].toSorted();
}
