import { assertEquals, assertRejects } from "@std/assert";
import { FormatError } from "../job/errors.ts";
import { decodeEntities, encodeEntities, parseXml } from "./xml.ts";

Deno.test("parseXml() keeps text as it is and reads every kind of reference once", async () => {
  const root = await parseXml(
    '<?xml version="1.0"?>\n<R a="1"><N>007</N><T> a&#13;&#x1F600;&amp;lt;&quot; </T><E/></R>',
    "R",
    "answer",
  );
  assertEquals(root.text("N"), "007");
  assertEquals(root.text("T"), ' a\r😀&lt;" ');
  assertEquals(root.text("E"), "");
  assertEquals(root.text("gone"), undefined);
});

Deno.test("parseXml() gives lists of none, one and many", async () => {
  const read = async (inner: string) =>
    (await parseXml(`<R><L>${inner}</L></R>`, "R", "answer")).members("L").map(({ value }) =>
      value
    );
  assertEquals(await read(""), []);
  assertEquals(await read("\n "), []);
  assertEquals(await read("<member>a</member>"), ["a"]);
  assertEquals(await read("\n<member>a</member>\n<member>b</member>\n"), ["a", "b"]);
  const many = await read("<member>&quot;&amp;</member>".repeat(20_000));
  assertEquals(many.length, 20_000);
  assertEquals(many.at(-1), '"&');
});

Deno.test("parseXml() refuses what is not well-formed or something else", async () => {
  for (const text of ["", "text", "<R><a></R>", "<R>", "<Other/>"]) {
    await assertRejects(() => parseXml(text, "R", "answer"), FormatError, undefined, text);
  }
});

Deno.test("encodeEntities() is undone by decodeEntities()", () => {
  const text = `a<b>&"'\n\r\t\x01é😀`;
  assertEquals(decodeEntities(encodeEntities(text)), text);
  assertEquals(encodeEntities("<&\n"), "&lt;&amp;&#10;");
});
