import { assertEquals, assertNotEquals } from "@std/assert";
import { count, countInvocation, createStats } from "./stats.ts";

Deno.test("count() counts by reason", () => {
  const reasons: Record<string, number> = {};
  for (const reason of ["link", "link", "language"]) count(reasons, reason);
  assertEquals(reasons, { link: 2, language: 1 });
});

Deno.test("reset() sets all to zero, and leaves what was taken before", () => {
  const stats = createStats();
  const zero = structuredClone(stats.current);
  for (const [name, value] of Object.entries(zero)) {
    assertEquals(value, typeof value === "number" ? 0 : {}, name);
  }
  const before = stats.current;
  before.remote++;
  count(before.local, "link");
  assertNotEquals(stats.current, zero);
  stats.reset();
  assertEquals(stats.current, zero);
  assertEquals([before.remote, before.local.link], [1, 1]);
});

Deno.test("count() keeps the names of errors apart up to a limit", () => {
  const reasons: Record<string, number> = {};
  for (let i = 0; i < 300; i++) count(reasons, `reason${i}`);
  count(reasons, "reason0");
  count(reasons, "constructor");
  assertEquals([reasons.reason0, reasons.reason199, reasons.reason200], [2, 1, undefined]);
  assertEquals([reasons.other, Object.keys(reasons).length], [101, 201]);
});

Deno.test("within() counts for a build all that is done in it, across what it awaits", async () => {
  const stats = createStats();
  const gate = Promise.withResolvers<void>();
  const work = async () => {
    await gate.promise;
    stats.add((counters) => counters.remote++);
  };
  const done = Promise.all([
    stats.within("a", work),
    stats.within("b", work),
    stats.within("a", work),
    stats.within(undefined, work),
  ]);
  gate.resolve();
  await done;
  assertEquals([stats.current.remote, stats.build("a")?.remote, stats.build("b")?.remote], [
    4,
    2,
    1,
  ]);
  assertEquals([stats.builds, stats.build("c")], [["b", "a"], undefined]);
});

Deno.test("of too many builds the one used longest ago is dropped, which is counted", () => {
  const stats = createStats(2);
  for (const id of ["a", "b", "a", "c"]) stats.within(id, () => {});
  assertEquals([stats.builds, stats.droppedBuilds], [["a", "c"], 1]);
  stats.reset("a");
  assertEquals([stats.builds, stats.droppedBuilds], [["c"], 1]);
  stats.reset();
  assertEquals([stats.builds, stats.droppedBuilds], [[], 0]);
});

Deno.test("countInvocation() counts by function, whatever it is called", () => {
  const { current } = createStats();
  for (const name of ["llama", "__proto__", "llama"]) countInvocation(current, name, 5);
  assertEquals(current.invocations, 3);
  assertEquals(
    Object.entries(current.functions).map(([name, use]) => [name, use.invocations, use.billedMs]),
    [["llama", 2, 10], ["__proto__", 1, 5]],
  );
});
