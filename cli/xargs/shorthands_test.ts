import { assertEquals } from "@std/assert";
import { expandShorthands } from "./shorthands.ts";

const MARKS = ["{}", "{.}", "{/}", "{//}", "{/.}", "{#}"];
/** What parallel(1) 20221122 gives for {} {.} {/} {//} {/.}. */
const CASES = [
  ["a.tar.gz", "a.tar", "a.tar.gz", ".", "a.tar"],
  ["/x/y/b.txt", "/x/y/b", "b.txt", "/x/y", "b"],
  ["./c", "./c", "c", ".", "c"],
  ["d/", "d/", "", ".", ""],
  [".hid", "", ".hid", ".", ""],
  ["a/.hid", "a/", ".hid", "a", ""],
  ["/e", "/e", "e", "/", "e"],
  ["x.y/z", "x.y/z", "z", "x.y", "z"],
  ["/", "/", "", "/", ""],
  ["", "", "", ".", ""],
  ["a.b.", "a.b", "a.b.", ".", "a.b"],
  ["dir.d/f.", "dir.d/f", "f.", "dir.d", "f"],
  ["a//b.c", "a//b", "b.c", "a", "b"],
];

Deno.test("expandShorthands() gives what GNU parallel gives", () => {
  for (const [line = "", ...expected] of CASES) {
    assertEquals(expandShorthands(MARKS, { seq: 7, text: line }), [line, ...expected, "7"], line);
  }
  const inside = expandShorthands(["x{/}y{}", "{?}", "{ }", "{//.}"], { seq: 1, text: "a/b" });
  assertEquals(inside, ["xbya/b", "{?}", "{ }", "{//.}"]);
});

Deno.test("expandShorthands() puts the line last where nothing stands for it", () => {
  assertEquals(expandShorthands(["echo", "{a}"], { seq: 1, text: "x {} y" }), [
    "echo",
    "{a}",
    "x {} y",
  ]);
  assertEquals(expandShorthands(["echo", "{#}"], { seq: 1, text: "x" }), ["echo", "1"]);
});

const parallel = await installed("parallel");

(parallel ? Deno.test : Deno.test.ignore)("GNU parallel gives that still", async () => {
  const ran = await new Deno.Command("parallel", {
    args: [
      "-k",
      "-j1",
      "printf",
      "%s'\\0'",
      ...MARKS.slice(0, 5),
      ":::",
      ...CASES.map(([line = ""]) => line),
    ],
    stdin: "null",
    env: { HOME: "/tmp" },
  }).output();
  const words = new TextDecoder().decode(ran.stdout).split("\0").slice(0, -1);
  assertEquals(words, CASES.flat());
});

async function installed(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
      .output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
