import { assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { asObject, asString } from "../job/json.ts";
import { fileNameOf, textOfFileName } from "./file_name.ts";
import { filesUnder, openTable, writeDurably } from "./state.ts";

async function withFolder(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

interface Note {
  text: string;
}

function decodeNote(value: unknown): Note {
  return { text: asString(asObject(value, "note")["text"], "text") };
}

Deno.test("fileNameOf() is reversible, and no two names meet", () => {
  const texts = [
    "",
    ".",
    "..",
    "/",
    "a",
    "A",
    "a/b",
    "a%2Fb",
    "é\u{1f999}",
    "\0",
    "a=",
    "a+",
    "x".repeat(200),
    "x".repeat(201),
    "/".repeat(1024),
  ];
  const names = texts.map(fileNameOf);
  assertEquals(names.map(textOfFileName), texts);
  for (const name of names) {
    for (const piece of name.split("/")) assertEquals(piece.length <= 255, true);
    // No name may be a folder on the way to another.
    assertEquals(names.filter((other) => other.startsWith(`${name}/`)), []);
  }
  for (const name of ["a", "a+/b", ".tmp-1=", "%ff=", "%FF=", "a.b="]) {
    assertEquals([name, textOfFileName(name)], [name, undefined]);
  }
});

Deno.test("openTable() finds what was put, and sweeps what a kill left", async () => {
  await withFolder(async (directory) => {
    const table = await openTable<Note>(directory, decodeNote);
    const long = "k".repeat(700);
    await table.put("a/b", { text: "one" });
    await table.put(long, { text: "long" });
    await table.put("gone", { text: "x" });
    await table.remove("gone");
    await table.remove("never");
    // The last of many writes that nobody waits for must win.
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => table.put("a/b", { text: String(index) })),
    );
    await Deno.writeTextFile(`${directory}/.tmp-left`, "{");
    const again = await openTable<Note>(directory, decodeNote);
    const found = [...again.records].toSorted(([a], [b]) => a < b ? -1 : 1);
    assertEquals(found, [["a/b", { text: "19" }], [long, { text: "long" }]]);
    assertEquals((await filesUnder(directory)).filter((name) => name.includes("tmp")), []);
  });
});

Deno.test("openTable() says which record is damaged", async () => {
  await withFolder(async (directory) => {
    const path = `${directory}/${fileNameOf("a")}`;
    for (const text of ["", "{", '{"text":1}']) {
      await Deno.writeTextFile(path, text);
      const error = await assertRejects(() => openTable(directory, decodeNote), LlamaError, path);
      assertEquals(error instanceof LlamaError && error.code, "DamagedRecord");
    }
  });
});

Deno.test("writeDurably() leaves the old file and nothing else when it cannot write", async () => {
  await withFolder(async (directory) => {
    await writeDurably(`${directory}/f`, new TextEncoder().encode("old"));
    await Deno.mkdir(`${directory}/folder`);
    await assertRejects(() => writeDurably(`${directory}/none/f`, new Uint8Array(1)));
    assertEquals(await Deno.readTextFile(`${directory}/f`), "old");
    assertEquals(await filesUnder(directory), ["f"]);
  });
});
