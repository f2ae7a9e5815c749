import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { openBaseSystem } from "./base_system.ts";

async function withFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function* filesUnder(path: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    yield `${path}/${name}`;
    if (isDirectory) yield* filesUnder(`${path}/${name}`);
  }
}

const here = Deno.build.os === "linux" ? Deno.test : Deno.test.ignore;

here(
  "openBaseSystem() copies the basic programs, readable to all and with no set-id bit",
  async () => {
    await withFolder(async (folder) => {
      const before = Deno.umask(0o077);
      let base: string;
      try {
        base = await openBaseSystem(folder);
      } finally {
        Deno.umask(before);
      }
      for (const path of filesUnder(base)) {
        const { mode, isSymlink, isDirectory } = await Deno.lstat(path);
        if (isSymlink) continue;
        const wanted = isDirectory || /\/(bin|sbin|lib[^/]*)\//.test(path) ? 0o755 : 0o644;
        assertEquals((mode ?? 0) & 0o7777, wanted, path);
      }
      assertEquals(await Deno.readLink(`${base}/bin`), "usr/bin");
      assertEquals(await Deno.readLink(`${base}/usr/bin/sh`), "bash");
      const names = [...Deno.readDirSync(`${base}/usr/bin`)].map(({ name }) => name);
      for (const name of ["bash", "cat", "sort", "grep", "sed"]) assert(names.includes(name), name);
      for (const name of ["gcc", "cc", "python3", "perl", "mount"]) {
        assert(!names.includes(name), name);
      }
      assertEquals(
        [...Deno.readDirSync(`${base}/usr`)].map(({ name }) => name).includes("include"),
        false,
      );
    });
  },
);

here("openBaseSystem() uses what it built and builds anew when a source has changed", async () => {
  await withFolder(async (folder) => {
    const base = await openBaseSystem(folder);
    await Deno.writeTextFile(`${base}/mark`, "");
    await Deno.mkdir(`${folder}/.tmp-killed`);
    assertEquals(await openBaseSystem(folder), base);
    assert((await Deno.stat(`${base}/mark`)).isFile);
    const expected = [base, `${base}.json`].map((path) => path.slice(folder.length + 1)).sort();
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), expected);

    // As if this machine's last library had had another size.
    const text = await Deno.readTextFile(`${base}.json`);
    const listed: string[] = JSON.parse(text);
    const [source, place, size, time] = listed.pop()?.split("\0") ?? [];
    listed.push([source, place, `${size}1`, time].join("\0"));
    await Deno.writeTextFile(`${base}.json`, JSON.stringify(listed));
    assertNotEquals(await Deno.readTextFile(`${base}.json`), text);
    assertEquals(await openBaseSystem(folder), base);
    assertEquals([...Deno.readDirSync(base)].some(({ name }) => name === "mark"), false);
    assertEquals(await Deno.readTextFile(`${base}.json`), text);
  });
});
