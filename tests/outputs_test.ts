/**
 * All that a compiler writes, and how it treats what is there already: llamacc leaves the same files with
 * the same modes and links as the local compiler.
 */
import { assertEquals } from "@std/assert";
import { compare, type Stats, useBuildCloud } from "./build_cloud.ts";

const cloud = useBuildCloud({ unprivileged: true });

const FILES = {
  "a.c": '#include "a.h"\nint f(int x) { if (x) return g(x); return WHICH; }\n',
  "a.h": "#define WHICH 2\nint g(int);\n",
  "b.cc": "template <class T> T h(T x) { return x + 1; }\nint i(int x) { return h(x); }\n",
  "bad.c": "int f(void) { return none; }\n",
  "badasm.c": 'int g(int x) { __asm__("nonsense %0" : : "r"(x)); return x; }\n',
  "warn.c": "int f(void) { int unused; return 1; }\n",
  "d/": "",
};

/** Runs scripts both ways; each `$CC` or `$CXX` must have run elsewhere, but for what `local` counts. */
async function compareAll(
  scripts: readonly string[],
  local: Stats["local"] = {},
  compilers: { readonly cc: string; readonly cxx: string } = { cc: "gcc", cxx: "g++" },
): Promise<void> {
  await cloud.stats("zero");
  let commands = 0;
  for (const script of scripts) {
    commands += script.split(/\$CC|\$CXX/).length - 1;
    const env = {
      LLAMACC_LOCAL_CC: compilers.cc,
      LLAMACC_LOCAL_CXX: compilers.cxx,
      LLAMACC_REMOTE_ASSEMBLE: "1",
    };
    // Names of links and the number of a file's names are seen, too.
    const look = "find . ! -type d -printf '%P %y %m %n %l\\n' | sort";
    await compare(cloud, {
      script: `${script}\necho "status $?"; ${look}`,
      files: FILES,
      env,
      local: compilers,
    });
  }
  const { remote, local: here, fallback } = await cloud.stats();
  const locally = Object.values(local).reduce((sum, count) => sum + count, 0);
  assertEquals({ remote, local: here, fallback }, {
    remote: commands - locally,
    local,
    fallback: {},
  });
}

Deno.test("llamacc writes the auxiliary files that GCC writes", () =>
  compareAll([
    "$CC -c -fstack-usage -fcallgraph-info=su,da a.c -o d/x.o",
    "$CC -c -frandom-seed=1 --coverage a.c && $CC -c -frandom-seed=1 --coverage a.c -o d/x.o",
    "$CC -c -frandom-seed=1 -fprofile-arcs -ftest-coverage -fprofile-dir=pd -fprofile-note=note a.c",
    "$CC -c -g -gsplit-dwarf a.c -o d/x.o",
    "$CC -c -aux-info proto a.c && $CC -O2 -c -fopt-info-all=info a.c",
    "$CC -O2 -c -fdump-final-insns -fdump-go-spec=go a.c -o d/x.o",
    "$CC -c a.c -Wa,-adhln=listing -g; $CC -c -g a.c -Wa,-ahl | sed s,cc......[.]s,X,",
    "$CC -c -frandom-seed=1 -flto a.c && $CC -c -frandom-seed=1 -flto -ffat-lto-objects a.c -o d/x.o",
  ]));

Deno.test("llamacc keeps the intermediate files that GCC keeps", () =>
  compareAll([
    "$CC -c -save-temps a.c && $CXX -c -save-temps=cwd b.cc -o d/x.o",
    "$CC -c -save-temps=obj -MD a.c -o d/x.o && $CC -c -save-temps -pipe a.c -o d/y.o",
    "$CC -c -save-temps -dumpbase foo.bar a.c && $CC -c -dumpdir d/p- -save-temps -dumpdir q- a.c",
    "$CC -c -dumpbase foo.bar -dumpbase-ext .bar -MD -fstack-usage a.c",
    "$CC -S -save-temps=obj a.c -o d/x.s",
    "echo .text >u.S; $CC -c -save-temps u.S",
    "$CC -c -save-temps bad.c; $CC -c -save-temps badasm.c",
  ]));

Deno.test("llamacc writes the dumps that GCC writes", () =>
  compareAll([
    "$CC -O1 -c -fdump-tree-all a.c && $CC -O1 -c -fdump-tree-all-graph a.c -o d/x.o",
    "$CC -O1 -c -fdump-rtl-all -fdump-ipa-all -fdump-noaddr a.c -dumpdir d/",
    "$CC -O1 -c -fdump-tree-all=dump a.c; $CC -O1 -c -da -fdump-noaddr a.c",
    "$CC -O1 -c -fdump-tree-optimized=stderr a.c && $CC -O1 -c -fdump-tree-optimized=stdout a.c",
    "$CC -O1 -c -fdump-tree-optimized=- a.c 2>&1",
    "$CC -c -fdump-passes a.c && $CC -O2 -c -fopt-info a.c",
    "touch -d @1 a.c.005t.original; chmod 640 a.c.005t.original; $CC -c -fdump-tree-original a.c",
    "echo x >a.c.005t.original; chmod 640 a.c.*; ln a.c.* other; $CC -c -fdump-tree-original a.c",
  ]));

Deno.test("llamacc writes dependency files in all their forms", () =>
  compareAll([
    "$CC -c -MD a.c && $CC -c -MMD -MP -MT 'a b' a.c -o d/x.o && $CC -S -MD -MQ 'a$b' a.c -o x",
    "$CC -c -MD a.c -o .o; $CC -c -MD a.c -o d/x.y.z",
    "$CC -c -MD -MF /dev/null a.c && $CC -c -MD -MF - a.c && $CC -c -Wp,-MMD,d/deps a.c",
    "$CC -c -MD -MF none/deps a.c; $CC -c -MD -MF d a.c",
    "echo 'a.o: old' >a.d; chmod 640 a.d; ln a.d other; $CC -c -MD a.c",
    "echo old >real; ln -s real a.d; $CC -c -MD a.c; ln -sf d/none a.d; $CC -c -MD a.c",
    "echo old >a.d; $CC -c -MD bad.c -o a.o; $CC -c -MD badasm.c -o a.o",
  ]));

Deno.test("llamacc treats what stands where an output goes as GCC does", () =>
  compareAll([
    "echo old >a.o; chmod 640 a.o; ln a.o other; $CC -c a.c",
    ": >a.o; chmod 640 a.o; ln a.o other; $CC -c a.c",
    "echo old >a.o; chmod 444 a.o; $CC -c a.c",
    "echo old >a.s; chmod 640 a.s; ln a.s other; $CC -S a.c",
    "echo old >real; ln -s real a.o; $CC -c a.c; ln -s real a.s; $CC -S a.c",
    "ln -s d/none a.o; $CC -c a.c; $CC -c a.c; : >empty; ln -s empty x.o; $CC -c a.c -o x.o",
    "mkdir a.o; $CC -c a.c; mkdir a.s; $CC -S a.c; $CC -c a.c -o none/a.o; $CC -S a.c -o none/a.s",
    "echo old >a.dwo; chmod 640 a.dwo; ln a.dwo other; $CC -c -g -gsplit-dwarf a.c",
    "umask 077; $CC -c -MD -save-temps a.c; umask 0; $CC -c -MD a.c -o b.o",
    "mkdir s; chmod 2775 s; $CC -c -MD a.c -o s/a.o",
  ]));

Deno.test("llamacc leaves after an error what GCC leaves", () =>
  compareAll([
    "echo old >bad.o; $CC -c bad.c; echo old >bad.s; $CC -S bad.c; echo old >x; $CC -S bad.c -o x",
    "echo old >badasm.o; $CC -c badasm.c; $CC -S badasm.c; : >x.o; $CC -c badasm.c -o x.o",
    "echo old >bad.o; $CC -pipe -c bad.c; echo old >badasm.o; $CC -pipe -c badasm.c",
    "echo old >warn.o; $CC -Wall -Werror -c warn.c; $CC -Wall -Werror -S warn.c -o warn.o",
    "echo old >real; ln -s real bad.s; $CC -S bad.c; ln -s real badasm.o; $CC -c badasm.c",
    "echo old >bad.su; $CC -fstack-usage -c bad.c; $CC -g -gsplit-dwarf -c badasm.c",
  ]));

Deno.test("llamacc runs here what only here has the same effect, and counts why", () =>
  compareAll([
    "echo old >a.d; chmod 444 a.d; $CC -c -MD a.c",
    ": >a.o; chmod 444 a.o; $CC -c a.c",
    "mkdir closed; chmod 555 closed; $CC -c a.c -o closed/a.o",
    "umask 777; $CC -c a.c 2>/dev/null; umask 200; $CC -c -MD a.c -o b.o 2>/dev/null",
    "mkfifo fifo; cat fifo >seen & $CC -S a.c -o fifo; wait; rm fifo",
    "$CC -S a.c -o /dev/stdout | head -c 10; $CC -S a.c -o /dev/full",
    "echo old >dump; $CC -O1 -c -fdump-tree-all=dump a.c",
    "$CC -c -fdump-ada-spec a.c; $CC -c a.c -o a.h; $CC -c -MD -MF a.h a.c",
  ], {
    "unwritable-output": 3,
    "umask": 2,
    "special-output": 3,
    "extra-output": 1,
    "output-is-input": 2,
    "appends": 1,
  }));

Deno.test("llamacc writes to stdout and to nowhere as GCC does", () =>
  compareAll([
    "$CC -S a.c -o - && $CC -S -MD a.c -o - >/dev/null; $CC -c a.c -o -",
    "$CC -c a.c -o /dev/null && $CC -S a.c -o /dev/null",
  ]));

const clang = await new Deno.Command("clang", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "llamacc writes the files that clang writes, as clang does",
  ignore: !clang,
  fn: () =>
    compareAll(
      [
        "$CC -c -save-temps a.c -o d/x.o && $CC -c -save-temps=obj a.c -o d/y.o && $CC -c -save-temps a.c",
        "$CC -c -flto -save-temps a.c; $CC -c -emit-llvm a.c; $CC -S -emit-llvm a.c -o x.ll",
        "$CC -c -g -gsplit-dwarf -MD a.c -o d/x.o && $CC -c -g -gsplit-dwarf=single a.c",
        "$CC -c --coverage a.c -o d/x.o && $CC -c -fstack-usage a.c && $CC -c -MJ mj a.c",
        "$CC -O2 -c -fsave-optimization-record a.c && $CC -O2 -c -foptimization-record-file=r a.c",
        "$CC -Wall -c --serialize-diagnostics diag warn.c && $CC -O2 -c -Rpass=.* a.c",
        "$CC -c a.c -o - | head -c 4; $CC -S a.c -o - && $CC -c a.c -o /dev/null",
        "$CC -c -MD -MF - a.c; $CC -c -ftime-trace a.c -o d/x.o; rm d/x.json",
        "echo old >a.o; chmod 640 a.o; ln a.o other; $CC -c a.c; : >a.s; chmod 640 a.s; $CC -S a.c",
        "echo old >real; ln -s real a.o; $CC -c a.c; ln -s none a.s; $CC -S a.c; ln -s r2 a.d; $CC -c -MD a.c",
        "echo old >bad.o; ln bad.o o; $CC -c bad.c; echo old >bad.d; $CC -c -MD bad.c; echo old >badasm.o; $CC -c badasm.c",
        "mkdir a.o; $CC -c a.c; $CC -c a.c -o none/a.o",
      ],
      {},
      { cc: "clang", cxx: "clang++" },
    ),
});
