import { assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import { targetInRoot } from "./link_target.ts";
import { inline, testWorker, textOf } from "./worker_fixture.ts";
import { joinInputs } from "./tree.ts";

Deno.test("targetInRoot() makes links relative and keeps them in the root", () => {
  const cases: [path: string, target: string, expected: string][] = [
    ["/usr/bin/cc", "/etc/alternatives/cc", "../../etc/alternatives/cc"],
    ["/lib64", "usr/lib64", "usr/lib64"],
    ["/lib64", "/", "."],
    ["/a/b", "/", "../."],
    ["/a/b", "../c", "../c"],
    ["/a/b", "../../c", "../c"],
    ["/a/b", "../../../..", ".."],
    ["/a/b", "x/../../../c", "x/../../c"],
    ["/a", "/../../etc", "etc"],
    ["/a", "..", "."],
    ["/a/b", "./../b/./d", "./../b/./d"],
  ];
  for (const [path, target, expected] of cases) {
    assertEquals(targetInRoot({ path, target }), expected, `${path} -> ${target}`);
  }
});

Deno.test("joinInputs() takes a later input for an earlier one of its kind", () => {
  const file = (path: string, text: string): Input => ({
    kind: "file",
    path,
    mode: 0o644,
    content: inline(text),
  });
  const tree = joinInputs([[file("/a", "1")], [file("/a", "2")]]);
  assertEquals([...tree.values()], [file("/a", "2")]);
  for (
    const inputs of [
      [file("/a", ""), { kind: "folder", path: "/a", mode: 0o755 } as const],
      [file("/a/b/c", ""), file("/a", "")],
      [file("/a/b/c", ""), { kind: "link", path: "/a/b", target: "x" } as const],
      [file("/", "")],
    ]
  ) {
    const error = assertThrows(() => joinInputs([inputs]), LlamaError);
    assertEquals(error instanceof LlamaError && error.code, "BadJob");
  }
});

Deno.test("a root has /tmp for all, the working folder, and folders with their own modes", async () => {
  using test = testWorker();
  const result = await test.done({
    args: ["/usr/bin/stat", "-c", "%a", ".", "../../tmp", "../shut"],
    program: "/usr/bin/stat",
    cwd: "/home/u",
    // The worker's own program and libraries: this is about the layout alone.
    rooted: { libraryPath: [] },
    inputs: [
      {
        kind: "file",
        path: "/usr/bin/stat",
        mode: 0o755,
        content: inline('#!/bin/sh\nexec stat "$@"'),
      },
      { kind: "link", path: "/bin/sh", target: "/real/sh" },
      {
        kind: "file",
        path: "/real/sh",
        mode: 0o755,
        content: { bytes: Deno.readFileSync("/bin/sh") },
      },
      { kind: "folder", path: "/home/shut", mode: 0o500 },
      { kind: "file", path: "/home/shut/in", mode: 0o400, content: inline("") },
    ],
    env: { PATH: "/usr/bin:/bin" },
  });
  assertEquals(textOf(result.stderr), "");
  assertEquals(textOf(result.stdout), "755\n1777\n500\n");
  assertEquals(test.log, []);
});
