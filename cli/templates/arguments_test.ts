import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { LlamaError } from "../../job/errors.ts";
import { compileArguments, hasTemplate } from "./arguments.ts";
import { TemplateError } from "./error.ts";
import type { TemplateData } from "./values.ts";

const NAMES = ["Line", "Idx", "I", "O"];

/** Data of a line; `marked` gets what its methods were called with. */
function lineData(line: string, marked: string[] = []): TemplateData {
  return {
    fields: { Line: line, Idx: 3 },
    methods: {
      I: (file) => {
        if (file === "gone") {
          throw new LlamaError("NoFile", 'There is no "gone"', { hint: "make it" });
        }
        marked.push(`in ${file}`);
        return file;
      },
      O: (file) => {
        marked.push(`out ${file}`);
        return `remote/${file}`;
      },
    },
  };
}

/** The error of reading or expanding an argument that follows another. */
function errorOf(template: string, line = "a.png"): TemplateError {
  return assertThrows(
    () => compileArguments(["ls", template], NAMES)(lineData(line)),
    TemplateError,
  );
}

Deno.test("compileArguments() expands arguments once for each line, and calls methods in their order", () => {
  const expand = compileArguments([
    "optipng",
    "{{.I .Line}}",
    "-out",
    '{{.O (printf "optimized/%s" .Line)}}',
  ], NAMES);
  const marked: string[] = [];
  assertEquals(expand(lineData("a.png", marked)), [
    "optipng",
    "a.png",
    "-out",
    "remote/optimized/a.png",
  ]);
  assertEquals(expand(lineData("b.png", marked))[1], "b.png");
  assertEquals(marked, [
    "in a.png",
    "out optimized/a.png",
    "in b.png",
    "out optimized/b.png",
  ]);
});

Deno.test("compileArguments() leaves what has no action as it is, and keeps no variable from before", () => {
  assertEquals([hasTemplate("a}}{b"), hasTemplate("a{{b")], [false, true]);
  const expand = compileArguments(["", "}}\n{", "{{$x := .Line}}{{$x}}{{$x = 1}}"]);
  assertEquals(expand(lineData("a")), ["", "}}\n{", "a"]);
  assertEquals(expand(lineData("b")), ["", "}}\n{", "b"]);
});

Deno.test("compileArguments() says of an error which argument and column it is in, and offers names", () => {
  const cases = [
    ["{{.Line", '"{{.Line", at column 1: the action', 'close it with "}}"'],
    ["{{.Line}", 'at column 8: the character "}" cannot follow ".Line"', 'close it with "}}"'],
    ["{{prinft .Line}}", 'there is no function "prinft"', "did you mean printf?"],
    ["é{{Line}}", 'at column 4: there is no function "Line"', "write .Line"],
    ["{{$file := 1}}{{$fiel}}", 'there is no variable "$fiel"', "did you mean $file?"],
  ] as const;
  for (const [template, message, hint] of cases) {
    const error = errorOf(template);
    assertEquals([error.kind, error.place.argument, error.code], ["parse", 2, "BadTemplate"]);
    assertStringIncludes(error.message, "Cannot read argument 2, ");
    assertStringIncludes(error.message, message);
    assertEquals(error.hint, hint);
  }
});

Deno.test("what it returns says on which value an expansion failed", () => {
  const cases = [
    ["a\nb{{.Lin}}", "at line 2, column 4: there is no .Lin", "did you mean .Line?"],
    ["{{.Unheard}}", "there is no .Unheard", "there are .Line .Idx .I .O"],
    ["{{.I .Idx}}", "at column 6: the int 3 stands where a string is wanted", undefined],
    ["{{slice .Line 9}}", 'the index 9 is not in the string "a.png"', undefined],
    ['{{slice "é" 1}}', "bytes that are not UTF-8", "slice and index count bytes, not characters"],
  ] as const;
  for (const [template, message, hint] of cases) {
    const error = errorOf(template);
    assertEquals([error.kind, error.hint], ["execution", hint]);
    assertStringIncludes(error.message, "Cannot expand argument 2, ");
    assertStringIncludes(error.message, message);
  }
});

Deno.test("what a method throws keeps its message and hint, and gets a place", () => {
  const error = errorOf("x{{.I .Line}}", "gone");
  assertStringIncludes(error.message, 'at column 4: .I: There is no "gone"');
  assertEquals(error.hint, "make it");
  assertEquals(error.cause instanceof LlamaError, true);
});

Deno.test("a template cannot exhaust the stack", () => {
  const recursive = '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}';
  assertStringIncludes(errorOf(recursive).message, "templates use each other more than");
  const deep = `${"{{if (((((((((1)))))))))}}".repeat(190)}{{template "a"}}${
    "{{end}}".repeat(190)
  }`;
  const both = `{{define "a"}}${deep}{{end}}{{template "a"}}`;
  assertStringIncludes(errorOf(both).message, "templates use each other more than");
  const parentheses = `{{${"(".repeat(9000)}1${")".repeat(9000)}}}`;
  assertStringIncludes(errorOf(parentheses).message, "nested deeper than");
  const conditions = `${"{{if 1}}".repeat(9000)}${"{{end}}".repeat(9000)}`;
  assertStringIncludes(errorOf(conditions).message, "nested deeper than");
});
