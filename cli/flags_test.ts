import { assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { type Flag, nearest, parseDuration, parseFlags, parseInteger } from "./flags.ts";

const KNOWN: readonly Flag[] = [
  { name: "json", kind: "switch" },
  { name: "region", kind: "value" },
  { name: "file", kind: "list", aliases: ["f"] },
];

function parse(line: string, endAtOperand = false) {
  const { flags, operands } = parseFlags(line === "" ? [] : line.split(" "), KNOWN, endAtOperand);
  return [flags.has("json"), flags.value("region"), flags.list("file"), operands];
}

Deno.test("parseFlags() reads each spelling of a flag", () => {
  const cases: [string, unknown[]][] = [
    ["", [false, undefined, [], []]],
    ["-json", [true, undefined, [], []]],
    ["--json", [true, undefined, [], []]],
    ["-json=false", [false, undefined, [], []]],
    ["-json -json=0", [false, undefined, [], []]],
    ["-region x", [false, "x", [], []]],
    ["--region=x", [false, "x", [], []]],
    ["-region=a=b", [false, "a=b", [], []]],
    ["-region=", [false, "", [], []]],
    ["-f= -region= -f x -f=", [false, "", ["", "x", ""], []]],
    ["-region=a\nb=\n", [false, "a\nb=\n", [], []]],
    ["-region a -region b", [false, "b", [], []]],
    ["-region -json", [false, "-json", [], []]],
    ["-region 007", [false, "007", [], []]],
    ["-f a -file b --f=c", [false, undefined, ["a", "b", "c"], []]],
    ["-f 1", [false, undefined, ["1"], []]],
    ["a -json 1 0x10", [true, undefined, [], ["a", "1", "0x10"]]],
    ["-", [false, undefined, [], ["-"]]],
    ["-json -- -region x --", [true, undefined, [], ["-region", "x", "--"]]],
  ];
  for (const [line, expected] of cases) assertEquals(parse(line), expected, line);
});

Deno.test("parseFlags() leaves what follows the first operand to the command", () => {
  assertEquals(parse("-json f sh -c -json -- x", true), [
    true,
    undefined,
    [],
    ["f", "sh", "-c", "-json", "--", "x"],
  ]);
});

Deno.test("parseFlags() refuses a flag that is unknown or lacks its value", () => {
  const cases: [string, string, string | undefined][] = [
    ["-jsno", "Unknown flag -jsno", "did you mean -json?"],
    ["--regoin=x", "Unknown flag -regoin", "did you mean -region?"],
    ["-__proto__", "Unknown flag -__proto__", undefined],
    ["-region", "The flag -region needs a value", undefined],
    ["-json=yes", 'The flag -json takes "true" or "false", not "yes"', undefined],
  ];
  for (const [line, message, hint] of cases) {
    const error = assertThrows(() => parse(line), LlamaError);
    assertEquals([error.message, error.hint, error.exitCode], [message, hint, 2]);
  }
});

Deno.test("parseFlags() refuses to answer for a flag that the command does not declare", () => {
  const { flags } = parseFlags([], KNOWN, false);
  assertThrows(() => flags.has("region"), TypeError);
});

Deno.test("nearest() finds a slip of the finger, and nothing for another word", () => {
  const names = ["invoke", "config", "cloud"];
  assertEquals(nearest("invkoe", names), "invoke");
  assertEquals(nearest("confg", names), "config");
  assertEquals(nearest("xyz", names), undefined);
});

Deno.test("parseDuration() reads Go's durations and bare seconds", () => {
  const cases: [string, number][] = [
    ["60s", 60_000],
    ["1m30s", 90_000],
    ["500ms", 500],
    ["1.5h", 5_400_000],
    ["2", 2000],
  ];
  for (const [text, ms] of cases) assertEquals(parseDuration(text, "timeout"), ms);
  for (const text of ["", "s", "-1s", "1 s", "1d", "0s"]) {
    assertThrows(() => parseDuration(text, "timeout"), LlamaError, "takes a duration");
  }
});

Deno.test("parseInteger() keeps to its bounds", () => {
  assertEquals(parseInteger("8", "n", 1, 9), 8);
  for (const text of ["0", "10", "x", "1.5", ""]) {
    assertThrows(() => parseInteger(text, "n", 1, 9), LlamaError, "from 1 to 9");
  }
});
