import { assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../../job/errors.ts";
import { parseDelimiter } from "./delimiter.ts";

Deno.test("parseDelimiter() reads text and the escapes of xargs(1)", () => {
  const cases = {
    ",": ",",
    "\\n": "\n",
    "\\t": "\t",
    "\\0": "\0",
    "\\\\": "\\",
    "\\x2c": ",",
    "\\054": ",",
    "a\\tb": "a\tb",
  };
  for (const [text, expected] of Object.entries(cases)) {
    assertEquals(parseDelimiter(text), expected, text);
  }
});

Deno.test("parseDelimiter() says what it does not know", () => {
  assertThrows(() => parseDelimiter(""), LlamaError, "not an empty text");
  for (const text of ["\\q", "\\", "a\\"]) {
    assertThrows(() => parseDelimiter(text), LlamaError, "escape");
  }
  assertThrows(() => parseDelimiter("\\xff"), LlamaError, "ASCII");
});
