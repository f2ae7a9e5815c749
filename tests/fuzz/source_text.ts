/** Texts of sources and headers, right and wrong ones. */
import type { Random } from "./random.ts";

/** What a text may name. */
export interface Surroundings {
  /** Headers as `#include` may spell them. */
  readonly headers: readonly string[];
  /** Makes the names of this text differ from those of others. */
  readonly tag: string;
}

/** Pieces for C and C++ alike; `@` is the tag. */
const COMMON = [
  "int f_@(int x) { return x * 3 + __LINE__; }",
  "static int unused_@(void) { return 1; }",
  "const char *file_@ = __FILE__;",
  "const char *base_@ = __BASE_FILE__;",
  "int counter_@[] = {__COUNTER__, __COUNTER__, __INCLUDE_LEVEL__};",
  "#ifdef FOO\nint foo_@ = sizeof(#FOO);\n#endif",
  "#ifdef FOO\nint foo_@ = FOO;\n#else\nint nofoo_@;\n#endif",
  "#ifdef BAR\nconst char *bar_@ = BAR;\n#endif",
  "#if defined __OPTIMIZE__ && !defined NDEBUG\nint optimized_@ = 1;\n#endif",
  '#pragma GCC diagnostic ignored "-Wunused"\nstatic int ignored_@;',
  "#define TWICE_@(x) ((x) + (x))\nint twice_@ = TWICE_@(4);",
  "#define STRING_@(x) #x\nconst char *string_@ = STRING_@(a \"b\" 'c' \\n);",
  "int long_@ = 1 \\\n  + 2 \\\n  + 3;",
  'struct s_@ { int a; char b[12]; struct s_@ *next; } v_@ = {1, "ab", 0};',
  "union u_@ { double d; long l; }; union u_@ w_@;",
  "enum e_@ { A_@, B_@ = 7, C_@ }; enum e_@ x_@ = C_@;",
  "__thread int thread_@;",
  "int loop_@(int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i] * i; return s; }",
  "int switch_@(int x) { switch (x) { case 1: return 5; case 2: return 9; case 3: return 2; case 4: return 8; case 5: return 1; default: return 0; } }",
  "int call_@(int (*g)(int)) { return g(1) + g(2); }",
  "double real_@(double x) { return x * 1.5 / 3 + (float)x; }",
  "extern int other_@; int *address_@(void) { return &other_@; }",
  '__attribute__((section(".odd"))) int section_@ = 4;',
  "__attribute__((noinline)) static int deep_@(int x) { return x > 9 ? x : deep_@(x + 1) * 2; }\nint start_@(int x) { return deep_@(x); }",
  'const char *utf_@ = "äöü€😀";',
  "int größe_@ = 3;",
  '#line 77 "else where.c"\nint line_@ = __LINE__;',
  '__asm__(".globl sym_@\\nsym_@:");',
  "/* a comment\n   of lines */ int after_@; // and another",
  "long big_@[2000];",
  "int tern_@(int a, int b) { return a ?: b; }",
  '#if 0\n#include "never.h"\n#endif',
  "#undef FOO\n#define FOO 12\nint redefined_@ = FOO;",
] as const;

/** Pieces that are warned about, at times. */
const WARNED = [
  "int shadow_@(int x) { int y; { int x = 3; } return y; }",
  "int unused_var_@(void) { int x; return 1; }",
  "int missing_@(int x) { if (x) return 1; }",
  "#warning something odd in @",
  "#pragma nonsense @",
  '#pragma message "said by @"',
  "unsigned sign_@(int a, unsigned b) { return a < b; }",
  "char trunc_@ = 300;",
  "int paren_@(int a) { if (a = 3) return 1; return 0; }",
  "#define FOO again_@",
  'int format_@(void) { return __builtin_printf("%d %s\\n", "x", 3); }',
  "#endif_@",
  "int slash_@; /* /* */",
  "int oflow_@ = 2147483647 + 1;",
  '#ident "ident @"',
] as const;

const ERRORS = [
  "#error stop at @",
  "int bad_@ = ;",
  "int undeclared_@(void) { return nothing_@; }",
  '#include "missing_@.h"',
  "#include <missing/@.h>",
  "}",
  "#if 1",
  "#else",
  "int twice_@; char twice_@;",
  "#include",
  'int "string";',
  '_Static_assert(sizeof(int) == 3, "no @");',
  "int caf\u00e9_@ = caf_@;",
] as const;

const C_ONLY = [
  "#include <stddef.h>\nsize_t size_@ = sizeof(ptrdiff_t);",
  "#include <stdint.h>\nuint16_t half_@ = UINT16_C(7);",
  '#include <stdio.h>\nvoid say_@(void) { printf("%s %d\\n", __func__, __LINE__); }',
  "#include <limits.h>\nint max_@ = INT_MAX;",
  "#include <stdarg.h>\nint va_@(int n, ...) { va_list l; va_start(l, n); n = va_arg(l, int); va_end(l); return n; }",
  '#include <string.h>\nint eq_@(const char *a) { return strcmp(a, "x") == 0; }',
  "int vla_@(int n) { int a[n]; a[0] = n; return a[0]; }",
  "int old_@(a) int a; { return a; }",
  "struct { int x, y; } designated_@ = {.y = 2};",
  "int implicit_@(void) { return undeclared_function_@(3); }",
  "_Complex double complex_@;",
] as const;

const CXX_ONLY = [
  "template <class T> T id_@(T t) { return t; }\ntemplate int id_@<int>(int);",
  "namespace n_@ { inline int g(int x = 3) { return x; } struct V { virtual ~V(); virtual int m() const { return 1; } }; V::~V() {} }",
  "auto lambda_@ = [](int x) { return x + 1; };",
  "int throw_@(int x) { try { if (x) throw 3; } catch (int e) { return e; } return 0; }",
  "#include <cstddef>\nstd::size_t size_@ = 3;",
  "#include <utility>\nstd::pair<int, char> pair_@{1, 'a'};",
  "struct C_@ { C_@(); ~C_@(); int a = 3; } c_@;",
  "constexpr int fact_@(int n) { return n < 2 ? 1 : n * fact_@(n - 1); }\nstatic_assert(fact_@(4) == 24);",
  "inline int inl_@ = 4; int use_@ = inl_@;",
  "int over_@(int); double over_@(double); auto o_@ = over_@(1.5);",
  "thread_local int tl_@ = f_tl_@;",
] as const;

const ASSEMBLER = [
  "\t.text\n\t.globl g_@\ng_@:\tret",
  "#define VALUE_@ 42\n\t.data\n\t.long VALUE_@",
  "#ifdef FOO\n\t.long FOO\n#endif",
  '\t.section .rodata\n\t.string "@ ä"',
  "/* comment */\t.byte 1, 2, 3",
  "\t.macro m_@ x\n\t.long \\x\n\t.endm\n\tm_@ 5",
  "\t.nonsense_@",
  '\t.incbin "data.bin"',
  '\t.include "missing_@.inc"',
  '# 1 "elsewhere.S"\n\t.long 7',
] as const;

/** A text in C, C++ or assembler for the preprocessor. */
export function makeText(
  random: Random,
  language: "c" | "c++" | "assembler",
  { headers, tag }: Surroundings,
): string {
  const lines: string[] = [];
  const pool: readonly string[] = language === "assembler"
    ? ASSEMBLER
    : [...COMMON, ...COMMON, ...(language === "c" ? C_ONLY : CXX_ONLY)];
  for (let left = 1 + random.int(6); left > 0; left--) {
    if (headers.length > 0 && random.chance(0.35)) lines.push(inclusion(random, headers, tag));
    else if (language !== "assembler" && random.chance(0.12)) lines.push(random.pick(WARNED));
    else lines.push(random.pick(pool));
  }
  if (language !== "assembler" && random.chance(0.08)) {
    lines.splice(random.int(lines.length + 1), 0, random.pick(ERRORS));
  }
  if (random.chance(0.03)) lines.push(`const char *when_@ = __TIMESTAMP__;`);
  if (random.chance(0.02)) lines.push(`const char *now_@ = __DATE__ __TIME__;`);
  return shape(random, lines.join("\n").replaceAll("@", tag));
}

/** A header's text. */
export function makeHeader(
  random: Random,
  { headers, tag }: Surroundings,
): string {
  const guard = random.weighted([[5, ""], [5, "once"], [5, "guard"]]);
  const pool = [
    "static inline int h_@(int x) { return x + __LINE__; }",
    "struct hs_@ { int a; char b; };",
    "#define H_@ 5",
    "extern int hx_@;",
    "typedef unsigned ht_@;",
    "#define WHERE_@ __FILE__",
    "#ifndef FOO\n#define FOO 33\n#endif",
    '#if __has_include("absent_@.h")\n#include "absent_@.h"\n#endif',
    "#pragma GCC system_header",
    '#pragma GCC warning "header @"',
    "static int hs_unused_@;",
    "enum { HE_@ = sizeof(__FILE__) };",
  ];
  const lines: string[] = [];
  for (let left = 1 + random.int(3); left > 0; left--) {
    lines.push(
      headers.length > 0 && random.chance(0.25)
        ? inclusion(random, headers, tag)
        : random.pick(pool),
    );
  }
  const text = lines.join("\n").replaceAll("@", tag);
  if (guard === "once") return `#pragma once\n${text}\n`;
  if (guard === "guard") return `#ifndef GUARD_${tag}\n#define GUARD_${tag}\n${text}\n#endif\n`;
  return `${text}\n`;
}

function inclusion(random: Random, headers: readonly string[], tag: string): string {
  const header = random.pick(headers);
  return random.weighted([
    [12, `#include "${header}"`],
    [5, `#include <${header}>`],
    [2, `#include_next <${header}>`],
    [
      2,
      `#if __has_include("${header}")\n#include "${header}"\nint has_${tag}${
        random.int(99)
      };\n#endif`,
    ],
    [2, `#if __has_include(<${header}>)\n#include <${header}>\n#endif`],
    [2, `#define HEADER_${tag} "${header}"\n#include HEADER_${tag}`],
    [2, `#ifdef FOO\n#include "${header}"\n#endif`],
    [1, `#import "${header}"`],
    [1, `#include "./${header}"`],
    [1, `#  include /* odd */ "${header}" // spelled`],
    [1, `#if __has_include_next("${header}")\nint next_${tag}${random.int(99)};\n#endif`],
  ]);
}

function shape(random: Random, text: string): string {
  return random.weighted([
    [20, `${text}\n`],
    [1, text],
    [1, `${text}\n`.replaceAll("\n", "\r\n")],
    [1, `\ufeff${text}\n`],
    [1, `\n\n\f${text}\n\n`],
  ]);
}
