import { assertEquals } from "@std/assert";
import { headerMacrosIn, headerMacrosOf, macrosDefinedBy } from "./header_macros.ts";

Deno.test("headerMacrosIn() finds what is defined as a header, each way once", () => {
  const text = [
    '#define A "a.h"',
    "  # define B <in/b.h> // words",
    "#define C \\",
    '  "c.h"',
    '#define A "other.h"',
    '#define A "a.h"',
    '#define F(x) "f.h"',
    "#define N 1",
    'x #define X "x.h"',
    "%:define P <p.h>",
  ].join("\n");
  assertEquals([...headerMacrosIn(text)], [
    ["A", [{ name: "a.h", quoted: true }, { name: "other.h", quoted: true }]],
    ["B", [{ name: "in/b.h", quoted: false }]],
    ["C", [{ name: "c.h", quoted: true }]],
    ["P", [{ name: "p.h", quoted: false }]],
  ]);
});

Deno.test("headerMacrosOf() reads -D, joined or not", () => {
  const option = (argument: string, value?: string) => ({ argument, value });
  const macros = headerMacrosOf([
    option('-DA="a.h"'),
    option("-D", "B=<b.h>"),
    option("-DN=1"),
    option("-D", "X"),
    option('-UC="c.h"'),
    option('--define-macro=E="e.h"'),
  ]);
  assertEquals([...macros], [
    ["A", [{ name: "a.h", quoted: true }]],
    ["B", [{ name: "b.h", quoted: false }]],
    ["E", [{ name: "e.h", quoted: true }]],
  ]);
});

Deno.test("macrosDefinedBy() reads -D in each form", () => {
  const option = (argument: string, value?: string) => ({ argument, value });
  const names = macrosDefinedBy([
    option("-DA"),
    option("-DB=1"),
    option("-D", "C"),
    option("-D", "D=<d.h>"),
    option("-DE(x)=x"),
    option("--define-macro=F"),
    option("--define-macro", "G=2"),
    option("-UH"),
    option("-I", "I"),
  ]);
  assertEquals(names, ["A", "B", "C", "D", "E", "F", "G"]);
});
