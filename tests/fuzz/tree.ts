/** Small trees of sources and headers. */
import type { Entry } from "./case.ts";
import { parentOf } from "./case.ts";
import type { Random } from "./random.ts";
import { makeHeader, makeText } from "./source_text.ts";

/** A tree, and what a command line may say of it. */
export interface Tree {
  readonly entries: readonly Entry[];
  /** Paths of the sources. */
  readonly sources: readonly string[];
  /** Paths of the headers. */
  readonly headers: readonly string[];
  /** Paths of the folders, without the tree's own. */
  readonly folders: readonly string[];
}

const SOURCES = [
  ...["a.c", "b.c", "main.c", "x.cc", "y.cpp", "t.cxx", "z.C", "s.S", "p.i", "q.ii", "t.s"],
  ...["sub/c.c", "sub/deep/d.c", "sub/e.cc", "sp ace.c", "sub dir/f.c", "ä ö.c", "größe/g.cc"],
  ...["noext", "quo'te.c", "dollar$x.c", "hash#.c", "two.dots.c", "UPPER.c", "-dash.c", "m.m"],
  ...[
    "co,mma.c",
    "eq=ual.c",
    "sub/s.S",
    "back\\slash.c",
    "per%cent.c",
    "a.b/c.d.cc",
    "w.sx",
    "v.h",
  ],
];
const PLAIN = ["a.c", "b.c", "sub/c.c", "x.cc", "main.c", "sub/e.cc"];
const HEADERS = [
  ...["a.h", "b.h", "inc/a.h", "inc/sys.h", "sub/a.h", "inc 2/sp ace.h", "inc/deep/d.h"],
  ...["ünï/h.h", "later/a.h", "sub/local.h", "inc/b.hpp", "later/sys.h"],
];

/** Makes a tree with one to three sources. */
export function makeTree(random: Random): Tree {
  const headers = random.some(HEADERS, 5);
  // As files that include them spell headers: from where they are, or from a folder of the search path.
  const spelled = headers.flatMap((path) => [path, path.slice(path.lastIndexOf("/") + 1)]);
  const sources = new Set<string>();
  for (let left = random.weighted([[6, 1], [2, 2], [1, 3]]); left > 0; left--) {
    sources.add(random.pick(random.chance(0.5) ? PLAIN : SOURCES));
  }
  const entries: Entry[] = [];
  const file = (path: string, text: string, mode = 0o644) =>
    entries.push({ kind: "file", path, text, mode });
  [...sources].forEach((path, index) => {
    const tag = `${index}`;
    const main = random.chance(0.4) && index === 0 && !/\.(?:S|s|sx)$/.test(path)
      ? "int main(void) { return 0; }\n"
      : "";
    file(path, main + makeText(random, languageOf(path), { headers: spelled, tag }));
  });
  headers.forEach((path, index) =>
    file(path, makeHeader(random, { headers: spelled, tag: `h${index}` }))
  );
  if (random.chance(0.3)) file("data.bin", "bytes\0\x01\n");
  if (random.chance(0.05)) entries.push({ kind: "link", path: "link", target: "sub" });
  if (random.chance(0.05)) entries.push({ kind: "link", path: "linked.c", target: "a.c" });
  const folders = new Set(["sub", "inc"]);
  for (const { path } of entries) {
    for (let at = parentOf(path); at !== "."; at = parentOf(at)) folders.add(at);
  }
  for (const path of folders) entries.push({ kind: "folder", path, mode: 0o755 });
  return { entries, sources: [...sources], headers, folders: [...folders] };
}

function languageOf(path: string): "c" | "c++" | "assembler" {
  if (/\.(?:S|s|sx)$/.test(path)) return "assembler";
  return /\.(?:c|i|m|h)$/.test(path) || path === "noext" ? "c" : "c++";
}
