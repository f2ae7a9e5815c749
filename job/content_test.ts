import { assert, assertEquals, assertThrows } from "@std/assert";
import { compress } from "./compression.ts";
import { type Content, contentFromJson, contentToJson, isInline } from "./content.ts";
import { FormatError } from "./errors.ts";
import { asObject } from "./json.ts";

const DIGEST = "ab".repeat(32);
const LINES = new TextEncoder().encode("the same line again and again\n".repeat(50));

function overTheWire(content: Content): Content {
  return contentFromJson(JSON.parse(JSON.stringify(contentToJson(content))), "it");
}

Deno.test("a content comes out of JSON as it went in", () => {
  const noise = crypto.getRandomValues(new Uint8Array(1_000));
  for (const bytes of [new Uint8Array(), new Uint8Array([0, 255]), LINES, noise]) {
    const content = overTheWire({ bytes });
    assert(isInline(content));
    assertEquals(content.bytes, bytes);
  }
  const stored = { digest: DIGEST, size: 12 };
  assertEquals(overTheWire(stored), stored);
  assertEquals(isInline(stored), false);
});

Deno.test("contentToJson() compresses from 256 bytes on, where that saves any", () => {
  const keys = (bytes: Uint8Array<ArrayBuffer>) =>
    Object.keys(asObject(contentToJson({ bytes }), "it"));
  assertEquals(keys(new Uint8Array(255)), ["raw"]);
  assertEquals(keys(new Uint8Array(256)), ["zstd", "size"]);
  assertEquals(keys(crypto.getRandomValues(new Uint8Array(256))), ["raw"]);
});

Deno.test("contentFromJson() says what is wrong with a content", () => {
  const zstd = compress(LINES).toBase64();
  const cases: readonly (readonly [unknown, string])[] = [
    [null, "Cannot read it: it must be an object"],
    [[], "Cannot read it: it must be an object"],
    [{}, "it.size: it must be a whole number"],
    [{ raw: 1 }, "it.raw: it must be a string"],
    [{ raw: null }, "it.raw: it must be a string"],
    [{ raw: "%%%" }, "it.raw: it is not base64"],
    [{ raw: "abcde" }, "it.raw: it is not base64"],
    [{ zstd }, "it.size: it must be a whole number"],
    [{ zstd: "%", size: 1 }, "it.zstd: it is not base64"],
    [{ zstd: "AAAA", size: 1 }, "it does not decompress"],
    [{ size: 3 }, "it.zstd: it must be a string"],
    [{ zstd, size: LINES.length - 1 }, "it does not decompress"],
    [{ zstd, size: LINES.length + 1 }, `it has ${LINES.length} bytes, not ${LINES.length + 1}`],
    [{ zstd: compress(LINES).subarray(0, -1).toBase64(), size: LINES.length }, "bytes, not 1500"],
    [{ zstd, size: -1 }, "it.size: it must be a whole number"],
    [{ zstd, size: 64 * 1024 * 1024 + 1 }, "it.size: it must be a whole number from 0 to 67108864"],
    [{ digest: DIGEST }, "it.size: it must be a whole number"],
    [{ digest: DIGEST, size: 1.5 }, "it.size: it must be a whole number"],
    [{ digest: DIGEST.toUpperCase(), size: 1 }, "it.digest: it must be 64"],
    [{ digest: null, size: 1 }, "it.digest: it must be 64"],
    [{ digest: `../${DIGEST.slice(3)}`, size: 1 }, "it.digest: it must be 64"],
  ];
  for (const [json, message] of cases) {
    assertThrows(() => contentFromJson(json, "it"), FormatError, message);
  }
});

Deno.test("contentFromJson() makes no more bytes than a content says it has", () => {
  const zstd = compress(new Uint8Array(60 * 1024 * 1024)).toBase64();
  assertThrows(() => contentFromJson({ zstd, size: 100 }, "it"), FormatError, "decompress");
  assertThrows(() => contentFromJson({ zstd, size: 0 }, "it"), FormatError, "decompress");
});
