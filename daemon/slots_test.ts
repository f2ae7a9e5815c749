import { assertEquals, assertRejects } from "@std/assert";
import { createSlots, watchedSlots } from "./slots.ts";

Deno.test("acquire() grants turns in the order of arrival", async () => {
  const slots = createSlots(1);
  const order: string[] = [];
  const first = await slots.acquire();
  const others = ["a", "b", "c"].map(async (name) => {
    const slot = await slots.acquire();
    order.push(name);
    slot.release();
  });
  assertEquals(slots.stats(), { size: 1, busy: 1, waiting: 3, granted: 1, longestLine: 3 });
  first.release();
  await Promise.all(others);
  assertEquals(order, ["a", "b", "c"]);
  assertEquals(slots.stats(), { size: 1, busy: 0, waiting: 0, granted: 4, longestLine: 3 });
});

Deno.test("acquire() never grants more turns than there are", async () => {
  const slots = createSlots(3);
  let most = 0;
  await Promise.all(Array.from({ length: 50 }, async () => {
    const slot = await slots.acquire();
    most = Math.max(most, slots.stats().busy);
    await Promise.resolve();
    slot.release();
  }));
  assertEquals(most, 3);
});

Deno.test("release() counts once", async () => {
  const slots = createSlots(2);
  const slot = await slots.acquire();
  await slots.acquire();
  slot.release();
  slot.release();
  assertEquals(slots.stats().busy, 1);
});

Deno.test("acquire() leaves the line when its signal aborts", async () => {
  const slots = createSlots(1);
  const held = await slots.acquire();
  const abort = new AbortController();
  const gone = slots.acquire(abort.signal);
  const next = slots.acquire();
  abort.abort(new Error("left"));
  await assertRejects(() => gone, Error, "left");
  await assertRejects(() => slots.acquire(abort.signal), Error, "left");
  assertEquals(slots.stats().waiting, 1);
  held.release();
  (await next).release();
  assertEquals(slots.stats().busy, 0);
});

Deno.test("watchedSlots() tells of each wait, and of nothing else", async () => {
  let nowMs = 1000;
  const waits: number[] = [];
  const slots = watchedSlots(createSlots(1, () => nowMs), (ms) => waits.push(ms));
  const first = await slots.acquire();
  const second = slots.acquire();
  nowMs += 250;
  first.release();
  (await second).release();
  assertEquals([waits, slots.stats().granted], [[250], 2]);
});
