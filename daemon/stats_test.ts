import { assertEquals, assertNotEquals } from "@std/assert";
import { count, createStats } from "./stats.ts";

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
