/** The projects, and how their own build systems are called. */
import type { Unpacked } from "./sources.ts";

/** One build of a project. */
export interface Build {
  readonly cc: string;
  readonly cxx: string;
  /** Added to the build system's own flags; may be empty. */
  readonly flags: string;
  /** Folder of the sources, which is not written. */
  readonly source: string;
  /** Folder that is built in. */
  readonly work: string;
}

/** A project. */
export interface Project {
  readonly name: string;
  /** Debian's source package, `name` unless given. */
  readonly package?: string;
  readonly unpacked?: Unpacked;
  /** Compiled with clang, too. */
  readonly clang?: true;
  /** Starts in an empty folder; else in a copy of the sources. */
  readonly outOfTree?: true;
  /** Fewer objects than these are an error. */
  readonly atLeast: number;
  /** Commands before the measured build. */
  readonly configure?: (build: Build) => readonly (readonly string[])[];
  /** The commands before it compile files of the project, too. */
  readonly compilesBefore?: true;
  /** The measured build; `-jN` is added. */
  readonly make: (build: Build) => readonly string[];
  /** The targets to build, of what {@linkcode Targets.list} prints; what `make` says unless given. */
  readonly targets?: Targets;
  /** Files that hold times, process numbers or the build's own log. */
  readonly ignored?: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

/** How the first N objects are chosen. */
export interface Targets {
  readonly count: number;
  /** A command that prints all commands of the build. */
  readonly list: (build: Build) => readonly string[];
  /** Finds the names of the objects. */
  readonly object: RegExp;
}

/** A cmake call with Ninja, in an empty folder. */
const cmake = (...options: readonly string[]) => (build: Build) => [[
  "cmake",
  "-G",
  "Ninja",
  `-DCMAKE_C_COMPILER=${build.cc}`,
  `-DCMAKE_CXX_COMPILER=${build.cxx}`,
  `-DCMAKE_C_FLAGS=${build.flags}`,
  `-DCMAKE_CXX_FLAGS=${build.flags}`,
  ...options,
  ...options.includes("-S") ? [] : ["-S", build.source],
]];

/** Keeps the .d files, which ninja removes once it has read them. */
const NINJA = ["ninja", "-d", "keepdepfile"];

/** What CMake and Ninja write of their own run, with times and names of temporary folders in it. */
const CMAKE_LOGS = new RegExp(
  String.raw`(?:^|/)\.ninja_(?:log|deps)$|^CMakeFiles/(?:CMake(?:Output|Error)\.log$|` +
    String.raw`[\d.]+/(?:CompilerId\w+/|\w+\.bin$))`,
);

/** The log of configure, and the .dwo file of a program that it linked and removed. */
const CONFIGURE_REST = /(?:^|\/)(?:config\.log|a-conftest\.dwo)$/;

/** Architectures of Linux apart from x86. */
const FOREIGN = [
  ...["alpha", "arc", "arm", "arm64", "csky", "hexagon", "ia64", "loongarch", "m68k"],
  ...["microblaze", "mips", "nios2", "openrisc", "parisc", "powerpc", "riscv", "s390", "sh"],
  ...["sparc", "xtensa"],
];

/** All projects, small ones first. */
export const PROJECTS: readonly Project[] = [
  {
    name: "lua5.4",
    clang: true,
    atLeast: 34,
    make: ({ cc, flags }) => [
      ...["make", "-C", "src", "all", `CC=${cc}`, "SYSCFLAGS=-DLUA_USE_LINUX -MMD"],
      ...[`MYCFLAGS=${flags}`, "SYSLIBS=-Wl,-E -ldl"],
    ],
  },
  {
    name: "zlib",
    clang: true,
    atLeast: 34,
    // Its configure takes -O3 if there are no flags, and has no further ones.
    configure: ({ cc, flags }) => [["env", `CC=${cc}`, `CFLAGS=-O3 ${flags}`, "./configure"]],
    make: () => ["make", "all"],
    // What its configure forgets there, by its process number.
    ignored: /^(?:configure\.log|ztest\d+\.dwo)$/,
  },
  {
    name: "redis",
    atLeast: 150,
    // make calls configure of jemalloc itself.
    make: ({ cc, cxx, flags }) => ["env", `CFLAGS=${flags}`, "make", `CC=${cc}`, `CXX=${cxx}`],
    ignored: CONFIGURE_REST,
    env: { SOURCE_DATE_EPOCH: "1700000000" },
  },
  {
    name: "sqlite3",
    atLeast: 2,
    // One large source, twice: with and without -fPIC.
    configure: ({ cc, flags }) => [
      ["./configure", `CC=${cc}`, `CFLAGS=-g -O2 ${flags}`, "--disable-tcl"],
    ],
    make: () => ["make", "libsqlite3.la"],
    ignored: CONFIGURE_REST,
  },
  {
    // Each of its files for itself, as its developers build it.
    name: "sqlite3-files",
    package: "sqlite3",
    atLeast: 100,
    configure: ({ cc, flags }) => [
      [
        "./configure",
        `CC=${cc}`,
        `CFLAGS=-g -O2 ${flags}`,
        "--disable-tcl",
        "--disable-amalgamation",
      ],
    ],
    make: () => ["make", "libsqlite3.la"],
    ignored: CONFIGURE_REST,
  },
  {
    name: "leveldb",
    clang: true,
    outOfTree: true,
    atLeast: 35,
    configure: cmake("-DLEVELDB_BUILD_TESTS=OFF", "-DLEVELDB_BUILD_BENCHMARKS=OFF"),
    make: () => NINJA,
    ignored: CMAKE_LOGS,
  },
  {
    // Debian's sources lack what scripts of it make, two of them from the package unicode-data.
    name: "re2",
    atLeast: 20,
    configure: (build) => [
      ["sed", "-i", "s,^_UNICODE_DIR = .*,_UNICODE_DIR = '/usr/share/unicode',", "re2/unicode.py"],
      ["sh", "-c", "perl re2/make_perl_groups.pl >re2/perl_groups.cc"],
      ...["unicode_casefold", "unicode_groups"].map((name) => [
        ...["sh", "-c", `python3 re2/make_${name}.py >re2/${name}.cc`],
      ]),
      ...cmake("-DRE2_BUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=Release", "-S", ".")(build),
    ],
    make: () => NINJA,
    ignored: CMAKE_LOGS,
  },
  {
    name: "abseil",
    outOfTree: true,
    atLeast: 100,
    configure: cmake(
      "-DBUILD_TESTING=OFF",
      "-DCMAKE_BUILD_TYPE=Release",
      "-DCMAKE_CXX_STANDARD=14",
    ),
    make: () => NINJA,
    ignored: CMAKE_LOGS,
  },
  {
    name: "linux",
    unpacked: {
      except: [
        ...["gpu", "net", "media", "staging", "scsi", "infiniband"].map((name) =>
          `*/drivers/${name}/*.[ch]`
        ),
        ...["*/sound/*.[ch]", "*/Documentation/*/*", "*/tools/testing", "*/tools/perf"],
        // Each Kconfig is read.
        ...FOREIGN.flatMap((name) => [`*/arch/${name}/*.[chS]`, `*/arch/${name}/*.dts*`]),
      ],
    },
    outOfTree: true,
    atLeast: 300,
    configure: (build) => ["defconfig", "prepare"].map((target) => kbuild(build, target)),
    compilesBefore: true,
    make: (build) => kbuild(build),
    targets: {
      count: 300,
      list: (build) => kbuild(build, "-n", "block/", "kernel/", "lib/", "mm/"),
      object: / -c -o ((?:block|kernel|lib|mm)\/\S+\.o) \S+\.c(?=[;\s])/g,
    },
    ignored: /^(?:Makefile|source)$/,
    env: { KBUILD_BUILD_TIMESTAMP: "2024-01-01", KBUILD_BUILD_USER: "u", KBUILD_BUILD_HOST: "h" },
  },
  {
    name: "llvm",
    package: "llvm-toolchain-14",
    unpacked: {
      only: ["*/llvm", "*/cmake", "*/third-party"],
      except: ["*/llvm/test", "*/llvm/unittests", "*/llvm/docs"],
    },
    outOfTree: true,
    atLeast: 148,
    configure: (build) =>
      cmake(
        ...["-DLLVM_TARGETS_TO_BUILD=X86", "-DLLVM_INCLUDE_TESTS=OFF", "-DLLVM_INCLUDE_DOCS=OFF"],
        ...["-DLLVM_INCLUDE_BENCHMARKS=OFF", "-DLLVM_INCLUDE_EXAMPLES=OFF"],
        ...["-S", `${build.source}/llvm`],
      )(build),
    make: () => NINJA,
    targets: {
      // All that these two have here.
      count: 148,
      list: () => ["ninja", "-t", "commands", "LLVMSupport", "LLVMDemangle"],
      object: / -o (\S+\.o) -c /g,
    },
    ignored: CMAKE_LOGS,
  },
];

function kbuild(
  { cc, flags, source, work }: Build,
  ...targets: readonly string[]
): readonly string[] {
  return [
    "make",
    "-C",
    source,
    `O=${work}`,
    `CC=${cc}`,
    "HOSTCC=gcc",
    `KCFLAGS=${flags}`,
    ...targets,
  ];
}
