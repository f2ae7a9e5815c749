import { assertEquals } from "@std/assert";
import { readCommandLine } from "./command_line.ts";
import { decide } from "./decision.ts";
import { findOption, OPTIONS } from "./options.ts";

const words = (command: string) => command.split(" ").filter(Boolean);

const decideOn = (command: string, options: { cxx?: boolean; remoteAssemble?: boolean } = {}) =>
  decide(readCommandLine(words(command)), { cxx: false, remoteAssemble: false, ...options });

/** `source language output dependFile extra…` of a remote decision, or its local reason. */
const shown = (command: string, options: { cxx?: boolean; remoteAssemble?: boolean } = {}) => {
  const decision = decideOn(command, options);
  if (decision.kind === "local") return decision.reason;
  return decision.compilations.map(({ source, language, output, dependFile, auxiliary }) =>
    [source, language.name, output, dependFile ?? "-", ...auxiliary.files].join(" ")
  ).join("; ");
};

Deno.test("the option table is sorted and has each name once", () => {
  for (const family of ["gcc", "clang"]) {
    const names = OPTIONS.filter(({ only = family }) => only === family).map(({ name }) => name);
    assertEquals(names, [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1)));
  }
});

Deno.test("findOption() takes the longest name that fits", () => {
  assertEquals(findOption("-nostdinc++")?.name, "-nostdinc++");
  assertEquals(findOption("-include-pch", "clang")?.name, "-include-pch");
  assertEquals(findOption("-includefoo.h")?.name, "-include");
  assertEquals(findOption("-coverage"), undefined);
  assertEquals(findOption("-MMD")?.name, "-MMD");
  assertEquals(findOption("-isystem/x")?.name, "-isystem");
  assertEquals(findOption("-Ifoo")?.name, "-I");
});

Deno.test("decide() sends compilations away", () => {
  const cases: Record<string, string> = {
    "-c a.c": "a.c c a.o -",
    "-c src/a.c": "src/a.c c a.o -",
    "-O2 -c -o out/x.o src/a.c": "src/a.c c out/x.o -",
    "-c a.cc -oa.obj": "a.cc c++ a.obj -",
    "-S a.c": "a.c c a.s -",
    "-c -MD a.c": "a.c c a.o a.d",
    "-c -MMD -o out/a.o a.c": "a.c c out/a.o out/a.d",
    "-c -MD -MF deps/a.d -MT x a.c": "a.c c a.o deps/a.d",
    "-c -x c++ a.c": "a.c c++ a.o -",
    "-S a.c -o -": "a.c c - -",
    "-c a.c -MD -o -": "a.c c - -.d",
    "-c -fcallgraph-info=su -aux-info proto a.c": "a.c c a.o - proto a.ci",
    "-c --coverage -o o/a.o a.c": "a.c c o/a.o - o/a.gcno",
    "-c -g -gsplit-dwarf -fstack-usage a.c": "a.c c a.o - a.dwo a.su",
    "-c -I inc -D X -isystem s -include p.h a.c": "a.c c a.o -",
    "-c a.i": "a.i cpp-output a.o -",
    "-c a.S": "a.S assembler-with-cpp a.o -",
    "-c a.m": "a.m objective-c a.o -",
    "-c a.mm": "a.mm objective-c++ a.o -",
    "-c -x objective-c a.c": "a.c objective-c a.o -",
  };
  for (const [command, expected] of Object.entries(cases)) {
    assertEquals(shown(command), expected, command);
  }
  assertEquals(shown("-c a.c", { cxx: true }), "a.c c++ a.o -");
  assertEquals(shown("-c a.s", { remoteAssemble: true }), "a.s assembler a.o -");
});

Deno.test("decide() names the reason of every local run", () => {
  const cases: Record<string, string> = {
    "": "no-source",
    "-c": "no-source",
    "a.c -o a": "link",
    "a.o -lm": "link",
    "-E a.c": "preprocess-only",
    "-M a.c": "depend-only",
    "-MM -c a.c": "depend-only",
    "-c -": "stdin-source",
    "-c a.c b.c -save-temps -dumpbase x": "several-sources",
    "-fsyntax-only -fstack-usage a.c": "link",
    "-c a.s": "assembler",
    "-c a.f90": "language",
    "-c conftest.c": "configure-probe",
    "-c -fno-such -Wa,--version -x assembler /dev/null -o /dev/null": "configure-probe",
    "conftest.c": "link",
    "-c CMakeFiles/CMakeScratch/TryCompile-x/testCCompiler.c": "configure-probe",
    "-c -fplugin=x.so -fplugin-arg-x-o=/y a.c": "plugin-argument",
    "--version": "no-compilation",
    "-print-prog-name=cc1": "no-compilation",
    "-dumpmachine": "no-compilation",
    "-c -fdump-ada-spec a.c": "extra-output",
    "-c a.c -o": "missing-value",
    "-x c-header -c a.h": "precompiling",
  };
  for (const [command, expected] of Object.entries(cases)) {
    assertEquals(shown(command), expected, command);
  }
});

Deno.test("readCommandLine() keeps values of options apart from sources", () => {
  const line = readCommandLine(
    words("-c -o a.o -I i -iquote q -isystem s -idirafter z -include p a.c"),
  );
  assertEquals(line.sources, [{ path: "a.c", language: undefined, at: 13 }]);
  assertEquals([line.quoteFolders, line.bracketFolders, line.systemFolders, line.afterFolders], [
    ["q"],
    ["i"],
    ["s"],
    ["z"],
  ]);
  assertEquals(line.includes, ["p"]);
});
