import { assertEquals, assertThrows } from "@std/assert";
import { crc32 } from "node:zlib";
import { FormatError } from "../job/errors.ts";
import { createEventReader } from "./event_stream.ts";

/** Test vectors of Smithy's specification, "Amazon Event Stream Specification", as hexadecimal. */
const EMPTY = "000000100000000005c248eb7d98c8ff";
const INT32 = "0000002d0000001041c424b80a6576656e742d747970650400" +
  "00a00c7b27666f6f273a27626172277d36f480a0";
const PAYLOAD = "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936";

const bytesOf = (hex: string) => Uint8Array.fromHex(hex);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("the reader reads the vectors of the specification, wherever chunks end", () => {
  const all = bytesOf(EMPTY + PAYLOAD + INT32 + EMPTY);
  for (const size of [1, 3, 16, 1000]) {
    const reader = createEventReader(crc32);
    const payloads = [];
    for (let at = 0; at < all.length; at += size) {
      payloads.push(
        ...reader.add(all.subarray(at, at + size)).map(({ payload }) => textOf(payload)),
      );
    }
    assertEquals(payloads, ["", "{'foo':'bar'}", "{'foo':'bar'}", ""]);
    assertEquals(reader.isAtEnd(), true);
  }
});

Deno.test("the reader refuses any byte that was changed", () => {
  const good = bytesOf(INT32);
  for (let at = 0; at < good.length; at++) {
    const bad = good.slice();
    bad[at] = (bad[at] ?? 0) ^ 1;
    const reader = createEventReader(crc32);
    assertThrows(() => reader.add(bad), FormatError, "checksum", `${at}`);
  }
});

Deno.test("the reader refuses lengths that cannot be", () => {
  const prelude = (size: number, headers: number) => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, size);
    view.setUint32(4, headers);
    view.setUint32(8, crc32(bytes.subarray(0, 8)));
    view.setUint32(12, crc32(bytes.subarray(0, 12)));
    return bytes;
  };
  const add = (bytes: Uint8Array) => () => createEventReader(crc32).add(bytes);
  assertThrows(add(prelude(15, 0)), FormatError, "an event has 15 bytes");
  assertThrows(add(prelude(0xffffffff, 0)), FormatError, "an event has 4294967295 bytes");
  assertThrows(add(prelude(16, 1)), FormatError, "headers are too long");
  const cut = createEventReader(crc32);
  assertEquals(cut.add(bytesOf(EMPTY).subarray(0, 10)), []);
  assertEquals(cut.isAtEnd(), false);
});
