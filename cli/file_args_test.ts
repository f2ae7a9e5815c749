import { assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { parseFileArg } from "./file_args.ts";

Deno.test("parseFileArg() splits at the last colon that is not escaped", () => {
  const cases: [string, string, string][] = [
    ["README.md:INPUT", "README.md", "INPUT"],
    ["a:b:c", "a:b", "c"],
    ["a\\:b", "a:b", "a:b"],
    ["a\\:b:c", "a:b", "c"],
    ["a:b\\:c", "a", "b:c"],
    ["src/x.c", "src/x.c", "src/x.c"],
    ["./src//x.c", "./src//x.c", "src/x.c"],
    ["src/", "src/", "src"],
    [".", ".", ""],
    ["/home/u/x", "/home/u/x", "x"],
    ["/home/u", "/home/u", ""],
    ["/etc/passwd:p", "/etc/passwd", "p"],
    ["../x:a/../b", "../x", "b"],
    ["a:.", "a", ""],
  ];
  for (const [text, local, remote] of cases) {
    assertEquals(parseFileArg(text, "/home/u"), { local, remote }, text);
  }
});

Deno.test("parseFileArg() demands a remote name for a path outside the current folder", () => {
  for (const text of ["/etc/passwd", "../x", "a/../../x", "/home/user2/x"]) {
    const error = assertThrows(() => parseFileArg(text, "/home/u"), LlamaError);
    assertEquals(error.hint, `write ${text}:NAME`);
    assertEquals(error.exitCode, 2);
  }
});

Deno.test("parseFileArg() refuses a remote path that climbs out, and empty parts", () => {
  for (const text of ["a:/b", "a:../b", "a:", ":b", ""]) {
    assertThrows(() => parseFileArg(text, "/home/u"), LlamaError, "path");
  }
});
