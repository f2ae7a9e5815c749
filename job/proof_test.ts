import { assertEquals, assertThrows } from "@std/assert";
import { contentToJson } from "./content.ts";
import { FormatError } from "./errors.ts";
import { asObject } from "./json.ts";
import { type Proof, proofFromJson, proofToJson } from "./proof.ts";

const PROOF: Proof = {
  opened: ["/usr/include/stdio.h", "/p/a.c", "/p/../q/é.h"],
  listed: ["/p"],
  absent: [],
  blind: ["a static program", "setuid"],
};

const listOf = (text: string) => contentToJson({ bytes: new TextEncoder().encode(text) });

Deno.test("a proof comes out of JSON as it went in, its lists sorted", () => {
  const json = JSON.parse(JSON.stringify(proofToJson(PROOF)));
  assertEquals(proofFromJson(json), { ...PROOF, opened: PROOF.opened.toSorted() });
  const ofImage = { ...PROOF, opened: [], image: ["/usr/bin/as"] };
  assertEquals(proofFromJson(JSON.parse(JSON.stringify(proofToJson(ofImage)))), ofImage);
});

Deno.test("proofToJson() gives equal text for equal sets", () => {
  assertEquals(proofToJson(PROOF), proofToJson({ ...PROOF, opened: PROOF.opened.toReversed() }));
});

Deno.test("proofFromJson() refuses what is no list of absolute paths", () => {
  const valid = asObject(proofToJson(PROOF), "proof");
  const cases: readonly (readonly [string, unknown, string])[] = [
    ["opened", undefined, "answer.proof.opened: it must be an object"],
    ["absent", { digest: "0".repeat(64), size: 4 }, "answer.proof.absent: it must be inline"],
    ["absent", listOf("a/b"), 'the path "a/b" is not absolute'],
    ["absent", listOf("/a\0"), 'the path "" is not absolute'],
    ["listed", listOf("\0/a"), 'the path "" is not absolute'],
    ["listed", { raw: "%" }, "answer.proof.listed.raw: it is not base64"],
    ["blind", "static", "answer.proof.blind: it must be an array"],
    ["blind", [1], "answer.proof.blind[0]: it must be a string"],
  ];
  for (const [name, value, message] of cases) {
    assertThrows(() => proofFromJson({ ...valid, [name]: value }), FormatError, message);
  }
  assertThrows(() => proofFromJson(null), FormatError, "answer.proof: it must be an object");
});

Deno.test("proofFromJson() does not mind bytes that are not UTF-8", () => {
  const raw = new Uint8Array([0x2f, 0xff]).toBase64();
  const valid = asObject(proofToJson(PROOF), "proof");
  assertEquals(proofFromJson({ ...valid, opened: { raw } }).opened, ["/\ufffd"]);
});
