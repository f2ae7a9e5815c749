import { assertEquals, assertRejects } from "@std/assert";
import { BlobWriter, TextReader, ZipWriter } from "@zip.js/zip.js";
import { LlamaError } from "../job/errors.ts";
import { unzip } from "./unzip.ts";

async function zipOf(
  ...entries: [name: string, text: string, unixMode?: number][]
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
  for (const [name, text, unixMode] of entries) {
    await writer.add(name, new TextReader(text), unixMode === undefined ? {} : { unixMode });
  }
  return new Uint8Array(await (await writer.close()).arrayBuffer());
}

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const outer = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${outer}/in`);
    await act(`${outer}/in`);
    assertEquals([...Deno.readDirSync(outer)].map((entry) => entry.name), ["in"]);
  } finally {
    await Deno.remove(outer, { recursive: true });
  }
}

const large = { maxBytes: 1_000_000 };

Deno.test("unzip() keeps names, bytes and permission bits, but no set-id bit", async () => {
  await inFolder(async (folder) => {
    const zip = await zipOf(
      ["bootstrap", "#!/bin/sh\n", 0o104755],
      ["a/b/data.txt", "x".repeat(5000), 0o100640],
      ["plain", ""],
    );
    assertEquals(await unzip(zip, folder, large), 5010);
    assertEquals(await Deno.readTextFile(`${folder}/a/b/data.txt`), "x".repeat(5000));
    assertEquals((await Deno.stat(`${folder}/bootstrap`)).mode! & 0o7777, 0o755);
    assertEquals((await Deno.stat(`${folder}/a/b/data.txt`)).mode! & 0o7777, 0o640);
    assertEquals((await Deno.stat(`${folder}/plain`)).mode! & 0o7777, 0o644);
  });
});

Deno.test("unzip() refuses an entry that leads out of the folder", async () => {
  for (const name of ["../x", "a/../../x", "/x", "a/../../in2/x"]) {
    await inFolder(async (folder) => {
      const zip = await zipOf([name, "text"]);
      const error = await assertRejects(() => unzip(zip, folder, large), LlamaError);
      assertEquals(error.code, "BadZip");
    });
  }
});

Deno.test("unzip() keeps a link that stays inside and refuses one that does not", async () => {
  await inFolder(async (folder) => {
    await unzip(
      await zipOf(["lib/so.1", "lib"], ["bin/so", "../lib/so.1", 0o120777]),
      folder,
      large,
    );
    assertEquals(await Deno.readTextFile(`${folder}/bin/so`), "lib");
  });
  for (const target of ["/etc/passwd", "../../x", "b/../../../x", "..", ""]) {
    await inFolder(async (folder) => {
      const zip = await zipOf(["a/link", target, 0o120777]);
      await assertRejects(() => unzip(zip, folder, large), LlamaError, "link 'a/link'");
    });
  }
});

Deno.test("unzip() writes nothing through a link", async () => {
  await inFolder(async (folder) => {
    const zip = await zipOf(["a", ".", 0o120777], ["a/x", "text"]);
    await assertRejects(() => unzip(zip, folder, large), LlamaError, "goes through the link 'a'");
  });
});

Deno.test("unzip() counts the bytes that come out", async () => {
  await inFolder(async (folder) => {
    const zip = await zipOf(["a", "x".repeat(600)], ["b", "x".repeat(600)]);
    const error = await assertRejects(() => unzip(zip, folder, { maxBytes: 1199 }), LlamaError);
    assertEquals(error.code, "ZipTooLarge");
  });
});

Deno.test("unzip() says what is wrong with bytes that are no archive", async () => {
  await inFolder(async (folder) => {
    const error = await assertRejects(
      () => unzip(new TextEncoder().encode("no zip"), folder, large),
      LlamaError,
    );
    assertEquals(error.code, "BadZip");
    const broken = await zipOf(["a", "x".repeat(600)]);
    broken[40] = broken[40]! ^ 255;
    assertEquals(
      (await assertRejects(() => unzip(broken, folder, large), LlamaError)).code,
      "BadZip",
    );
  });
});
