/** Small trees of headers on a search path, each version of each header telling in the object that it was read. */
import type { Random } from "../fuzz/random.ts";

/** What stands at a path: a text, or a link's target. */
export type Item = { readonly text: string } | { readonly target: string };

/** A tree: what stands at each path, a folder before what is in it. */
export type Tree = ReadonlyMap<string, Item | "folder">;

/** What a compiler is told about it. */
export const FLAGS = [..."-iquote quote -Ione -Itwo -Iway -isystem last".split(" ")];
/** Sources, in the order in which they are compiled. */
export const SOURCES = ["src/a.c", "src/b.c"];
/** Folders of headers; `way` is a link to one of the last two. */
export const FOLDERS = ["src", "quote", "one", "two", "last", "far1", "far2"];
const HEADERS = 6;

/** Makes texts, of which no two are alike. */
export interface Texts {
  /** A version of the header with this number. */
  header(number: number): string;
}

/** Texts for one case. */
export function createTexts(random: Random): Texts {
  let versions = 0;
  const include = (number: number): string => {
    const name = `h${number}.h`;
    return random.weighted([
      [5, `#include "${name}"`],
      [3, `#include <${name}>`],
      [4, `#if __has_include("${name}")\n#include "${name}"\n#else\n-${number},\n#endif`],
      [2, `#ifdef M${number}\n#include <${name}>\n#endif`],
      [1, `#define N <${name}>\n#include N\n#undef N`],
      [1, `#if 0\n#include "${name}"\n#endif`],
    ]);
  };
  return {
    header: (number) => {
      const lines = [`${1000 * (number + 1) + versions++},`];
      for (let next = number + 1; next < HEADERS; next++) {
        if (random.chance(0.35)) lines.push(include(next));
      }
      if (random.chance(0.2)) {
        const name = `<h${number}.h>`;
        lines.push(`#if __has_include_next(${name})\n#include_next ${name}\n#endif`);
      }
      if (random.chance(0.3)) lines.push(`#define M${random.int(HEADERS)}`);
      return `${lines.join("\n")}\n`;
    },
  };
}

/** A path where a header may be. */
export function headerPath(random: Random): { readonly path: string; readonly number: number } {
  const number = random.int(HEADERS);
  return { path: `${random.pick(FOLDERS)}/h${number}.h`, number };
}

/** Makes a tree. */
export function makeTree(random: Random, texts: Texts): Map<string, Item | "folder"> {
  const tree = new Map<string, Item | "folder">();
  for (const folder of FOLDERS) tree.set(folder, "folder");
  tree.set("way", { target: "far1" });
  for (const source of SOURCES) {
    const includes = [0, 1, 2].filter(() => random.chance(0.7))
      .map((number) => random.chance(0.5) ? `#include "h${number}.h"` : `#include <h${number}.h>`);
    tree.set(source, { text: `int v[] = {\n${includes.join("\n")}\n0};\n` });
  }
  for (let number = 0; number < HEADERS; number++) {
    const folders = random.some(FOLDERS, 2);
    for (const folder of folders.length > 0 ? folders : ["last"]) {
      tree.set(`${folder}/h${number}.h`, { text: texts.header(number) });
    }
  }
  return tree;
}

/** Makes `tree` in an empty or absent folder. */
export function writeTree(folder: string, tree: Tree): void {
  Deno.mkdirSync(folder, { recursive: true });
  for (const [path, item] of tree) if (item === "folder") Deno.mkdirSync(`${folder}/${path}`);
  for (const [path, item] of tree) {
    if (item === "folder") continue;
    if ("target" in item) Deno.symlinkSync(item.target, `${folder}/${path}`);
    else Deno.writeTextFileSync(`${folder}/${path}`, item.text);
  }
}
