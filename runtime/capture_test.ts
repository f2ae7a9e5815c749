import { assert, assertEquals } from "@std/assert";
import { joinBytes } from "../job/bytes.ts";
import { digestOf } from "../job/digest.ts";
import { type Capture, capture } from "./capture.ts";

const LIMITS = { memoryBytes: 1024, maxBytes: 100 * 1024 * 1024 };

/** A stream of `count` chunks of 100,000 bytes, no two of them the same. */
function chunks(count: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: count }, (_, number) => new Uint8Array(100_000).fill(number));
}

async function capturing(
  parts: readonly Uint8Array<ArrayBuffer>[],
  pass: (bytes: Uint8Array<ArrayBuffer>) => Promise<void> | undefined,
  test: (capture: Capture, troubles: () => number) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  let troubles = 0;
  try {
    const kept = capture(
      ReadableStream.from(parts),
      `${folder}/spool`,
      LIMITS,
      () => troubles++,
      pass,
    );
    await kept.done;
    await test(kept, () => troubles);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Millions of bytes are compared by their digests. */
async function assertSame(one: readonly Uint8Array[], other: readonly Uint8Array[]): Promise<void> {
  assertEquals(await digestOf(joinBytes(one)), await digestOf(joinBytes(other)));
}

Deno.test("capture() passes on in order, and what is not passed on by the end is kept", async () => {
  const parts = chunks(20);
  const passed: Uint8Array[] = [];
  const pass = (bytes: Uint8Array<ArrayBuffer>) => {
    passed.push(bytes.slice());
    return Promise.resolve();
  };
  await capturing(parts, pass, async (kept) => {
    assert(passed.length > 0);
    await assertSame([...passed, kept.read()], parts);
  });
});

Deno.test("capture() does not wait for who is slow: the rest is kept, in its order", async () => {
  const parts = chunks(100);
  const passed: Uint8Array[] = [];
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const pass = (bytes: Uint8Array<ArrayBuffer>) => {
    passed.push(bytes.slice());
    return late;
  };
  setTimeout(resolve, 50);
  await capturing(parts, pass, async (kept) => {
    assertEquals(passed.length, 1);
    assertEquals(kept.size, 10_000_000 - (passed[0]?.length ?? 0));
    await assertSame([...passed, kept.read()], parts);
  });
});

Deno.test("capture() keeps what is refused and all that follows", async () => {
  const parts = chunks(30);
  const passed: Uint8Array[] = [];
  const pass = (bytes: Uint8Array<ArrayBuffer>) => {
    if (passed.length === 3) return undefined;
    passed.push(bytes.slice());
    return Promise.resolve();
  };
  await capturing(parts, pass, async (kept, troubles) => {
    assertEquals(passed.length, 3);
    await assertSame([...passed, kept.read()], parts);
    assertEquals(troubles(), 0);
  });
});

Deno.test("capture() stops when nothing can be passed on, and says why", async () => {
  const gone = new Error("nobody listens");
  await capturing(chunks(50), () => Promise.reject(gone), (kept, troubles) => {
    assertEquals([kept.failure(), troubles()], [gone, 1]);
    return Promise.resolve();
  });
});
