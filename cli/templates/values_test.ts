import { assertEquals } from "@std/assert";
import { compileArguments } from "./arguments.ts";
import type { Data } from "./values.ts";

/** What a template gives for the field `.X`. */
function expanded(template: string, X: Data): string | undefined {
  return compileArguments([template])({ fields: { X }, methods: {} })[0];
}

Deno.test("fields become the values of Go that they look like", () => {
  const types: readonly (readonly [Data, string])[] = [
    ["a", "string"],
    [1, "int"],
    [-5n, "int"],
    [1.5, "float64"],
    [2 ** 60, "float64"],
    [false, "bool"],
    [null, "<nil>"],
    [["a", "b"], "[]string"],
    [[1, "b"], "[]interface {}"],
    [[], "[]interface {}"],
    [[["a"]], "[][]string"],
    [{ a: true }, "map[string]bool"],
    [{ a: [1], b: null }, "map[string]interface {}"],
  ];
  for (const [data, type] of types) assertEquals(expanded('{{printf "%T" .X}}', data), type);
});

Deno.test("index gives the zero of a map's type for a key that it lacks", () => {
  const zeros: readonly (readonly [Data, string])[] = [
    [{ a: "x" }, `""`],
    [{ a: 1 }, "0"],
    [{ a: 1.5 }, "0"],
    [{ a: true }, "false"],
    [{ a: ["x"] }, "[]string(nil)"],
    [{ a: { b: 1 } }, "map[string]int(nil)"],
    [{ a: 1, b: "x" }, "<nil>"],
  ];
  for (const [data, zero] of zeros) {
    assertEquals(expanded('{{printf "%#v" (index .X "no")}}', data), zero);
  }
});
