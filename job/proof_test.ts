import { assertEquals, assertThrows } from "@std/assert";
import { contentToJson } from "./content.ts";
import { FormatError } from "./errors.ts";
import { type Proof, proofFromJson, proofToJson } from "./proof.ts";

const PROOF: Proof = {
  opened: ["/usr/include/stdio.h", "/p/a.c", "/p/../q/é.h"],
  listed: ["/p"],
  absent: [],
  blind: ["a static program", "setuid"],
};

const textOf = (text: string) => contentToJson({ bytes: new TextEncoder().encode(text) });

const jsonOf = (proof: Proof): unknown => JSON.parse(JSON.stringify(proofToJson(proof)));

Deno.test("a proof comes out of JSON as it went in, names of a folder side by side", () => {
  const opened = ["/p/a.c", "/p/../q/é.h", "/usr/include/stdio.h"];
  assertEquals(proofFromJson(jsonOf(PROOF)), { ...PROOF, opened });
  const ofImage = { ...PROOF, opened: [], image: ["/usr/bin/as"] };
  assertEquals(proofFromJson(jsonOf(ofImage)), ofImage);
  const odd = { ...PROOF, opened: [], listed: ["/"], absent: ["/", "/a", "/a//", "/a/b/", "//x"] };
  const { listed, absent } = proofFromJson(jsonOf(odd));
  assertEquals([listed, absent.toSorted()], [odd.listed, odd.absent.toSorted()]);
  assertEquals(
    proofFromJson(jsonOf({ ...PROOF, absent: ["/a/z", "/a/b/c", "/a/c"] })).absent,
    ["/a/c", "/a/z", "/a/b/c"],
  );
});

Deno.test("proofToJson() gives equal text for equal sets", () => {
  assertEquals(proofToJson(PROOF), proofToJson({ ...PROOF, opened: PROOF.opened.toReversed() }));
});

Deno.test("proofFromJson() refuses what is no list of absolute paths", () => {
  const valid = { paths: textOf("/a/\0b\0/c/\0d"), opened: 1, listed: 0, absent: 1, blind: [] };
  assertEquals(proofFromJson(valid), { opened: ["/a/b"], listed: [], absent: ["/c/d"], blind: [] });
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ paths: undefined }, "paths: it must be an object"],
    [{ paths: { digest: "0".repeat(64), size: 4 } }, "paths: it must be inline"],
    [{ paths: { raw: "%" } }, "paths.raw: it is not base64"],
    [{ paths: textOf("a/b") }, 'opened: "a/b" is in no folder'],
    [{ paths: textOf("\0/a") }, 'opened: "" is in no folder'],
    [{ paths: textOf("/a/\0b") }, "absent: it has only 0 paths"],
    [{ paths: textOf("/a/\0/b/\0c\0d"), opened: 3 }, "opened: it has only 2 paths"],
    [{ paths: textOf("") }, "opened: it must be a whole number from 0 to 0"],
    [{ absent: 1000 }, "absent: it must be a whole number"],
    [{ opened: "3" }, "opened: it must be a whole number"],
    [{ opened: -1 }, "opened: it must be a whole number"],
    [{ opened: 0 }, "the text has paths that no list counts"],
    [{ blind: "static" }, "blind: it must be an array"],
    [{ blind: [1] }, "blind[0]: it must be a string"],
  ];
  for (const [change, message] of cases) {
    assertThrows(() => proofFromJson({ ...valid, ...change }), FormatError, message);
  }
  assertThrows(() => proofFromJson(null), FormatError, "answer.proof: it must be an object");
});

Deno.test("proofFromJson() does not mind bytes that are not UTF-8", () => {
  const raw = new Uint8Array([0x2f, 0, 0xff]).toBase64();
  const json = { paths: { raw }, opened: 1, listed: 0, absent: 0, blind: [] };
  assertEquals(proofFromJson(json).opened, ["/\ufffd"]);
});
