import { assert, assertEquals } from "@std/assert";
import { openKnownObjects } from "./known_objects.ts";

const STORE = "s3://bucket/prefix";

async function withPath(act: (path: string) => Promise<void> | void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "llama-known-" });
  try {
    await act(`${folder}/known`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function digest(number: number): string {
  return number.toString(16).padStart(64, "0");
}

Deno.test("known objects survive in their file", async () => {
  await withPath((path) => {
    const first = openKnownObjects({ path, store: STORE });
    for (const number of [1, 2, 3]) first.add(digest(number));
    first.forget(digest(2));
    first.close();
    const again = openKnownObjects({ path, store: STORE });
    assertEquals([1, 2, 3].map((number) => again.has(digest(number))), [true, false, true]);
    assertEquals(again.size, 2);
    again.close();
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  });
});

Deno.test("known objects of another store, or of another format, are forgotten", async () => {
  await withPath((path) => {
    const first = openKnownObjects({ path, store: STORE });
    first.add(digest(1));
    first.close();
    const other = openKnownObjects({ path, store: "s3://other" });
    assertEquals(other.size, 0);
    other.close();
    Deno.writeTextFileSync(path, "something else");
    const fresh = openKnownObjects({ path, store: STORE });
    assertEquals(fresh.size, 0);
    fresh.add(digest(2));
    fresh.close();
    const again = openKnownObjects({ path, store: STORE });
    assert(again.has(digest(2)));
    again.close();
  });
});

Deno.test("known objects drop a damaged tail and go on behind it", async () => {
  const unknownKind = new Uint8Array(33);
  unknownKind[32] = 1;
  for (const tail of [new Uint8Array([0x2b, 1, 2]), unknownKind, new Uint8Array(99)]) {
    await withPath((path) => {
      const first = openKnownObjects({ path, store: STORE });
      first.add(digest(1));
      first.close();
      Deno.writeFileSync(path, tail, { append: true });
      const second = openKnownObjects({ path, store: STORE });
      assertEquals(second.size, 1);
      second.add(digest(2));
      second.close();
      const third = openKnownObjects({ path, store: STORE });
      assertEquals([third.has(digest(1)), third.has(digest(2)), third.size], [true, true, 2]);
      third.close();
    });
  }
});

Deno.test("known objects are bounded, in memory and in the file, and the newest stay", async () => {
  await withPath((path) => {
    const known = openKnownObjects({ path, store: STORE, maxEntries: 10 });
    for (let number = 0; number < 1_000; number++) known.add(digest(number));
    assertEquals(known.size, 10);
    assert(known.has(digest(999)) && known.has(digest(990)) && !known.has(digest(989)));
    known.close();
    assert(Deno.statSync(path).size < 33 * 25);
    const again = openKnownObjects({ path, store: STORE, maxEntries: 10 });
    assert(again.has(digest(999)) && again.size === 10);
    again.close();
  });
});

Deno.test("known objects are shared by processes that append at the same time", async () => {
  await withPath((path) => {
    const [a, b] = [1, 2].map(() => openKnownObjects({ path, store: STORE }));
    assert(a && b);
    for (let number = 0; number < 100; number++) (number % 2 === 0 ? a : b).add(digest(number));
    a.close();
    b.close();
    const again = openKnownObjects({ path, store: STORE });
    assertEquals(again.size, 100);
    again.close();
  });
});

Deno.test("known objects without a file stay in memory", () => {
  const known = openKnownObjects({ store: STORE });
  known.add(digest(1));
  assert(known.has(digest(1)));
  known.forget(digest(1));
  assertEquals(known.size, 0);
  known.close();
});
