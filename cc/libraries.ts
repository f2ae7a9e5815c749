/**
 * The shared libraries and the loader that a program needs, as `ldd` (glibc, ldd(1)) finds them. ldd
 * asks the loader itself, so runpaths, hwcaps and ld.so.cache count as they do when the program runs.
 */
import { LlamaError } from "../job/errors.ts";
import type { ProcessRunner } from "./file_system.ts";

/** What a program needs beside itself. */
export interface Libraries {
  /** Paths of libraries and loader, as spelled by the loader. */
  readonly paths: readonly string[];
  /** False for a statically linked program and for anything that is no ELF file. */
  readonly dynamic: boolean;
}

/**
 * Asks for the libraries of `program`.
 *
 * @throws {LlamaError} `LibraryMissing` if one of them is not to be found.
 */
export async function librariesOf(program: string, processes: ProcessRunner): Promise<Libraries> {
  const { code, stdout } = await processes.run("/usr/bin/ldd", [program], {
    cwd: "/",
    env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
  });
  return code === 0 ? parseLdd(stdout, program) : { paths: [], dynamic: false };
}

/**
 * Reads what ldd printed.
 *
 * @throws {LlamaError} `LibraryMissing` if it could not find a library.
 */
export function parseLdd(text: string, program: string): Libraries {
  if (text.includes("statically linked")) return { paths: [], dynamic: false };
  const paths: string[] = [];
  for (const line of text.split("\n")) {
    const match = /^\t(?:(.+) => )?(.+?)(?: \(0x[0-9a-f]+\))?$/.exec(line);
    const [, name, path] = match ?? [];
    if (path === undefined) continue;
    if (path === "not found") {
      throw new LlamaError(
        "LibraryMissing",
        `Cannot ship "${program}" as its library "${name}" is not to be found`,
        { hint: "run ldd on it and install what is missing" },
      );
    }
    if (path.startsWith("/")) paths.push(path);
  }
  return { paths, dynamic: true };
}

/** The folders of `paths`, each once. */
export function foldersOf(paths: Iterable<string>): string[] {
  return [...new Set([...paths].map((path) => path.slice(0, path.lastIndexOf("/")) || "/"))];
}
