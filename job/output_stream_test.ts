import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "./errors.ts";
import { createFrameReader, encodeFrame, type Frame } from "./output_stream.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const FRAMES: readonly Frame[] = [
  { kind: "stdout", bytes: bytesOf("one") },
  { kind: "stderr", bytes: Uint8Array.of(0, 255, 10) },
  { kind: "stdout", bytes: new Uint8Array() },
  { kind: "stdout", bytes: new Uint8Array(100_000).fill(7) },
  { kind: "answer", bytes: bytesOf("{}") },
];

Deno.test("frames come out as they went in, wherever chunks end", () => {
  const all = Uint8Array.from(FRAMES.flatMap((frame) => [...encodeFrame(frame)]));
  for (const size of [1, 4, 7, 65_536, all.length]) {
    const reader = createFrameReader();
    const found: Frame[] = [];
    for (let at = 0; at < all.length; at += size) {
      found.push(...reader.add(all.subarray(at, at + size)));
    }
    assertEquals([...found, ...reader.end()], [...FRAMES]);
  }
});

Deno.test("an answer without frames is the rest of the stream", () => {
  const reader = createFrameReader();
  assertEquals([reader.add(bytesOf('{"a"')), reader.add(bytesOf(":1}"))], [[], []]);
  assertEquals(reader.end(), [{ kind: "answer", bytes: bytesOf('{"a":1}') }]);
  assertEquals(reader.plain(), bytesOf('{"a":1}'));
  assertEquals(createFrameReader().end(), []);
  assertEquals(createFrameReader().plain(), undefined);
});

Deno.test("the reader refuses what is no frame, is too long or is cut off", () => {
  const add = (...bytes: number[]) => () => createFrameReader().add(Uint8Array.from(bytes));
  assertThrows(add(0, 0, 0, 0, 0), FormatError, "a frame is of the kind 0");
  assertThrows(add(4, 0, 0, 0, 0), FormatError, "a frame is of the kind 4");
  assertThrows(add(1, 0, 128, 0, 1), FormatError, "a frame of 8388609 bytes is too long");
  assertEquals(add(2, 0, 128, 0, 0)(), []);
  assertThrows(add(3, 0, 0, 0, 1, 0x7b, 1), FormatError, "there is more behind the answer");
  const cut = createFrameReader();
  cut.add(Uint8Array.of(1, 0, 0, 0, 2, 65));
  assertThrows(() => cut.end(), FormatError, "a frame is cut off");
  const endless = createFrameReader();
  const chunk = new Uint8Array(4 * 1024 * 1024).fill(0x7b);
  endless.add(chunk);
  endless.add(chunk);
  assertThrows(() => endless.add(chunk), FormatError, "is too long");
});
