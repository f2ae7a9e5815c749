/** What a condition is said to need, held against the preprocessor: where that is not defined, it never holds. */
import { assert, assertEquals } from "@std/assert";
import { needsOf } from "../cc/conditions.ts";
import { createRandom, type Random } from "./fuzz/random.ts";

const CONDITIONS = 3000;
const NAMES = ["A", "B", "C", "D"];
/** What the names are in turn; the last has none of them. */
const WORLDS = [["-DA"], ["-DA=0", "-DB=2"], ["-DC=201703L"], ["-DB", "-DC=0", "-DD"], []];

Deno.test("a condition does not hold while nothing is defined that it needs", async () => {
  const random = createRandom(1);
  const conditions = Array.from({ length: CONDITIONS }, () => conditional(random));
  const text = conditions.map(({ line, turned }, index) =>
    `${line}\n${turned === undefined ? "" : `${turned}\n`}hit${index}\n#endif\n`
  ).join("");
  let held = 0;
  let ruledOut = 0;
  for (const world of WORLDS) {
    const defined = new Set(world.map((option) => option.slice(2, 3)));
    const hits = new Set(await preprocess(text, world));
    for (const [index, { line, turned }] of conditions.entries()) {
      const needs = turned === undefined ? needsOf(line, "") : needsOf(turned, line);
      const isReached = needs.every((names) => names.some((name) => defined.has(name)));
      if (!isReached) ruledOut++;
      if (!hits.has(`hit${index}`)) continue;
      held++;
      assert(
        isReached,
        `${line} ${turned ?? ""} with ${world.join(" ")} needs ${needs.join("; ")}`,
      );
    }
  }
  // Both happen often enough to tell.
  assert(held > 2000 && ruledOut > 2000, `${held} held, ${ruledOut} were ruled out`);
});

/** The opening line of a conditional, and the line of its second branch if that is what counts. */
function conditional(random: Random): { readonly line: string; readonly turned?: string } {
  const name = random.pick(NAMES);
  const line = random.weighted([
    [6, `#if ${expression(random, 3)}`],
    [1, `#ifdef ${name}`],
    [1, `#ifndef ${name} // ${random.pick(NAMES)}`],
    [1, `# if ! defined ${random.chance(0.5) ? name : `(${name})`} /* words */`],
    [1, `#if !${name}`],
  ]);
  if (random.chance(0.6)) return { line };
  return { line, turned: random.chance(0.5) ? "#else" : `#elif ${expression(random, 2)}` };
}

function expression(random: Random, depth: number): string {
  const name = random.pick(NAMES);
  const leaf = random.weighted([
    [5, name],
    [4, random.chance(0.5) ? `defined ${name}` : `defined(${name})`],
    [2, random.pick(["0", "1", "2", "201703L", "0x0", "07", "0u", "'a'"])],
    [1, random.pick(["__cplusplus", "__linux__", "defined __GNUC__", "__has_include(<A>)"])],
  ]);
  if (depth === 0) return leaf;
  const left = () => expression(random, depth - 1);
  const operator = random.pick(["==", "!=", "<", ">", "<=", ">=", "+", "-", "|", "&", "^", "<<"]);
  return random.weighted([
    [3, leaf],
    [3, `${left()} && ${left()}`],
    [3, `${left()} || ${left()}`],
    [2, `!${random.chance(0.5) ? leaf : `(${left()})`}`],
    [2, `(${left()})`],
    [3, `${leaf} ${operator} ${left()}`],
    [1, `${left()} ? ${left()} : ${left()}`],
    [1, `${random.pick(["-", "~", "+"])}${leaf}`],
    [1, `${left()}/* ${name} */`],
  ]);
}

async function preprocess(text: string, options: readonly string[]): Promise<string[]> {
  const args = ["-E", "-P", "-w", "-x", "c", ...options, "-"];
  const child = new Deno.Command("cc", { args, stdin: "piped", stdout: "piped", stderr: "null" })
    .spawn();
  const writer = child.stdin.getWriter();
  const output = child.output();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await output;
  assertEquals(success, true);
  return new TextDecoder().decode(stdout).split("\n");
}
