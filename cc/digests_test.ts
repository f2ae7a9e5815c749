import { assert, assertEquals } from "@std/assert";
import { digestOf } from "../job/digest.ts";
import { createFileDigests } from "./digests.ts";
import { createMemoryFiles } from "./memory_files_fixture.ts";

const textDigest = (text: string) => digestOf(new TextEncoder().encode(text));

function setUp() {
  const files = createMemoryFiles();
  files.write("/a", "one");
  files.tick(1000);
  return { files, digests: createFileDigests(files) };
}

Deno.test("compute() hashes a file, and known() has it while its state is the same", async () => {
  const { files, digests } = setUp();
  const before = files.stat("/a");
  assert(before);
  assertEquals(digests.known("/a", before), undefined);
  const file = await digests.compute("/a");
  assert(file);
  assertEquals([file.digest, file.settled], [await textDigest("one"), true]);
  assertEquals(digests.known("/a", before), file);
  assertEquals(digests.pathOf(file.digest), "/a");
  files.tick(1000);
  files.write("/a", "two");
  const after = files.stat("/a");
  assert(after);
  assertEquals(digests.known("/a", after), undefined);
  assertEquals((await digests.compute("/a"))?.digest, await textDigest("two"));
});

Deno.test("known() does not trust a file that had just changed when it was read", async () => {
  const { files, digests } = setUp();
  files.write("/a", "two");
  const file = await digests.compute("/a");
  assertEquals(file?.settled, false);
  // Same length, and the clock has not ticked.
  files.write("/a", "six");
  const state = files.stat("/a");
  assert(state);
  assertEquals(digests.known("/a", state), undefined);
  assertEquals((await digests.compute("/a"))?.digest, await textDigest("six"));
});

Deno.test("compute() knows nothing of what is no readable file", async () => {
  const { files, digests } = setUp();
  files.folder("/d");
  files.link("/gone", "nowhere");
  for (const path of ["/d", "/gone", "/none"]) assertEquals(await digests.compute(path), undefined);
  const unreadable = createFileDigests({ ...files, read: () => undefined });
  assertEquals(await unreadable.compute("/a"), undefined);
});

Deno.test("compute() reads a file again that changes while it is read, three times at most", async () => {
  const { files } = setUp();
  let changes = 1;
  let reads = 0;
  const digests = createFileDigests({
    ...files,
    read: (path) => {
      const bytes = files.read(path);
      reads++;
      if (changes-- > 0) {
        files.tick(10);
        files.write(path, `change ${changes}`);
      }
      return bytes;
    },
  });
  assertEquals((await digests.compute("/a"))?.digest, await textDigest("change 0"));
  assertEquals(reads, 2);
  changes = 1000;
  reads = 0;
  assertEquals(await digests.compute("/a"), undefined);
  assertEquals(reads, 3);
});

Deno.test("entries() and remember() carry what is known over", async () => {
  const { files, digests } = setUp();
  const file = await digests.compute("/a");
  assert(file);
  const next = createFileDigests(files);
  for (const [path, known] of digests.entries()) next.remember(path, known);
  assertEquals(next.known("/a", file.state), file);
  assertEquals(next.pathOf(file.digest), "/a");
});

Deno.test("learn() takes the digest of what was read, unless the file is another by now", () => {
  const { files } = setUp();
  const digests = createFileDigests(files, (bytes) => `${bytes.length}`.padStart(64, "0"));
  const bytes = new Uint8Array([1, 2, 3]);
  const state = files.stat("/a");
  assert(state);
  const lookedMs = files.now();
  digests.learn("/a", { bytes: new Uint8Array(2), state, lookedMs });
  assertEquals(digests.known("/a", state), undefined);
  digests.learn("/a", { bytes, state, lookedMs });
  assertEquals(digests.known("/a", state)?.digest, "3".padStart(64, "0"));
  files.tick(1000);
  files.write("/a", "two");
  digests.learn("/a", { bytes, state, lookedMs });
  const after = files.stat("/a");
  assert(after);
  assertEquals(digests.known("/a", after), undefined);
  // Written in the same tick, it may be another one the next time.
  digests.learn("/a", { bytes, state: after, lookedMs: files.now() });
  assertEquals(digests.known("/a", after), undefined);
  const without = createFileDigests(files);
  without.learn("/a", { bytes, state: after, lookedMs: files.now() + 1000 });
  assertEquals(without.known("/a", after), undefined);
});
