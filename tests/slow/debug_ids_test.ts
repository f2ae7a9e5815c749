import { assertEquals, assertNotEquals } from "@std/assert";
import { isObject, withoutIds } from "./debug_ids.ts";

async function inFolder(test: (shell: (script: string) => Promise<void>, read: Read) => unknown) {
  const folder = await Deno.makeTempDir({ prefix: "llama-ids-" });
  try {
    await test(async (script) => {
      const { success, stderr } = await new Deno.Command("sh", {
        args: ["-ec", script],
        cwd: folder,
      }).output();
      assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
    }, (name) => Deno.readFile(`${folder}/${name}`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

type Read = (name: string) => Promise<Uint8Array>;

/** Writes a.o, a.dwo, a.a and the program a, with the id that a name in the unit gives. */
const COMPILE = `
  printf 'int f(int x) { return x; } int main(void) { return f(0); }' > a.c
  gcc -O2 -g -gsplit-dwarf -c a.c
  rm -f a.a
  ar rcD a.a a.o
  gcc a.o -Wl,--build-id -o a`;

Deno.test("withoutIds() finds one id in an object and its .dwo, its archive and its program", () =>
  inFolder(async (shell, read) => {
    await shell(COMPILE);
    const { dwoIds } = withoutIds(await read("a.o"));
    assertEquals(dwoIds.length, 1);
    assertEquals(/^[0-9a-f]{16}$/.test(dwoIds[0] ?? ""), true);
    for (const name of ["a.dwo", "a.a", "a"]) {
      assertEquals(withoutIds(await read(name)).dwoIds, dwoIds, name);
    }
    assertEquals([isObject(await read("a.o")), isObject(await read("a"))], [true, false]);
  }));

Deno.test("withoutIds() makes files equal that differ in ids only", () =>
  inFolder(async (shell, read) => {
    await shell(COMPILE);
    for (const name of ["a.o", "a.dwo", "a.a"]) {
      const file = await read(name);
      const { bytes, dwoIds } = withoutIds(file);
      const id = Uint8Array.fromHex(dwoIds[0] ?? "");
      const other = file.slice();
      const at = other.findIndex((_, index) => id.every((byte, n) => other[index + n] === byte));
      other.set(id.map((byte) => byte ^ 0xff), at);
      assertNotEquals(withoutIds(other).dwoIds, dwoIds);
      assertEquals(withoutIds(other).bytes, bytes, name);
      other.set([0xff], at - 1);
      assertNotEquals(withoutIds(other).bytes, bytes, name);
    }
    // A build id is a digest of the rest.
    await shell("gcc a.o -Wl,--build-id=0x1122 -o a; gcc a.o -Wl,--build-id=0x3344 -o b");
    assertNotEquals(await read("a"), await read("b"));
    assertEquals(withoutIds(await read("a")).bytes, withoutIds(await read("b")).bytes);
  }));

Deno.test("withoutIds() leaves other files as they are", () => {
  const text = new TextEncoder().encode("!<thin>\n");
  assertEquals(withoutIds(text), { bytes: text, dwoIds: [] });
});
