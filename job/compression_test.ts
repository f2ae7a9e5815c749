import { assert, assertEquals, assertThrows } from "@std/assert";
import { compress, decompress } from "./compression.ts";
import { FormatError } from "./errors.ts";

const LINES = new TextEncoder().encode("the same line again and again\n".repeat(200));

Deno.test("decompress() gives back what compress() took", () => {
  const noise = crypto.getRandomValues(new Uint8Array(5_000));
  for (const bytes of [new Uint8Array(), new Uint8Array([7]), LINES, noise]) {
    assertEquals(decompress(compress(bytes), "it", Math.max(bytes.length, 1)), bytes);
  }
  assert(compress(LINES).length < LINES.length / 10);
});

Deno.test("compress() takes a view for what it shows", () => {
  assertEquals(decompress(compress(LINES.subarray(4, 8)), "it", 4), LINES.subarray(4, 8));
});

Deno.test("decompress() stops at its bound, whatever the frame promises", () => {
  const bomb = compress(new Uint8Array(64 * 1024 * 1024));
  assert(bomb.length < 10_000);
  assertThrows(
    () => decompress(bomb, "it", 1024),
    FormatError,
    "Cannot read it: it does not decompress",
  );
  assertThrows(() => decompress(compress(LINES), "it", LINES.length - 1), FormatError);
});

Deno.test("decompress() refuses what is damaged", () => {
  const frame = compress(LINES);
  for (const at of [0, 3, 5]) {
    const damaged = frame.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    assertThrows(
      () => decompress(damaged, "it", LINES.length),
      FormatError,
      "it does not decompress",
    );
  }
  const text = new TextEncoder().encode("x");
  assertThrows(() => decompress(text, "it", 1), FormatError, "it does not decompress");
});

Deno.test("decompress() gives less of a frame that is cut off", () => {
  const frame = compress(LINES);
  for (const length of [0, 5, frame.length - 1]) {
    assert(decompress(frame.subarray(0, length), "it", LINES.length).length < LINES.length);
  }
});
