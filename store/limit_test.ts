import { assertEquals, assertRejects } from "@std/assert";
import { createLimit } from "./limit.ts";

Deno.test("createLimit() runs as many at once as it may, first come, first served", async () => {
  const limit = createLimit(3);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const results = await Promise.all(
    Array.from({ length: 5_000 }, (_, index) =>
      limit(async () => {
        order.push(index);
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return index;
      })),
  );
  assertEquals(most, 3);
  assertEquals(order, results);
});

Deno.test("createLimit() gives the place of one that failed to the next", async () => {
  const limit = createLimit(0);
  const failing = limit(() => Promise.reject(new Error("no")));
  const next = limit(() => Promise.resolve("yes"));
  await assertRejects(() => failing, Error, "no");
  assertEquals(await next, "yes");
  assertEquals(await limit(() => Promise.resolve(1)), 1);
});
