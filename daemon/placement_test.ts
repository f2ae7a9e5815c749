import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openPlacement } from "./placement.ts";
import { atNewPath } from "./new_path_fixture.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);
const C = "c".repeat(64);
const PACK = "d".repeat(64);

const withPath = (test: (path: string) => Promise<void>) => atNewPath("placed", test);

Deno.test("a placement is remembered when it is opened again", () =>
  withPath(async (path) => {
    const placement = await openPlacement(path);
    assertEquals([placement.has(A), placement.packOf(A)], [false, undefined]);
    await placement.add([A, B], PACK);
    await placement.add([C]);
    for (const opened of [placement, await openPlacement(path)]) {
      assertEquals([A, B, C].map((object) => opened.has(object)), [true, true, true]);
      assertEquals([A, B, C].map((object) => opened.packOf(object)), [PACK, PACK, undefined]);
    }
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  }));

Deno.test("the last line about an object counts", () =>
  withPath(async (path) => {
    const placement = await openPlacement(path);
    await placement.add([A], PACK);
    placement.forget(A);
    assertEquals([placement.has(A), placement.packOf(A)], [false, undefined]);
    await placement.add([A]);
    const opened = await openPlacement(path);
    assertEquals([opened.has(A), opened.packOf(A)], [true, undefined]);
  }));

Deno.test("damaged lines are passed over, and the others count", () =>
  withPath(async (path) => {
    const lines = [
      "",
      "trash",
      `${A.toUpperCase()} ${PACK}`,
      `${A} ${PACK.slice(1)}`,
      `${B} ${PACK}`,
      `${A.slice(1)}`,
      "\0\xff",
      `${C}`,
      "",
    ];
    await Deno.writeTextFile(path, lines.join("\n"));
    const placement = await openPlacement(path);
    assertEquals([A, B, C].map((object) => placement.has(object)), [false, true, true]);
  }));

Deno.test("a line that was cut off does not swallow the next one", () =>
  withPath(async (path) => {
    for (const rest of [`${A} ${PACK.slice(9)}`, A, `${A} `, A.slice(1), "\n"]) {
      await Deno.writeTextFile(path, `${B} ${PACK}\n${rest}`);
      const placement = await openPlacement(path);
      assertEquals([A, B].map((object) => placement.has(object)), [false, true]);
      await placement.add([C], PACK);
      const opened = await openPlacement(path);
      assertEquals([opened.packOf(B), opened.packOf(C)], [PACK, PACK]);
      await placement.add([A]);
      assertMatch(await Deno.readTextFile(path), new RegExp(`${C} ${PACK}\\n${A}\\n$`));
    }
  }));

Deno.test("additions made at once are all written", () =>
  withPath(async (path) => {
    const placement = await openPlacement(path);
    const digests = Array.from({ length: 50 }, (_, at) => at.toString(16).padStart(64, "0"));
    await Promise.all(digests.map((digest) => placement.add([digest], PACK)));
    const opened = await openPlacement(path);
    assertEquals(digests.filter((digest) => opened.packOf(digest) !== PACK), []);
  }));

Deno.test("a failed write is told, and does not stop the next one", () =>
  withPath(async (path) => {
    const placement = await openPlacement(path);
    await Deno.mkdir(path);
    await assertRejects(() => placement.add([A]), Error);
    await Deno.remove(path);
    await placement.add([B]);
    const opened = await openPlacement(path);
    assertEquals([opened.has(A), opened.has(B)], [false, true]);
  }));
