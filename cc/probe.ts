/**
 * Which compilations are questions of a configure step: small, many, one after the other, and often meant
 * to fail. Each would cost a round trip elsewhere and gain nothing.
 *
 * A name that is not known costs time only, as a probe elsewhere has the same answer.
 */

/** Names of sources, wherever they are. */
const NAMES: readonly RegExp[] = [
  // Autoconf 2.71, _AC_LANG_CONFTEST; libtool's and Ruby mkmf's; SCons adds a number.
  /^conftest\w*\.\w+$/,
  // CMake 3.25, Modules/CMakeDetermineCompilerId.cmake, CMakeDetermineCompilerABI.cmake, CMakeTest*Compiler.cmake.
  /^CMake(?:C|CXX|OBJC|OBJCXX|ASM)Compiler(?:Id|ABI)\.\w+$/,
  /^test(?:C|CXX|OBJC|OBJCXX)Compiler\.\w+$/,
  // Meson 1, mesonbuild/compilers: names before and since 1.8.
  /^sanity_?check_?(?:for_)?(?:c|cpp|objc|objcpp)\.\w+$/,
  // Python: distutils' and numpy's config command.
  /^_configtest\.\w+$/,
  // zlib and what took its configure over: "ztest" and the shell's process id.
  /^ztest\d+\.c$/,
];

/** Ways to sources. */
const PLACES: readonly RegExp[] = [
  // CMake: try_compile() before and since 3.14, cmake-generator checks, CheckIPOSupported.
  /(?:^|\/)CMakeFiles\/(?:CMakeTmp|CMakeScratch|ShowIncludes|_CMakeLTOTest-\w+)\//,
  // Meson: each check has a temporary folder.
  /(?:^|\/)meson-private\/tmp\w+\//,
  // FFmpeg's configure and QEMU's.
  /(?:^|\/)(?:ffconf\.\w+|config-temp)\/[^/]+$/,
  // Kbuild (scripts/Kconfig.include, Makefile.compiler) and many others: is the option known?
  /^\/dev\/null$/,
];

/** Ways to outputs: CMake's try_compile() of a project's own sources. */
const OUTPUT = /(?:^|\/)CMakeFiles\/cmTC_\w+\.dir\//;

/** Whether compiling `source` to `output`, as the command line spells them, only tries something out. */
export function isProbe(source: string, output: string | undefined): boolean {
  const name = source.slice(source.lastIndexOf("/") + 1);
  return NAMES.some((pattern) => pattern.test(name)) ||
    PLACES.some((pattern) => pattern.test(source)) ||
    (output !== undefined && OUTPUT.test(output));
}
