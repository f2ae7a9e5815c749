import { assertEquals } from "@std/assert";
import { assemblerFiles, clangReason, readPreprocessorWords } from "./option_words.ts";

const NOTHING = {
  dependFile: undefined,
  includes: [],
  quoteFolders: [],
  bracketFolders: [],
  systemFolders: [],
  afterFolders: [],
  localReason: undefined,
};

Deno.test("readPreprocessorWords() finds files and folders", () => {
  const words = "-MD d.d -I i -Ij -include p.h -isystem s -iquote q -DX=1 -D Y -MT t -undef";
  assertEquals(readPreprocessorWords(words.split(" "), "gcc"), {
    ...NOTHING,
    dependFile: "d.d",
    includes: ["p.h"],
    quoteFolders: ["q"],
    bracketFolders: ["i", "j"],
    systemFolders: ["s"],
  });
});

Deno.test("readPreprocessorWords() leaves to the local compiler what changes what is made", () => {
  for (const words of ["-M", "-MD", "-MD a -MMD b", "-E", "-o x", "x.c", "-I"]) {
    const { localReason } = readPreprocessorWords(words.split(" "), "gcc");
    assertEquals(localReason, "preprocessor-options", words);
  }
});

Deno.test("readPreprocessorWords() knows that clang reads -MD itself only if it is alone", () => {
  const alone = readPreprocessorWords(["-MMD", "d"], "clang");
  assertEquals(alone, { ...NOTHING, dependFile: "d" });
  const more = readPreprocessorWords(["-MMD", "d", "-DX"], "clang");
  assertEquals(more.localReason, "preprocessor-options");
});

Deno.test("assemblerFiles() finds listings and dependency files", () => {
  const cases: readonly (readonly [string, readonly string[], string?])[] = [
    ["-adhln=list -I inc --defsym a=b --noexecstack -al", ["list"]],
    ["--MD d -a=l", ["d", "l"]],
    ["-MD=d", ["d"]],
    ["--MD", [], "assembler-options"],
    ["-o x", [], "assembler-options"],
    ["--version", [], "assembler-options"],
    ["@args", [], "assembler-options"],
  ];
  for (const [words, outputs, reason] of cases) {
    const found = assemblerFiles(words.split(" "));
    assertEquals(found, { outputs, localReason: reason }, words);
  }
});

Deno.test("clangReason() tells words that choose another action from others", () => {
  for (const word of ["-emit-pch", "-ast-dump", "-E", "-load", "-dependency-file"]) {
    assertEquals(clangReason(["-Wall", word]), "clang-options", word);
  }
  assertEquals(clangReason(["-disable-llvm-passes", "-mlong-double-128", "-Eager"]), undefined);
});
