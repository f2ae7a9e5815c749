import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { createAwsClient } from "../aws/client.ts";
import {
  type Stub,
  type StubAnswer,
  type StubRequest,
  withStub,
} from "../aws/stub_service_fixture.ts";
import { compress } from "../job/compression.ts";
import { digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { decodePack, encodePack } from "../job/pack.ts";
import { openDiskCache } from "./disk_cache.ts";
import { storeFromEnvironment } from "./environment.ts";
import { type ObjectStore, type ObjectStoreOptions, openObjectStore } from "./object_store.ts";

interface Kept {
  body: Uint8Array<ArrayBuffer>;
  encoding: string | null;
}

/** As much of S3 as a store needs, with faults put in between. */
interface Shelf {
  readonly objects: Map<string, Kept>;
  readonly seen: readonly StubRequest[];
  readonly faults: StubAnswer[];
  readonly stub: Stub;
  open(options?: Partial<ObjectStoreOptions>): ObjectStore;
}

async function withShelf(act: (shelf: Shelf) => Promise<void>): Promise<void> {
  const objects = new Map<string, Kept>();
  const faults: StubAnswer[] = [];
  const handle = ({ method, target, headers, body }: StubRequest): StubAnswer => {
    const fault = faults.shift();
    if (fault !== undefined) return fault;
    const kept = objects.get(target);
    if (method === "PUT") {
      if (kept !== undefined && headers.get("if-none-match") === "*") {
        return { status: 412, body: "<Error><Code>PreconditionFailed</Code></Error>" };
      }
      objects.set(target, { body, encoding: headers.get("x-amz-meta-llama-encoding") });
      return {};
    }
    if (kept === undefined) return { status: 404, body: "<Error><Code>NoSuchKey</Code></Error>" };
    const metadata = kept.encoding === null ? {} : { "x-amz-meta-llama-encoding": kept.encoding };
    const length = { "content-length": String(kept.body.length) };
    return { headers: { ...metadata, ...length }, body: kept.body };
  };
  await withStub(handle, async (stub) => {
    const client = createAwsClient(stub.account, { sleep: () => Promise.resolve() });
    const open = (options: Partial<ObjectStoreOptions> = {}) =>
      openObjectStore({ client, url: "s3://bucket/some/prefix", ...options });
    await act({ objects, seen: stub.seen, faults, stub, open });
  });
}

const TEXT = new TextEncoder().encode("the same line again and again\n".repeat(100));

function noise(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

function pathOf(digest: string): string {
  return `/bucket/some/prefix/obj/${digest}`;
}

Deno.test("put() keeps bytes under their digest, compressed where that saves a tenth", async () => {
  await withShelf(async ({ objects, open }) => {
    const store = open();
    for (
      const bytes of [TEXT, noise(2_000), new TextEncoder().encode("short"), new Uint8Array(0)]
    ) {
      const digest = await store.put(bytes);
      assertEquals(digest, await digestOf(bytes));
      const kept = objects.get(pathOf(digest));
      assertEquals(kept?.encoding, bytes === TEXT ? "zstd" : null);
      assertEquals(kept !== undefined && kept.body.length < bytes.length, bytes === TEXT);
      assertEquals(await store.get(digest), bytes);
      assertEquals(await store.has(digest), true);
    }
    assertEquals(await store.has("0".repeat(64)), false);
    assertEquals(store.url, "s3://bucket/some/prefix");
    assertEquals([store.counters.puts, store.counters.gets], [4, 4]);
    assertEquals(store.counters.bytesPut, store.counters.bytesGot);
  });
});

Deno.test("put() asks once for the same bytes at once", async () => {
  await withShelf(async ({ seen, open }) => {
    const store = open();
    const digests = await Promise.all([store.put(TEXT), store.put(TEXT), store.put(TEXT)]);
    assertEquals(new Set(digests).size, 1);
    assertEquals(seen.length, 1);
    await store.put(TEXT);
    assertEquals(seen.length, 2);
    assertEquals([store.counters.puts, store.counters.present], [1, 1]);
  });
});

Deno.test("put() that failed can be done again", async () => {
  await withShelf(async ({ faults, objects, open }) => {
    const store = open();
    faults.push({ status: 403, body: "<Error><Code>AccessDenied</Code></Error>" });
    await assertRejects(() => store.put(TEXT), LlamaError, "AccessDenied");
    await store.put(TEXT);
    assertEquals(objects.size, 1);
  });
});

Deno.test("put() and get() bear lost connections, throttles and failing answers", async () => {
  await withShelf(async ({ faults, open }) => {
    const store = open();
    const trouble = (): StubAnswer[] => [
      "reset",
      "cut off",
      { status: 503, body: "<Error><Code>SlowDown</Code></Error>" },
      { status: 500, body: "<Error><Code>InternalError</Code></Error>" },
    ];
    faults.push(...trouble().filter((fault) => fault !== "cut off"));
    const digest = await store.put(TEXT);
    faults.push(...trouble());
    assertEquals(await store.get(digest), TEXT);
    assertEquals(faults.length, 0);
  });
});

Deno.test("put() counts an object whose first answer was lost as present", async () => {
  await withShelf(async ({ objects, faults, open }) => {
    const store = open();
    const digest = await digestOf(TEXT);
    objects.set(pathOf(digest), { body: compress(TEXT), encoding: "zstd" });
    faults.push("reset");
    assertEquals(await store.put(TEXT), digest);
    assertEquals(store.counters.present, 1);
  });
});

Deno.test("putPack() keeps a pack as an ordinary object", async () => {
  await withShelf(async ({ objects, open }) => {
    const store = open();
    const packed = await Promise.all([TEXT, noise(300)].map(async (bytes) => ({
      bytes,
      digest: await digestOf(bytes),
    })));
    const digest = await store.putPack(encodePack(packed));
    assertEquals([...objects.keys()], [pathOf(digest)]);
    assertEquals([...decodePack(await store.get(digest))], packed);
  });
});

Deno.test("get() throws ObjectMissing where there is no object", async () => {
  await withShelf(async ({ open, objects }) => {
    const store = open();
    const digest = await store.put(TEXT);
    objects.clear();
    const error = await assertRejects(() => store.get(digest), LlamaError);
    assertEquals(error.code, "ObjectMissing");
    assertStringIncludes(error.message, digest);
  });
});

Deno.test("get() does not take a missing bucket for a missing object", async () => {
  await withShelf(async ({ open, faults }) => {
    faults.push({ status: 404, body: "<Error><Code>NoSuchBucket</Code></Error>" });
    const error = await assertRejects(() => open().get("0".repeat(64)), LlamaError);
    assertEquals(error.code, "NoSuchBucket");
  });
});

Deno.test("get() tells an object that it may not read from one that is missing", async () => {
  const digest = await digestOf(TEXT);
  const denied = { status: 403, body: "<Error><Code>AccessDenied</Code></Error>" };
  const listing = (keys: readonly string[]) => ({
    body: `<ListBucketResult>${
      keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join("")
    }</ListBucketResult>`,
  });
  const cases: [string, StubAnswer, string, RegExp][] = [
    ["nobody knows", denied, "ObjectMissing", /permission s3:GetObject for "s3:.*prefix.obj/],
    ["absent", listing([]), "ObjectMissing", /^$/],
    ["another one", listing([`some/prefix/obj/${digest}0`]), "ObjectMissing", /^$/],
    ["there", listing([`some/prefix/obj/${digest}`]), "AccessDenied", /permission/],
  ];
  for (const [name, listed, code, hint] of cases) {
    await withShelf(async ({ open, faults, seen }) => {
      faults.push(denied, listed);
      const error = await assertRejects(() => open().get(digest), LlamaError);
      assertEquals([name, error.code], [name, code]);
      assertMatch(error.hint ?? "", hint);
      assertStringIncludes(seen[1]?.target ?? "", `prefix=some%2Fprefix%2Fobj%2F${digest}`);
    });
  }
});

Deno.test("get() takes no other refusal for a missing object", async () => {
  for (const code of ["SignatureDoesNotMatch", "InvalidAccessKeyId"]) {
    await withShelf(async ({ open, faults, seen }) => {
      faults.push({ status: 403, body: `<Error><Code>${code}</Code></Error>` });
      const error = await assertRejects(() => open().get("0".repeat(64)), LlamaError);
      assertEquals([error.code, seen.length], [code, 1]);
    });
  }
});

Deno.test("get() reads damaged bytes once more, and then names the object", async () => {
  const digest = await digestOf(TEXT);
  const damages: [string, Kept][] = [
    ["other bytes", { body: TEXT.subarray(1), encoding: null }],
    ["a frame of other bytes", { body: compress(TEXT.subarray(1)), encoding: "zstd" }],
    ["no frame", { body: TEXT, encoding: "zstd" }],
    ["a frame that is cut off", { body: compress(TEXT).slice(0, 20), encoding: "zstd" }],
    ["an unknown encoding", { body: TEXT, encoding: "rot13" }],
  ];
  for (const [name, kept] of damages) {
    await withShelf(async ({ objects, open, seen }) => {
      objects.set(pathOf(digest), kept);
      const store = open();
      const error = await assertRejects(() => store.get(digest), LlamaError, undefined, name);
      assertEquals(error.code, "CorruptObject", name);
      assertStringIncludes(error.message, digest);
      assertEquals(seen.length, 2);
      assertEquals(store.counters.corrupt, 2);
    });
  }
  await withShelf(async ({ open, faults }) => {
    const store = open();
    await store.put(TEXT);
    faults.push({ body: "damaged on the way" });
    assertEquals(await store.get(digest), TEXT);
    assertEquals(store.counters.corrupt, 1);
  });
});

Deno.test("repair() writes over what is damaged", async () => {
  await withShelf(async ({ objects, open }) => {
    const store = open();
    const digest = await digestOf(TEXT);
    objects.set(pathOf(digest), { body: noise(10), encoding: null });
    await store.put(TEXT);
    await assertRejects(() => store.get(digest), LlamaError);
    assertEquals(await store.repair(TEXT), digest);
    assertEquals(await store.get(digest), TEXT);
  });
});

Deno.test("get() reads once for all who ask, and then from the disk", async () => {
  const folder = await Deno.makeTempDir({ prefix: "llama-store-" });
  try {
    await withShelf(async ({ seen, objects, open }) => {
      const cache = openDiskCache({ folder, maxBytes: 1_000_000 });
      const store = open({ cache });
      const digest = await store.put(TEXT);
      const all = await Promise.all([store.get(digest), store.get(digest), store.get(digest)]);
      for (const bytes of all) assertEquals(bytes, TEXT);
      assertEquals(seen.length, 2);
      assertEquals(await store.get(digest), TEXT);
      assertEquals([seen.length, store.counters.cached], [2, 1]);

      await Deno.writeTextFile(`${folder}/${digest.slice(0, 2)}/${digest}`, "damaged");
      assertEquals(await store.get(digest), TEXT);
      assertEquals(seen.length, 3);
      objects.clear();
      assertEquals(await store.get(digest), TEXT);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("get() does without a cache that cannot be written", async () => {
  const file = await Deno.makeTempFile({ prefix: "llama-store-" });
  try {
    await withShelf(async ({ open }) => {
      const store = open({ cache: openDiskCache({ folder: file, maxBytes: 1_000_000 }) });
      const digest = await store.put(TEXT);
      assertEquals(await store.get(digest), TEXT);
      assert(store.counters.cacheErrors > 0);
    });
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a store has no more requests under way than it may", async () => {
  let running = 0;
  let most = 0;
  await withStub(async () => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running--;
    return {};
  }, async ({ account }) => {
    const store = openObjectStore({
      client: createAwsClient(account),
      url: "s3://bucket",
      concurrency: 3,
    });
    await Promise.all(Array.from({ length: 30 }, () => store.put(noise(20))));
    assertEquals(most, 3);
  });
});

Deno.test("storeFromEnvironment() opens a worker's store", async () => {
  await withShelf(async ({ stub, open }) => {
    const { accessKeyId, secretAccessKey, sessionToken } = await stub.account.credentials();
    const env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_REGION: stub.account.region,
      AWS_ENDPOINT_URL: stub.account.endpoint("s3"),
    };
    const digest = await open().put(TEXT);
    const store = storeFromEnvironment({ ...env, LLAMA_OBJECT_STORE: "s3://bucket/some/prefix/" });
    assertEquals(await store.get(digest), TEXT);
    const error = await assertRejects(async () => await storeFromEnvironment(env), LlamaError);
    assertEquals(error.code, "StoreMissing");
  });
});
