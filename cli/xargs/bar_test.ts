import { assertEquals } from "@std/assert";
import { barLine, dollars, time } from "./bar.ts";

const PROGRESS = {
  running: 5,
  succeeded: 40,
  failed: 2,
  skipped: 8,
  throttles: 0,
  usd: 0.0123,
  total: { count: 100, isAll: true },
  elapsedMs: 42_000,
};

Deno.test("barLine() shows what is done, failed and running, what it costs and when it ends", () => {
  assertEquals(
    barLine(PROGRESS, 120),
    "[##########----------]  50/100  2 failed  5 running  $0.012  ETA 50.0s",
  );
  const more = { ...PROGRESS, total: { count: 100, isAll: false }, throttles: 3 };
  assertEquals(
    barLine(more, 120),
    "[##########----------]  50/100+  2 failed  5 running  3 throttled  $0.012",
  );
  const nothing = {
    ...PROGRESS,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    usd: 0,
    total: { count: 0, isAll: true },
  };
  assertEquals(barLine(nothing, 120), `[${"-".repeat(20)}]  0/0  0 failed  5 running  $0.00`);
});

Deno.test("barLine() never fills a line of the terminal", () => {
  for (const columns of [0, 1, 10, 40]) {
    assertEquals(barLine(PROGRESS, columns).length, Math.max(0, columns - 1));
  }
});

Deno.test("time() and dollars() say as much as matters", () => {
  assertEquals([0, 59_940, 61_000, 3_600_000, 7_384_000].map(time), [
    "0.0s",
    "59.9s",
    "1m01s",
    "1h00m",
    "2h03m",
  ]);
  assertEquals([0, 12.345, 0.5, 0.0123, 0.00000099].map(dollars), [
    "$0.00",
    "$12.35",
    "$0.50",
    "$0.012",
    "$0.00000099",
  ]);
});
