import { assertEquals, assertMatch } from "@std/assert";
import { OPTIONS } from "./options.ts";
import { explainReason, REASONS } from "./reasons.ts";

Deno.test("the reasons are sorted, and each has a sentence", () => {
  const names = Object.keys(REASONS);
  assertEquals(names, names.toSorted((a, b) => (a < b ? -1 : 1)));
  for (const sentence of Object.values(REASONS)) assertMatch(sentence, /^[A-Z].{10,}[^.]$/);
});

Deno.test("explainReason() knows the reasons of all options, and variables", () => {
  for (const { name, effect } of OPTIONS) {
    if (typeof effect === "object") assertMatch(explainReason(effect.local), /^[A-Z]/, name);
  }
  assertMatch(explainReason("COMPILER_PATH"), /^The variable COMPILER_PATH /);
  assertEquals(explainReason("no such reason"), "");
});
