import { assertEquals, assertThrows } from "@std/assert";
import { createMemoryFiles } from "../cc/memory_files_fixture.ts";
import { LlamaError } from "../job/errors.ts";
import { guessCommand, isBelow } from "./command_guess.ts";

function setUp() {
  const files = createMemoryFiles();
  for (const path of ["/w/a.png", "/w/sub/b.txt", "/w/sub/deep/c", "/x/y.cfg", "/x/z"]) {
    files.write(path, "");
  }
  files.link("/w/sub/gone", "nowhere");
  return files;
}

Deno.test("guessCommand() takes what arguments name, folders whole", () => {
  const { inputs, folders, kind } = guessCommand(
    ["-o7", "a.png", "--config=/x/y.cfg", "sub", "-", "", "a\0b", "-a.png"],
    "/w",
    setUp(),
  );
  assertEquals(inputs.toSorted(), [
    ...["/w/a.png", "/w/sub", "/w/sub/b.txt", "/w/sub/deep", "/w/sub/deep/c", "/w/sub/gone"],
    "/x/y.cfg",
  ]);
  assertEquals(folders.toSorted(), ["/w", "/x"]);
  assertEquals(kind, ".cfg .png /");
});

Deno.test("guessCommand() lets outputs be where arguments name a place outside of the folder", () => {
  const { inputs, folders, outputs } = guessCommand(
    ["new.png", "sub/new.png", "/x/new.png", "../x/other", "/none/new.png", "word"],
    "/w",
    setUp(),
  );
  assertEquals(inputs, []);
  assertEquals(folders.toSorted(), ["/w", "/w/sub", "/x"]);
  assertEquals(outputs, ["/x/new.png", "/x/other"]);
});

Deno.test("guessCommand() refuses a folder that holds too much", () => {
  const files = setUp();
  const many = {
    ...files,
    list: () =>
      Array.from({ length: 60_000 }, (_, at) => ({ name: `${at}`, kind: "file" } as const)),
  };
  const error = assertThrows(() => guessCommand(["sub"], "/w", many), LlamaError, "/w/sub");
  assertEquals(error.code, "TooManyFiles");
});

Deno.test("isBelow() knows a folder from one whose name begins so", () => {
  assertEquals(
    [["/a", "/a"], ["/a/b", "/a"], ["/ab", "/a"], ["/b", "/"], ["/a", "/a/b"]].map(
      ([path = "", folder = ""]) => isBelow(path, folder),
    ),
    [true, true, false, true, false],
  );
});
