import { assertEquals, assertThrows } from "@std/assert";
import { createMemoryFiles } from "../cc/memory_files_fixture.ts";
import { LlamaError } from "../job/errors.ts";
import { resolveScript } from "./command_script.ts";

function resolve(text: string, args: readonly string[] = ["x"]) {
  const files = createMemoryFiles();
  files.write("/w/script", text);
  files.write("/bin/sh", "\x7fELF");
  files.write("/bin/outer", "#!/bin/sh -e\n");
  const stat = (path: string) => {
    const state = files.stat(path);
    return state && { ...state, mode: 0o755 };
  };
  const head = (path: string) => new TextDecoder().decode(files.read(path));
  return resolveScript("/w/script", "script", args, "/none:/bin", { ...files, stat }, head);
}

Deno.test("resolveScript() makes of a script what the kernel makes of it", () => {
  const all: readonly (readonly [string, readonly string[]])[] = [
    ["#!/bin/sh\n", ["/bin/sh", "/w/script", "x"]],
    ["#!/bin/sh", ["/bin/sh", "/w/script", "x"]],
    ["#! /bin/sh -e -u \necho", ["/bin/sh", "-e -u", "/w/script", "x"]],
    ["#!/usr/bin/env sh\n", ["/bin/sh", "/w/script", "x"]],
    ["#!/bin/outer\n", ["/bin/sh", "-e", "/bin/outer", "/w/script", "x"]],
  ];
  for (const [text, args] of all) {
    assertEquals(resolve(text), { program: "/bin/sh", args }, text);
  }
  assertEquals(resolve("\x7fELF"), { program: "/w/script", args: ["script", "x"] });
});

Deno.test("resolveScript() says which interpreter is missing", () => {
  for (const text of ["#!/bin/none\n", "#!/usr/bin/env none\n"]) {
    const error = assertThrows(() => resolve(text), LlamaError, "none");
    assertEquals([error.code, error.exitCode], ["InterpreterMissing", 126]);
  }
});
