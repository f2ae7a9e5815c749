/** Options of a compiler, each as often as it is worth. */
import { OPTIONS } from "../../cc/options.ts";
import type { Random } from "./random.ts";
import type { Tree } from "./tree.ts";

/** Options that say what is made, one of which a command has. */
const MODES: readonly (readonly [number, readonly string[]])[] = [
  [80, ["-c"]],
  [10, ["-S"]],
  [4, ["-E"]],
  [2, ["-M"]],
  [2, ["-MM"]],
  [2, ["-M", "-MG"]],
  [4, ["-fsyntax-only"]],
  [6, []],
  [1, ["-c", "-S"]],
  [1, ["-S", "-E"]],
  [1, ["-c", "-fsyntax-only"]],
  [1, ["-E", "-MD"]],
  [1, ["-c", "-E", "-P"]],
  [1, ["-r"]],
  [1, ["-shared", "-fPIC"]],
];

/** Words that stand alone, and pass. */
const PLAIN = [
  ...`
    -O0 -O1 -O2 -O3 -Os -Og -O -Ofast -g -g1 -g3 -ggdb -g0 -gdwarf-4 -gdwarf-5 -gsplit-dwarf -gz
    -gno-column-info -ggdb3 -gpubnames -fdebug-types-section -grecord-gcc-switches
    -gno-record-gcc-switches -gstabs -Wall -Wextra -Wpedantic -Werror -Werror=unused -w
    -Wno-unused -Wundef -Wsystem-headers -Weverything -Wno-odd -Wodd -pedantic-errors
    -Wfatal-errors -std=c99 -std=gnu11 -std=c++17 -std=gnu++20 -std=c2x -ansi -std=c++11 -fPIC
    -fpie -fno-pie -pie -static -ffunction-sections -fdata-sections -fno-common -fcommon
    -fstack-protector-strong -fvisibility=hidden -fopenmp -fno-exceptions -fno-rtti -fexceptions
    -funwind-tables -fverbose-asm -pipe -m64 -mavx2 -march=x86-64-v2 -mtune=generic -msse4.2
    -mcmodel=large -m32 -fmax-errors=1 -ferror-limit=1 -fdiagnostics-show-option
    -fmessage-length=40 -fdiagnostics-color=always -fdiagnostics-color=never -fcolor-diagnostics
    -v -fdiagnostics-format=json -fno-diagnostics-show-caret -fdiagnostics-urls=always
    -fdiagnostics-plain-output -fdiagnostics-parseable-fixits -fdiagnostics-generate-patch
    -DNDEBUG -DFOO=7 -DFOO -UFOO -DBAR="text" -Dä=1 -D'odd' -DFOO=(1+2) -Df(x)=x -D1 -D= -undef
    -nostdinc -nostdlib -nostdinc++ -ffreestanding -fno-builtin -trigraphs
    -finput-charset=latin1 -fexec-charset=latin1 -fextended-identifiers -fpreprocessed
    -fsanitize=address -fsanitize=undefined -fsanitize=thread -fprofile-arcs -pg --coverage
    -coverage -ftest-coverage -fprofile-generate -flto -flto=auto -ffat-lto-objects -fno-lto
    -flto=thin -fstack-usage -fcallgraph-info -p -save-temps -save-temps=obj -save-temps=cwd
    --save-temps -fdump-tree-optimized -fdump-rtl-expand -fdump-ipa-cgraph -fdump-tree-all -dA
    -dP -dp -dD -dM -fdump-final-insns -fdump-go-spec=odd.go -fopt-info -fopt-info-all=opt.txt
    -H -fopt-info-vec-missed -fsave-optimization-record -ftrack-macro-expansion=0 -P -C
    -fdiagnostics-set-output=text -fno-ident -Qn -fno-asynchronous-unwind-tables -CC
    -ffile-prefix-map={ROOT}=/x -fdebug-prefix-map={ROOT}=. -fmacro-prefix-map=sub=dir
    -fdebug-compilation-dir=/odd -frandom-seed=1 -fworking-directory -fno-working-directory
    -Wl,-Map,map.txt -Wl,--as-needed -s -Wa,-adhln -Wa,-adhln=list.txt -Wa,--noexecstack
    -Wa,-I,inc -Wa,-MD,as.d -Wa,--gdwarf-5 -Wa,-ahls=sub/l.txt,-I,sub -Wa,-nonsense -Wa,
    -Wp,-DFOO=3 -Wp,-MMD,wp.d -Wp,-MD,sub/wp.d -Wp,-UFOO -Wp,-DFOO,-UFOO -Wp,-I,inc
    -Wp,-MD,wp.d,-MP -Wp,-nonsense -Wp, -Wp,-include,inc/a.h -Wp,-MD -Wp,-MT,t,-MP -###
    --version -dumpversion -dumpmachine -print-file-name=libc.a --help -Q -nonsense --nonsense
    -fnonsense -Znonsense -mnonsense -Onone -std=nonsense -integrated-as -no-integrated-as
    -fintegrated-as -fno-integrated-cc1 -emit-llvm -fmodules -fmodules-ts -fplugin=./nothing.so
    -specs=nothing -B. -Bsub/ -wrapper -fprofile-use -fprofile-use=sub -fauto-profile
    -fprofile-dir=sub -no-canonical-prefixes -march=native -mtune=native -pass-exit-codes
    -no-pie -fuse-ld=bfd -rdynamic -lm -fdirectives-only -fpch-deps -fpch-preprocess
    -ftime-report -fmem-report -time -aux-info -gen-decls -faligned-new -fno-elide-constructors
    -fpermissive -x - -fcf-protection=full -fstack-clash-protection -D_FORTIFY_SOURCE=2 -fno-plt
    -gtoggle
  `.trim().split(/\s+/),
  "-DBAR='x y'",
  '-DBAR="a b"',
  '-DBAR="\\"q\\""',
  "-DFOO=a\\b",
  "-DFOO=$x",
];

/** Options about dependencies. */
const DEPEND: readonly (readonly string[])[] = [
  ...`-MD
    -MMD
    -MD -MP
    -MMD -MF dep.d
    -MD -MFdep
    -MF dep.d
    -MD -MQ a$b
    -MD -MTt -MQq
    -MP
    -MG
    -MD -MG
    -MD -MF sub/dep.d
    -MD -MF -
    -MMD -MF {ROOT}/abs.d
    -MD -MF no/such/dep.d
    -MD -MMD
    -MD -MF /dev/null
    -MD -MF inc
    -MM -MD
    --dependencies
    --write-dependencies
    -MD -MF`.split("\n").map((line) => line.trim().split(" ")),
  ["-MD", "-MT", "a b"],
  ["-MD", "-MT", ""],
  ["-MD", "-MF", ""],
];

/** Languages for -x, right and wrong. */
const LANGUAGES = [
  ...["c", "c++", "none", "assembler", "assembler-with-cpp", "cpp-output", "c++-cpp-output", "f77"],
  ...["c-header", "c++-header", "objective-c", "nonsense", "", "none", "c"],
];

/** Words of one option, with what it takes. */
export function makeOption(random: Random, tree: Tree): readonly string[] {
  const kind = random.weighted([
    [60, "plain"],
    [14, "depend"],
    [20, "folder"],
    [7, "include"],
    [3, "language"],
    [8, "row"],
    [5, "separate"],
  ]);
  switch (kind) {
    case "plain":
      return [random.pick(PLAIN)];
    case "depend":
      return random.pick(DEPEND);
    case "folder":
      return makeFolderOption(random, tree);
    case "include": {
      const option = random.pick(["-include", "-imacros", "--include", "-include", "--imacros"]);
      const header = random.chance(0.85) && tree.headers.length > 0
        ? random.pick(tree.headers)
        : random.pick(["missing.h", "stddef.h", "a.h", "./inc/a.h", "{ROOT}/inc/a.h", "", "inc"]);
      return random.chance(0.2) ? [`${option}${header}`] : [option, header];
    }
    case "language": {
      const language = random.pick(LANGUAGES);
      return random.chance(0.5) ? ["-x", language] : [`-x${language}`];
    }
    case "separate":
      return random.pick([
        ["--param", "max-inline-insns-auto=3"],
        ["-D", "FOO=5"],
        ["-U", "FOO"],
        ["-D", 'BAR="two words"'],
        ["-Xassembler", "--noexecstack"],
        ["-Xassembler", "-adhln"],
        ["-Xpreprocessor", "-DFOO=9"],
        ["-Xpreprocessor", "-MD", "-Xpreprocessor", "xp.d"],
        ["-Xlinker", "--as-needed"],
        ["-Xclang", "-dump-tokens"],
        ["-Xclang", "-fcolor-diagnostics"],
        ["-mllvm", "-stats"],
        ["-A", "odd=yes"],
        ["-aux-info", "aux.txt"],
        ["-dumpbase", "odd"],
        ["-dumpbase", "", "-dumpdir", "sub/"],
        ["-dumpbase-ext", ".x", "-dumpbase", "q.x"],
        ["-L", "sub"],
        ["-T", "nothing.ld"],
        ["-isysroot", "{ROOT}"],
        ["--sysroot", "/"],
        ["-iprefix", "{ROOT}/", "-iwithprefix", "inc"],
        ["-imultilib", "x"],
        ["-target", "x86_64-linux-gnu"],
        ["-arch", "x86_64"],
      ]);
    case "row":
      return makeRow(random);
  }
}

/** A way to say what is made. */
export function makeMode(random: Random): readonly string[] {
  return random.weighted(MODES);
}

function makeFolderOption(random: Random, tree: Tree): readonly string[] {
  const option = random.pick([
    ...["-I", "-I", "-I", "-I", "-iquote", "-isystem", "-isystem", "-idirafter"],
    ...["--include-directory=", "-isystem-after", "-cxx-isystem", "--sysroot="],
  ]);
  const folder = random.chance(0.85) ? random.pick(tree.folders) : random.pick([
    ...[
      "no/such",
      ".",
      "{ROOT}",
      "{ROOT}/inc",
      "./inc/",
      "inc/../sub",
      "=/inc",
      "-",
      "a.c",
      "inc//",
    ],
    ...["/usr/include", "", "link", "inc/."],
  ]);
  return random.chance(0.6) || option.endsWith("=") ? [`${option}${folder}`] : [option, folder];
}

/** A row of llamacc's table, so that none is left out, with a value that it may or may not like. */
function makeRow(random: Random): readonly string[] {
  const { name, form } = random.pick(OPTIONS);
  const value = random.pick(["", "1", "x", "inc", "inc/a.h", "=x", "sub/y", "a=b", "a b", "c"]);
  switch (form) {
    case "none":
      return [name];
    case "joined":
      return [name + value];
    case "separate":
      return [name, value];
    case "either":
      return random.chance(0.5) ? [name + value] : [name, value];
    case "joined and separate":
      return [name + value, "x"];
    case "two":
      return [name, value, "x"];
    case "three":
      return [name, value, "x", "y"];
  }
}
