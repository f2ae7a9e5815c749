import { assertEquals } from "@std/assert";
import { type CommandLine, type InputArgument, readCommandLine } from "./command_line.ts";

/** What {@linkcode said} shows. */
type Said = Partial<Omit<CommandLine, "sources">> & {
  readonly sources?: readonly Omit<InputArgument, "at">[];
};

/** What a command says beyond an empty one; blanks part its arguments. */
function said(command: string): Record<string, unknown> {
  const plain = readCommandLine([]);
  const line = readCommandLine(command.split(" ").filter(Boolean));
  return Object.fromEntries(
    Object.entries(line).filter(([name, value]) =>
      name !== "flags" && name !== "args" && name !== "options" &&
      JSON.stringify(value) !== JSON.stringify(Reflect.get(plain, name))
    ).map(([name, value]) =>
      name === "sources"
        ? [name, line.sources.map(({ path, language }) => source(path, language))]
        : [name, value]
    ),
  );
}

const source = (path: string, language?: string) => ({ path, language });

Deno.test("readCommandLine() tells sources from the values of options", () => {
  const cases: readonly (readonly [string, Said])[] = [
    ["a.c b.cc", { sources: [source("a.c"), source("b.cc")] }],
    ["-D X a.c", { sources: [source("a.c")] }],
    ["-DX a.c", { sources: [source("a.c")] }],
    ["-U X -L d -l m -u s -z now a.c", { sources: [source("a.c")] }],
    ["--param x=1 a.c", { sources: [source("a.c")] }],
    ["-Xlinker a.o a.c", { sources: [source("a.c")] }],
    ["-MT a.o -MQ b.o a.c", { sources: [source("a.c")] }],
    ["-x c++ a.c -x none b.c", { sources: [source("a.c", "c++"), source("b.c")] }],
    ["-xc++ a.c", { sources: [source("a.c", "c++")] }],
    ["a.c -x c", { sources: [source("a.c")] }],
  ];
  for (const [command, expected] of cases) assertEquals(said(command), expected, command);
});

Deno.test("readCommandLine() takes the mode that ends first", () => {
  const cases: readonly (readonly [string, CommandLine["mode"]])[] = [
    ["", "link"],
    ["-c", "compile"],
    ["-S", "assembly"],
    ["-c -S", "assembly"],
    ["-S -c", "assembly"],
    ["-E -c", "preprocess"],
    ["-c -E", "preprocess"],
    ["-M", "depend"],
    ["-MM -c", "depend"],
    ["-c -M", "depend"],
    ["-M -E", "preprocess"],
    ["-E -M", "preprocess"],
    ["-c -MD", "compile"],
  ];
  for (const [command, mode] of cases) {
    assertEquals(readCommandLine(command.split(" ")).mode, mode, command);
  }
});

Deno.test("readCommandLine() does not take an option for another one that begins like it", () => {
  const cases: readonly (readonly [string, Said])[] = [
    ["-coverage", {}],
    ["-nostdinc++", { searchFlags: ["-nostdinc++"] }],
    ["-nostdinc", { searchFlags: ["-nostdinc"] }],
    ["-nostdlib", {}],
    ["-static", {}],
    ["-std=c11", {}],
    ["-MP", {}],
    ["-Map", {}],
    ["-march=nativex", {}],
    ["-fmodulo-sched", {}],
    ["-pipe -pthread", {}],
    ["-Wpedantic -Wabi", {}],
  ];
  for (const [command, expected] of cases) assertEquals(said(command), expected, command);
});

Deno.test("readCommandLine() reads outputs and dependencies in both forms", () => {
  const cases: readonly (readonly [string, Said])[] = [
    ["-o a.o", { output: "a.o" }],
    ["-oa.o", { output: "a.o" }],
    ["-o a.o -o b.o", { output: "b.o" }],
    ["-MD", { depend: true }],
    ["-MMD -MF a.d", { depend: true, dependFile: "a.d" }],
    ["-MFa.d", { dependFile: "a.d" }],
  ];
  for (const [command, expected] of cases) assertEquals(said(command), expected, command);
});

Deno.test("readCommandLine() sorts folders and files of the search", () => {
  assertEquals(
    said(
      "-I a -Ib -iquote c -iquoted -isystem e -isystemf -idirafter g -include h.h -imacros i.h" +
        " -includej.h --sysroot=/s --sysroot /t -isysroot /u -m32",
    ),
    {
      bracketFolders: ["a", "b"],
      quoteFolders: ["c", "d"],
      systemFolders: ["e", "f"],
      afterFolders: ["g"],
      includes: ["h.h", "i.h", "j.h"],
      searchFlags: ["--sysroot=/s", "--sysroot", "/t", "-isysroot", "/u", "-m32"],
    },
  );
});

Deno.test("readCommandLine() gathers what changes the programs that run", () => {
  const line = readCommandLine(
    "-B /x -specs=y -c -fplugin=z.so -fplugin-arg-z-mode=3 -Bw a.c".split(" "),
  );
  assertEquals(line.partFlags, ["-B", "/x", "-specs=y", "-fplugin=z.so", "-Bw"]);
  assertEquals([line.searchFlags, line.localReason], [line.partFlags, undefined]);
});

Deno.test("readCommandLine() keeps the first reason to stay here", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["-", "stdin-source"],
    ["-wrapper gdb,--args", "wrapper"],
    ["-Wa,-o,x", "assembler-options"],
    ["-Wp,-MD,x.d -MF y", "preprocessor-options"],
    ["-Wp,-M", "preprocessor-options"],
    ["-fmodules-ts", "modules"],
    ["--version", "no-compilation"],
    ["-print-prog-name=as", "no-compilation"],
    ["-###", "no-compilation"],
    ["-c a.c -o", "missing-value"],
    ["-fplugin-arg-x-log=./x", "plugin-argument"],
  ];
  for (const [command, reason] of cases) {
    assertEquals(readCommandLine(command.split(" ")).localReason, reason, command);
  }
  assertEquals(readCommandLine(["-c", "a.c", "@"]).localReason, undefined);
});

Deno.test("readCommandLine() keeps options without a value of their own as flags", () => {
  const { flags } = readCommandLine(["-c", "-O2", "--coverage", "-gsplit-dwarf", "-o", "x", "a.c"]);
  assertEquals([...flags], ["-c", "-O2", "--coverage", "-gsplit-dwarf"]);
});

Deno.test("readCommandLine() takes a dependency file and macros from -Wp,", () => {
  for (const word of ["-MD", "-MMD"]) {
    const { depend, dependFile, localReason } = readCommandLine([`-Wp,${word},.a.o.d`, "a.c"]);
    assertEquals({ depend, dependFile, localReason }, {
      depend: true,
      dependFile: ".a.o.d",
      localReason: undefined,
    });
  }
  assertEquals(readCommandLine(["-Wp,-D_FORTIFY_SOURCE=2", "a.c"]).localReason, undefined);
});
