import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { OPTIONS } from "../cc/options.ts";
import type { FuzzCase } from "./fuzz/case.ts";
import { makeCase } from "./fuzz/command.ts";
import { describe, differencesOf, isUnstable } from "./fuzz/difference.ts";
import { reduceCase } from "./fuzz/reduce.ts";

const seeds = Array.from({ length: 4000 }, (_, seed) => seed);

Deno.test("makeCase() makes the same case of the same seed, and others of others", () => {
  assertEquals(makeCase(77), makeCase(77));
  const all = new Set(seeds.map((seed) => JSON.stringify(makeCase(seed))));
  // Cases of several commands are few.
  assert(all.size > 0.95 * seeds.length, `${all.size}`);
});

Deno.test("makeCase() makes use of each option of llamacc's table", () => {
  const words = new Set<string>();
  // A row is drawn once in so many seeds.
  for (let seed = 0; seed < 60 * OPTIONS.length; seed++) {
    for (const step of makeCase(seed).steps) {
      if (step.kind === "compile") { for (const word of step.args) words.add(word); }
    }
  }
  const all = [...words];
  const missing = OPTIONS.filter(({ name }) => !all.some((word) => word.startsWith(name)));
  assertEquals(missing, []);
});

Deno.test("makeCase() names no path outside the case's folder to be written", () => {
  const outputs = seeds.flatMap((seed) =>
    makeCase(seed).steps.flatMap((step) => {
      if (step.kind === "run") return [];
      return step.args.filter((_, index) => step.args[index - 1] === "-o")
        .concat(step.args.filter((word) => /^-o./.test(word)).map((word) => word.slice(2)));
    })
  );
  assertEquals(outputs.filter((path) => /^\/(?!dev\/null$)|^\.\./.test(path)), []);
});

Deno.test("differencesOf() finds what is changed, new or gone", () => {
  const here = new Map([["a", "1"], ["b", "2"], ["c", "3"]]);
  const there = new Map([["a", "1"], ["b", "x"], ["d", "4"]]);
  assertEquals(differencesOf(here, there), [
    { where: "b", here: "2", there: "x" },
    { where: "c", here: "3", there: undefined },
    { where: "d", here: undefined, there: "4" },
  ]);
});

Deno.test("isUnstable() excuses only what the compiler does not repeat", () => {
  const runs = (...texts: string[]) => texts.map((text) => new Map([["bytes of x", text]]));
  const padded = (id: string, rest = "r") => `${"-".repeat(20)}${id}${"-".repeat(20)}${rest}`;
  const there = (text: string) => ({ where: "bytes of x", here: "", there: text });
  const ids = runs(padded("abc"), padded("xyz"));
  assertEquals(isUnstable(there(padded("123")), ids), true);
  assertEquals(isUnstable(there(padded("123", "q")), ids), false);
  assertEquals(isUnstable(there(padded("123")), runs(padded("abc"), padded("abc"))), false);
  assertEquals(isUnstable(there("took 9.25 s"), runs("took 1 s", "took 12.5 s")), true);
  assertEquals(isUnstable({ where: "bytes of x", here: "", there: undefined }, ids), false);
});

Deno.test("describe() says where bytes begin to differ", () => {
  const said = describe({ where: "bytes of a.o", here: "same\x01x", there: "same\x02x" });
  assertEquals(said.split("\n")[0], "bytes of a.o at byte 4 of 6 and 6");
});

Deno.test("reduceCase() leaves what the difference needs", async () => {
  const fuzzed: FuzzCase = {
    compiler: "gcc",
    entries: [
      { kind: "file", path: "a.c", text: "int a;\nint guilty;\nint b;\n", mode: 0o644 },
      { kind: "folder", path: "sub", mode: 0o755 },
    ],
    steps: [{ kind: "compile", args: ["-O2", "-I", "sub", "-c", "a.c"] }],
    cwd: "sub",
    umask: 0,
    env: { TZ: "UTC0" },
    stdin: "x",
  };
  const small = await reduceCase(fuzzed, ({ entries, steps: [step] }) => {
    const guilty = entries.some((entry) => entry.kind === "file" && /guilty/.test(entry.text));
    return Promise.resolve(guilty && step?.kind === "compile" && step.args.includes("-c"));
  });
  assertEquals(small, {
    compiler: "gcc",
    entries: [{ kind: "file", path: "a.c", text: "int guilty;", mode: 0o644 }],
    steps: [{ kind: "compile", args: ["-c"] }],
    cwd: ".",
    umask: 0o022,
    env: {},
    stdin: "",
  });
  assertNotEquals(small, fuzzed);
});
