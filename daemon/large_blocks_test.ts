import { assert } from "@std/assert";
import { giveLargeBlocksBack } from "./large_blocks.ts";

const MB = 1024 * 1024;

Deno.test("giveLargeBlocksBack() has each large block mapped on its own, whatever was freed before", () => {
  const libc = Deno.dlopen("libc.so.6", {
    malloc: { parameters: ["usize"], result: "pointer" },
    free: { parameters: ["pointer"], result: "void" },
    // mallinfo(3): the fifth of ten numbers is the bytes in blocks of their own.
    mallinfo2: { parameters: [], result: { struct: Array(10).fill("usize") } },
  });
  const { malloc, free, mallinfo2 } = libc.symbols;
  const mapped = () => Number(new BigUint64Array(mallinfo2().buffer)[4]);
  try {
    giveLargeBlocksBack();
    // That alone would have glibc take 16 MB for small from now on.
    free(malloc(16n * BigInt(MB)));
    const before = mapped();
    const block = malloc(2n * BigInt(MB));
    const grown = mapped() - before;
    free(block);
    assert(grown >= 2 * MB, `${grown}`);
  } finally {
    libc.close();
  }
});
