/** Comparison of what two builds leave. */
import { basename } from "@std/path/posix";
import { isElf, isObject, withoutIds } from "./debug_ids.ts";

/** How two folders compare. */
export interface Comparison {
  readonly total: number;
  /** Objects (ELF ET_REL), .dwo files apart. */
  readonly objects: number;
  readonly dwos: number;
  /** Paths of files that differ, are there once only, or do not fit their .dwo. */
  readonly different: readonly string[];
}

/**
 * Compares all files of two folders by their paths in them, but for those whose path is `ignored`, random
 * ids and, in texts, the name of the compiler.
 */
export async function compareTrees(
  a: string,
  b: string,
  ignored: RegExp,
): Promise<Comparison> {
  const all = new Set([...await filesBelow(a), ...await filesBelow(b)]);
  const paths = [...all].filter((path) => !ignored.test(path)).toSorted();
  const different: string[] = [];
  let objects = 0;
  /** Ids of all objects and programs and of each .dwo file, by folder and name without its ending. */
  const ids = new Map<string, Set<string>>();
  const dwos: { readonly name: string; readonly path: string; readonly ids: readonly string[] }[] =
    [];
  for (const path of paths) {
    const [there, here] = [await readIfThere(`${a}/${path}`), await readIfThere(`${b}/${path}`)];
    for (const [folder, file] of [[a, there], [b, here]] as const) {
      if (file === undefined || !isElf(file)) continue;
      const name = `${folder}/${basename(path).replace(/\.\w+$/, "")}`;
      const { dwoIds } = withoutIds(file);
      if (path.endsWith(".dwo")) {
        dwos.push({ name, path: `${folder}/${path}`, ids: dwoIds });
        continue;
      }
      const known = ids.get(name) ?? new Set();
      for (const id of dwoIds) known.add(id);
      ids.set(name, known);
      if (folder === a && isObject(file)) objects++;
    }
    if (there === undefined || here === undefined) {
      different.push(`${path} (only in ${there === undefined ? b : a})`);
    } else if (!isSame(there, here)) different.push(path);
  }
  // The object may have been moved since (zlib compiles objs/x.o and moves it to x.lo).
  for (const dwo of dwos) {
    const known = ids.get(dwo.name);
    // A unit in which nothing is left by conditions has no id.
    const fits = dwo.ids.length === 0 ? known?.size === 0 : dwo.ids.every((id) => known?.has(id));
    if (!fits) {
      different.push(`${dwo.path} has the id of no object of its name`);
    }
  }
  return { total: paths.length, objects, dwos: dwos.length / 2, different };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  const isEqual = (x: Uint8Array, y: Uint8Array) =>
    x.length === y.length && x.every((byte, index) => byte === y[index]);
  if (isEqual(a, b)) return true;
  if (!a.includes(0) && !b.includes(0)) {
    const decoder = new TextDecoder();
    return neutral(decoder.decode(a)) === neutral(decoder.decode(b));
  }
  return isEqual(withoutIds(a).bytes, withoutIds(b).bytes);
}

/** Paths of all files below a folder. */
export async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (isDirectory) paths.push(...await filesBelow(`${folder}/${name}`, `${prefix}${name}/`));
    else if (isFile) paths.push(`${prefix}${name}`);
  }
  return paths;
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Takes the compiler's name and the way to it out of a text. */
export function neutral(text: string): string {
  return text
    // What config.status breaks where a line is full.
    .replaceAll('"\\\n"', "")
    .replaceAll(/(?:\/[^\s"=:']*\/)?(?:llamac\+\+|clang\+\+|g\+\+)(?:-\d+)?(?![\w+-])/g, "CXX")
    .replaceAll(/(?:\/[^\s"=:']*\/)?\b(?:llamacc|clang|gcc)(?:-\d+)?(?![\w+-])/g, "CC")
    // Autoconf's AC_PROG_CC_C_O.
    .replaceAll(/(?<=\bac_cv_prog_cc_)\w+(?=_c_o\b)/g, "CC");
}
