import { assertEquals, assertRejects } from "@std/assert";
import { asTheyEnd, inOrder } from "./ordered.ts";

Deno.test("inOrder() tells in the order of lines, over gaps too", async () => {
  const told: number[] = [];
  const ordered = inOrder();
  const add = (seq: number) =>
    ordered.add(seq, 1, () => {
      told.push(seq);
      return Promise.resolve();
    });
  await add(3);
  await add(2);
  assertEquals(told, []);
  await add(1);
  assertEquals(told, [1, 2, 3]);
  await add(5);
  await ordered.skip(4);
  await ordered.finish();
  assertEquals(told, [1, 2, 3, 5]);
});

Deno.test("inOrder() has those wait who come with much before their turn", async () => {
  const ordered = inOrder();
  const nothing = () => Promise.resolve();
  await ordered.add(2, 60 * 1024 * 1024, nothing);
  let isIn = false;
  const late = ordered.add(3, 10 * 1024 * 1024, nothing).then(() => isIn = true);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assertEquals(isIn, false);
  await ordered.add(1, 0, nothing);
  await late;
});

Deno.test("what telling throws is thrown by all that follow, and nobody waits for ever", async () => {
  for (const ordered of [inOrder(), asTheyEnd()]) {
    const fail = () => Promise.reject(new Error("no reader"));
    await assertRejects(() => ordered.add(1, 1, fail), Error, "no reader");
    await assertRejects(() => ordered.add(2, 1e9, () => Promise.resolve()), Error, "no reader");
    await assertRejects(() => ordered.finish(), Error, "no reader");
  }
});
