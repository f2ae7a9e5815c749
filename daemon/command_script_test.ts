import { assertEquals, assertThrows } from "@std/assert";
import { createMemoryFiles } from "../cc/memory_files_fixture.ts";
import { LlamaError } from "../job/errors.ts";
import { resolveScript } from "./command_script.ts";

function resolve(text: string, args: readonly string[] = ["x"]) {
  const files = createMemoryFiles();
  files.write("/w/script", text);
  files.write("/bin/sh", "\x7fELF");
  files.write("/bin/env", "\x7fELF");
  files.write("/bin/outer", "#!/bin/sh -e\n");
  const stat = (path: string) => {
    const state = files.stat(path);
    return state && { ...state, mode: 0o755 };
  };
  const head = (path: string) => new TextDecoder().decode(files.read(path));
  files.write("/bin/1", "#!/bin/sh\n");
  for (const depth of [2, 3, 4, 5]) files.write(`/bin/${depth}`, `#!/bin/${depth - 1}\n`);
  const called = { file: "/w/script", name: "script", spelled: "./script" };
  return resolveScript(called, args, "/none:/bin", { ...files, stat }, head);
}

Deno.test("resolveScript() makes of a script what the kernel makes of it", () => {
  const all: readonly (readonly [string, readonly string[]])[] = [
    ["#!/bin/sh\n", ["/bin/sh", "./script", "x"]],
    ["#!/bin/sh", ["/bin/sh", "./script", "x"]],
    ["#! /bin/sh -e -u \necho", ["/bin/sh", "-e -u", "./script", "x"]],
    ["#!/usr/bin/env sh\n", ["sh", "./script", "x"]],
    ["#!/usr/bin/env -S sh -e  -u\n", ["sh", "-e", "-u", "./script", "x"]],
    ["#!/usr/bin/env --split-string=sh\n", ["sh", "./script", "x"]],
    ["#!/usr/bin/env 4\n", [
      "/bin/sh",
      "/bin/1",
      "/bin/2",
      "/bin/3",
      "/bin/4",
      "./script",
      "x",
    ]],
    ["#!/bin/outer\n", ["/bin/sh", "-e", "/bin/outer", "./script", "x"]],
  ];
  for (const [text, args] of all) {
    const found = resolve(text);
    assertEquals([found.program, found.args], ["/bin/sh", args], text);
  }
  // What env does beside finding a program is left to it.
  for (const argument of ["-S A=b sh", "-i sh", "-S 'sh' -e", "-S sh $A"]) {
    const { program, args } = resolve(`#!/bin/env ${argument}\n`);
    assertEquals([program, args], ["/bin/env", ["/bin/env", argument, "./script", "x"]]);
  }
  assertEquals(resolve("\x7fELF"), {
    program: "/w/script",
    args: ["script", "x"],
    scripts: [],
  });
});

Deno.test("resolveScript() says which interpreter is missing", () => {
  for (const text of ["#!/bin/none\n", "#!/usr/bin/env none\n", "#!/bin/sh\r\n", "#!sh\n"]) {
    const error = assertThrows(() => resolve(text), LlamaError, "is not found");
    assertEquals([error.code, error.exitCode], ["InterpreterMissing", 126]);
  }
});

Deno.test("resolveScript() counts scripts as the kernel does", () => {
  const error = assertThrows(() => resolve("#!/bin/5\n"), LlamaError);
  assertEquals([error.code, error.exitCode], ["TooManyInterpreters", 126]);
});
