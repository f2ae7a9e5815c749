import { assertEquals, assertThrows } from "@std/assert";
import { ServiceError } from "./service.ts";
import { element, parseXml, textElement } from "./xml.ts";

function keyOf(content: string): unknown {
  return parseXml(`<?xml version="1.0"?>\n<D xmlns="urn:x">\n  <Key>${content}</Key>\n</D>\n`, "D")
    .Key;
}

Deno.test("parseXml() decodes each reference once", () => {
  const cases = [
    ["a&#10;b", "a\nb"],
    ["&#x0A;&#xd;&#9;", "\n\r\t"],
    ["&#38;amp;", "&amp;"],
    ["&amp;#10;", "&#10;"],
    ["&lt;&gt;&quot;&apos;&amp;", "<>\"'&"],
    ["&#x1F600;&#233;é", "\u{1f600}éé"],
    ["<![CDATA[a&amp;<&#10;]]>", "a&amp;<&#10;"],
  ] as const;
  for (const [content, key] of cases) assertEquals([content, keyOf(content)], [content, key]);
});

Deno.test("parseXml() keeps the blanks of a text", () => {
  for (const key of [" a", "a ", "\n", "  ", "\ta b\n"]) assertEquals(keyOf(key), key);
});

Deno.test("parseXml() takes back what textElement() writes", () => {
  const keys = Array.from({ length: 31 }, (_, index) => String.fromCharCode(index + 1));
  for (const key of [...keys, `a&b<c>"d'`, "&#10;", "x\r\ny", " \u{1f600} "]) {
    const text = element("D", textElement("Key", key));
    assertEquals([key, parseXml(text, "D").Key], [key, key]);
  }
});

Deno.test("parseXml() refuses references to nothing, and entities of the document's own", () => {
  const bodies = ["&nosuch;", "&#0;", "&#xD800;", "&#x110000;", "&#xFFFE;", "a & b", "&amp", "&;"]
    .map((content) => `<D><Key>${content}</Key></D>`);
  bodies.push('<!DOCTYPE D [<!ENTITY a "b">]><D><Key>&a;</Key></D>');
  for (const body of bodies) {
    assertEquals([body, assertThrows(() => parseXml(body, "D"), ServiceError).code], [
      body,
      "MalformedXML",
    ]);
  }
});

Deno.test("parseXml() finds nothing in an empty root", () => {
  for (const body of ["<D/>", "<D></D>", "<D>\n</D>"]) assertEquals(parseXml(body, "D"), {});
});
