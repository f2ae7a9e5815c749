/** Shapes of command lines, each run by the compiler and by llamacc in equal folders. */
import { assert, assertEquals } from "@std/assert";
import { BIN, compare, useBuildCloud, writeFiles } from "./build_cloud.ts";

const cloud = useBuildCloud();

const FILES = {
  "a.c": '#include "a.h"\nint a(void) { return A; }\n',
  "a.h": "#ifndef A\n#define A 1\n#endif\n",
  "bad.c": "int b(void) { int u; return xx; }\n",
  "warn.c": "int c(void) { int unused; return 2; }\n",
  "x.cc": "int x(int y) { return y; }\n",
  "sub/a.c": "int sub_a(void) { return 3; }\n",
  "inc/i.h": "#define I 7\n",
  "i.c": "#include <i.h>\nint i(void) { return I; }\n",
  "listed.s": "\t.text\n\t.globl s\ns:\tret\n",
  "l.o": "",
};

const COMPILERS = [{ cc: "gcc", cxx: "g++" }, { cc: "clang", cxx: "clang++" }];

interface Shape {
  readonly script: string;
  /** Compilations elsewhere. */
  readonly remote: number;
  /** Runs here, by reason. */
  readonly local?: Readonly<Record<string, number>>;
}

/** Runs all shapes as one script, each in a folder of its own. */
async function check(shapes: readonly Shape[], compilers = COMPILERS): Promise<void> {
  const files = Object.entries(FILES).map(([name, text]) => [`src/${name}`, text]);
  const script = shapes.map(({ script }, index) => `cp -r src ${index}; (cd ${index}; ${script})`);
  for (const { cc, cxx } of compilers) {
    await cloud.stats("zero");
    await compare(cloud, {
      script: script.join("; "),
      files: Object.fromEntries(files),
      local: { cc, cxx },
      env: { LLAMACC_LOCAL_CC: cc, LLAMACC_LOCAL_CXX: cxx },
    });
    const expected: Record<string, number> = {};
    for (const [reason, count] of shapes.flatMap(({ local = {} }) => Object.entries(local))) {
      expected[reason] = (expected[reason] ?? 0) + count;
    }
    const { remote, local, fallback } = await cloud.stats();
    assertEquals({ remote, local, fallback }, {
      remote: shapes.reduce((sum, shape) => sum + shape.remote, 0),
      local: expected,
      fallback: {},
    }, cc);
  }
}

Deno.test("llamacc compiles each source of a command on its own", () =>
  check([
    { script: "$CC -c -Wall bad.c warn.c a.c; echo $?", remote: 3 },
    { script: "$CC -S -O1 a.c warn.c && $CC -c -g -MD a.c warn.c sub/../i.c -Iinc", remote: 5 },
    {
      script: "$CC -c -x c++ a.c -x none x.cc warn.c -x c sub/a.c -DQ -o; echo $?",
      remote: 0,
      local: { "missing-value": 1 },
    },
    {
      script:
        "cp a.c a.cc; cp warn.c warn.cc; $CC -x c++ -c a.c -xnone x.cc -x c warn.c; $CXX -c x.cc -S a.cc warn.cc",
      remote: 6,
    },
    { script: "$CC -fsyntax-only -Wall warn.c bad.c; echo $?", remote: 2 },
    {
      script:
        "$CC -c a.c sub/a.c; $CC -c -o q.o a.c warn.c; $CC -c -MD -MF d a.c warn.c; $CC -c a.c warn.c l.o",
      remote: 0,
      local: { "several-sources": 4 },
    },
  ]));

Deno.test("llamacc reads response files", () =>
  check([
    {
      script:
        `printf '%s\\n' '-O2 "-DA=4" -DB='"'a b'"' -c' > args; echo '@args -o "o u t.o"' > more; ` +
        "$CC @args a.c; $CC a.c @more; $CC @more -g a.c",
      remote: 3,
    },
    {
      script:
        "echo '-c a.c' > sub/args; echo @sub/args > top; $CC @top -MD; cd sub; $CC -c @none a.c; echo $?",
      remote: 1,
      local: { "no-such-source": 1 },
    },
    { script: "echo 'a.c warn.c -Wall' > files; $CC -c @files -g", remote: 2 },
    {
      script: "mkdir d; $CC -c a.c @d; echo $?; printf '\\377' > odd; $CC -c a.c @odd; echo $?",
      remote: 0,
      local: { "response-file": 2 },
    },
    {
      script:
        "printf 'a.c -DA=\\\\\\n5' > args; $CC -c @args; printf '\"-DA=6' > open; $CC -c a.c @open",
      remote: 2,
    },
  ]));

Deno.test("llamacc hands words on to the compiler's programs", () =>
  check([
    {
      script: "$CC -c -Wp,-MMD,d1 a.c; $CC -c -Wp,-DA=3 -Wp,-UQ a.c -o d.o; $CC -c -Wp,-I,inc i.c",
      remote: 3,
    },
    {
      script:
        "$CC -c -Xpreprocessor -DA=3 a.c; $CC -c -Wa,-I,inc a.c -o b.o; $CC -c -Xassembler -I -Xassembler inc a.c -o c.o",
      remote: 3,
    },
    { script: "$CC -c -Wa,--noexecstack a.c; $CC -c -Wa,--no-such a.c -o n.o; echo $?", remote: 2 },
  ]));

Deno.test("llamacc fetches what the assembler of GCC writes", () =>
  check([
    {
      script:
        "$CC -pipe -c -Wa,--MD,d a.c; $CC -c -save-temps=obj a.c -o sub/q.o -Wa,-adhln=list; true",
      remote: 2,
    },
    {
      script:
        "$CC -c -Wp,-MD,d1,-MT,other a.c; $CC -c -Wp,-MD -Wp,d2 a.c; $CC -c -Xpreprocessor -MD -Xpreprocessor d3 a.c",
      remote: 3,
    },
  ], COMPILERS.slice(0, 1)));

Deno.test("llamacc knows words for clang's own front end", () =>
  check([
    {
      script:
        "$CC -c -Xclang -Wall -Xclang -disable-llvm-passes warn.c; $CC -c -Xclang -emit-llvm-bc a.c -o p",
      remote: 1,
      local: { "clang-options": 1 },
    },
    {
      script:
        "$CC -c -emit-llvm a.c; $CC -S -emit-llvm a.c; $CC -c -MJ j.json a.c; $CC -c -mllvm -x86-asm-syntax=intel a.c",
      remote: 4,
    },
    {
      script:
        "$CC -target x86_64-linux-gnu -c a.c; $CC -c -serialize-diagnostics d warn.c; $CC -c -- a.c",
      remote: 3,
    },
  ], COMPILERS.slice(1)));

Deno.test("llamacc leaves files for the linker to the driver's words", () =>
  check([
    { script: "$CC -c a.c l.o -lm; ar rc lib.a; $CC -c lib.a a.c -o q.o", remote: 2 },
    {
      script: "$CC -c a.c none.o; echo $?; $CC -c l.o; $CC -c README",
      remote: 0,
      local: { "no-such-source": 1, "no-source": 2 },
    },
  ]));

Deno.test("llamacc knows long spellings", () =>
  check([
    {
      script:
        "$CC --compile --output=q.o --include=a.h --define-macro=X --include-directory=inc i.c",
      remote: 1,
    },
    {
      script:
        "$CC --assemble --output q.s --include a.h --define-macro X --include-directory inc i.c",
      remote: 1,
    },
    {
      script: "$CC --language=c++ --compile a.c; $CC -c --language c++ warn.c --write-dependencies",
      remote: 2,
    },
    {
      script: "$CC --preprocess a.c; $CC --dependencies a.c",
      remote: 0,
      local: { "preprocess-only": 1, "depend-only": 1 },
    },
  ]));

Deno.test("llamacc knows what is made where modes are combined", () =>
  check([
    { script: "$CC -S -o - a.c; $CC -S -MD -MF d -o - a.c; $CC -c -S a.c", remote: 3 },
    {
      script:
        "$CC -fsyntax-only -Wall warn.c; $CC -fsyntax-only -c -MD a.c -o x.o; echo old > y.o; $CC -fsyntax-only -c a.c -o y.o",
      remote: 3,
    },
    {
      script: "$CC -E -c a.c; $CC -M -c a.c; $CC -S -o - -MD a.c; $CC -fsyntax-only -MD a.c",
      remote: 1,
      local: { "preprocess-only": 1, "depend-only": 1, "link": 1 },
    },
  ]));

Deno.test("llamacc --explain tells the decision and the guess, and compiles nothing", async () => {
  await cloud.stats("zero");
  await writeFiles(cloud.work, FILES);
  const explained = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const { code, stdout, stderr } = await cloud.run(["llamacc", ...args], { env });
    assertEquals([code, stderr], [0, ""]);
    return stdout;
  };
  const text = await explained(["--explain", "-c", "-MD", "-iquote", "inc", "a.c", "-o", "q.o"]);
  for (
    const line of [
      /^decision +remote$/m,
      /^command +cc -c -MD -iquote inc a\.c -o q\.o$/m,
      /^compiler +\/usr\/bin\/cc, with the options of gcc$/m,
      /^source +a\.c \(c\)$/m,
      /^output +q\.o$/m,
      /^depends +q\.d$/m,
      /^search "x" +.*\/work\/inc$/m,
      /^search <x> +\/usr\/include$/m,
      /^inputs +3 files, 1 of the toolchain$/m,
      /^ +.*\/work\/a\.h$/m,
      /^ +\/usr\/include\/stdc-predef\.h \(toolchain\)$/m,
      /^toolchain +[\d,]+ files, [\d,]+ bytes, (?:in the store|to be sent once)$/m,
      /^to send +\d files?, [\d,]+ bytes$/m,
    ]
  ) assert(line.test(text), `${line} in:\n${text}`);
  assert(!await exists(`${cloud.work}/q.o`));

  const json = JSON.parse(await explained(["--explain=json", "-c", "a.c", "warn.c"]));
  assertEquals([json.decision, json.args], ["remote", ["-c", "a.c", "warn.c"]]);
  const outputs = json.units.map((unit: { output: string }) => unit.output.split("/").pop());
  assertEquals(outputs, ["a.o", "warn.o"]);

  const reasons: readonly (readonly [readonly string[], Record<string, string>, string])[] = [
    [["-E", "a.c"], {}, "preprocess-only"],
    [[], {}, "no-source"],
    [["-c", "a.c", "-o", "/dev/tty"], {}, "special-output"],
    [["-c", "a.c"], { LLAMACC_LOCAL: "1" }, "LLAMACC_LOCAL"],
    [["-c", "a.c"], { SUNPRO_DEPENDENCIES: "d" }, "SUNPRO_DEPENDENCIES"],
  ];
  for (const [args, env, reason] of reasons) {
    const local = await explained(["--explain", ...args], env);
    assertEquals(local.split("\n")[0], `decision    local: ${reason}`);
    assert(/^why {9}\w.{20}/m.test(local), local);
    const { why, units } = JSON.parse(await explained(["--explain=json", ...args], env));
    assertEquals([typeof why, units], ["string", []]);
  }
  const { remote, rounds, local, fallback } = await cloud.stats();
  assertEquals({ remote, rounds, local, fallback }, {
    remote: 0,
    rounds: 0,
    local: {},
    fallback: {},
  });
});

Deno.test("llamacc takes --explain as the first argument only", async () => {
  await writeFiles(cloud.work, FILES);
  const { code, stdout, stderr } = await cloud.run(["llamacc", "-c", "a.c", "--explain"]);
  const here = await cloud.run(["cc", "-c", "a.c", "--explain"]);
  assertEquals([code, stdout, stderr], [here.code, here.stdout, here.stderr]);
  assert(await exists(`${BIN}/llamacc`));
});

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
