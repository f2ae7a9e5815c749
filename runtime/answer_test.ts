import { assert, assertEquals, assertRejects } from "@std/assert";
import { isInline } from "../job/content.ts";
import { LlamaError } from "../job/errors.ts";
import { answerToJson, type JobResult } from "../job/result.ts";
import { frameBytes, placeContents, type Source } from "./answer.ts";
import { memoryObjects } from "./worker_fixture.ts";

const source = (bytes: Uint8Array<ArrayBuffer>): Source => ({
  size: bytes.length,
  read: () => bytes,
});
const random = (size: number): Source => {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65_536)));
  }
  return source(bytes);
};
const zeros = (size: number): Source => source(new Uint8Array(size));

Deno.test("placeContents() keeps the answer within its budget, the small before the large", async () => {
  const sources = [random(20_000), random(0), random(9000), zeros(1_000_000), random(12_000)];
  const objects = memoryObjects();
  const budget = 32_000;
  const contents = await placeContents(sources, budget, objects);
  assertEquals(contents.map(isInline), [false, true, true, true, true]);
  assertEquals([...objects.kept.values()].map(({ length }) => length), [20_000]);
  const [stdout, stderr, ...files] = contents;
  assert(stdout && stderr);
  const result: JobResult = {
    kind: "done",
    status: { kind: "exit", code: 0 },
    stdout,
    stderr,
    outputs: files.map((content, index) => ({ kind: "file", path: `ö${index}`, mode: 0, content })),
    timings: { fetchMs: 0, layoutMs: 0, runMs: 0, collectMs: 0 },
    usage: { userMs: 0, systemMs: 0, maxRssBytes: 0 },
    cold: false,
  };
  const whole = new TextEncoder().encode(JSON.stringify(answerToJson(result))).length;
  const frame = frameBytes(result);
  assert(whole <= frame + budget, `${whole} > ${frame} + ${budget}`);
  assert(whole > frame + 28_000, `${whole}`);
});

Deno.test("placeContents() stores all but the empty ones if nothing fits", async () => {
  const objects = memoryObjects();
  const contents = await placeContents([random(300), random(0), random(300)], 300, objects);
  assertEquals(contents.map(isInline), [false, true, false]);
  const error = await assertRejects(() => placeContents([random(1)], 50, objects), LlamaError);
  assertEquals(error.code, "OutputTooLarge");
});
