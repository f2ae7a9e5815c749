/** Other compilers than `cc`, for real: those that are not installed are skipped, with a word. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  BIN,
  compare,
  type Comparison,
  type Files,
  useBuildCloud,
  writeFiles,
} from "./build_cloud.ts";

const cloud = useBuildCloud();

const FILES: Files = {
  "a.c":
    '#include <stdio.h>\n#include <stddef.h>\nint f(int x) { int unused; return puts("f") + x; }\n',
  "b.cc": "#include <vector>\nint b(std::vector<int> &v) { return v.at(1); }\n",
  "e.c": "int f(void) { int x; retrun x; }\n",
  "target.c": "int t;\n",
  "t.S": "\t.text\n\t.globl t\nt:\n",
};
/** Commands that any compiler knows, each one compilation. */
const COMMANDS = [
  "$CC -Wall -O2 -MD -c a.c",
  "$CC -g -gsplit-dwarf -c a.c -o split.o",
  "$CC -c e.c",
  "$CXX -O2 -g -MMD -c b.cc",
  "LLAMACC_REMOTE_ASSEMBLE=1 $CC -g -c t.S",
];

interface Compilers {
  readonly cc: string;
  readonly cxx: string;
  /** Further commands. */
  readonly commands: readonly string[];
}

const COMPILERS: readonly Compilers[] = [
  { cc: "gcc-11", cxx: "g++-11", commands: [] },
  {
    cc: "clang",
    cxx: "clang++",
    commands: [
      "$CC -fno-integrated-as -g -gsplit-dwarf -c a.c -o as.o",
      "$CC --coverage -fsanitize=address -g -c a.c -o coverage.o",
      "$CC -flto -O2 -c a.c -o lto.o",
      "$CC -Wall -fcolor-diagnostics -S a.c",
      "$CC --target=aarch64-linux-gnu -c target.c",
    ],
  },
  {
    cc: "aarch64-linux-gnu-gcc",
    cxx: "aarch64-linux-gnu-g++",
    commands: ["$CC -mcpu=cortex-a53 -O3 -S a.c"],
  },
];

function isInstalled(...names: string[]): boolean {
  const absent = names.filter((name) =>
    !(Deno.env.get("PATH") ?? "").split(":").some((folder) => {
      try {
        return Deno.statSync(`${folder}/${name}`).isFile;
      } catch {
        // It is as good as absent.
        return false;
      }
    })
  );
  if (absent.length === 0) return true;
  const words = `skipped: ${absent.join(", ")} not installed\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(words));
  return false;
}

/** Compares, and returns what ran elsewhere and what did not. */
async function counted(comparisons: readonly Comparison[]) {
  await cloud.stats("zero");
  for (const comparison of comparisons) await compare(cloud, comparison);
  const { remote, local, fallback } = await cloud.stats();
  return { remote, local, fallback };
}

Deno.test("a cold worker gets a toolchain in two requests, and C++ needs no other one than C", async () => {
  const gets = async () => {
    const log = await cloud.must(["llama", "cloud", "-log"]);
    return log.split("\n").filter((line) => /GET \/[^/]+\/obj\//.test(line)).length;
  };
  await writeFiles(cloud.work, { "c.i": "int c;\n", "d.ii": "int d;\n" });
  const before = await gets();
  // One job at a time, so that there is one worker.
  await cloud.must(["llamacc", "-c", "c.i"]);
  const between = await gets();
  await cloud.must(["llamac++", "-c", "d.ii"]);
  const { remote } = await cloud.stats();
  assertEquals([remote, between - before, await gets() - between], [2, 2, 0]);
});

for (const { cc, cxx, commands } of COMPILERS) {
  Deno.test({
    name: `llamacc makes what ${cc} and ${cxx} make`,
    ignore: !isInstalled(cc, cxx),
    async fn() {
      const env = { LLAMACC_LOCAL_CC: cc, LLAMACC_LOCAL_CXX: cxx };
      const scripts = [...COMMANDS, ...commands];
      const comparison = { script: scripts.join("; "), files: FILES, env, local: { cc, cxx } };
      const { local, fallback, remote } = await counted([comparison]);
      assertEquals({ local, fallback }, { local: {}, fallback: {} });
      assertEquals(remote, scripts.length);
    },
  });
}

Deno.test({
  name: "a name with a prefix or a version finds its compiler",
  ignore: !isInstalled("aarch64-linux-gnu-gcc", "g++-11"),
  async fn() {
    const folder = `${cloud.folder}/names`;
    await Deno.mkdir(folder);
    for (const name of ["aarch64-linux-gnu-llamacc", "llamac++-11"]) {
      await Deno.symlink(`${BIN}/llamacc`, `${folder}/${name}`);
    }
    const names = `case $CC in llama*) PATH=${folder}:$PATH
      cross=aarch64-linux-gnu-llamacc eleven=llamac++-11;;
      *) cross=aarch64-linux-gnu-gcc eleven=g++-11;; esac; `;
    const commands = "$cross -c a.c && $eleven -g -c a.c -o b.o && $cross -E -o t.i t.S; $cross";
    // The variables are for the plain names.
    const env = { LLAMACC_LOCAL_CC: "/no/such/cc", LLAMACC_LOCAL_CXX: "/no/such/c++" };
    assertEquals(await counted([{ script: names + commands, files: FILES, env }]), {
      remote: 2,
      local: { "no-source": 1, "preprocess-only": 1 },
      fallback: {},
    });
  },
});

Deno.test("in a folder of links before the compilers a build does not see that llamacc is there", async () => {
  const folder = `${cloud.folder}/links`;
  await Deno.mkdir(folder);
  for (const name of ["gcc", "cc", "c++"]) {
    await Deno.symlink(`${BIN}/llamacc`, `${folder}/${name}`);
  }
  // A copy knows of no folder where llama is; PATH has it.
  await Deno.copyFile(await Deno.realPath(`${BIN}/llamacc`), `${folder}/g++`);
  const path = `case $CC in llama*) PATH=${folder}:$PATH; esac; `;
  const commands = "gcc -g -c a.c && cc -c a.c -o c.o && c++ -c b.cc && g++ -g -c a.c -o a.o; " +
    "gcc -O2 -flto a.c -shared -fPIC -o a.so; rm -f a.so; gcc; cc -c none.c; " +
    "gcc -print-search-dirs; gcc -v a.c 2>&1 | grep COLLECT_GCC=";
  const { remote, fallback } = await counted([{ script: path + commands, files: FILES }]);
  assertEquals({ remote, fallback }, { remote: 4, fallback: {} });
  await writeFiles(cloud.work, FILES);
  const alone = await cloud.run(["/bin/sh", "-c", "gcc -c a.c"], { env: { PATH: folder } });
  assertEquals([alone.code, alone.stderr], [
    1,
    'llamacc: Cannot find the compiler "gcc" as there is only llamacc by that name; ' +
    "add the folder of the compiler to PATH\n",
  ]);
});

/** A compiler whose bytes decide what it makes, and that says the same of itself in any case. */
async function makeCompiler(path: string, word: string, flags: readonly string[] = []) {
  await writeFiles(cloud.folder, {
    "compiler.c": `#include <unistd.h>
int main(int argc, char **argv) {
  char *args[99] = {"/usr/bin/cc", "-DWORD=\\"${word}\\""};
  for (int i = 1; i <= argc && i < 97; i++) args[i + 1] = argv[i];
  return execv(args[0], args);
}
`,
  });
  // A compiler is installed by a rename.
  await cloud.must(["cc", ...flags, "-o", `${path}.new`, `${cloud.folder}/compiler.c`]);
  await Deno.rename(`${path}.new`, path);
}

Deno.test("a compiler that was replaced by another of the same version is another compiler", async () => {
  const compiler = `${cloud.folder}/mycc`;
  const env = { LLAMACC_LOCAL_CC: compiler };
  const local = { cc: compiler, cxx: "c++" };
  const files = { "w.c": "char word[] = WORD;\n" };
  const made: string[] = [];
  for (const word of ["first", "other"]) {
    await makeCompiler(compiler, word);
    await cloud.stats("zero");
    const { files: left } = await compare(cloud, { script: "$CC -c w.c", files, env, local });
    made.push(left["w.o"] ?? "");
    const { remote, fallback } = await cloud.stats();
    assertEquals({ remote, fallback }, { remote: 1, fallback: {} });
  }
  assert(made[0] !== made[1]);
});

Deno.test("a compiler that is a script or statically linked runs here, and that is counted", async () => {
  const folder = `${cloud.folder}/odd`;
  await Deno.mkdir(folder);
  await Deno.writeTextFile(`${folder}/script`, '#!/bin/sh\nexec cc "$@"\n', { mode: 0o755 });
  await makeCompiler(`${folder}/static`, "static", ["-static"]);
  const run = (name: string, script: string) => {
    const cc = `${folder}/${name}`;
    const env = { LLAMACC_LOCAL_CC: cc };
    return counted([{ script, files: FILES, env, local: { cc, cxx: "c++" } }]);
  };
  assertEquals(await run("script", "$CC -c a.c && $CC -E t.S"), {
    remote: 0,
    local: { "compiler-script": 1, "preprocess-only": 1 },
    fallback: {},
  });
  const twice = await run("static", "$CC -c a.c && $CC -g -c a.c");
  assertEquals([twice.remote, twice.fallback], [0, { StaticCompiler: 2 }]);
});

const PLUGIN = `#include "gcc-plugin.h"
#include "diagnostic-core.h"
int plugin_is_GPL_compatible;
extern "C" int word(void);
static void start(void *, void *) { inform(UNKNOWN_LOCATION, "word %d", word()); }
int plugin_init(struct plugin_name_args *info, struct plugin_gcc_version *) {
  register_callback(info->base_name, PLUGIN_START_UNIT, start, 0);
  return 0;
}
`;
const hasPluginHeaders = await (async () => {
  const { stdout } = await new Deno.Command("gcc", { args: ["-print-file-name=plugin"] }).output();
  const folder = new TextDecoder().decode(stdout).trim();
  return await Deno.stat(`${folder}/include/gcc-plugin.h`).then(() => true, () => false);
})();

Deno.test("what -B, -specs and COMPILER_PATH name runs elsewhere, too, and plugins with their libraries", async () => {
  const parts = `${cloud.folder}/parts`;
  await writeFiles(parts, {
    "lib/": "",
    "as/": "",
    "script/": "",
    "my.specs": "*cc1_options:\n+ -DSPECS=1 -fno-builtin\n\n",
    "plug.cc": PLUGIN,
    "word.c": "int word(void) { return 42; }\n",
  });
  await cloud.must(["sh", "-c", "cp -L $(command -v as) as/as"], { cwd: parts });
  await Deno.writeTextFile(`${parts}/script/as`, '#!/bin/sh\nexec as "$@"\n', { mode: 0o755 });
  const commands = [
    `$CC -B ${parts}/as -g -c a.c`,
    `COMPILER_PATH=${parts}/as $CC -c a.c -o a2.o`,
    `cp ${parts}/my.specs . && $CC -specs=my.specs -g -c a.c -o a3.o`,
    "$CC -specs=none.specs -c a.c -o a4.o",
    "$CC --sysroot=/nowhere -c a.c -o a5.o",
  ];
  if (hasPluginHeaders) {
    const build = "cc -shared -fPIC word.c -o lib/libword.so && c++ -fno-rtti -shared -fPIC " +
      "-I$(gcc -print-file-name=plugin)/include plug.cc -o plug.so " +
      "-Llib -lword -Wl,-rpath,$PWD/lib";
    await cloud.must(["sh", "-c", build], { cwd: parts });
    commands.push(`$CC -fplugin=${parts}/plug.so -fplugin-arg-plug-mode=3 -c a.c -o a6.o`);
  }
  // gcc's headers for plugins are those of gcc.
  const local = { cc: "gcc", cxx: "g++" };
  const env = { LLAMACC_LOCAL_CC: "gcc" };
  const comparison = { script: commands.join("; "), files: FILES, env, local };
  assertEquals(await counted([comparison]), { remote: commands.length, local: {}, fallback: {} });
  const script = `$CC -B ${parts}/script -c a.c`;
  assertEquals(await counted([{ script, files: FILES, env, local }]), {
    remote: 0,
    local: {},
    fallback: { ScriptCompiler: 1 },
  });
});

Deno.test("llama toolchain lists, explains and adds compilers", async () => {
  const added = JSON.parse(await cloud.must(["llama", "toolchain", "-json", "-add", "gcc"]));
  assertEquals(added.map(({ driver }: { driver: string }) => driver), ["/usr/bin/gcc"]);
  assertMatch(
    await cloud.must(["llama", "toolchain"]),
    /^\/usr\/bin\/gcc +[0-9a-f]{12} +\d+ files +\d+\.\d MB +\d+ packs?$/m,
  );
  const explained = await cloud.must(["llama", "toolchain", "-explain", "gcc"]);
  assertMatch(explained, /^ *\d+\.\d MB {2}\/\S+\/cc1 {2}\(the compiler's cc1\)$/m);
  assertMatch(explained, /^ *\d+\.\d [kM]B {2}\S+\/libc\.so\.6 {2}\(library of gcc\)$/m);
  assertMatch(explained, /\d+ files of \/usr\/bin\/gcc\n$/);
  const { files } = JSON.parse(
    await cloud.must(["llama", "toolchain", "-explain", "gcc", "-json"]),
  );
  assertEquals(files.length, Number(/(\d+) files of/.exec(explained)?.[1]));
  // What is in the store already is not sent again.
  await writeFiles(cloud.work, { "t.i": "int t;\n" });
  await cloud.stats("zero");
  await cloud.must(["llamacc", "-c", "t.i"], { env: { LLAMACC_LOCAL_CC: "gcc" } });
  assertEquals((await cloud.stats()).remote, 1);
  const unknown = await cloud.run(["llama", "toolchain", "-add", "no-cc"]);
  assertEquals([unknown.code, unknown.stdout], [1, ""]);
  assertMatch(unknown.stderr, /^llama: Cannot find the compiler "no-cc" in PATH/);
});

Deno.test("LLAMACC_LOCAL_CC may hold arguments", async () => {
  const env = { LLAMACC_LOCAL_CC: "cc -DX=3 -g" };
  await writeFiles(cloud.work, { "x.c": "int x = X;\n" });
  const { code, stderr } = await cloud.run(["llamacc", "-c", "x.c"], {
    env: { ...env, LLAMACC_VERBOSE: "1" },
  });
  assertEquals([code, stderr], [0, "llamacc: run elsewhere: cc -DX=3 -g -c x.c\n"]);
  const { stderr: wrong } = await cloud.run(["llamacc", "-c", "x.c"], {
    env: { LLAMACC_LOCAL_CC: "no-cc -m32" },
  });
  assertMatch(wrong, /^llamacc: Cannot find the compiler "no-cc" in PATH; install one, or set /);
});
