import { assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { type Flag, parseDuration, parseFlags } from "./flags.ts";

const KNOWN: readonly Flag[] = [
  { name: "json", kind: "switch" },
  { name: "region", kind: "value", takes: "R" },
  { name: "file", kind: "list", aliases: ["f"], takes: "FILE" },
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

Deno.test("parseFlags() checks the values that are not any text", () => {
  const known: readonly Flag[] = [
    { name: "jobs", kind: "integer", aliases: ["j"], takes: "N", min: 1, max: 90 },
    { name: "timeout", kind: "duration", takes: "DURATION" },
    { name: "cost", kind: "number", takes: "USD" },
  ];
  const read = (line: string) => {
    const { flags } = parseFlags(line.split(" "), known, false);
    return [flags.integer("jobs"), flags.duration("timeout"), flags.number("cost")];
  };
  assertEquals(read("-jobs 8 -timeout 1m -cost .5"), [8, 60_000, 0.5]);
  assertEquals(read("x"), [undefined, undefined, undefined]);
  assertEquals(read("-j8 --jobs=9 -cost=0"), [9, undefined, 0]);
  const integer = "takes a whole number from 1 to 90, not";
  const cases: [string, string][] = [
    ["-jobs 0", `The flag -jobs ${integer} "0"`],
    ["-j91", `The flag -j ${integer} "91"`],
    ["-j=x -j 3", `The flag -j ${integer} "x"`],
    ["-j 1.5", `The flag -j ${integer} "1.5"`],
    ["-j=", `The flag -j ${integer} ""`],
    ["-timeout soon", "The flag -timeout takes a duration such as 90s or 1m30s, not"],
    ["-cost -1", 'The flag -cost takes a number such as 2.50, not "-1"'],
    ["-cost 1e3", 'The flag -cost takes a number such as 2.50, not "1e3"'],
    ["-timeout8", "Unknown flag -timeout8"],
    ["-c8", "Unknown flag -c8"],
  ];
  for (const [line, message] of cases) assertThrows(() => read(line), LlamaError, message);
});
