import { assertEquals, assertNotEquals } from "@std/assert";
import { createDefinedNames, nameHash } from "./defined_names.ts";

Deno.test("mayBeDefined() is true of what was defined, and of little else", () => {
  const names = createDefinedNames();
  for (let index = 0; index < 10_000; index++) names.define(nameHash(`A${index}`));
  let others = 0;
  for (let index = 0; index < 10_000; index++) {
    assertEquals(names.mayBeDefined(nameHash(`A${index}`)), true);
    if (names.mayBeDefined(nameHash(`B${index}`))) others++;
  }
  // 10,000 of 2,097,152 bits are set: one in 210.
  assertEquals(others < 100, true, `${others}`);
});

Deno.test("opened counts names that were asked for before they were defined", () => {
  const names = createDefinedNames();
  names.define(nameHash("A"));
  names.mayBeDefined(nameHash("A"));
  assertEquals(names.opened, 0);
  names.mayBeDefined(nameHash("B"));
  names.define(nameHash("C"));
  assertEquals(names.opened, 0);
  names.define(nameHash("B"));
  names.define(nameHash("B"));
  assertEquals(names.opened, 1);
});

Deno.test("nameHash() takes the name at a position and nothing behind it", () => {
  for (const name of ["A", "a_1$", "Größe", "_"]) {
    for (const after of ["", " ", "(x)", "\n", "\\", "/**/"]) {
      assertEquals(nameHash(`# define ${name}${after}`, 9), nameHash(name), name + after);
    }
  }
  assertNotEquals(nameHash("AB"), nameHash("BA"));
});
