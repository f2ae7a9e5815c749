/** Cases of several commands, each of which needs what the one before it left. */
import type { Entry, FuzzCase, Step } from "./case.ts";
import type { Random } from "./random.ts";

const MAIN = `#include "h.h"
int main(int argc, char **argv) {
  int sum = 0;
  for (int i = 0; i < 10 + argc; i++) sum += twice(i);
  return sum > 1000;
}
`;
const HEADER = "#include <stddef.h>\nstatic inline int twice(int x) { return x + x; }\n";

/** Makes a case around a precompiled header, a profile, kept temporary files or a library. */
export function makeScenario(random: Random, compiler: string): FuzzCase {
  const cxx = compiler.includes("++");
  const source = cxx ? "main.cc" : "main.c";
  const entries: Entry[] = [
    { kind: "file", path: source, text: MAIN, mode: 0o644 },
    { kind: "file", path: "h.h", text: HEADER, mode: 0o644 },
    { kind: "folder", path: "sub", mode: 0o755 },
  ];
  const level = random.pick(["-O0", "-O1", "-O2"]);
  const debug = random.pick(["-g0", "-g", "-g3"]);
  const compile = (...args: string[]): Step => ({ kind: "compile", args });
  const run = (...command: string[]): Step => ({ kind: "run", command });
  const language = cxx ? "c++-header" : "c-header";
  const steps: readonly Step[] = random.pick([
    [
      compile(level, debug, "-x", language, "h.h", "-o", "h.h.gch"),
      compile(level, debug, "-include", "h.h", "-c", source, ...random.some(["-MD", "-H"], 2)),
    ],
    [
      compile(level, debug, "h.h"),
      compile(level, debug, "-Winvalid-pch", "-c", source, ...random.some(["-DX", "-Wall"], 1)),
    ],
    [
      compile(level, "--coverage", source, "-o", "prog"),
      run("./prog"),
      compile(level, "-fprofile-use", "-c", source, "-o", "prog-main.o"),
    ],
    [
      compile(level, "-fprofile-generate", "-c", source, "-o", "sub/main.o"),
      compile("-fprofile-generate", "sub/main.o", "-o", "prog"),
      run("./prog"),
      compile(level, "-fprofile-use", "-c", source, "-o", "sub/main.o"),
    ],
    [
      compile(level, debug, "-save-temps", "-c", source),
      compile(level, debug, "-c", cxx ? "main.ii" : "main.i", "-o", "again.o"),
      compile("-c", "main.s", "-o", "twice.o"),
    ],
    [
      compile(level, debug, "-MD", "-c", source),
      compile("main.o", "-o", "prog"),
      run("./prog"),
      compile(level, debug, "-MD", "-c", source),
    ],
    [
      compile(level, "-flto", "-c", source),
      compile(level, "-flto", "main.o", "-o", "prog"),
      run("./prog"),
    ],
    [
      compile(level, debug, "-E", source, "-o", "pre.i"),
      compile(level, debug, "-c", "pre.i"),
      compile(level, debug, "-fpreprocessed", "-c", "pre.i", "-o", "x.o"),
    ],
    [
      compile(level, debug, "-c", source),
      run("cp", "h.h", "kept.h"),
      run("sh", "-c", "printf 'static inline int twice(int x) { return x + 9; }\\n' >h.h"),
      compile(level, debug, "-c", source),
      run("mv", "h.h", "sub/h.h"),
      compile(level, debug, "-c", source),
      compile(level, debug, "-c", source, "-Isub"),
      run("mv", "kept.h", "h.h"),
      compile(level, debug, "-c", source, "-Isub"),
    ],
  ]);
  return { compiler, entries, steps, cwd: ".", umask: 0o022, env: {}, stdin: "" };
}
