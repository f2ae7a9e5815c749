import { assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { formatStoreUrl, parseStoreUrl } from "./url.ts";

Deno.test("parseStoreUrl() reads bucket and prefix", () => {
  const cases: [string, string, string][] = [
    ["s3://my-bucket", "my-bucket", ""],
    ["s3://my-bucket/", "my-bucket", ""],
    ["s3://my.bucket/a/b//", "my.bucket", "a/b/"],
    ["s3://b-1/ä b/.c", "b-1", "ä b/.c/"],
  ];
  for (const [text, bucket, prefix] of cases) {
    assertEquals(parseStoreUrl(text), { bucket, prefix }, text);
    const shortest = formatStoreUrl({ bucket, prefix });
    assertEquals(shortest, text.replace(/\/+$/, ""));
    assertEquals(parseStoreUrl(shortest), { bucket, prefix });
  }
});

Deno.test("parseStoreUrl() refuses what is no store", () => {
  for (
    const text of [
      "",
      "bucket",
      "http://b/x",
      "s3://",
      "s3://A/x",
      "s3://bucket//x",
      "s3://bucket/..",
    ]
  ) {
    assertThrows(() => parseStoreUrl(text), LlamaError, `Cannot use "${text}" as a store`);
  }
});
