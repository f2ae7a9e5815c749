/**
 * What real configure scripts, CMake and Meson find out about each compiler by way of llamacc: the same,
 * by probes that run here.
 */
import { assert, assertEquals } from "@std/assert";
import { run } from "../../scripts/demo/tools.ts";
import { BIN, inCloud } from "./lab.ts";
import { filesBelow, neutral } from "./trees.ts";

const CONFIGURE_AC = `AC_INIT([probe], [1])
AC_CONFIG_HEADERS([config.h])
AC_PROG_CC
AC_PROG_CC_C_O
AC_PROG_CXX
AC_PROG_CPP
AC_USE_SYSTEM_EXTENSIONS
AC_C_INLINE
AC_C_RESTRICT
AC_C_BIGENDIAN
AC_C_TYPEOF
AC_C_CHAR_UNSIGNED
AC_OPENMP
AC_SYS_LARGEFILE
AC_CHECK_HEADERS([stdatomic.h sys/epoll.h sys/event.h none.h])
AC_CHECK_FUNCS([memfd_create strlcpy getrandom kqueue])
AC_CHECK_SIZEOF([long double])
AC_CHECK_ALIGNOF([double])
AC_CHECK_DECLS([O_TMPFILE, O_NONE], [], [], [[#define _GNU_SOURCE
#include <fcntl.h>]])
AC_CHECK_LIB([m], [cos])
AC_LINK_IFELSE([AC_LANG_PROGRAM([], [[__builtin_cpu_supports("avx2");]])],
  [AC_DEFINE([HAVE_CPU_SUPPORTS], [1], [As its name says])])
AC_LANG([C++])
AC_CHECK_HEADERS([optional span none])
AC_OUTPUT
`;

const CMAKE_LISTS = `cmake_minimum_required(VERSION 3.14)
project(probe C CXX ASM)
include(CheckSymbolExists)
include(CheckIncludeFileCXX)
include(CheckCSourceCompiles)
include(CheckCSourceRuns)
include(CheckCXXCompilerFlag)
include(CheckIPOSupported)
include(CheckLinkerFlag)
include(CheckPIESupported)
include(CheckStructHasMember)
include(CheckTypeSize)
include(TestBigEndian)
include(GenerateExportHeader)
find_package(Threads REQUIRED)
find_package(OpenMP)
check_symbol_exists(strlcpy string.h HAVE_STRLCPY)
check_symbol_exists(memfd_create sys/mman.h HAVE_MEMFD)
check_include_file_cxx(span HAVE_SPAN)
check_c_source_compiles("int main(void) { return 0; }" COMPILES)
check_c_source_runs("int main(void) { return 0; }" RUNS)
check_cxx_compiler_flag(-Wsuggest-override HAS_OVERRIDE)
check_cxx_compiler_flag(-fno-such-flag HAS_NO_SUCH)
check_linker_flag(C -Wl,--as-needed AS_NEEDED)
check_struct_has_member("struct stat" st_mtim sys/stat.h HAS_MTIM)
check_type_size("long double" LONG_DOUBLE)
test_big_endian(BIG)
check_ipo_supported(RESULT IPO OUTPUT IPO_SAYS LANGUAGES C CXX)
check_pie_supported()
try_compile(OWN \${CMAKE_BINARY_DIR}/own SOURCES \${CMAKE_SOURCE_DIR}/a.c C_STANDARD 11)
add_library(a STATIC a.c)
target_compile_features(a PUBLIC c_std_11 cxx_std_17)
generate_export_header(a)
get_cmake_property(NAMES VARIABLES)
list(SORT NAMES)
foreach(NAME \${NAMES})
  if(NAME MATCHES "^(CMAKE_(C|CXX|ASM)_|HAVE_|HAS_|OpenMP|Threads|COMPILES|RUNS|LONG|BIG|IPO|OWN|AS_)")
    file(APPEND \${CMAKE_BINARY_DIR}/variables.txt "\${NAME}=\${\${NAME}}\\n")
  endif()
endforeach()
`;

const MESON_BUILD = `project('probe', 'c', 'cpp')
cc = meson.get_compiler('c')
cxx = meson.get_compiler('cpp')
conf = configuration_data()
conf.set('ID', cc.get_id() + cxx.get_id() + cc.version() + cc.get_linker_id())
conf.set('STDATOMIC', cc.has_header('stdatomic.h'))
conf.set('NONE', cc.has_header('none.h'))
conf.set('STRLCPY', cc.has_function('strlcpy'))
conf.set('MEMFD', cc.has_function('memfd_create', prefix: '#include <sys/mman.h>', args: '-D_GNU_SOURCE'))
conf.set('FLAG', cc.has_argument('-Wno-such'))
conf.set('FLAGS', ' '.join(cxx.get_supported_arguments('-Wshadow', '-fno-such')))
conf.set('LONG', cc.sizeof('long double'))
conf.set('ALIGN', cc.alignment('double'))
conf.set('VALUE', cc.compute_int('EAGAIN', prefix: '#include <errno.h>'))
conf.set('MEMBER', cc.has_member('struct stat', 'st_mtim', prefix: '#include <sys/stat.h>'))
conf.set('LINKS', cc.links('int main(void) { return 0; }'))
conf.set('RUNS', cc.run('int main(void) { return 3; }').returncode())
configure_file(output: 'config.h', configuration: conf)
static_library('a', 'a.c')
`;

interface Compilers {
  readonly cc: string;
  readonly cxx: string;
  /** llamacc is called by links of their names. */
  readonly byLinks?: true;
}

interface Detection {
  readonly name: string;
  /** Programs without which it is left out. */
  readonly needs: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  /** Once, before all. */
  readonly prepare: string;
  /** Runs in a folder of the same name for each, below which `..` has the files. */
  readonly script: string;
  /** What is compared. */
  readonly compared: RegExp;
}

const A_C = "int a(void) { return 0; }\nint main(void) { return a(); }\n";

const DETECTIONS: readonly Detection[] = [
  {
    name: "autoconf's configure",
    needs: ["autoconf", "autoheader"],
    files: { "configure.ac": CONFIGURE_AC },
    prepare: "autoheader && autoconf",
    script: "../configure -q --cache-file=config.cache",
    compared: /^config\.(?:h|cache)$/,
  },
  {
    name: "CMake",
    needs: ["cmake", "ninja"],
    files: { "CMakeLists.txt": CMAKE_LISTS, "a.c": A_C },
    prepare: "true",
    script: "cmake -G Ninja -DCMAKE_C_COMPILER=$CC -DCMAKE_CXX_COMPILER=$CXX ..",
    compared:
      /^(?:variables\.txt|CMakeCache\.txt|\w+\.h|build\.ninja|CMakeFiles\/[\d.]+\/\w+\.cmake)$/,
  },
  {
    name: "Meson",
    needs: ["meson", "ninja"],
    files: { "meson.build": MESON_BUILD, "a.c": A_C },
    prepare: "true",
    script: "meson setup . ..",
    compared: /^(?:config\.h|build\.ninja)$/,
  },
];

const COMPILERS: readonly Compilers[] = [
  { cc: "gcc", cxx: "g++" },
  { cc: "clang", cxx: "clang++" },
  // CMake takes gcc-ar-11 only for a compiler whose name ends so.
  { cc: "gcc-11", cxx: "g++-11", byLinks: true },
];

for (const detection of DETECTIONS) {
  for (const compilers of COMPILERS) {
    const { cc, cxx } = compilers;
    const lacking = [cc, cxx, ...detection.needs].filter((program) => !canRun(program));
    Deno.test({
      name: `${detection.name} finds out by llamacc what it finds out about ${cc}` +
        (lacking.length > 0 ? ` (skipped: no ${lacking.join(", ")})` : ""),
      ignore: lacking.length > 0,
      fn: () => detect(detection, compilers),
    });
  }
}

async function detect(detection: Detection, { cc, cxx, byLinks }: Compilers): Promise<void> {
  await inCloud(async ({ folder, options, stats }) => {
    const shell = (script: string, cwd: string, env: Readonly<Record<string, string>> = {}) =>
      run(["sh", "-ec", script], { cwd, env: { ...options.env, ...env, LC_ALL: "C.UTF-8" } });
    const work = `${folder}/work`;
    await Deno.mkdir(work);
    for (const [name, text] of Object.entries(detection.files)) {
      await Deno.writeTextFile(`${work}/${name}`, text);
    }
    await shell(detection.prepare, work);
    const learn = async (env: Readonly<Record<string, string>>) => {
      await Deno.mkdir(`${work}/b`);
      await shell(detection.script, `${work}/b`, env);
      const learned: Record<string, string> = {};
      for (const path of await filesBelow(`${work}/b`)) {
        if (!detection.compared.test(path)) continue;
        const lines = neutral(await Deno.readTextFile(`${work}/b/${path}`))
          // CMake looks for llvm-ar beside the compiler and behind its links; Debian has it in both.
          .replaceAll(/\/usr\/lib\/llvm-\d+\/bin\/(?=llvm-)/g, "/usr/bin/").split("\n");
        // A cache is sorted by names, of which one holds the compiler's.
        learned[path] = (path === "config.cache" ? lines.toSorted() : lines).join("\n");
      }
      await Deno.remove(`${work}/b`, { recursive: true });
      return learned;
    };
    await stats("-zero");
    const links = `${folder}/links`;
    await Deno.mkdir(links);
    await Deno.symlink(`${BIN}/llamacc`, `${links}/${cc}`);
    await Deno.symlink(`${BIN}/llamac++`, `${links}/${cxx}`);
    const there = await learn(
      byLinks ? { CC: `${links}/${cc}`, CXX: `${links}/${cxx}` } : {
        ...{ CC: "llamacc", CXX: "llamac++" },
        ...{ LLAMACC_LOCAL_CC: cc, LLAMACC_LOCAL_CXX: cxx },
      },
    );
    const { remote, fallback, local } = await stats();
    const here = await learn({ CC: cc, CXX: cxx });
    assertEquals(there, here);
    assert(Object.keys(here).length > 0, "nothing was compared");
    assertEquals([remote, fallback], [0, {}]);
    assert((local["configure-probe"] ?? 0) > 3, JSON.stringify(local));
  });
}

function canRun(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
