import { assert, assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { countInvocation, createStats } from "./stats.ts";
import { statsAnswer } from "./stats_answer.ts";

const SIZES = {
  learn: () => {},
  of: (name: string) => ({ memoryMb: name === "big" ? 2048 : 1024, architecture: "x86_64" }),
};

Deno.test("statsAnswer() adds the price of invocations by their function, and of S3", () => {
  const stats = createStats();
  stats.add((counters) => {
    countInvocation(counters, "small", 500);
    countInvocation(counters, "small", 500);
    countInvocation(counters, "big", 1000);
    counters.s3Puts = 2;
    counters.s3Gets = 10;
  });
  const { costUsd } = statsAnswer(stats, SIZES, { zero: false });
  const expected = 3 * 0.0000002 + 3 * 0.0000166667 + 2 * 0.000005 + 10 * 0.0000004;
  assert(Math.abs(Number(costUsd) - expected) < 1e-12, `${costUsd} is not ${expected}`);
});

Deno.test("statsAnswer() tells of one build, and zeroes what it told", () => {
  const stats = createStats();
  for (const id of ["a", "b"]) {
    stats.within(id, () => stats.add((counters) => counters.remote++));
  }
  const all = statsAnswer(stats, SIZES, { zero: false });
  assertEquals([all.remote, all.builds, all.droppedBuilds], [2, ["a", "b"], 0]);
  const one = statsAnswer(stats, SIZES, { build: "a", zero: true });
  assertEquals([one.build, one.remote, stats.current.remote], ["a", 1, 2]);
  assertEquals(statsAnswer(stats, SIZES, { zero: true }).builds, ["b"]);
  assertEquals([stats.current.remote, stats.builds], [0, []]);
});

Deno.test("statsAnswer() says which builds are known, and that some were dropped", () => {
  const stats = createStats(1);
  const ask = () => statsAnswer(stats, SIZES, { build: "x", zero: false });
  assertThrows(
    ask,
    LlamaError,
    'the build "x" as the daemon knows none of that name: it knows none',
  );
  for (const id of ["a", "b"]) stats.within(id, () => {});
  assertThrows(ask, LlamaError, 'it knows "b"; 1 builds used longest ago have been dropped');
});
