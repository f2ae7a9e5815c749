import { assertEquals } from "@std/assert";
import { askedCompiler, siblingName } from "./compiler_name.ts";

const FILES = new Set(["/opt/my tools/gcc", "ccache", "gcc"]);
const ask = (calledAs: string, localCc = "cc", localCxx = "c++") =>
  askedCompiler(calledAs, { localCc, localCxx }, (name) => FILES.has(name));

Deno.test("askedCompiler() reads the name by which llamacc was called", () => {
  const cases: [string, string, boolean][] = [
    ["llamacc", "cc", false],
    ["/usr/local/bin/llamac++", "c++", true],
    [
      "aarch64-linux-gnu-llamacc",
      "aarch64-linux-gnu-gcc aarch64-linux-gnu-clang aarch64-linux-gnu-cc",
      false,
    ],
    ["./riscv64-elf-llamac++", "riscv64-elf-g++ riscv64-elf-clang++ riscv64-elf-c++", true],
    ["llamacc-11", "gcc-11 clang-11", false],
    ["llamac++-12.2", "g++-12.2 clang++-12.2", true],
    ["llamacc-clang", "clang", false],
    ["llamac++-clang-14", "clang++-14", true],
    ["llamac++-gcc", "g++", true],
    ["arm-llamacc-gcc-9", "arm-gcc-9", false],
    ["gcc", "gcc", false],
    ["/links/g++-11", "g++-11", true],
    ["clang++", "clang++", true],
    ["c++filt", "c++filt", false],
  ];
  for (const [name, names, cxx] of cases) {
    const asked = ask(
      name,
      name === "llamacc" ? "cc" : "other",
      name.endsWith("llamac++") ? "c++" : "o",
    );
    assertEquals([asked.names.join(" "), asked.cxx], [names, cxx], name);
  }
});

Deno.test("askedCompiler() reads a variable as a makefile's CC is read", () => {
  const read = (command: string) => {
    const { names, args, runner } = ask("llamacc", command);
    return [runner, names, args];
  };
  assertEquals(read("gcc-11"), [[], ["gcc-11"], []]);
  assertEquals(read("/opt/my tools/gcc"), [[], ["/opt/my tools/gcc"], []]);
  assertEquals(read("gcc -m32 -O1"), [[], ["gcc"], ["-m32", "-O1"]]);
  assertEquals(read(" ccache  gcc -m32"), [["ccache"], ["gcc"], ["-m32"]]);
  assertEquals(read("/usr/bin/ccache -z gcc"), [["/usr/bin/ccache", "-z"], ["gcc"], []]);
  assertEquals(read("ccache"), [[], ["ccache"], []]);
});

Deno.test("askedCompiler() takes C for C++ where the variable names a compiler of C++", () => {
  assertEquals(ask("llamacc", "/usr/bin/g++-12").cxx, true);
  assertEquals(ask("llamacc", "clang++").variable, "LLAMACC_LOCAL_CC");
  assertEquals(ask("llamac++", "cc", "/opt/any").cxx, true);
  assertEquals(ask("llamac++").variable, "LLAMACC_LOCAL_CXX");
  assertEquals(ask("gcc").variable, undefined);
});

Deno.test("siblingName() names the compiler of the other language", () => {
  const pairs = [
    "gcc g++",
    "cc c++",
    "clang clang++",
    "arm-gcc-12 arm-g++-12",
    "clang-14 clang++-14",
  ];
  for (const pair of pairs) {
    const [c = "", cxx = ""] = pair.split(" ");
    assertEquals([siblingName(c), siblingName(cxx)], [cxx, c]);
  }
  assertEquals([siblingName("c++filt"), siblingName("gcc-ar")], [undefined, undefined]);
});
