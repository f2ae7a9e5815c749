import { assertEquals } from "@std/assert";
import { openUnitMemory } from "./unit_memory.ts";

async function inFile(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/units.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a memory of units is there again when it is opened again", async () => {
  await inFile(async (path) => {
    const memory = await openUnitMemory(path);
    assertEquals([...memory.recall("a")], []);
    memory.learn("a", new Set(["/x", "/y"]));
    memory.learn("b", new Set(["/y"]));
    memory.learn("a", new Set(["/y", "/z"]));
    await memory.keep();
    const again = await openUnitMemory(path);
    assertEquals([...again.recall("a")], ["/y", "/z"]);
    assertEquals([...again.recall("b")], ["/y"]);
    const { paths } = JSON.parse(await Deno.readTextFile(path));
    assertEquals(paths, ["/y", "/z"]);
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    // Nothing was learned, so nothing is written.
    await Deno.remove(path);
    await again.keep();
    assertEquals([...(await openUnitMemory(path)).recall("a")], []);
  });
});

Deno.test("a memory of units keeps 20,000 of them, and forgets the oldest", async () => {
  await inFile(async (path) => {
    const memory = await openUnitMemory(path);
    for (let unit = 0; unit <= 20_000; unit++) memory.learn(`${unit}`, new Set(["/header"]));
    await memory.keep();
    const again = await openUnitMemory(path);
    assertEquals([again.recall("0").size, again.recall("1").size], [0, 1]);
    assertEquals(again.recall("20000").size, 1);
  });
});

Deno.test("a damaged file is forgotten, and one that cannot be written is told of", async () => {
  await inFile(async (path) => {
    const damaged = [
      "",
      "{",
      "[]",
      '{"version":2,"paths":[],"units":{}}',
      '{"version":1,"paths":["/a"],"units":{"k":[1]}}',
      '{"version":1,"paths":["/a"],"units":{"k":["0"]}}',
      '{"version":1,"paths":[1],"units":{}}',
    ];
    for (const text of damaged) {
      await Deno.writeTextFile(path, text);
      assertEquals([...(await openUnitMemory(path)).recall("k")], [], text);
    }
    const problems: unknown[] = [];
    const memory = await openUnitMemory(`${path}.d/none`, (problem) => problems.push(problem));
    memory.learn("a", new Set(["/x"]));
    await memory.keep();
    assertEquals(problems.length, 1);
    assertEquals([...memory.recall("a")], ["/x"]);
  });
});
