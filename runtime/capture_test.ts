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
  parts: Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>,
  pass: (bytes: Uint8Array<ArrayBuffer>) => Promise<void> | undefined,
  test: (capture: Capture, troubles: () => number) => Promise<void>,
  maxBytes: number = LIMITS.maxBytes,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  let troubles = 0;
  try {
    const kept = capture(
      ReadableStream.from(parts),
      `${folder}/spool`,
      { ...LIMITS, maxBytes },
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

Deno.test("capture() goes on passing on when it has caught up with a burst", async () => {
  const burst = chunks(60);
  const last = new Uint8Array(10).fill(99);
  const passed: Uint8Array[] = [];
  let passedBytes = 0;
  const caughtUp = Promise.withResolvers<void>();
  const lastPassed = Promise.withResolvers<void>();
  async function* parts() {
    yield* burst;
    // Without these the stream does not end, and the test neither.
    await caughtUp.promise;
    yield last;
    await lastPassed.promise;
  }
  const pass = async (bytes: Uint8Array<ArrayBuffer>) => {
    passed.push(bytes.slice());
    // So slow that the burst is there before half of it has been passed on.
    await new Promise((resolve) => setTimeout(resolve, 1));
    passedBytes += bytes.length;
    if (passedBytes === 6_000_000) caughtUp.resolve();
    if (passedBytes > 6_000_000) lastPassed.resolve();
  };
  await capturing(parts(), pass, async (kept) => {
    assertEquals(kept.size, 0);
    await assertSame(passed, [...burst, last]);
  });
});

Deno.test("capture() has a command wait when as much is behind as may be kept", async () => {
  let made = 0;
  function* parts() {
    for (const part of chunks(50)) {
      made++;
      yield part;
    }
  }
  const passed: Uint8Array[] = [];
  let mostAhead = 0;
  const pass = async (bytes: Uint8Array<ArrayBuffer>) => {
    passed.push(bytes.slice());
    await new Promise((resolve) => setTimeout(resolve, 1));
    mostAhead = Math.max(mostAhead, made * 100_000 - joinBytes(passed).length);
  };
  await capturing(parts(), pass, async (kept, troubles) => {
    assertEquals([kept.tooLarge(), troubles(), made], [false, 0, 50]);
    await assertSame([...passed, kept.read()], chunks(50));
    // One part in the stream's own queue, one that waits for room.
    assert(mostAhead <= 500_000 + 300_000, `${mostAhead}`);
  }, 500_000);
});

Deno.test("capture() stops a command that prints more than may be kept, once nothing is passed on", async () => {
  await capturing(chunks(50), () => undefined, (kept, troubles) => {
    assertEquals([kept.tooLarge(), troubles(), kept.size], [true, 1, 500_000]);
    return Promise.resolve();
  }, 500_000);
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
