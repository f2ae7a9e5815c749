/** What configure steps find out about llamacc is what they find out about the local compiler. */
import { assert, assertEquals } from "@std/assert";
import { compare, useBuildCloud } from "./build_cloud.ts";

const cloud = useBuildCloud();

/** What autoconf writes into a configure script, in short: its ways to ask, and names of files. */
const CONFIGURE = String.raw`
ask() { # NAME BODY COMMAND...
  printf '%s\n' "$2" >conftest.$ext
  name=$1; shift 2
  if "$@" >conftest.out 2>conftest.err && test ! -s conftest.err; then echo "#define $name 1"
  else echo "/* #undef $name */"; sed 's@^@// @; s@/tmp/cc......@/tmp/cc@' conftest.err; fi >>config.h
  rm -f conftest*
}
for ext in c cpp; do
  test $ext = c && driver=$CC || driver=$CXX
  "$driver" --version | head -n 1; "$driver" -dumpmachine
  "$driver" -V >/dev/null 2>&1; echo "-V: $?"
  "$driver" -qversion >/dev/null 2>&1; echo "-qversion: $?"
  ask WORKS 'int main(void) { return 0; }' "$driver" -o conftest conftest.$ext
  ask HAVE_STDIO_H '#include <stdio.h>' "$driver" -c -g -O2 conftest.$ext
  ask HAVE_NONE_H '#include <none.h>' "$driver" -c conftest.$ext
  ask PREPROCESSES '#include <stdio.h>' "$driver" -E conftest.$ext
  ask HAVE_MANY 'int main(void) { return many(); }' "$driver" -o conftest conftest.$ext
  ask LONG_8 'int a[sizeof(long) == 8 ? 1 : -1];' "$driver" -c conftest.$ext
  ask C_O 'int main(void) { return 0; }' "$driver" -c conftest.$ext -o conftest2.o
  ask DEPENDS '#include <stdio.h>' "$driver" -MT conftest.o -MD -MP -MF conftest.TPo -c conftest.$ext
  ask NO_FLAG 'int x;' "$driver" -c -fno-such-flag conftest.$ext
  "$driver" -c -Wno-such -x c /dev/null -o try.o; echo "/dev/null: $?"
  echo 'int x;' | "$driver" -c -x c - -o try.o; echo "-: $?"
done`;

Deno.test("a configure script learns from llamacc what it learns from the compiler, without a job", async () => {
  await cloud.stats("zero");
  const { files, code } = await compare(cloud, {
    script: "sh ./configure 2>&1",
    files: { configure: CONFIGURE },
  });
  assertEquals(code, 0);
  assert(files["config.h"]?.includes("#define LONG_8 1"), files["config.h"]);
  const { remote, local, fallback } = await cloud.stats();
  assertEquals([remote, fallback], [0, {}]);
  const { "configure-probe": probes, link, "preprocess-only": preprocessed } = local;
  assertEquals([probes, link, preprocessed], [14, 4, 2]);
});

const CMAKE_LISTS = `cmake_minimum_required(VERSION 3.10)
project(three C CXX)
try_compile(TRIED \${CMAKE_BINARY_DIR}/tried SOURCES \${CMAKE_SOURCE_DIR}/own.c)
file(WRITE \${CMAKE_BINARY_DIR}/tried.txt "\${TRIED} \${CMAKE_C_COMPILE_FEATURES}")
`;

Deno.test({
  name: "CMake learns from llamacc what it learns from the compiler, without a job",
  ignore: !canRun("cmake") || !canRun("ninja"),
  fn: async () => {
    await cloud.stats("zero");
    const { code, stderr, files } = await compare(cloud, {
      script:
        `cmake -G Ninja -DCMAKE_C_COMPILER=$CC -DCMAKE_CXX_COMPILER=$CXX -S . -B b >/dev/null &&
        cp b/CMakeFiles/*/CMakeC*Compiler.cmake b/CMakeCache.txt b/tried.txt . &&
        sed -i 's@[^ "=]*/\\(c++\\|llamac++\\)"*$@CXX@; s@[^ "=]*/\\(cc\\|llamacc\\)"*$@CC@;
                s@\\(CMAKE_C[X]*_COMPILER \\)"[^"]*"@\\1X@' *.cmake CMakeCache.txt; rm -rf b`,
      files: { "CMakeLists.txt": CMAKE_LISTS, "own.c": "int main(void) { return 0; }\n" },
    });
    assertEquals([code, stderr], [0, ""]);
    assert(files["tried.txt"]?.includes("TRUE"), files["tried.txt"]);
    assert(Object.keys(files).includes("CMakeCXXCompiler.cmake"));
    const { remote, local, fallback } = await cloud.stats();
    assertEquals([remote, fallback], [0, {}]);
    assert((local["configure-probe"] ?? 0) >= 3, JSON.stringify(local));
  },
});

function canRun(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
