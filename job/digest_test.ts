import { assertEquals, assertThrows } from "@std/assert";
import { asDigest, digestOf } from "./digest.ts";
import { FormatError } from "./errors.ts";

Deno.test("digestOf() gives the examples of FIPS 180-4", async () => {
  const encoder = new TextEncoder();
  assertEquals(
    await digestOf(encoder.encode("abc")),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
  assertEquals(
    await digestOf(new Uint8Array()),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

Deno.test("digestOf() takes a view for what it shows", async () => {
  const bytes = new TextEncoder().encode("xabcx");
  assertEquals(
    await digestOf(bytes.subarray(1, 4)),
    await digestOf(new TextEncoder().encode("abc")),
  );
});

Deno.test("asDigest() takes 64 lower-case hexadecimal digits and nothing else", () => {
  const digest = "0123456789abcdef".repeat(4);
  assertEquals(asDigest(digest, "it"), digest);
  for (
    const wrong of [
      digest.toUpperCase(),
      digest.slice(1),
      `${digest}0`,
      `${digest}\n`,
      `../${digest.slice(3)}`,
      "",
      7,
      null,
      undefined,
      [digest],
    ]
  ) {
    assertThrows(() => asDigest(wrong, "it"), FormatError, "Cannot read it: it must be 64");
  }
});
