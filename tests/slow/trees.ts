/** Comparison of what two builds leave. */
import { isObject, withoutIds } from "./debug_ids.ts";

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
  let [objects, dwos] = [0, 0];
  for (const path of paths) {
    const [there, here] = [await readIfThere(`${a}/${path}`), await readIfThere(`${b}/${path}`)];
    const isDwo = path.endsWith(".dwo");
    if (isDwo) {
      dwos++;
      const object = path.replace(/\.dwo$/, "");
      for (const [folder, dwo] of [[a, there], [b, here]] as const) {
        const own = await readIfThere(`${folder}/${object}.o`) ??
          await readIfThere(`${folder}/${object}.lo`);
        const ids = own === undefined ? [] : withoutIds(own).dwoIds;
        if (dwo === undefined || withoutIds(dwo).dwoIds.join() !== ids.join()) {
          different.push(`${path} (its id in ${folder})`);
        }
      }
    }
    if (there === undefined || here === undefined) {
      different.push(`${path} (only in ${there === undefined ? b : a})`);
      continue;
    }
    if (isObject(here) && !isDwo) objects++;
    if (!isSame(there, here)) different.push(path);
  }
  return { total: paths.length, objects, dwos, different };
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
    .replaceAll(/(?:\/[^\s"=:']*\/)?(?:llamac\+\+|clang\+\+|g\+\+)(?![\w+-])/g, "CXX")
    .replaceAll(/(?:\/[^\s"=:']*\/)?\b(?:llamacc|clang|gcc)(?![\w+-])/g, "CC")
    // Autoconf's AC_PROG_CC_C_O.
    .replaceAll(/(?<=_cc_)(?:llamacc|clang|gcc)(?=_c_o\b)/g, "CC");
}
