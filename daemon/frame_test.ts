import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createFields, encodeFrame, maxPayloadBytes, readFields, readFrames } from "./frame.ts";
import { FormatError, LlamaError } from "../job/errors.ts";

/** Gives `bytes` in pieces of at most `pieceBytes`. */
function source(bytes: Uint8Array, pieceBytes: number) {
  let at = 0;
  return {
    read(target: Uint8Array): Promise<number | null> {
      if (at === bytes.length) return Promise.resolve(null);
      const piece = bytes.subarray(at, at + Math.min(pieceBytes, target.length));
      target.set(piece);
      at += piece.length;
      return Promise.resolve(piece.length);
    },
  };
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

Deno.test("readFrames() puts frames together however they arrive", async () => {
  const large = new Uint8Array(50_000).map((_, index) => index % 251);
  const bytes = concat(
    encodeFrame(1, new Uint8Array([7])),
    encodeFrame(2, new Uint8Array()),
    encodeFrame(3, large),
    encodeFrame(4, new Uint8Array([8, 9])),
  );
  for (const pieceBytes of [1, 3, 8, 4096, 1_000_000]) {
    const frames = await Array.fromAsync(readFrames(source(bytes, pieceBytes)));
    assertEquals(frames, [
      { kind: 1, payload: new Uint8Array([7]) },
      { kind: 2, payload: new Uint8Array() },
      { kind: 3, payload: large },
      { kind: 4, payload: new Uint8Array([8, 9]) },
    ]);
  }
});

Deno.test("readFrames() refuses a length over the limit before the bytes come", async () => {
  const header = new Uint8Array([1, 0, 0, 0, 1, 0, 0, 1]);
  const error = await assertRejects(
    () => Array.fromAsync(readFrames(source(header, 100))),
    LlamaError,
    "16777217 bytes",
  );
  assertEquals(error.code, "FrameTooLong");
});

Deno.test("readFrames() takes a frame of the limit's length", async () => {
  const bytes = encodeFrame(1, new Uint8Array(maxPayloadBytes));
  const frames = await Array.fromAsync(readFrames(source(bytes, 1_000_000)));
  assertEquals(frames.map(({ payload }) => payload.length), [maxPayloadBytes]);
  assertThrows(() => encodeFrame(1, new Uint8Array(maxPayloadBytes + 1)), LlamaError, "the limit");
});

Deno.test("readFrames() tells an end inside a frame from an end between frames", async () => {
  const bytes = encodeFrame(1, new Uint8Array(10));
  assertEquals((await Array.fromAsync(readFrames(source(bytes, 7)))).length, 1);
  for (const length of [1, 8, 17]) {
    await assertRejects(
      () => Array.fromAsync(readFrames(source(bytes.subarray(0, length), 7))),
      FormatError,
    );
  }
});

Deno.test("readFields() takes what createFields() put, and nothing more", () => {
  const fields = createFields();
  fields.u32(0xfffffffe);
  fields.text("hé");
  fields.list(["a", new Uint8Array([255]), ""]);
  fields.text("x".repeat(5000));
  const payload = fields.finish();
  const reader = readFields(payload, "a test");
  assertEquals(reader.u32(), 0xfffffffe);
  assertEquals(new TextDecoder().decode(reader.bytes()), "hé");
  assertEquals(reader.list().map((bytes) => [...bytes]), [[97], [255], []]);
  assertThrows(() => reader.end(), FormatError, "bytes follow");
  assertEquals(reader.bytes().length, 5000);
  reader.end();
  assertThrows(() => reader.u32(), FormatError, "ends inside");
});

Deno.test("readFields() refuses lengths and counts that the payload does not have", () => {
  const long = new Uint8Array([255, 255, 255, 255, 1, 2]);
  assertThrows(() => readFields(long, "a test").bytes(), FormatError, "ends inside");
  assertThrows(() => readFields(long, "a test").list(), FormatError, "ends inside");
});
