/**
 * What languages, variables and inputs do to a compilation: elsewhere and here, with gcc and with clang,
 * a script leaves the same files and says the same.
 */
import { assert, assertEquals } from "@std/assert";
import { findProgram } from "../cc/toolchain.ts";
import { realFiles } from "../daemon/real_files.ts";
import { run } from "../scripts/demo/tools.ts";
import { compare, useBuildCloud } from "./build_cloud.ts";

const cloud = useBuildCloud();

const isThere = (name: string) => findProgram(name, "/usr/bin:/bin", realFiles) !== undefined;
const COMPILERS = [{ cc: "gcc", cxx: "g++" }, { cc: "clang", cxx: "clang++" }]
  .filter(({ cc }) => isThere(cc));
const CROSS = [{ cc: "aarch64-linux-gnu-gcc", cxx: "aarch64-linux-gnu-g++" }]
  .filter(({ cc }) => isThere(cc));
const GCC = COMPILERS.filter(({ cc }) => cc === "gcc");
const CLANG = COMPILERS.filter(({ cc }) => cc === "clang");

/** A script that both run. */
interface Shape {
  readonly script: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Local runs by reason, none unless given; all others run elsewhere. */
  readonly local?: Readonly<Record<string, number>>;
  /** Runs that failed elsewhere by reason, none unless given. */
  readonly fallback?: Readonly<Record<string, number>>;
  /** What has to be there for it to be tried. */
  readonly needs?: string;
  readonly by?: typeof COMPILERS;
}

const FILES = {
  "a.c": `#include <stdio.h>
#include "a.h"
int f(float *x, int n) {
  for (int i = 0; i < n; i++) x[i] = x[i] * A + 1;
  return printf("%s", __FILE__);
}
`,
  "a.h": "#pragma once\\n#define A 3\\n".replaceAll("\\n", "\n"),
  "bad.c": "#define TWICE(x) (x + x)\nint f(void) { int unused; return TWICE(nothing); }\n",
  "b.c": "int b(int x) { return x > 3 ? x * 2 : x; }\nint main(void) { return b(0); }\n",
  "q.c": "#include <q.h>\nint q = Q;\n",
  "inc/q.h": "#define Q 2\n",
  "time.c": '#include "a.h"\nconst char *t = __TIMESTAMP__;\n#ifdef NOW\n' +
    "const char *n = __DATE__ __TIME__;\n#endif\n",
  "p.h": "#include <stdlib.h>\nstatic int p(int x) { return x + 7; }\n",
  "u.c": '#include "p.h"\nint u(int x) { return abs(p(x)); }\n',
  "v.c": "int v(int x) { return abs(p(x)); }\n",
  "o.m":
    "@interface O { int x; } - (int)get; @end\n@implementation O - (int)get { return x; } @end\n",
  "t.S": '#include "t.h"\n\t.globl t\nt:\tmov $V, %eax\n\tret\n\t.data\n' +
    'd:\t.incbin "sub/blob"\n\t.include "t.inc"\n',
  "t.h": "#define V 3\n",
  "t.inc": "\t.long 7\n",
  "sub/blob": "some bytes",
  "asm.c": '__asm__(".data\\n.incbin \\"sub/blob\\"");\nint x;\n',
  "id.c": "int grüße(void) { return ñ; }\n",
};

interface Group {
  readonly name: string;
  readonly shapes: Readonly<Record<string, Shape>>;
}

const groups: Group[] = [];

function group(name: string, shapes: Readonly<Record<string, Shape>>): void {
  groups.push({ name, shapes });
}

/** Registers all tests of one compiler, then those of the next, as a worker has no room for all of them. */
function register(): void {
  const all = [...COMPILERS, ...CROSS];
  for (const compilers of all) {
    for (const { name, shapes } of groups) {
      const tried = Object.entries(shapes).filter(([, { by = COMPILERS, needs }]) =>
        by.includes(compilers) && (needs === undefined || isThere(needs))
      );
      if (tried.length === 0) continue;
      Deno.test(`${name}, by ${compilers.cc}`, async (t) => {
        for (const [step, shape] of tried) await t.step(step, () => same(shape, compilers));
      });
    }
  }
}

async function same(
  { script, env = {}, local = {}, fallback = {} }: Shape,
  compilers: (typeof COMPILERS)[number],
): Promise<void> {
  await cloud.stats("zero");
  await compare(cloud, {
    script,
    files: FILES,
    local: compilers,
    env: { LLAMACC_LOCAL_CC: compilers.cc, LLAMACC_LOCAL_CXX: compilers.cxx, ...env },
  });
  const stats = await cloud.stats();
  assertEquals([stats.local, stats.fallback], [local, fallback]);
  const runs = Object.values({ ...local, ...fallback }).reduce((sum, count) => sum + count, 0);
  assert(stats.remote > 0 || runs > 0);
}

group("llamacc compiles for this machine's own processor", {
  "-march": { script: "$CC -O3 -g -march=native -c a.c" },
  "-mtune, and flags behind it": {
    script: "$CC -O3 -mtune=native -c a.c; $CC -O3 -march=native -mno-avx2 -S a.c -o b.s",
  },
  "all that GCC tells of its flags": {
    script: "$CC -O3 -march=native -frecord-gcc-switches -c a.c;" +
      " $CC -O3 -march=native -fverbose-asm -flto -ffat-lto-objects -frandom-seed=1 -S a.c",
    by: GCC,
  },
  "a response file": { script: "echo -march=native >flags; $CC -O3 @flags -c a.c", by: GCC },
  "a command that clang records": {
    script: "$CC -g -grecord-command-line -march=native -c a.c",
    local: { "native-processor": 1 },
    by: CLANG,
  },
  "a cross compiler, which has none": {
    script: "$CC -O3 -mcpu=native -c b.c",
    local: { "native-processor": 1 },
    by: CROSS,
  },
});

group("llamacc uses a precompiled header if the compiler would", {
  // What is precompiled holds times, and of gcc is never the same twice: it does not stay.
  "one beside the header": {
    script: "gcc -g -O2 p.h -o p.h.gch; $CC -g -O2 -Winvalid-pch -c u.c; " +
      "$CC -g -O2 -include p.h -c v.c; $CC -O1 -Winvalid-pch -c u.c -o w.o; rm p.h.gch",
    by: GCC,
  },
  "one without the header": {
    script: "gcc -O2 p.h -o inc/p.h.gch; rm p.h; $CC -O2 -Iinc -include p.h -c v.c; rm inc/*.gch",
    by: GCC,
  },
  "a folder of one": {
    script: "mkdir p.h.gch; gcc -g p.h -o p.h.gch/x; $CC -g -c u.c; rm -r p.h.gch",
    by: GCC,
  },
  "a folder of several, whose order decides": {
    script: "mkdir p.h.gch; gcc -g p.h -o p.h.gch/x; gcc -O2 p.h -o p.h.gch/y; " +
      "$CC -g -Winvalid-pch -c u.c; rm -r p.h.gch",
    local: { "precompiled-headers": 1 },
    by: GCC,
  },
  "clang's own": {
    script: "clang -g -O2 p.h -o p.h.pch; $CC -g -O2 -include p.h -c v.c; " +
      "$CC -g -O2 -include-pch p.h.pch -c v.c -o w.o; echo >>p.h; $CC -include-pch p.h.pch -c v.c; rm p.h.pch",
    by: CLANG,
  },
});

const SEEDED = "-O2 -frandom-seed=b";
group("llamacc reads and writes profiles as the compiler does", {
  "instrumented": {
    script: `$CC ${SEEDED} -fprofile-generate -c b.c; $CC ${SEEDED} --coverage -c b.c -o c.o; ` +
      `$CC ${SEEDED} -fprofile-arcs -ftest-coverage -c b.c -o sub/d.o`,
  },
  "used by gcc": {
    script: `gcc ${SEEDED} -fprofile-generate -c b.c && gcc -fprofile-generate b.o -o b && ./b; ` +
      "$CC -O2 -fprofile-use -c b.c; $CC -O2 -fprofile-use=b.gcda -Wmissing-profile -c b.c -o c.o; " +
      "$CC -O2 -fbranch-probabilities -c b.c; " +
      "rm b b.gcda; $CC -O2 -fprofile-use -Wmissing-profile -c b.c -o d.o",
    by: GCC,
  },
  "used by clang": {
    script: 'printf "b\\n10\\n2\\n5\\n3\\n\\n" >p.txt; llvm-profdata-14 merge -o p.prof p.txt; ' +
      "$CC -O2 -fprofile-instr-use=p.prof -c b.c; $CC -O2 -fprofile-use=p.prof -c b.c -o c.o",
    needs: "llvm-profdata-14",
    by: CLANG,
  },
  "samples and lists": {
    script: 'printf "b:100:10\\n 1: 30\\n" >s.txt; $CC -O2 -g -fprofile-sample-use=s.txt -c b.c; ' +
      "echo fun:b >list; $CC -fsanitize=address -fsanitize-ignorelist=list -c b.c -o c.o",
    by: CLANG,
  },
});

group("llamacc assembles as the compiler does", {
  ".S, with what it includes": {
    script: "$CC -c t.S; $CC -g -MD -c t.S -o u.o; $CC -gdwarf-4 -gz -c t.S -o v.o",
  },
  ".incbin in a string of C": {
    script: "$CC -O2 -c asm.c; rm sub/blob; $CC -fsyntax-only asm.c",
  },
  ".s": {
    script: "$CC -E t.S -o t.s; $CC -g -c t.s",
    env: { LLAMACC_REMOTE_ASSEMBLE: "1" },
    local: { "preprocess-only": 1 },
  },
  "Objective-C": {
    script: "$CC -g -c o.m; cp o.m p.mm; $CC -c p.mm; $CC -x objective-c -c a.c",
    ...(isThere("/usr/lib/gcc/x86_64-linux-gnu/12/cc1obj") ? {} : { by: CLANG }),
  },
});

const ZONES = ["Europe/Berlin", ":America/New_York", "Asia/Kolkata", "EST5EDT", "None/Such", ""];
group("llamacc knows the times and the time zone of this machine", {
  "in many zones": {
    script: "touch -d '2001-04-02 12:00Z' time.c; touch -d '1985-07-02Z' a.h; $CC -c time.c; " +
      ZONES.map((zone, index) => `TZ=${zone} $CC -c time.c -o ${index}.o`).join("; "),
  },
  "by SOURCE_DATE_EPOCH": {
    script: "touch -d @0 time.c; for epoch in 0 1000000000 bad; do " +
      "SOURCE_DATE_EPOCH=$epoch TZ=Asia/Tokyo $CC -DNOW -c time.c -o $epoch.o; done",
    by: GCC,
  },
});

group("llamacc converts character sets", {
  "those of libc, and none": {
    script: "printf 'const char *s = \"\\344\\374\";\\n' >l.c; for set in latin1 CP1252 EUC-JP " +
      "UTF-8 UTF-16LE; do $CC -finput-charset=latin1 -fexec-charset=$set -c l.c -o $set.o; " +
      "$CC -finput-charset=$set -c l.c -o in-$set.o; done",
  },
});

const one = (variable: string, command = "$CC -c q.c") => `${variable} ${command}`;
const PROC_FOLDER = "TMPDIR=/proc/version $CC -c a.c; TMP=/proc/version $CC -g -c t.S";

group("llamacc passes on the variables that a compiler reads", {
  "search paths": {
    script: [
      one("CPATH=inc"),
      one("C_INCLUDE_PATH=inc"),
      one("CPATH="),
      "cd sub",
      one("CPATH=../inc:", "$CC -c ../q.c"),
      one("CPLUS_INCLUDE_PATH=../inc", "$CXX -c ../q.c -o p.o"),
      one("OBJC_INCLUDE_PATH=../inc", "$CC -x objective-c -c ../q.c -o o.o"),
    ].join("; "),
  },
  "folders for temporary files": {
    script: 'for folder in sub "$PWD/sub" /none ""; do ' +
      "TMPDIR=$folder $CC -c a.c; TMP=$folder $CC -g -c t.S; done",
  },
  "a file of /proc as such a folder": { script: PROC_FOLDER, by: CLANG },
  "a file of /proc as such a folder, which GCC asks about": {
    script: PROC_FOLDER,
    // What stands there is the worker's own.
    fallback: { Unproved: 2 },
    by: GCC,
  },
  "locales": {
    script: "for locale in C C.UTF-8 POSIX xx_XX.UTF-8; do LC_ALL=$locale $CC -c id.c; " +
      "LC_CTYPE=$locale $CC -c bad.c; LC_MESSAGES=$locale LANG=C.UTF-8 $CC -c id.c; done",
  },
  "fix-its": { script: one("GCC_EXTRA_DIAGNOSTIC_OUTPUT=fixits-v1", "$CC -Wall -c bad.c") },
  "those that change what runs": {
    script: [
      one("GCC_COMPARE_DEBUG=0", "$CC -c a.c"),
      one("DEPENDENCIES_OUTPUT=deps", "$CC -c a.c"),
      one("SUNPRO_DEPENDENCIES='deps x'", "$CC -c a.c"),
      one("CCC_OVERRIDE_OPTIONS=+-g", "$CC -c a.c"),
    ].join("; "),
    local: {
      GCC_COMPARE_DEBUG: 1,
      DEPENDENCIES_OUTPUT: 1,
      SUNPRO_DEPENDENCIES: 1,
      CCC_OVERRIDE_OPTIONS: 1,
    },
  },
});

const LONG = "x".repeat(90);
const WRITE_LONG = `echo 'int ${LONG}(void) { return nothing + ${LONG}; }' >w.c`;
const ON_TERMINAL = [
  "$CC -Wall -c w.c",
  "COLUMNS=60 $CC -c w.c",
  "$CC -fdiagnostics-color=never -c w.c",
  "TERM=dumb $CC -c w.c",
  "$CC -c w.c </dev/null",
  "$CC -c w.c 2>&1 | cat",
];
group(
  "llamacc cuts and colours what it says on a terminal as the compiler does",
  Object.fromEntries([40, 80, 200].map((columns) => [`${columns} columns`, {
    script: `${WRITE_LONG}; for cmd in ${ON_TERMINAL.map((shape) => `'${shape}'`).join(" ")}; do ` +
      `CMD=$cmd script -qec 'stty cols ${columns}; eval "$CMD"' /dev/null </dev/null; done`,
    env: { TERM: "xterm-256color", NO_COLOR: undefined, COLUMNS: undefined },
    needs: "script",
  }])),
);

const PREPROCESSED =
  "$CC -O2 -Wall -Wextra -MD -c a.c; cp a.c a.cc; $CXX -O2 -MMD -MF d -c a.cc; " +
  "$CC -g -c t.S; $CC -Iinc -DX -UY -include a.h -c q.c; echo 'int e(void) { return none; }' >e.c; $CC -Wall -c e.c";
const COMPLAINED =
  "echo '#warning words' >w.c; $CC -c w.c; echo '#include \"none\"' >n.c; $CC -c n.c";
/** GCC's own compiler for it, a package of its own. */
const OBJECTIVE_C =
  (await run(["cc", "-print-prog-name=cc1obj"], { cwd: "/", env: Deno.env.toObject() })).trim();
const LOCALLY = { LLAMACC_LOCAL_PREPROCESS: "1" };
group("llamacc preprocesses here if it is told to, and makes the same", {
  "includes": { script: `${PREPROCESSED}; $CC -c bad.c`, env: LOCALLY },
  "macros, too": { script: PREPROCESSED, env: { ...LOCALLY, LLAMACC_FULL_PREPROCESS: "1" } },
  "Objective-C": { script: "$CC -c o.m", env: LOCALLY, needs: OBJECTIVE_C },
  "what is wrong, by gcc": {
    script: COMPLAINED,
    env: LOCALLY,
    local: { "preprocessor-words": 1 },
    by: GCC,
  },
  "what is wrong, by clang": {
    script: COMPLAINED,
    env: LOCALLY,
    local: { "preprocessor-words": 2 },
    by: CLANG,
  },
});

group("LLAMACC_FILTER_WARNINGS takes warnings out wherever it compiles", {
  // The local compiler knows nothing of the variable: it is given none of them.
  "elsewhere and here": {
    script:
      "test $CC = llamacc && w='-Wall -Wextra'; $CC $w -c bad.c; $CC $w -fsyntax-only -x c bad.c; $CC $w -E bad.c >bad.i",
    env: { LLAMACC_FILTER_WARNINGS: "all,extra" },
    local: { "preprocess-only": 1 },
  },
});

group("llamacc sees for itself that a compiler crashes", {
  "with its status and words": {
    script: "echo '#pragma clang __debug llvm_fatal_error' >c.c; " +
      "$CC -fno-crash-diagnostics -c c.c 2>/dev/null",
    fallback: { CompilerCrashed: 1 },
    by: CLANG,
  },
});

register();
