import { assert, assertEquals, assertThrows } from "@std/assert";
import { compress } from "./compression.ts";
import { digestOf } from "./digest.ts";
import { FormatError } from "./errors.ts";
import { decodePack, encodePack, type Packed } from "./pack.ts";

const MAGIC = "LLAMAPK1";

async function packed(bytes: Uint8Array<ArrayBuffer>): Promise<Packed> {
  return { digest: await digestOf(bytes), bytes };
}

async function texts(...list: string[]): Promise<Packed[]> {
  return await Promise.all(list.map((text) => packed(new TextEncoder().encode(text))));
}

/** A pack put together by hand, as the essay of pack.ts has it. */
function packOf(index: unknown, ...frames: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(
    typeof index === "string" ? index : JSON.stringify(index),
  );
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, text.length, true);
  const parts = [new TextEncoder().encode(MAGIC), length, text, ...frames];
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function read(pack: Uint8Array<ArrayBuffer>): Packed[] {
  return [...decodePack(pack)];
}

Deno.test("a pack gives back its objects in their order", async () => {
  const objects = await texts("b", "a", "", "a", "the same line\n".repeat(1000));
  assertEquals(read(encodePack(objects)), objects);
  assertEquals(read(encodePack([])), []);
});

Deno.test("encodePack() makes equal packs of equal objects", async () => {
  const objects = await texts("one", "two");
  assertEquals(encodePack(objects), encodePack(await texts("one", "two")));
  assert(encodePack(objects).toHex() !== encodePack(objects.toReversed()).toHex());
});

Deno.test("encodePack() begins a block after 4 MiB and gives a larger object its own", async () => {
  const small = await packed(new Uint8Array(1024 * 1024).fill(1));
  const exact = await packed(new Uint8Array(4 * 1024 * 1024).fill(2));
  const large = await packed(new Uint8Array(5 * 1024 * 1024).fill(3));
  const [empty] = await texts("");
  assert(empty);
  const objects = [small, exact, empty, large, empty, small, small];
  const pack = encodePack(objects);
  const end = 12 + new DataView(pack.buffer).getUint32(8, true);
  const { blocks } = JSON.parse(new TextDecoder().decode(pack.subarray(12, end)));
  assertEquals(blocks.map(({ objects }: { objects: unknown[] }) => objects.length), [1, 2, 1, 3]);
  // Comparing megabytes item by item takes seconds.
  const digests = await Promise.all(read(pack).map(({ bytes }) => digestOf(bytes)));
  assertEquals(digests, objects.map(({ digest }) => digest));
});

Deno.test("decodePack() reads a pack that lies inside a larger buffer", async () => {
  const objects = await texts("one", "two");
  const pack = encodePack(objects);
  const larger = new Uint8Array(pack.length + 20);
  larger.set(pack, 7);
  assertEquals(read(larger.subarray(7, 7 + pack.length)), objects);
});

Deno.test("decodePack() refuses what is no whole pack", async () => {
  const pack = encodePack(await texts("one", "two"));
  assertThrows(() => read(new Uint8Array()), FormatError, `it does not begin with ${MAGIC}`);
  assertThrows(() => read(pack.subarray(0, 11)), FormatError, "it does not begin with");
  assertThrows(() => read(pack.subarray(0, 20)), FormatError, "its index is cut off");
  assertThrows(() => read(pack.slice(0, -1)), FormatError, "a block is cut off");
  const longer = new Uint8Array([...pack, 0]);
  assertThrows(() => read(longer), FormatError, "bytes follow its last block");
  const other = pack.slice();
  other[7] = "2".charCodeAt(0);
  assertThrows(() => read(other), FormatError, "it does not begin with");
});

Deno.test("decodePack() refuses an index that does not fit its blocks", () => {
  const digest = "0".repeat(64);
  const frame = compress(new Uint8Array(8));
  const index = (objects: unknown, size: unknown = frame.length) => ({
    blocks: [{ size, objects }],
  });
  const cases: readonly (readonly [unknown, string])[] = [
    ["{", "pack index: it is not JSON"],
    [[], "pack index: it must be an object"],
    [{}, "pack index.blocks: it must be an array"],
    [{ blocks: [7] }, "pack block: it must be an object"],
    [index([], -1), "pack block.size: it must be a whole number"],
    [index("x"), "pack block.objects: it must be an array"],
    [index([7]), "pack entry: it must be an array"],
    [index([[]]), "pack entry: it must be 64"],
    [index([["xyz", 8]]), "pack entry: it must be 64"],
    [index([[digest, -8]]), "pack entry: it must be a whole number"],
    [index([[digest, 7]]), "it does not decompress"],
    [index([[digest, 9]]), "a block has the wrong length"],
    [index([[digest, 4], [digest, 4], [digest, 1]]), "a block has the wrong length"],
    [index([]), "it does not decompress"],
  ];
  for (const [json, message] of cases) {
    assertThrows(() => read(packOf(json, frame)), FormatError, message);
  }
  assertEquals(read(packOf(index([[digest, 4], [digest, 4]]), frame)).length, 2);
});

Deno.test("decodePack() makes no more bytes than a block may have", () => {
  const digest = "0".repeat(64);
  const bomb = compress(new Uint8Array(64 * 1024 * 1024));
  const index = (objects: unknown) => ({ blocks: [{ size: bomb.length, objects }] });
  const many = Array.from({ length: 64 }, () => [digest, 1024 * 1024]);
  assertThrows(
    () => read(packOf(index(many), bomb)),
    FormatError,
    "a block of 67108864 bytes is too large",
  );
  assertThrows(() => read(packOf(index([[digest, 2 ** 30 + 1]]), bomb)), FormatError, "pack entry");
  assertThrows(() => read(packOf(index([[digest, 100]]), bomb)), FormatError, "decompress");
});

Deno.test("decodePack() throws nothing but FormatError, whichever byte is damaged", async () => {
  const pack = encodePack(await texts("one", "two", "the same line\n".repeat(100)));
  let refused = 0;
  for (let at = 0; at < pack.length; at++) {
    const damaged = pack.slice();
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    try {
      for (const { digest, bytes } of decodePack(damaged)) assert(digest && bytes);
    } catch (error) {
      assert(error instanceof FormatError, `byte ${at}: ${error}`);
      refused++;
    }
  }
  assert(refused > pack.length / 4);
});
