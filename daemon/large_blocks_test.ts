import { assertEquals } from "@std/assert";

/**
 * Prints the MB that a block of 24 MB adds to those that are mapped on their own, after one of 28 MB was freed: glibc
 * takes up to 32 for small by then (mallopt(3)). The fifth of the ten numbers of mallinfo2(3) counts them.
 */
const SCRIPT = `
const { malloc, free, mallinfo2 } = Deno.dlopen("libc.so.6", {
  malloc: { parameters: ["usize"], result: "pointer" },
  free: { parameters: ["pointer"], result: "void" },
  mallinfo2: { parameters: [], result: { struct: Array(10).fill("usize") } },
}).symbols;
const mappedMb = () => Number(new BigUint64Array(mallinfo2().buffer)[4] >> 20n);
free(malloc(28 << 20));
const before = mappedMb();
malloc(24 << 20);
console.log(mappedMb() - before);
`;

Deno.test("giveLargeBlocksBack() has each large block mapped on its own, whatever was freed before", async () => {
  const module = new URL("large_blocks.ts", import.meta.url).href;
  const grown = async (before: string) => {
    const path = await Deno.makeTempFile({ suffix: ".ts" });
    try {
      await Deno.writeTextFile(path, before + SCRIPT);
      const args = ["run", "--no-config", "--no-lock", "--allow-ffi", path];
      const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" })
        .output();
      return Number(new TextDecoder().decode(stdout));
    } finally {
      await Deno.remove(path);
    }
  };
  const call = `import { giveLargeBlocksBack } from "${module}"; giveLargeBlocksBack();`;
  assertEquals([await grown(""), await grown(call)], [0, 24]);
});
