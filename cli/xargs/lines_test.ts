import { assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../../job/errors.ts";
import { type Lines, linesFrom, linesOf } from "./lines.ts";

function streamOf(chunks: readonly (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(
    chunks.map((chunk) => typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk),
  );
}

async function textsOf(lines: Lines): Promise<string[]> {
  const texts = [];
  for (let line = await lines.next(); line; line = await lines.next()) texts.push(line.text);
  return texts;
}

Deno.test("linesFrom() finds the same lines wherever chunks end", async () => {
  const cases = [
    ["\n", "one\ntwo\n\nthree", ["one", "two", "", "three"]],
    ["\n", "é\n\uFEFFb\r\n", ["é", "\uFEFFb\r"]],
    ["\0", "a\nb\0c", ["a\nb", "c"]],
    ["ab", "1ab2aab3ab", ["1", "2a", "3"]],
    ["aa", "xaaaay", ["x", "", "y"]],
    ["\n", "", []],
    ["\n", "\n", [""]],
  ] as const;
  for (const [delimiter, text, expected] of cases) {
    const bytes = new TextEncoder().encode(text);
    for (const size of [1, 2, 3, 100]) {
      const chunks = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
      const found = await textsOf(linesFrom(streamOf(chunks), delimiter));
      assertEquals(found, [...expected], `${JSON.stringify(text)} by ${size}`);
    }
  }
});

Deno.test("linesFrom() numbers lines, and marks those that are not UTF-8", async () => {
  const lines = linesFrom(streamOf(["a\n", Uint8Array.of(0xff, 10), "c"]), "\n");
  assertEquals(await lines.next(), { seq: 1, text: "a", isText: true });
  assertEquals(await lines.next(), { seq: 2, text: "\uFFFD", isText: false });
  assertEquals(await lines.next(), { seq: 3, text: "c", isText: true });
  assertEquals(await lines.next(), undefined);
  assertEquals(lines.total(), { count: 3, isAll: true });
});

Deno.test("linesFrom() reads ahead, but not without bound", async () => {
  let pulls = 0;
  const chunk = new TextEncoder().encode("x\n".repeat(4000));
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      pulls++;
      controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
  const lines = linesFrom(stream, "\n");
  await lines.next();
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  assertEquals(pulls, 3);
  assertEquals(lines.total(), { count: 12_000, isAll: false });
  lines.close();
  assertEquals(await lines.next(), undefined);
});

Deno.test("linesFrom() refuses a line without end, and hands on what reading throws", async () => {
  const endless = ReadableStream.from((function* () {
    for (;;) yield new Uint8Array(1024 * 1024).fill(97);
  })());
  await assertRejects(() => linesFrom(endless, "\n").next(), LlamaError, "more than 4194304 bytes");
  const broken = new ReadableStream<Uint8Array>({ pull: () => Promise.reject(new Error("gone")) });
  await assertRejects(() => linesFrom(broken, "\n").next(), Error, "gone");
});

Deno.test("linesOf() gives lines until it is closed", async () => {
  const lines = linesOf(["a", "", "c"]);
  assertEquals([await lines.next(), await lines.next()], [
    { seq: 1, text: "a", isText: true },
    { seq: 2, text: "", isText: true },
  ]);
  lines.close();
  assertEquals(await lines.next(), undefined);
});
