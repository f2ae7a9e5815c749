import { assertEquals } from "@std/assert";
import type { Digest } from "../job/digest.ts";
import { openCache } from "./cache.ts";
import { openLibc } from "./libc.ts";
import { bytesOf, type TestWorker, testWorker, textOf } from "./worker_fixture.ts";

const fileOf = (digest: Digest, path: string, size: number) =>
  ({ kind: "file", path, mode: 0o644, mtimeMs: 1e12, content: { digest, size } }) as const;

/** Runs `script` on a cached input, then shows what the next job sees of it. */
async function seenAfter(script: (test: TestWorker) => string): Promise<[string, number]> {
  using test = testWorker();
  const digest = await test.objects.put(bytesOf("right"));
  const inputs = [fileOf(digest, "in", 5)];
  await test.done({ inputs });
  const result = await test.done({ args: ["sh", "-c", script(test)], inputs });
  assertEquals(textOf(result.stderr), "");
  const next = await test.done({ args: ["cat", "in"], inputs });
  return [textOf(next.stdout), test.objects.asked.length];
}

Deno.test("a cached file that a job only read is used again", async () => {
  assertEquals(await seenAfter(() => "cat in"), ["right", 1]);
});

Deno.test("a cached file that a job wrote through its link is fetched again", async () => {
  assertEquals(await seenAfter(() => "printf wrong > in"), ["right", 2]);
  assertEquals(await seenAfter(() => "echo more >> in"), ["right", 2]);
  assertEquals(await seenAfter(() => "chmod 777 in"), ["right", 2]);
});

Deno.test("a cached file that was written and had its time put back is fetched again", async () => {
  const forge = "sleep 0.02; touch -r in ../time; printf wrong > in; touch -r ../time in";
  assertEquals(await seenAfter(() => forge), ["right", 2]);
});

Deno.test("a cached file that was written by its own name is fetched again", async () => {
  const forge = (test: TestWorker) =>
    `for f in ${test.folder}/w/cache/*; do ` +
    "touch -r $f ../time; cp in ../copy; rm in; printf wrong > $f; touch -r ../time $f; done";
  assertEquals(await seenAfter(forge), ["right", 2]);
});

Deno.test("a cached file that was written between jobs is fetched again", async () => {
  using test = testWorker();
  const inputs = [fileOf(await test.objects.put(bytesOf("right")), "in", 5)];
  await test.done({ inputs });
  test.worker.tidy();
  for (const { name } of Deno.readDirSync(`${test.folder}/w/cache`)) {
    Deno.writeTextFileSync(`${test.folder}/w/cache/${name}`, "wrong");
  }
  assertEquals(textOf((await test.done({ args: ["cat", "in"], inputs })).stdout), "right");
});

Deno.test("equal inputs of one job are files of their own", async () => {
  using test = testWorker();
  const digest = await test.objects.put(bytesOf("same"));
  const inputs = [fileOf(digest, "a", 4), fileOf(digest, "b", 4)];
  const result = await test.done({ args: ["sh", "-c", "echo x > a; cat b"], inputs });
  assertEquals(textOf(result.stdout), "same");
});

Deno.test("an input that may come back is a copy, so that the cache stays whole", async () => {
  using test = testWorker();
  const digest = await test.objects.put(bytesOf("old"));
  const job = {
    args: ["sh", "-c", "printf new > in"],
    inputs: [fileOf(digest, "in", 3)],
    wanted: [{ match: "exact", path: "in" } as const],
  };
  const first = await test.done(job);
  assertEquals(first.outputs.map(({ path }) => path), ["in"]);
  await test.done(job);
  assertEquals(test.objects.asked, [digest]);
});

Deno.test("one object can have several looks", async () => {
  using test = testWorker();
  const digest = await test.objects.put(bytesOf("x"));
  for (const mode of [0o644, 0o755, 0o000]) {
    for (const mtimeMs of [1e12, 2e12]) {
      const inputs = [{ ...fileOf(digest, "in", 1), mode, mtimeMs }];
      const shown = await test.done({ args: ["stat", "-c", "%a %Y", "in"], inputs });
      assertEquals(textOf(shown.stdout), `${mode.toString(8)} ${mtimeMs / 1000}\n`);
    }
  }
  assertEquals(test.objects.asked, [digest]);
});

Deno.test("the cache keeps to its bound, evicts what was used longest ago, and never a claim", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const cache = openCache(`${folder}/c`, 250, openLibc());
    const bytes = new Uint8Array(100);
    const [a, b, c, d] = ["a", "b", "c", "d"];
    cache.add(a!, bytes);
    cache.add(b!, bytes);
    assertEquals(cache.claim(a!), true);
    cache.endJob();
    cache.add(c!, bytes);
    assertEquals([a, b, c].map((name) => cache.claim(name!)), [true, false, true]);
    assertEquals(cache.usedBytes(), 200);
    cache.add(d!, bytes);
    assertEquals(cache.claim(d!), true);
    assertEquals(cache.usedBytes(), 300);
    cache.endJob();
    cache.settle();
    assertEquals(cache.usedBytes(), 200);
    assertEquals([...Deno.readDirSync(`${folder}/c`)].length, 2);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
