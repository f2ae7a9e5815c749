import { assertEquals, assertRejects } from "@std/assert";
import { lazySeal } from "./lazy_seal.ts";
import type { Seal } from "./worker_seal.ts";

Deno.test("lazySeal() opens a seal once, at the first need, and again after a failure", async () => {
  const seal: Seal = {
    kind: "unshare",
    command: () => ({ program: "x", args: [], environment: {} }),
  };
  let opened = 0;
  const lazy = lazySeal(() => {
    opened++;
    return opened === 1 ? Promise.reject(new Error("no")) : Promise.resolve(seal);
  });
  assertEquals([lazy.kind, opened], ["unknown", 0]);
  await assertRejects(() => lazy.get(), Error, "no");
  assertEquals([lazy.kind, opened], ["unknown", 1]);
  assertEquals(await Promise.all([lazy.get(), lazy.get()]), [seal, seal]);
  assertEquals([lazy.kind, opened], ["unshare", 2]);
});
