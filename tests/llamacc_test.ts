import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { BIN, compare, endedOf, treeOf, useBuildCloud, writeFiles } from "./build_cloud.ts";

const cloud = useBuildCloud();

const A_C = `#include <stdio.h>
#include "a.h"
int main(void) {
  printf(WORDS, __FILE__, __LINE__);
  return 0;
}
`;
const FILES = {
  "a.c": A_C,
  "a.h": '#define WORDS "%s %d\\n"\n',
  "b.cc": "#include <vector>\nint b(std::vector<int> &v) { return v.at(1); }\n",
  "s.s": "\t.text\n\t.globl s\ns:\tret\n",
  "t.S": "#define RETURN ret\n\t.text\n\t.globl t\nt:\tRETURN\n",
  "sub/c.c": "int c(int x) { return x * 3; }\n",
};

Deno.test("llamacc runs these elsewhere, with the local compiler's files, words and status", async () => {
  await cloud.stats("zero");
  const scripts = [
    "$CC -O2 -g -c a.c",
    "$CC -c a.c -o new.o",
    "$CC -O1 -S a.c",
    "$CC -O1 -S -o - a.c >/dev/null; $CC -c -x c++ a.c -o x.o; $CC -x c -c b.cc -D'vector=x' 2>/dev/null",
    "$CXX -O2 -c b.cc && $CXX -c a.c",
    "$CC -c sub/c.c && mkdir out && $CC -c sub/c.c -o out/c.o && cd out && $CC -g -c ../sub/c.c",
    "ln -s sub link && cd link && $CC -g -c c.c && cd .. && $CC -g -c link/c.c -o l.o",
    "$CC -c a.c -o missing/a.o",
    'echo "int f(void) { int x; retrun x; }" >e.c; $CC -Wall -c e.c',
    'echo "int f(void) { int x; return 1; }" >w.c; $CC -Wall -Wextra -c w.c',
    "echo kept >a.o; chmod 600 a.o; $CC -c a.c",
    "echo kept >o; ln -s o a.o; $CC -c a.c",
    "for mask in 077 022 000; do umask $mask; $CC -MD -c a.c -o $mask.o; done",
  ];
  for (const script of scripts) await compare(cloud, { script, files: FILES });
  const { remote, fallback } = await cloud.stats();
  assert(remote >= scripts.length, `${remote}`);
  assertEquals(fallback, {});
});

Deno.test("llamacc writes the dependency files that the local compiler writes", async () => {
  await cloud.stats("zero");
  const forms = [
    "-MD",
    "-MMD",
    "-MD -MP",
    "-MMD -MF deps",
    "-MD -MFdeps",
    "-MD -MT target",
    "-MD -MQ 'a$b' -MT other",
    "-MMD -MP -MF sub/a.d -MT a.o",
    "-Wp,-MMD,deps",
    "-Wp,-MD,deps -MP",
  ];
  for (const form of forms) {
    const { code, files } = await compare(cloud, {
      script: `$CC ${form} -c a.c -o out.o`,
      files: FILES,
    });
    assertEquals(code, 0, form);
    const names = Object.keys(files).filter((name) => /(^|\/)(deps|[a-z]+\.d)$/.test(name));
    assertEquals(names.length, 1, form);
  }
  const { remote, fallback, local } = await cloud.stats();
  assertEquals({ remote, fallback, local }, { remote: forms.length, fallback: {}, local: {} });
});

Deno.test("llamacc runs here what is no compilation, and counts it by its reason", async () => {
  await cloud.stats("zero");
  const scripts: [string, string][] = [
    ["$CC --version", "no-compilation"],
    ["$CC -print-prog-name=as", "no-compilation"],
    ["$CC -dumpmachine", "no-compilation"],
    ["$CC -E a.c", "preprocess-only"],
    ["$CC -M a.c", "depend-only"],
    ["$CC -O2 a.c -o prog && ./prog", "link"],
    ["$CC a.c sub/c.c -o prog", "link"],
    ["$CC -c -MD -MF deps a.c sub/c.c; true", "several-sources"],
    ["cp a.c conftest.c; $CC -c conftest.c", "configure-probe"],
    ["$CC -x c -c - -o a.o <a.c", "stdin-source"],
    ["printf '\\377' >args; $CC @args", "response-file"],
    ["$CC -c s.s", "assembler"],
    ["$CC", "no-source"],
    ["$CC -nonsense", "no-source"],
    ["$CC -c nothing.c", "no-such-source"],
    ["$CC -c sub", "no-source"],
    ["$CC -c a.h && rm a.h.gch", "precompiling"],
  ];
  for (const [script] of scripts) await compare(cloud, { script, files: FILES });
  const { remote, local } = await cloud.stats();
  const expected: Record<string, number> = {};
  for (const [script, reason] of scripts) {
    expected[reason] = (expected[reason] ?? 0) + script.split("$CC").length - 1;
  }
  assertEquals({ remote, local }, { remote: 0, local: expected });
});

Deno.test("llamacc colours its words on a terminal as the local compiler does", async () => {
  const words = 'echo "int f(void) { int x; retrun x; }" >e.c; ';
  const shapes = [
    "$CC -Wall -c e.c",
    "$CC -Wall -fno-diagnostics-color -c e.c",
    "GCC_COLORS='error=01;32' $CC -c e.c",
    "TERM=dumb $CC -c e.c",
  ];
  const colours: boolean[] = [];
  for (const shape of shapes) {
    const { stdout } = await compare(cloud, {
      // With -e the status of the command, with -q no line of script's own.
      script: `${words} export CMD='${shape.replaceAll("'", `'"'"'`)}'; ` +
        `script -qec 'eval "$CMD"' /dev/null </dev/null`,
      files: FILES,
      env: { TERM: "xterm-256color", NO_COLOR: undefined },
    });
    assertStringIncludes(stdout, "retrun");
    colours.push(stdout.includes("\x1b["));
  }
  assertEquals(colours, [true, false, true, false]);
});

Deno.test("LLAMACC_VERBOSE prints each command and where it runs", async () => {
  await writeFiles(cloud.work, FILES);
  const env = { LLAMACC_VERBOSE: "1" };
  const there = await cloud.run(["llamacc", "-c", "a.c", "-o", "v.o"], { env });
  assertEquals(there.code, 0);
  assertEquals(there.stderr, "llamacc: run elsewhere: cc -c a.c -o v.o\n");
  const here = await cloud.run(["llamac++", "-E", "sub/c.c"], { env });
  assertEquals(here.stderr, "llamacc: run here (preprocess-only): c++ -E sub/c.c\n");
});

Deno.test("LLAMACC_LOCAL runs everything here, and counts it", async () => {
  await cloud.stats("zero");
  const script = "$CC -c a.c -o l.o";
  for (const LLAMACC_LOCAL of ["1", "0", ""]) {
    await compare(cloud, { script, files: FILES, env: { LLAMACC_LOCAL } });
  }
  const { remote, local } = await cloud.stats();
  assertEquals({ remote, local }, { remote: 2, local: { LLAMACC_LOCAL: 1 } });
});

Deno.test("LLAMACC_REMOTE_ASSEMBLE assembles .s and .S elsewhere", async () => {
  await cloud.stats("zero");
  const script = "$CC -c s.s && $CC -g -MD -c t.S";
  const { files } = await compare(cloud, {
    script,
    files: FILES,
    env: { LLAMACC_REMOTE_ASSEMBLE: "1" },
  });
  assert("t.d" in files && "s.o" in files);
  const { remote, local, fallback } = await cloud.stats();
  assertEquals({ remote, local, fallback }, { remote: 2, local: {}, fallback: {} });
});

Deno.test("llamacc compiles elsewhere what was preprocessed before", async () => {
  await cloud.stats("zero");
  await compare(cloud, {
    script:
      "cc -E a.c -o a.i; c++ -E b.cc -o b.ii; $CC -O2 -c a.i; $CC -O2 -c b.ii; $CC -c -x c a.i",
    files: FILES,
  });
  const { remote, local, fallback } = await cloud.stats();
  assertEquals({ remote, local, fallback }, { remote: 3, local: {}, fallback: {} });
});

Deno.test("LLAMACC_FUNCTION names the function; LLAMACC_LOCAL_FALLBACK=0 forbids to do without", async () => {
  await cloud.stats("zero");
  const script = "$CC -c a.c";
  await compare(cloud, { script, files: FILES, env: { LLAMACC_FUNCTION: "llama" } });
  const env = { LLAMACC_FUNCTION: "no-such-function", LLAMACC_BUILD_ID: "no-function" };
  await writeFiles(cloud.work, FILES);
  const first = await cloud.run(["llamacc", "-c", "a.c"], { env });
  assertEquals(first.code, 0);
  assertMatch(first.stderr, /^llamacc: compiling on this machine: .*no-such-function.*\n$/);
  // A build of many compilations says it once.
  await compare(cloud, { script, files: FILES, env });
  const { remote, fallback } = await cloud.stats("zero");
  assertEquals({ remote, fallback }, { remote: 1, fallback: { ResourceNotFoundException: 2 } });

  const refused = await cloud.run(["llamacc", "-c", "a.c", "-o", "refused.o"], {
    env: { ...env, LLAMACC_LOCAL_FALLBACK: "0" },
  });
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertMatch(
    refused.stderr,
    /^llamacc: Cannot compile elsewhere: .*no-such-function.*; unset LLAMACC_LOCAL_FALLBACK.*\n$/,
  );
  assert(!("refused.o" in await treeOf(cloud.work)));
});

Deno.test("LLAMACC_LOCAL_CC and LLAMACC_LOCAL_CXX name the compilers that stand behind", async () => {
  await cloud.stats("zero");
  const local = { cc: "/usr/bin/gcc", cxx: "/usr/bin/g++" };
  const env = { LLAMACC_LOCAL_CC: local.cc, LLAMACC_LOCAL_CXX: local.cxx };
  const script = "$CC -g -c a.c && $CXX -c b.cc && $CC -c nothing.c; $CC a.c && ./a.out";
  await compare(cloud, { script, files: FILES, env, local });
  const { remote, fallback } = await cloud.stats();
  assertEquals({ remote, fallback }, { remote: 2, fallback: {} });
  const missing = await cloud.run(["llamacc", "-c", "a.c"], {
    env: { LLAMACC_LOCAL_CC: "/no/such/cc" },
  });
  assertEquals([missing.code, missing.stderr], [
    127,
    "llamacc: Cannot run /no/such/cc: No such file or directory\n",
  ]);
  const unknown = await cloud.run(["llamacc", "-c", "a.c"], { env: { LLAMACC_LOCAL_CC: "no-cc" } });
  assertEquals([unknown.code, unknown.stderr], [
    1,
    'llamacc: Cannot find the compiler "no-cc" in PATH; ' +
    "install one, or set LLAMACC_LOCAL_CC to its path\n",
  ]);
});

Deno.test("LLAMACC_LOCAL_PREPROCESS and LLAMACC_FULL_PREPROCESS give the same object and .d", async () => {
  await cloud.stats("zero");
  const script = "$CC -O2 -MMD -MP -c a.c -o p.o && $CXX -O2 -MD -c b.cc && $CC -c nothing.c";
  const both = { LLAMACC_LOCAL_PREPROCESS: "1", LLAMACC_FULL_PREPROCESS: "1" };
  for (const env of [{ LLAMACC_LOCAL_PREPROCESS: "1" }, both]) {
    await compare(cloud, { script, files: FILES, env });
  }
  const { remote, fallback, slots } = await cloud.stats();
  assertEquals({ remote, fallback }, { remote: 4, fallback: {} });
  assert(slots.granted >= 6, `${slots.granted} runs of the preprocessor`);
});

Deno.test("LLAMACC_FILTER_WARNINGS takes warnings out, wherever the command runs", async () => {
  await writeFiles(cloud.work, { "w.c": "int f(void) { int unused; return 1; }\n" });
  const flags = ["-Wunused-variable", "-Werror=unused-variable", "w.c", "-o", "w.o"];
  for (const mode of ["-c", "-E"]) {
    const env = { LLAMACC_FILTER_WARNINGS: "shadow,unused-variable", LLAMACC_VERBOSE: "1" };
    const { code, stderr } = await cloud.run(["llamacc", mode, ...flags], { env });
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /^llamacc: run [^:]*: cc -[cE] w\.c -o w\.o\n$/);
  }
  const { stderr } = await cloud.run(["llamacc", "-c", ...flags]);
  assertStringIncludes(stderr, "unused");
});

Deno.test("llamacc takes LLAMACC_BUILD_ID and warns of a variable that it does not know", async () => {
  await writeFiles(cloud.work, FILES);
  const known = await cloud.run(["llamacc", "-c", "a.c"], { env: { LLAMACC_BUILD_ID: "b-1" } });
  assertEquals([known.code, known.stderr], [0, ""]);
  const unknown = await cloud.run(["llamacc", "-c", "a.c"], { env: { LLAMACC_LOCALL: "1" } });
  assertEquals(unknown.code, 0);
  assertEquals(
    unknown.stderr,
    "llamacc: warning: the variable LLAMACC_LOCALL means nothing to llamacc\n",
  );
});

Deno.test("llamacc under the name of the compiler finds the one behind itself", async () => {
  await cloud.stats("zero");
  const bin = `${cloud.folder}/masquerade`;
  await Deno.mkdir(bin);
  for (const [name, target] of [["cc", "llamacc"], ["c++", "llamac++"], ["llamac++", "llamacc"]]) {
    await Deno.symlink(`${BIN}/${target}`, `${bin}/${name}`);
  }
  // The local side must not see the links.
  const script = `case $CC in llama*) PATH=${bin}:$PATH;; esac; `;
  const compile = "-g -c a.c && $CXX -g -c a.c -o b.o";
  await compare(cloud, { script: `${script} $CC ${compile}`, files: FILES });
  await compare(cloud, {
    script: `${script} cc ${
      compile.replace("$CXX", "c++")
    } && cc a.o -o prog && ./prog && cc -E a.h`,
    files: FILES,
  });
  await compare(cloud, { script: `${script} cc -c nothing.c`, files: FILES });
  const { remote, local: here } = await cloud.stats();
  assertEquals({ remote, here }, {
    remote: 4,
    here: { link: 1, "preprocess-only": 1, "no-such-source": 1 },
  });
});

Deno.test("llamacc lets two compilations make the same output at once", async () => {
  await writeFiles(cloud.work, FILES);
  const command = () => cloud.command(["llamacc", "-O2", "-MD", "-c", "a.c", "-o", "same.o"]);
  const ends = await Promise.all([1, 2, 3, 4].map(async () => endedOf(await command().output())));
  assertEquals(ends.map(({ code, stderr }) => [code, stderr]), Array(4).fill([0, ""]));
  const there = await treeOf(cloud.work);
  await cloud.must(["cc", "-O2", "-MD", "-c", "a.c", "-o", "same.o"]);
  assertEquals(there, await treeOf(cloud.work));
});
