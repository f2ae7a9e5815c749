import { assertEquals } from "@std/assert";
import { expandResponseFiles, splitWords } from "./response_files.ts";

const FILES: Readonly<Record<string, string>> = {
  flags: "-O2 @more\n-c",
  more: "-g",
  self: "-x @self",
  empty: " \n",
};

const expand = (args: readonly string[]) =>
  expandResponseFiles(args, "gcc", (path) => {
    if (path === "folder") return "unreadable";
    if (path === "latin1") return new Uint8Array([0xe9]);
    const text = FILES[path];
    return text === undefined ? "absent" : new TextEncoder().encode(text);
  });

Deno.test("expandResponseFiles() puts arguments of files, and of files in them, in their places", () => {
  assertEquals(expand(["a.c", "@flags", "-o", "x"]), {
    args: ["a.c", "-O2", "-g", "-c", "-o", "x"],
    files: ["flags", "more"],
    unreadable: false,
  });
  assertEquals(expand(["@empty", "a.c"]).args, ["a.c"]);
});

Deno.test("expandResponseFiles() keeps what names no file", () => {
  assertEquals(expand(["@none", "@", "a@flags"]), {
    args: ["@none", "@", "a@flags"],
    files: [],
    unreadable: false,
  });
});

Deno.test("expandResponseFiles() gives up on folders, bytes that are no text, and circles", () => {
  for (const arg of ["@folder", "@latin1", "@self"]) {
    assertEquals(expand(["-c", arg]).unreadable, true, arg);
  }
});

Deno.test("splitWords() quotes as libiberty and LLVM do", () => {
  const cases: readonly (readonly [string, readonly string[], (readonly string[])?])[] = [
    [" a\tb\n\nc ", ["a", "b", "c"]],
    ["'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]],
    ["-DX='\"q\"' 'it'\\''s'", ['-DX="q"', "it's"]],
    ["\"a\\\"b\" 'c\\'d'", ['a"b', "c'd"]],
    ["a\\\nb", ["a\nb"]],
    ["'open", ["open"]],
    ["a '' b", ["a", "", "b"], ["a", "b"]],
    ["a\\", ["a"], ["a\\"]],
    ["a\vb\fc\rd", ["a", "b", "c", "d"], ["a\vb\fc", "d"]],
  ];
  for (const [text, gcc, clang = gcc] of cases) {
    assertEquals([splitWords(text, "gcc"), splitWords(text, "clang")], [gcc, clang], text);
  }
});
