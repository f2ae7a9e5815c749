import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "./errors.ts";
import type { Input } from "./manifest.ts";
import { pickedFromJson, pickedToJson, pickInputs } from "./picked.ts";

const MANIFEST = "ab".repeat(32);
const INPUTS: readonly Input[] = Array.from(
  { length: 12 },
  (_, index) => ({ kind: "folder", path: `/${index}`, mode: 0o755 }),
);

const pick = (...bits: number[]) =>
  pickInputs(INPUTS, { manifest: MANIFEST, bits: new Uint8Array(bits) }).map(({ path }) => path);

Deno.test("pickInputs() gives the inputs whose bit is set, in order", () => {
  assertEquals(pick(), []);
  assertEquals(pick(0, 0), []);
  assertEquals(pick(0b1000_0001), ["/0", "/7"]);
  assertEquals(pick(0, 0b1010), ["/9", "/11"]);
  assertEquals(pick(0xff, 0x0f, 0).length, INPUTS.length);
});

Deno.test("pickInputs() refuses a bit for which there is no input", () => {
  assertThrows(() => pick(0, 0b1_0000), FormatError, "there is no input 12");
  assertThrows(() => pick(0, 0, 0, 1), FormatError, "there is no input 24");
});

Deno.test("picked inputs come out of JSON as they went in, and what is malformed is refused", () => {
  const picked = { manifest: MANIFEST, bits: new Uint8Array([1, 2, 255]) };
  assertEquals(pickedFromJson(JSON.parse(JSON.stringify(pickedToJson(picked))), "p"), picked);
  for (const wrong of [null, {}, { manifest: MANIFEST, bits: "%" }, { manifest: "x", bits: "" }]) {
    assertThrows(() => pickedFromJson(wrong, "p"), FormatError);
  }
});
