import { assertEquals } from "@std/assert";
import { type Auxiliary, auxiliaryOf, dependFileOf } from "./auxiliary.ts";
import { readCommandLine } from "./command_line.ts";
import type { Family } from "./options.ts";

/** Blanks part arguments; `''` is an empty one. */
const wordsOf = (command: string) =>
  command.split(" ").filter(Boolean).map((word) => word === "''" ? "" : word);

function lineOf(command: string, family: Family) {
  const line = readCommandLine(wordsOf(command), family);
  return { ...line, source: line.sources[0]?.path ?? "", family };
}

const read = (command: string, family: Family = "gcc"): Auxiliary =>
  auxiliaryOf(lineOf(command, family));

const filesOf = (command: string, family: Family = "gcc") =>
  [...read(command, family).files].sort().join(" ");

function assertFiles(cases: Readonly<Record<string, string>>, family: Family = "gcc"): void {
  for (const [command, expected] of Object.entries(cases)) {
    assertEquals(filesOf(command, family), expected, command);
  }
}

Deno.test("auxiliaryOf() names files for the source, or for the output and its folder", () =>
  assertFiles({
    "-c a.c": "",
    "-c -fstack-usage src/a.c": "a.su",
    "-c -fstack-usage src/a.c -o d/x.o": "d/x.su",
    "-c -fstack-usage a.c -o x": "x.su",
    "-c -fstack-usage a.c -o d/x.y.o": "d/x.y.su",
    "-c -fstack-usage a.c -o .o": ".o.su",
    "-c -fstack-usage a.c -o d/x.": "d/x.su",
    "-c -fstack-usage a.c -o /dev/null": "a.su",
    "-S -fstack-usage a.c -o -": "a.su",
    "-c -x c -fstack-usage a": "a.su",
    "-c --coverage a.c -o d/x.o": "d/x.gcno",
    "-c -ftest-coverage -fprofile-note=n a.c": "a.gcno n",
    "-c -g -gsplit-dwarf -fcallgraph-info=su,da a.c": "a.ci a.dwo",
  }));

Deno.test("auxiliaryOf() follows -dumpdir, -dumpbase and -dumpbase-ext", () =>
  assertFiles({
    "-c -fstack-usage a.c -dumpdir p- -o d/x.o": "p-x.su",
    "-c -fstack-usage a.c -dumpdir d/": "d/a.su",
    "-c -fstack-usage a.c --dumpdir=d/": "d/a.su",
    "-c -fstack-usage a.c -dumpbase b.c -o d/x.o": "d/b.c.su",
    "-c -fstack-usage a.c -dumpbase b.c -dumpbase-ext .c": "b.su",
    "-c -fstack-usage a.c -dumpbase b.c -dumpbase-ext .x": "b.c.su",
    "-c -fstack-usage a.c -dumpbase .c -dumpbase-ext .c": ".c.su",
    "-c -fstack-usage a.c -dumpbase-ext .x": "a.su",
    "-c -fstack-usage a.c -dumpbase e/b -dumpdir d/": "e/b.su",
    "-c -fstack-usage a.c -dumpbase '' -o d/x.o": "d/a.su",
    "-c -fstack-usage a.c -dumpdir p- -save-temps=obj -o d/x.o":
      "d/x.bc d/x.i d/x.ii d/x.mi d/x.mii d/x.s d/x.su d/x.tmp.bc",
    "-c -fstack-usage a.c -save-temps -dumpdir p- -o d/x.o":
      "p-x.bc p-x.i p-x.ii p-x.mi p-x.mii p-x.s p-x.su p-x.tmp.bc",
    "-c -fstack-usage a.c -save-temps=cwd -o d/x.o": "x.bc x.i x.ii x.mi x.mii x.s x.su x.tmp.bc",
  }));

Deno.test("auxiliaryOf() takes files that options name", () =>
  assertFiles({
    "-c -aux-info proto a.c": "proto",
    "-c -fdump-go-spec=d/go a.c": "d/go",
    "-c -fdump-final-insns a.c -o d/x.o": "d/x.c.gkd",
    "-c -fdump-final-insns=. a.c": "a.c.gkd",
    "-c -fdump-final-insns=f a.c": "f",
    "-c -fdump-tree-all=f a.c": "f",
    "-c -fopt-info-vec-missed=f a.c": "f",
    "-c -fsave-optimization-record a.c": "a.c.opt-record.json.gz a.opt.bitstream a.opt.yaml",
    "-c -Wa,-adhln=list,-MD,deps -Xassembler --MD=more a.c": "deps list more",
    "-c -fdiagnostics-format=sarif-file d/a.c": "a.c.sarif d/a.c.sarif",
    // Streams.
    "-c -fdump-tree-all=stderr -fdump-rtl-all=stdout -fdump-ipa-all=- -fopt-info a.c": "",
    "-c -fopt-info-all=stderr -fdiagnostics-format=json -Wa,-adhln a.c": "",
  }));

Deno.test("auxiliaryOf() names files as clang does", () =>
  assertFiles({
    "-c --coverage src/a.c -o d/x.o": "d/x.gcno",
    "-c -fstack-usage src/a.c": "a.su",
    "-c -g -gsplit-dwarf a.c -o /dev/null": "/dev/null.dwo",
    "-c -save-temps src/a.c -o d/x.o": "a.bc a.i a.ii a.mi a.mii a.s a.tmp.bc",
    "-c -save-stats=obj src/a.c -o d/x.o": "d/a.stats",
    "-c -ftime-trace a.c -o d/x.o": "d/x.json",
    "-c -ftime-trace=t a.c": "t",
    "-c -ftime-trace-granularity=1 a.c": "",
    "-c -foptimization-record-file=r a.c": "r",
    "-c -MJ mj -serialize-diagnostics d a.c": "d mj",
  }, "clang"));

Deno.test("auxiliaryOf() gives dumps whose numbers nobody knows as families", () => {
  const members = (command: string, ...names: string[]) => {
    const { families } = read(command);
    return names.filter((name) =>
      families.some(({ prefix, rest }) =>
        name.startsWith(prefix) && rest.test(name.slice(prefix.length))
      )
    ).join(" ");
  };
  const names = ["d/x.c.005t.original", "d/x.c.015t.cfg.dot", "d/x.c.h", "d/x.c.eg.dot", "d/x.c."];
  const passes = "d/x.c.005t.original d/x.c.015t.cfg.dot";
  for (const option of ["-fdump-tree-all", "-fdump-rtl-expand", "-fdump-ipa-all-details", "-da"]) {
    assertEquals(members(`-c ${option} a.c -o d/x.o`, ...names), passes, option);
  }
  assertEquals(members("-c -fdump-analyzer-callgraph a.c -o d/x.o", ...names), "d/x.c.eg.dot");
  assertEquals(members("-c -fdump-tree-all=f -fstack-usage a.c -o d/x.o", ...names), "");
  assertEquals(members("-c -fdump-tree-all a.c", "a.c.1t.x/y", "a.c.1t.", "a.c.t.x"), "");
});

Deno.test("auxiliaryOf() says when it cannot tell", () => {
  for (const option of ["-fdump-ada-spec-slim", "-fcompare-debug", "-fproc-stat-report=f"]) {
    assertEquals(read(`-c ${option} a.c`).unknown, true, option);
  }
  assertEquals(read("-c -fproc-stat-report -save-temps a.c").unknown, false);
});

Deno.test("auxiliaryOf() knows what is read again", () => {
  assertEquals(read("-c -save-temps -fstack-usage a.c").readAgain.includes("a.s"), true);
  assertEquals(read("-c -save-temps -fstack-usage a.c").readAgain.includes("a.su"), false);
});

Deno.test("dependFileOf() names the file for the output, or as other files", () => {
  const cases: Record<string, string> = {
    "-c -MD src/a.c": "a.d",
    "-c -MD a.c -o d/x.y.o": "d/x.y.d",
    "-c -MD a.c -o x": "x.d",
    "-c -MD a.c -o d/.o": "d/.d",
    "-S -MD a.c -o -": "-.d",
    "-c -MD a.c -dumpbase q.r": "q.r.d",
    "-c -MD a.c -dumpdir p-": "p-a.d",
    "-c -MD a.c -dumpdir p- -o d/x.o": "d/x.d",
  };
  for (const [command, expected] of Object.entries(cases)) {
    assertEquals(dependFileOf(lineOf(command, "gcc")), expected, command);
  }
});
