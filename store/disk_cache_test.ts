import { assert, assertEquals, assertRejects } from "@std/assert";
import { digestOf } from "../job/digest.ts";
import { openDiskCache } from "./disk_cache.ts";

async function withFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "llama-cache-" });
  try {
    await act(`${folder}/cache`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function object(length: number, fill: number) {
  const bytes = new Uint8Array(length).fill(fill);
  return { bytes, digest: await digestOf(bytes) };
}

async function filesOf(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const part of Deno.readDir(folder)) {
    for await (const { name } of Deno.readDir(`${folder}/${part.name}`)) names.push(name);
  }
  return names.sort();
}

Deno.test("a disk cache gives back what was put, to other processes' caches too", async () => {
  await withFolder(async (folder) => {
    const { bytes, digest } = await object(100, 1);
    const cache = openDiskCache({ folder, maxBytes: 1_000 });
    assertEquals(await cache.get(digest), undefined);
    await cache.put(digest, bytes);
    assertEquals(await cache.get(digest), bytes);
    assertEquals(await openDiskCache({ folder, maxBytes: 1_000 }).get(digest), bytes);
    assertEquals(await filesOf(folder), [digest]);
    assertEquals(cache.counters, { hits: 1, misses: 1, corrupt: 0, evicted: 0 });
  });
});

Deno.test("a disk cache removes a damaged object and counts it as absent", async () => {
  await withFolder(async (folder) => {
    const { bytes, digest } = await object(100, 1);
    const cache = openDiskCache({ folder, maxBytes: 1_000 });
    const path = `${folder}/${digest.slice(0, 2)}/${digest}`;
    for (const damaged of [new Uint8Array(100).fill(2), bytes.subarray(1), new Uint8Array(0)]) {
      await cache.put(digest, bytes);
      await Deno.writeFile(path, damaged);
      assertEquals(await cache.get(digest), undefined);
      await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
    }
    assertEquals(cache.counters.corrupt, 3);
    await cache.put(digest, bytes);
    assertEquals(await cache.get(digest), bytes);
  });
});

Deno.test("a disk cache lets go of what was used longest ago, down to nine tenths", async () => {
  await withFolder(async (folder) => {
    let nowMs = Date.UTC(2026, 0, 1);
    const open = () => openDiskCache({ folder, maxBytes: 1_000, now: () => nowMs });
    const objects = await Promise.all([1, 2, 3, 4, 5].map((fill) => object(240, fill)));
    const cache = open();
    for (const { digest, bytes } of objects.slice(0, 4)) {
      await cache.put(digest, bytes);
      nowMs += 3_600_000;
    }
    const [first, second, third, fourth, fifth] = objects;
    assert(first && second && third && fourth && fifth);
    assert(await cache.get(first.digest) !== undefined);
    nowMs += 3_600_000;
    const other = open();
    await other.put(fifth.digest, fifth.bytes);
    const kept = [first, fourth, fifth].map(({ digest }) => digest).sort();
    assertEquals(await filesOf(folder), kept);
    assertEquals(other.counters.evicted, 2);
  });
});

Deno.test("a disk cache sweeps up what a process left that died while it wrote", async () => {
  await withFolder(async (folder) => {
    const nowMs = Date.now();
    await Deno.mkdir(`${folder}/ab`, { recursive: true });
    for (const [name, ageMs] of [["old.tmp", 7_200_000], ["new.tmp", 1_000]] as const) {
      await Deno.writeFile(`${folder}/ab/${name}`, new Uint8Array(10));
      await Deno.utime(`${folder}/ab/${name}`, new Date(nowMs - ageMs), new Date(nowMs - ageMs));
    }
    const { bytes, digest } = await object(100, 1);
    await openDiskCache({ folder, maxBytes: 1_000, now: () => nowMs }).put(digest, bytes);
    assertEquals(await filesOf(folder), [digest, "new.tmp"].sort());
  });
});

Deno.test("a disk cache does not keep an object of more than half its size", async () => {
  await withFolder(async (folder) => {
    const { bytes, digest } = await object(501, 1);
    const cache = openDiskCache({ folder, maxBytes: 1_000 });
    await cache.put(digest, bytes);
    assertEquals(await cache.get(digest), undefined);
  });
});

Deno.test("a disk cache can be written to and read from by many at once", async () => {
  await withFolder(async (folder) => {
    const objects = await Promise.all([1, 2, 3, 4, 5, 6].map((fill) => object(100, fill)));
    const caches = [1, 2].map(() => openDiskCache({ folder, maxBytes: 350 }));
    await Promise.all(
      caches.flatMap((cache) =>
        objects.map(async ({ digest, bytes }) => {
          await cache.put(digest, bytes);
          const read = await cache.get(digest);
          if (read !== undefined) assertEquals(read, bytes);
        })
      ),
    );
    for (const cache of caches) assertEquals(cache.counters.corrupt, 0);
    assert((await filesOf(folder)).every((name) => !name.endsWith(".tmp")));
  });
});
