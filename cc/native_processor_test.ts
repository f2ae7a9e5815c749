import { assertEquals } from "@std/assert";
import {
  asksForNative,
  clangProcessor,
  hidesProcessor,
  machineArgs,
  nativeSpecs,
  probeSpecs,
  withProcessor,
} from "./native_processor.ts";

const SPEC = "%{march=native:%>march=native %:local_cpu_detect(arch %{!m32:64;:32}) " +
  "%{!mtune=*:%:local_cpu_detect(tune 64)}}";
const DUMPED = `*cc1:\n%(cc1_cpu) %{profile:-p}\n\n*cc1_cpu:\n${SPEC}\n\n*version:\n12\n\n`;

Deno.test("probeSpecs() has the driver print what it makes of each question", () => {
  assertEquals(
    probeSpecs(DUMPED),
    "*cc1_cpu:\n" +
      "-DLLAMA_EXPANSION=0 %:local_cpu_detect(arch %{!m32:64;:32}) " +
      "-DLLAMA_EXPANSION=1 %:local_cpu_detect(tune 64) -DLLAMA_EXPANSION=end\n\n",
  );
  assertEquals(probeSpecs("*cc1_cpu:\n\n"), undefined);
  // What is asked in another place would be answered by the worker.
  assertEquals(probeSpecs(`${DUMPED}*asm:\n%:local_cpu_detect(asm)\n\n`), undefined);
});

Deno.test("nativeSpecs() puts the answers in the place of the questions", () => {
  const printed = 'COLLECT_GCC=gcc\n /usr/lib/cc1 -quiet /dev/null "-DLLAMA_EXPANSION=0" ' +
    '"-march=znver3" -mavx2 --param "l1-cache-size=32" "-DLLAMA_EXPANSION=1" "-mtune=znver3" ' +
    '"-DLLAMA_EXPANSION=end" -o /tmp/x.s\n as --64 /tmp/x.s\n';
  assertEquals(
    nativeSpecs(DUMPED, printed),
    "*cc1_cpu:\n%{march=native:%>march=native -march=znver3 -mavx2 --param l1-cache-size=32 " +
      "%{!mtune=*:-mtune=znver3}}\n\n",
  );
  assertEquals(nativeSpecs(DUMPED, "gcc: error: unrecognized option\n"), undefined);
});

Deno.test("clangProcessor() reads the processor from the command of the compiler proper", () => {
  const command = (triple: string, rest: string) =>
    `clang version 14\n "/usr/bin/clang" "-cc1" "-triple" "${triple}" ${rest} "a.c"\n`;
  assertEquals(
    clangProcessor(command(
      "x86_64-pc-linux-gnu",
      '"-target-cpu" "znver3" "-target-feature" "+avx2" "-target-feature" "-xop"',
    )),
    { names: { arch: "znver3", tune: "znver3", features: ["+avx2", "-xop"] } },
  );
  assertEquals(
    clangProcessor(command("i386-pc-linux", '"-target-cpu" "x86-64" "-tune-cpu" "znver3"')),
    { names: { arch: "x86-64", tune: "znver3", features: [] } },
  );
  assertEquals(
    clangProcessor(command("aarch64-linux-gnu", '"-target-cpu" "cortex-a72"')),
    undefined,
  );
  assertEquals(clangProcessor("clang: error: no\n"), undefined);
});

Deno.test("withProcessor() leaves GCC's command as it is behind the specs", () => {
  assertEquals(withProcessor(["-march=native", "-c", "a.c"], { specs: "x" }, "/s"), [
    "-specs=/s",
    "-march=native",
    "-c",
    "a.c",
  ]);
});

Deno.test("withProcessor() names the processor for clang, features first", () => {
  const names = { arch: "znver3", tune: "znver2", features: ["+avx2"] };
  const args = ["-march=native", "-mtune=native", "-DX=native", "a.c"];
  assertEquals(
    withProcessor(args, { names }, "/s").join(" "),
    [
      "-Xclang -target-feature -Xclang +avx2",
      "-march=znver3 -mtune=znver2 -DX=native a.c",
    ].join(" "),
  );
});

Deno.test("asksForNative(), machineArgs() and hidesProcessor() read the command", () => {
  for (const arg of ["-march=native", "-mtune=native", "-mcpu=native"]) {
    assertEquals(asksForNative(["-c", arg]), true);
  }
  assertEquals(asksForNative(["-march=nativex", "native", "-DX=native"]), false);
  const args = "-O2 -m32 -mllvm -x -target i386-linux --target=x -c -march=native a.c".split(" ");
  assertEquals(machineArgs(args).join(" "), "-m32 -target i386-linux --target=x -march=native");
  assertEquals(hidesProcessor(args), true);
  assertEquals(hidesProcessor([...args, "-grecord-command-line"]), false);
});
