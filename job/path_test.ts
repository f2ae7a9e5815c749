import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "./errors.ts";
import { asJobPath, cleanPath, parentOf } from "./path.ts";

Deno.test("asJobPath() takes absolute paths in a rooted job and relative ones in any other", () => {
  for (const path of ["/", "/a", "/a/b.c", "/a b/é", "/...", "/.a/b..", "/a\\..\\b"]) {
    assertEquals(asJobPath(path, "it", true), path);
    assertThrows(() => asJobPath(path, "it", false), FormatError, "must be relative");
  }
  for (const path of ["a", "a/b.c", "...", "~/x", "C:/x"]) {
    assertEquals(asJobPath(path, "it", false), path);
    assertThrows(() => asJobPath(path, "it", true), FormatError, "must be absolute");
  }
});

Deno.test("asJobPath() refuses whatever could climb out or name a path twice", () => {
  for (
    const path of [
      "..",
      "../a",
      "a/..",
      "a/../b",
      "a/../../b",
      ".",
      "./a",
      "a/.",
      "a//b",
      "a/",
    ]
  ) {
    assertThrows(() => asJobPath(path, "it", false), FormatError, "has the component");
    assertThrows(() => asJobPath(`/${path}`, "it", true), FormatError, "has the component");
  }
  assertThrows(() => asJobPath("", "it", false), FormatError, 'has the component ""');
  assertThrows(() => asJobPath("", "it", true), FormatError, "must be absolute");
  assertThrows(() => asJobPath("//", "it", true), FormatError, 'has the component ""');
  assertThrows(() => asJobPath("a\0b", "it", false), FormatError, "must not hold a NUL");
  assertThrows(() => asJobPath(["a"], "it", false), FormatError, "must be a string");
});

Deno.test("parentOf() takes the last component away", () => {
  assertEquals(["/a/b", "/a", "/", "a", "a/b", ""].map(parentOf), ["/a", "/", "/", "", "a", ""]);
});

Deno.test("cleanPath() resolves dots by text alone", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["/a/./b//c/", "/a/b/c"],
    ["/a/../b", "/b"],
    ["/../../a", "/a"],
    ["/..", "/"],
    ["a/../../b", "../b"],
    ["../../a", "../../a"],
    ["a/..", ""],
    ["/", "/"],
  ];
  for (const [path, clean] of cases) assertEquals(cleanPath(path), clean);
});
