import { assertEquals } from "@std/assert";
import { isProbe } from "./probe.ts";

Deno.test("isProbe() knows the questions of configure steps", () => {
  const probes: (readonly [source: string, output?: string])[] = [
    ["conftest.c", "conftest.o"],
    ["sub/conftest.c", "sub/conftest.o"],
    [".sconf_temp/conftest_ab12_0.c"],
    ["CMakeCXXCompilerId.cpp"],
    ["/usr/share/cmake-3.25/Modules/CMakeCCompilerABI.c", "CMakeFiles/cmTC_1f.dir/x.o"],
    ["/b/CMakeFiles/CMakeScratch/TryCompile-a/CheckSymbolExists.c"],
    ["CMakeFiles/CMakeTmp/src.cxx"],
    ["/b/CMakeFiles/_CMakeLTOTest-CXX/src/foo.cpp", "CMakeFiles/foo.dir/foo.cpp.o"],
    ["/p/cmake/try.c", "CMakeFiles/cmTC_0d4a1.dir/try.c.o"],
    ["sanitycheckc.c"],
    ["sanity_check_for_cpp.cpp"],
    ["/b/meson-private/tmpxn6__7rk/testfile.c", "/b/meson-private/tmpxn6__7rk/output.obj"],
    ["_configtest.c"],
    ["ztest12345.c"],
    ["/tmp/ffconf.Aj3x9QzP/test.c"],
    ["config-temp/qemu-conf.c"],
    ["/dev/null", ".tmp_12/tmp"],
  ];
  for (const [source, output] of probes) {
    assertEquals([source, isProbe(source, output)], [source, true]);
  }
});

Deno.test("isProbe() takes no source of a project for one", () => {
  const sources: (readonly [source: string, output?: string])[] = [
    ["a.c", "a.o"],
    ["test.c", "CMakeFiles/test.dir/test.c.o"],
    ["tests/testfile.c"],
    ["conf.c"],
    ["src/CMakeFiles/x.c"],
    ["reconftest.c"],
    ["sanitycheck.c"],
    ["dev/null.c"],
  ];
  for (const [source, output] of sources) {
    assertEquals([source, isProbe(source, output)], [source, false]);
  }
});
