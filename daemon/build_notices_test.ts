import { assertEquals } from "@std/assert";
import { REASONS } from "../cc/reasons.ts";
import { createBuildNotices, EXPECTED } from "./build_notices.ts";

/** The lines that a build hears; `there` and reasons are what its compilations do in turn. */
function heard(
  notices: ReturnType<typeof createBuildNotices>,
  id: string | undefined,
  ...steps: string[]
) {
  const lines: string[] = [];
  for (const step of steps) {
    if (step === "there") notices.ranThere(id);
    else lines.push(notices.ranHere(id, step) ?? "");
  }
  return lines.filter(Boolean);
}

const times = (count: number, ...steps: string[]) => Array(count).fill(steps).flat();

Deno.test("a build with many unexpected local runs is told once, with the commonest reason", () => {
  const notices = createBuildNotices();
  const steps = [...times(20, "there"), ...times(3, "modules"), ...times(6, "TooManyRounds")];
  assertEquals(heard(notices, undefined, ...steps), []);
  assertEquals(heard(notices, undefined, "TooManyRounds"), [
    "10 of 30 compilations ran on this machine (most: TooManyRounds); llama daemon -stats says why",
  ]);
  assertEquals(heard(notices, undefined, ...times(100, "TooManyRounds")), []);
});

Deno.test("few local runs among many compilations are no news, nor are those that all expect", () => {
  const notices = createBuildNotices();
  assertEquals(heard(notices, undefined, ...times(50, "there"), ...times(12, "modules")), []);
  // 13 of 63 are more than a fifth.
  assertEquals(heard(notices, undefined, "modules").length, 1);
  const expected = ["link", "preprocess-only", "configure-probe", "assembler", "special-output"];
  assertEquals(heard(notices, "id", ...times(50, ...expected)), []);
});

Deno.test("what is expected is sorted, and a reason that there is", () => {
  const names = [...EXPECTED];
  assertEquals(names, names.toSorted());
  // Those that are no decisions but errors of a run elsewhere.
  const errors = ["DriverMessage"];
  assertEquals(names.filter((name) => !(name in REASONS)), errors);
});

Deno.test("a named build is told by its name, and each of them for itself", () => {
  const notices = createBuildNotices();
  for (const id of ["a", "b"]) {
    assertEquals(heard(notices, id, ...times(20, "modules")), [
      `10 of 10 compilations ran on this machine (most: modules); llama daemon -stats -build ${id} says why`,
    ]);
  }
});

Deno.test("a minute of silence ends a build without a name", () => {
  let nowMs = 0;
  const notices = createBuildNotices(() => nowMs);
  assertEquals(heard(notices, undefined, ...times(10, "modules")).length, 1);
  nowMs += 60_000;
  assertEquals(heard(notices, undefined, ...times(10, "modules")).length, 0);
  assertEquals(notices.isNews(undefined, "X"), true);
  nowMs += 60_001;
  assertEquals(notices.isNews(undefined, "X"), true);
  assertEquals(heard(notices, undefined, ...times(10, "modules")).length, 1);
  assertEquals(notices.isNews("named", "X"), true);
  nowMs += 1e9;
  assertEquals(notices.isNews("named", "X"), false);
});

Deno.test("a build that knows that the cloud fails is not told again in other words", () => {
  const notices = createBuildNotices();
  assertEquals([1, 2].map(() => notices.isNews("id", "AccessDenied")), [true, false]);
  assertEquals(heard(notices, "id", ...times(20, "AccessDenied")), []);
  // Another reason beside it is news.
  notices.isNews("both", "AccessDenied");
  assertEquals(heard(notices, "both", "modules", ...times(20, "AccessDenied")).length, 1);
});

Deno.test("no more than a hundred builds are remembered", () => {
  const notices = createBuildNotices();
  for (let i = 0; i <= 100; i++) notices.isNews(`id${i}`, "X");
  assertEquals(["id1", "id0", "id100"].map((id) => notices.isNews(id, "X")), [false, true, false]);
});
