import { assertEquals, assertRejects } from "@std/assert";
import { removeIfThere, replaceFile, writeInto } from "./write_output.ts";

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const text = (value: string) => new TextEncoder().encode(value);
const modeOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o7777;
const namesIn = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();

Deno.test("replaceFile() gives the mode that it is told, whatever the daemon's umask is", () =>
  withFolder(async (folder) => {
    for (const mode of [0o644, 0o600, 0o666, 0o755, 0]) {
      const path = `${folder}/${mode}`;
      await replaceFile(path, text("new"), mode);
      assertEquals(await modeOf(path), mode);
      if (mode & 0o400) assertEquals(await Deno.readTextFile(path), "new");
    }
    assertEquals(namesIn(folder).length, 5);
  }));

Deno.test("replaceFile() leaves other names of a file and who reads it what they had", () =>
  withFolder(async (folder) => {
    const path = `${folder}/out`;
    await Deno.writeTextFile(path, "old");
    await Deno.link(path, `${folder}/other`);
    await Deno.symlink("other", `${folder}/link`);
    using reader = await Deno.open(path);
    await replaceFile(path, text("new"), 0o644);
    await replaceFile(`${folder}/link`, text("new"), 0o644);
    const bytes = new Uint8Array(10);
    assertEquals(await reader.read(bytes), 3);
    assertEquals(new TextDecoder().decode(bytes.subarray(0, 3)), "old");
    assertEquals(await Deno.readTextFile(`${folder}/other`), "old");
    assertEquals(Deno.lstatSync(`${folder}/link`).isFile, true);
  }));

Deno.test("replaceFile() leaves nothing behind where it fails", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/taken/inside`, { recursive: true });
    await assertRejects(() => replaceFile(`${folder}/taken`, text("x"), 0o644), Error);
    await assertRejects(
      () => replaceFile(`${folder}/none/out`, text("x"), 0o644),
      Deno.errors.NotFound,
    );
    assertEquals(namesIn(folder), ["taken"]);
  }));

Deno.test("writeInto() changes nothing but the content, under all its names", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a.d`;
    await Deno.writeTextFile(path, "a longer old text");
    await Deno.chmod(path, 0o640);
    await Deno.link(path, `${folder}/other`);
    await writeInto(path, text("new"));
    assertEquals([await Deno.readTextFile(`${folder}/other`), await modeOf(path)], ["new", 0o640]);
    await assertRejects(() => writeInto(`${folder}/none`, text("x")), Deno.errors.NotFound);
    assertEquals(namesIn(folder), ["a.d", "other"]);
  }));

Deno.test("removeIfThere() does not mind that there is nothing, and minds all else", () =>
  withFolder(async (folder) => {
    await removeIfThere(`${folder}/none`);
    await Deno.writeTextFile(`${folder}/a`, "");
    await removeIfThere(`${folder}/a`);
    assertEquals(namesIn(folder), []);
    await Deno.mkdir(`${folder}/d/e`, { recursive: true });
    await assertRejects(() => removeIfThere(`${folder}/d`), Error);
  }));
