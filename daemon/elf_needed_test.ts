import { assertEquals } from "@std/assert";
import { neededNames } from "./elf_needed.ts";

Deno.test("neededNames() reads what a library is linked with", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const cc = async (...args: string[]) => {
      const { success } = await new Deno.Command("cc", { args, cwd: folder }).output();
      assertEquals(success, true);
    };
    await Deno.writeTextFile(
      `${folder}/a.c`,
      "double cos(double); double f(double x) { return cos(x); }\n",
    );
    await cc("-shared", "-fPIC", "-Wl,--no-as-needed", "a.c", "-o", "a.so", "-lm");
    await cc("-c", "a.c", "-o", "a.o");
    const read = async (name: string) => neededNames(await Deno.readFile(`${folder}/${name}`));
    assertEquals(await read("a.so"), ["libm.so.6", "libc.so.6"]);
    assertEquals(await read("a.o"), undefined);
    assertEquals(await read("a.c"), undefined);
    const whole = await Deno.readFile(`${folder}/a.so`);
    assertEquals(neededNames(whole.subarray(0, 1000)), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
