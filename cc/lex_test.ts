import { assertEquals } from "@std/assert";
import { nameHash } from "./defined_names.ts";
import { scan } from "./lex.ts";

const names = (text: string) =>
  scan(text).map(({ name, quoted, next }) =>
    `${next ? "next " : ""}${quoted ? `"${name}"` : `<${name}>`}`
  );

Deno.test("scan() finds every form of include", () => {
  assertEquals(
    names(
      '#include <a.h>\n  #  include "b.h"\n#include_next <c.h>\n#import "d.h"\n%:include <e.h>\n',
    ),
    ["<a.h>", '"b.h"', "next <c.h>", '"d.h"', "<e.h>"],
  );
});

Deno.test("scan() finds what __has_include asks for", () => {
  assertEquals(names('#if __has_include(<a.h>) || defined X\n#elif __has_include("b.h")\n#endif'), [
    "<a.h>",
    '"b.h"',
  ]);
});

Deno.test("scan() takes no directive from inside a comment", () => {
  assertEquals(names("/* x\n#include <no.h>\n*/\n#include <a.h>\n// y \\\n#include <no2.h>\n"), [
    "<a.h>",
  ]);
});

Deno.test("scan() takes no directive from inside a raw string", () => {
  assertEquals(names('auto s = R"x(\n#include <no.h>\n)" )x";\n#include <a.h>\n'), ["<a.h>"]);
});

Deno.test("scan() is not misled by quotes, digit separators and comment marks in strings", () => {
  assertEquals(names('char q = \'"\'; const char *s = "/*";\n#include <a.h>\n'), ["<a.h>"]);
  assertEquals(names("int n = 1'000;\n#include <a.h>\n"), ["<a.h>"]);
});

Deno.test("scan() joins continued lines and comments within a directive", () => {
  assertEquals(names('#inc\\\nlude /* c */ <a.h>\n#include /* two\nlines */ "b.h"\n'), [
    "<a.h>",
    '"b.h"',
  ]);
});

Deno.test("scan() names the macro of a computed include", () => {
  const found = scan("#define H <a.h>\n#include H\n#include F(x)\n#include_next H\n#include 7\n");
  assertEquals(found.map(({ name, next, computed }) => [name, next, computed]), [
    ["H", false, true],
    ["F", false, true],
    ["H", true, true],
  ]);
});

Deno.test("scan() finds what the assembler takes, in its sources and in asm strings", () => {
  const found = scan('  .include "a.inc"\nx: .incbin\t"b.bin", 4\n#include "c.h"\n');
  assertEquals(found.map(({ name, assembled }) => `${assembled ? "." : ""}${name}`), [
    "c.h",
    ".a.inc",
    ".b.bin",
  ]);
  assertEquals(scan('asm(".incbin \\"b.bin\\"");\n').map(({ name }) => name), ["b.bin"]);
  assertEquals(scan('puts(".include");\nputs("x");\n'), []);
});

Deno.test("scan() finds a directive behind whatever may stand before it", () => {
  for (
    const before of [
      ...["", "\n", "  ", "\t", "\r\n", "\f", "/* c */", "/* c\nc */ ", "// c\n", "x;\n", "/*/ */"],
      ...[
        '/* " */',
        "// /*\n",
        "// it's\n",
        "\\\n",
        "#if 0\n",
        "#define X \\\n y\n",
        "/**/",
        "/***/\n",
      ],
      ...[
        'R"x"\n',
        "#define S(x) #x\n",
        "#define C a ## b\n",
        "??=define X\n",
        "%:define X\n",
        "#\n",
      ],
    ]
  ) {
    assertEquals(names(`${before}#include <a.h>\n`), ["<a.h>"], JSON.stringify(before));
  }
});

Deno.test("scan() joins a directive that comments and continued lines tear apart", () => {
  for (
    const text of [
      ...["#include<a.h>", "#\\\ninclude <a.h>", "#i\\\nnclude <a.h>", "#/* c */include <a.h>"],
      ...[
        "# /* c\nc */ include <a.h>",
        "#include \\\r\n <a.h>",
        '#include /* " */ <a.h> // c',
        "#\tinclude\t<a.h>",
      ],
    ]
  ) {
    assertEquals(names(text), ["<a.h>"], JSON.stringify(text));
  }
});

Deno.test("scan() takes nothing that only looks like a directive", () => {
  for (
    const text of [
      ...[
        "// #include <a.h>",
        "x #include <a.h>",
        "#define X \\\n#include <a.h>",
        "/*\n#include <a.h>",
      ],
      ...[
        "/*\n * #include <a.h>\n#include <b.h>\n*/",
        '"\\\n#include <a.h>"',
        "# define include <a.h>",
      ],
      ...[
        "#ifdef X\n#endif <a.h>",
        "#includes <a.h>",
        "##include <a.h>",
        "// c \\\n#include <a.h>",
      ],
    ]
  ) {
    assertEquals(names(text), [], JSON.stringify(text));
  }
});

Deno.test("scan() ends on unterminated input", () => {
  for (const text of ["/*", '"', "'", 'R"(', "#include", "#include <", "#include /*", "\\"]) {
    assertEquals(names(text), []);
  }
});

Deno.test("scan() tells what must be defined for an include to be reached", () => {
  const needs = (text: string) => scan(text).map((include) => include.needs);
  const of = (...lists: string[][]) => [lists.map((list) => list.map((name) => nameHash(name)))];
  const include = "#include <a.h>\n";
  for (
    const [text, expected] of [
      [include, [undefined]],
      [`#ifndef H\n#define H\n${include}#endif\n`, [undefined]],
      [`#ifdef X\n${include}#endif\n`, of(["X"])],
      [`# if X && Y\n${include}# endif\n`, of(["X"], ["Y"])],
      [`#ifdef X\n#else\n${include}#endif\n`, [undefined]],
      [`#ifndef X\n#else\n${include}#endif\n`, of(["X"])],
      [`#ifdef X\n#elif Y\n${include}#endif\n`, of(["Y"])],
      [`#ifdef X\n#if Y\n#endif\n#ifdef Z\n${include}#endif\n#endif\n`, of(["X"], ["Z"])],
      [`#ifdef X\n#endif\n${include}`, [undefined]],
      [`#if X || \\\n Y\n${include}#endif\n`, of(["X", "Y"])],
      // Two ways to the same file, of which one needs nothing, or another thing.
      [`#ifdef X\n${include}#endif\n${include}`, [undefined]],
      [`#ifdef X\n${include}#endif\n#ifdef Y\n${include}#endif\n`, [undefined]],
      // A word in a comment that looks like a conditional, and ends that are none.
      [`/*\n#ifdef X\n*/\n${include}`, [undefined]],
      [`#endif\n#ifdef X\n${include}#endif\n`, [undefined]],
      [`#else\n#ifdef X\n${include}#endif\n`, [undefined]],
      [`#ifdef X\n${include}`, [undefined]],
      // The text has to be walked.
      [`#ifdef X\n/**/ ${include}#endif\n`, [undefined]],
    ] as const
  ) {
    assertEquals(needs(text), [...expected], text);
  }
});

Deno.test("scan() tells what may be defined", () => {
  const defined = (text: string) => {
    const hashes = new Set<number>();
    scan(text, (hash) => hashes.add(hash));
    return ["A", "B", "C"].filter((name) => hashes.has(nameHash(name)));
  };
  assertEquals(defined("#define A 1\n # define B(x) C\n#undef C\n#ifdef C\n#endif\n"), ["A", "B"]);
  assertEquals(defined("#if 0\n#define A\n#endif\nint C;\n"), ["A"]);
  for (const define of ["%:define A", "??=define A", "#/**/define A", "#d\\\nefine A"]) {
    assertEquals(defined(`${define} 1\n`), ["A"], define);
  }
  assertEquals(defined('#define A\nauto x = R"(\n)"\n/**/ #define B\n#define C'), ["A", "B", "C"]);
});
