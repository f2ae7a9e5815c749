import { assertEquals, assertThrows } from "@std/assert";
import { FormatError, LlamaError, messageOf } from "./errors.ts";
import {
  asArray,
  asBoolean,
  asInteger,
  asNumber,
  asObject,
  asString,
  asText,
  asTexts,
  parseJson,
} from "./json.ts";

type Check = (value: unknown, what: string) => unknown;

const CHECKS: readonly {
  readonly check: Check;
  readonly takes: readonly unknown[];
  readonly refuses: readonly unknown[];
  readonly message: string;
}[] = [
  {
    check: asObject,
    takes: [{}, { a: 1 }],
    refuses: [null, [], "x", 1, true, undefined],
    message: "an object",
  },
  { check: asArray, takes: [[], [1]], refuses: [null, {}, "x", undefined], message: "an array" },
  { check: asString, takes: ["", "\0"], refuses: [null, 1, ["x"], undefined], message: "a string" },
  { check: asText, takes: ["", "é"], refuses: ["a\0b"], message: "it must not hold a NUL" },
  { check: asBoolean, takes: [true, false], refuses: [0, "true", null], message: "true or false" },
  {
    check: asNumber,
    takes: [0, 0.5, 1e300],
    refuses: [-1, NaN, Infinity, "1", null],
    message: "a number that is not negative",
  },
  {
    check: (value, what) => asInteger(value, what, 1, 9),
    takes: [1, 9],
    refuses: [0, 10, 1.5, "1", null, NaN],
    message: "a whole number from 1 to 9",
  },
  { check: asInteger, takes: [0], refuses: [-1, 2 ** 53], message: "a whole number from 0 to" },
];

Deno.test("the checks return what they take and name what they refuse", () => {
  for (const { check, takes, refuses, message } of CHECKS) {
    for (const value of takes) assertEquals(check(value, "it"), value);
    for (const value of refuses) {
      const error = assertThrows(() => check(value, "job.x"), FormatError, message);
      assertEquals([error.code, error.message.startsWith("Cannot read job.x: ")], [
        "BadFormat",
        true,
      ]);
    }
  }
});

Deno.test("asTexts() names the item that is wrong", () => {
  assertEquals(asTexts(["a", ""], "it"), ["a", ""]);
  assertThrows(
    () => asTexts(["a", 1], "it"),
    FormatError,
    "Cannot read it[1]: it must be a string",
  );
  assertThrows(() => asTexts(["a\0"], "it"), FormatError, "Cannot read it[0]: it must not hold");
});

Deno.test("parseJson() turns a syntax error into one of the format", () => {
  assertEquals(parseJson('{"a": [1]}', "it"), { a: [1] });
  for (const text of ["", "{", "[1,]", "undefined", "\ufeff{}"]) {
    const error = assertThrows(() => parseJson(text, "it"), FormatError, "it is not JSON");
    assertEquals(error.cause instanceof SyntaxError, true);
  }
});

Deno.test("LlamaError carries code, hint and exit status", () => {
  const plain = new LlamaError("Code", "Cannot do it");
  assertEquals([plain.name, plain.code, plain.hint, plain.exitCode], [
    "LlamaError",
    "Code",
    undefined,
    1,
  ]);
  const full = new LlamaError("Code", "Cannot do it", { hint: "try again", exitCode: 3 });
  assertEquals([full.hint, full.exitCode], ["try again", 3]);
  assertEquals([messageOf(full), messageOf("thrown text"), messageOf(undefined)], [
    "Cannot do it",
    "thrown text",
    "undefined",
  ]);
});
