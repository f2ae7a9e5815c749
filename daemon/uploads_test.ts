import { assertEquals, assertRejects } from "@std/assert";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { memoryStore } from "./fake_function_fixture.ts";
import { createUploads, openUploads, type ReadObject } from "./uploads.ts";
import { openPlacement } from "./placement.ts";

async function objects(...texts: string[]): Promise<[Digest[], ReadObject]> {
  const kept = new Map<Digest, Uint8Array<ArrayBuffer>>();
  for (const text of texts) {
    const bytes = new TextEncoder().encode(text);
    kept.set(await digestOf(bytes), bytes);
  }
  return [[...kept.keys()], (digest) => Promise.resolve(kept.get(digest))];
}

async function withUploads(
  test: (
    tools: { store: ReturnType<typeof memoryStore>; folder: string } & {
      uploads: Awaited<ReturnType<typeof openUploads>>;
    },
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const store = memoryStore();
    await test({ store, folder, uploads: await openUploads(store, `${folder}/cache`) });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("ensure() puts one object singly, and several as one pack", () =>
  withUploads(async ({ store, uploads }) => {
    const [[one], readOne] = await objects("one");
    const [[a, b], readBoth] = await objects("a", "b");
    if (!one || !a || !b) throw new Error("no objects");
    assertEquals(await uploads.ensure([one], readOne), []);
    const packs = await uploads.ensure([a, b, a], readBoth);
    assertEquals(store.puts, [[one], [a, b]]);
    assertEquals(packs.length, 1);
    assertEquals(store.kept.has(packs[0] ?? ""), true);
    // Both are known now, and so is the pack in which one of them is.
    assertEquals(await uploads.ensure([b, one], () => Promise.resolve(undefined)), packs);
    assertEquals(store.puts.length, 2);
    assertEquals(await uploads.ensure([], readOne), []);
  }));

Deno.test("ensure() sends nothing again after a restart", () =>
  withUploads(async ({ store, folder, uploads }) => {
    const [digests, read] = await objects("a", "b", "c");
    const packs = await uploads.ensure(digests, read);
    const again = await openUploads(store, `${folder}/cache`);
    assertEquals(await again.ensure(digests, read), packs);
    assertEquals(store.puts.length, 1);
    // Another store has placements of its own.
    const other = { ...memoryStore(), url: "s3://other/" };
    await (await openUploads(other, `${folder}/cache`)).ensure(digests, read);
    assertEquals(other.puts.length, 1);
  }));

Deno.test("two that need the same new object at once wait for one put", () =>
  withUploads(async ({ store, uploads }) => {
    const [[a, b, c], read] = await objects("a", "b", "c");
    if (!a || !b || !c) throw new Error("no objects");
    const gate = Promise.withResolvers<void>();
    store.beforePut = () => gate.promise;
    const first = uploads.ensure([a, b], read);
    const second = uploads.ensure([b, c], read);
    const third = uploads.ensure([a], read);
    let ended = 0;
    for (const one of [first, second, third]) void one.then(() => ended++);
    await read(a);
    assertEquals(ended, 0);
    gate.resolve();
    const [packs, , thirdPacks] = await Promise.all([first, second, third]);
    assertEquals(store.puts.toSorted((one, other) => other.length - one.length), [[a, b], [c]]);
    assertEquals(thirdPacks, packs);
    assertEquals(await second, packs);
  }));

Deno.test("a put that failed is not remembered, and fails all that waited for it", () =>
  withUploads(async ({ store, folder, uploads }) => {
    const [digests, read] = await objects("a", "b");
    store.beforePut = () => Promise.reject(new LlamaError("Refused", "Cannot put"));
    const both = [uploads.ensure(digests, read), uploads.ensure(digests.slice(1), read)];
    for (const one of both) await assertRejects(() => one, LlamaError, "Cannot put");
    assertEquals(store.puts.length, 1);
    store.beforePut = () => Promise.resolve();
    const again = await openUploads(store, `${folder}/cache`);
    assertEquals((await again.ensure(digests, read)).length, 1);
    assertEquals((await uploads.ensure(digests, read)).length, 1);
    assertEquals(store.puts.length, 3);
  }));

Deno.test("ensure() says if an object is no longer on this machine", () =>
  withUploads(async ({ store, uploads }) => {
    const [[a], read] = await objects("a");
    const gone = "0".repeat(64);
    if (!a) throw new Error("no object");
    const error = await assertRejects(() => uploads.ensure([a, gone], read), LlamaError, gone);
    assertEquals([error.code, store.puts.length], ["ObjectGone", 0]);
    await uploads.ensure([a], read);
    assertEquals(store.puts, [[a]]);
  }));

Deno.test("forget() has an object sent again, and the pack that it was in forgotten with it", () =>
  withUploads(async ({ store, uploads }) => {
    const [[a, b], read] = await objects("a", "b");
    if (!a || !b) throw new Error("no objects");
    const [pack] = await uploads.ensure([a, b], read);
    uploads.forget([a]);
    assertEquals(await uploads.ensure([a], read), []);
    assertEquals(await uploads.ensure([b], read), [pack]);
    assertEquals(store.puts, [[a, b], [a]]);
  }));

Deno.test("createUploads() puts a large object singly and the small ones around it together", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const store = memoryStore();
    const large = new Uint8Array(128 * 1024 * 1024);
    const sizes = new Map([["1".repeat(64), 1], ["2".repeat(64), 0], ["3".repeat(64), 2]]);
    const uploads = createUploads(
      { ...store, put: () => Promise.resolve(store.put(new Uint8Array([9]))) },
      await openPlacement(`${folder}/placed`),
    );
    const packs = await uploads.ensure(
      sizes.keys(),
      (digest) => Promise.resolve(sizes.get(digest) === 0 ? large : new Uint8Array(3)),
    );
    assertEquals(store.puts.map((put) => put.length), [1, 2]);
    assertEquals(store.puts[1], ["1".repeat(64), "3".repeat(64)]);
    assertEquals(packs.length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("ensure() writes over what the store has lost or has damaged", () =>
  withUploads(async ({ store, uploads }) => {
    const [digests, read] = await objects("a", "b");
    await uploads.ensure(digests, read);
    const repaired: number[] = [];
    const { repair } = store;
    store.repair = (bytes) => {
      repaired.push(bytes.length);
      return repair(bytes);
    };
    uploads.forget(digests);
    const [pack] = await uploads.ensure(digests, read);
    assertEquals(repaired, [store.kept.get(pack ?? "")?.length ?? -1]);
    uploads.forget(digests.slice(0, 1));
    await uploads.ensure(digests, read);
    assertEquals(repaired.length, 2);
    // What was put anew is whole again.
    const [more, readMore] = await objects("c");
    await uploads.ensure(more, readMore);
    assertEquals(repaired.length, 2);
  }));

Deno.test("repack() puts into one pack what came in many, and leaves out what is not here", () =>
  withUploads(async ({ store, uploads }) => {
    const [[a, b], readFirst] = await objects("a", "b");
    const [[c, d], readSecond] = await objects("c", "d");
    const [[gone]] = await objects("gone");
    if (!a || !b || !c || !d || !gone) throw new Error("no objects");
    const first = await uploads.ensure([a, b], readFirst);
    const second = await uploads.ensure([c, d], readSecond);
    const read: ReadObject = async (digest) => await readFirst(digest) ?? await readSecond(digest);
    const packs = await uploads.repack([a, gone, c, a], read);
    const [pack] = packs.values();
    assertEquals([...packs], [[a, pack], [c, pack]]);
    assertEquals([...first, ...second].includes(pack ?? ""), false);
    assertEquals(store.kept.has(pack ?? ""), true);
    // From now on that is where they are.
    assertEquals(await uploads.ensure([a, c], read), [pack]);
    assertEquals([...await uploads.repack([gone], read)], []);
  }));
