import { assertEquals } from "@std/assert";
import { openCommandMemory } from "./command_memory.ts";

async function withPath(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/commands.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a memory of commands survives a restart, and knows kinds of arguments apart", () =>
  withPath(async (path) => {
    const memory = await openCommandMemory(path);
    assertEquals(memory.recall("/bin/a", ".png"), []);
    await memory.learn("/bin/a", ".png", ["/x", "/y"]);
    await memory.learn("/bin/a", ".jpg", ["/z"]);
    await memory.learn("/bin/ab", ".png", ["/other"]);
    const again = await openCommandMemory(path);
    assertEquals(again.recall("/bin/a", ".png"), ["/x", "/y"]);
    assertEquals(again.recall("/bin/a", ".jpg"), ["/z"]);
    // What the program needed for other arguments is the best guess for new ones.
    assertEquals(again.recall("/bin/a", ".gif"), ["/x", "/y", "/z"]);
    await again.learn("/bin/a", ".png", ["/y", "/w"]);
    assertEquals((await openCommandMemory(path)).recall("/bin/a", ".png"), ["/x", "/y", "/w"]);
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  }));

Deno.test("a damaged memory of commands is forgotten", () =>
  withPath(async (path) => {
    for (const text of ["", "{", "[]", '{"version":1,"commands":{"a":[1]}}', '{"version":2}']) {
      await Deno.writeTextFile(path, text);
      const memory = await openCommandMemory(path);
      assertEquals(memory.recall("a", ""), [], text);
      await memory.learn("/bin/a", "", ["/x"]);
      assertEquals((await openCommandMemory(path)).recall("/bin/a", ""), ["/x"], text);
    }
  }));

Deno.test("a memory of commands is bounded", () =>
  withPath(async (path) => {
    const memory = await openCommandMemory(path);
    for (let at = 0; at < 510; at++) await memory.learn(`/bin/${at}`, "", ["/x"]);
    assertEquals([memory.recall("/bin/9", ""), memory.recall("/bin/10", "")], [[], ["/x"]]);
    await memory.learn("/bin/many", "", Array.from({ length: 30_000 }, (_, at) => `/${at}`));
    assertEquals(memory.recall("/bin/many", "").length, 20_000);
  }));
