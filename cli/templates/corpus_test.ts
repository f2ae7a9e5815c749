/**
 * Holds the interpreter to what Go's own text/template makes of a corpus of templates, which
 * scripts/template_corpus.go wrote; that says what a line is. This test needs no Go.
 */
import { assert, assertEquals } from "@std/assert";
import { compileArguments } from "./arguments.ts";
import { TemplateError } from "./error.ts";
import { Mapping, Slice, type TemplateData } from "./values.ts";

type Row = readonly [string, number, string] | ErrorRow;
type ErrorRow =
  | readonly [string, number, null, "parse" | "bytes"]
  | readonly [string, number, null, "execution", number, number];

const LINES = ["dir/pic 1.png", "é😀<a&b>'\".txt", ""];
const INDEXES = [0, 7, 40];

/** The data that the Go program has under that index. */
function dataset(index: number): TemplateData {
  const mark = (kind: string) => (file: string): string => {
    if (file === "") throw new TypeError("no file");
    return `${kind}:${file}`;
  };
  return {
    fields: {
      Line: LINES[index] ?? "",
      Idx: INDEXES[index] ?? 0,
      Words: ["ab", "", "é"],
      Nums: [3, 0, -17],
      Anys: [1, "two", null, 2.5, true],
      Lists: new Slice("[][]string", [
        new Slice("[]string", ["x", "y"]),
        new Slice("[]string", []),
      ]),
      None: new Slice("[]string", [], 0, 0, 0, true),
      Map: { b: "2", a: "1", é: "3" },
      Counts: { one: 1, ten: 10 },
      Mixed: {
        list: ["p", 1],
        nil: null,
        s: "t",
        m: new Mapping("string", "interface {}", [["k", "v"]]),
      },
      ByNum: new Mapping("int", "string", [[10n, "ten"], [-1n, "minus"], [2n, "two"]]),
      NoMap: new Mapping("string", "int", [], true),
      Nil: null,
      Any: "any",
      Yes: true,
      No: false,
      Pi: 3.25,
    },
    methods: {
      I: mark("in"),
      Input: mark("in"),
      O: mark("out"),
      Output: mark("out"),
      IO: mark("io"),
      InputOutput: mark("io"),
      AsFile: (text) => `file:${text}`,
    },
  };
}

async function rows(): Promise<Row[]> {
  const text = await Deno.readTextFile(new URL("testdata/corpus.jsonl", import.meta.url));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** What the interpreter gives, in the form of a row. */
function outcome(template: string, data: number, isBytes: boolean): Row {
  try {
    const [output = ""] = compileArguments([template])(dataset(data));
    return [template, data, output];
  } catch (error) {
    if (!(error instanceof TemplateError)) throw new Error(template, { cause: error });
    assert(!error.message.includes("\n"), error.message);
    if (error.kind === "parse") return [template, data, null, "parse"];
    if (isBytes) return [template, data, null, "bytes"];
    const { line, column } = error.place;
    const before = [...template.split("\n")[line - 1] ?? ""].slice(0, column - 1).join("");
    return [template, data, null, "execution", line, new TextEncoder().encode(before).length];
  }
}

Deno.test("templates give what Go gives, and fail where Go fails, at the same column", async () => {
  const all = await rows();
  assert(all.length > 2000);
  const differences = all.flatMap((row) => {
    const [template, data, , kind] = row;
    const found = outcome(template, data, kind === "bytes");
    return JSON.stringify(found) === JSON.stringify(row)
      ? []
      : [{ template, go: row.slice(2), llama: found.slice(2) }];
  });
  assertEquals(differences, []);
});
