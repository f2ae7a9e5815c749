import { assertEquals } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { mayPass, workerTrouble } from "./worker_trouble.ts";

function codeOf(code: number, stderr: string): string | undefined {
  return workerTrouble({ kind: "exit", code }, new TextEncoder().encode(stderr))?.code;
}

Deno.test("workerTrouble() knows a compiler that was killed or had too little", () => {
  assertEquals(
    workerTrouble({ kind: "signal", signal: "SIGKILL" }, new Uint8Array())?.message,
    "The compiler was killed by SIGKILL",
  );
  const words: readonly (readonly [string, string])[] = [
    [
      "cc: fatal error: Killed signal terminated program cc1\ncompilation terminated.",
      "CompilerKilled",
    ],
    ["a.c: warning\nc++: fatal error: Killed signal terminated program cc1plus", "CompilerKilled"],
    ["clang: error: unable to execute command: Killed\nclang: error: clang …", "CompilerKilled"],
    ["a.c:9:1: internal compiler error: Segmentation fault", "CompilerCrashed"],
    ["cc1: internal compiler error: in f, at x.c:1\nPlease submit", "CompilerCrashed"],
    ["In file included from x.h:1:\na.c:1: fatal error: had to relocate PCH", "CompilerCrashed"],
    ["PLEASE submit a bug report to https://bugs.llvm.org and", "CompilerCrashed"],
    ["/tmp/ccX.s: Internal error in emit at ../../gas/as.c:9.", "CompilerCrashed"],
    ["\ncc1plus: out of memory allocating 65536 bytes after a total of 1 bytes", "OutOfMemory"],
    ["virtual memory exhausted: Cannot allocate memory", "OutOfMemory"],
    ["LLVM ERROR: out of memory\nAllocation failed", "OutOfMemory"],
    ["terminate called after throwing an instance of 'std::bad_alloc'\n", "OutOfMemory"],
    ["cc: fatal error: cannot execute 'cc1': vfork: Cannot allocate memory", "OutOfMemory"],
    ["a.c:1: fatal error: error writing to /tmp/x.s: No space left on device", "WorkerExhausted"],
    ["{standard input}: Fatal error: can't write 9 bytes: Disk quota exceeded", "WorkerExhausted"],
  ];
  for (const [text, code] of words) assertEquals(codeOf(1, text), code, text);
});

Deno.test("workerTrouble() leaves alone what the compiler says of the source", () => {
  const words = [
    "",
    "a.c:3:1: error: expected ';' before '}' token",
    "a.c:1:2: error: #error out of memory allocating 5 bytes",
    "a.c:1:2: warning: #warning virtual memory exhausted: no",
    "a.c:1:10: fatal error: x.h: No such file or directory",
  ];
  for (const text of words) assertEquals(codeOf(1, text), undefined, text);
  // One that ended well has said no more than a warning.
  assertEquals(codeOf(0, "virtual memory exhausted: Cannot allocate memory"), undefined);
});

Deno.test("mayPass() gives a second worker only to what the first one is to blame for", () => {
  const passes = (code: string) => mayPass(new LlamaError(code, "x"));
  for (const code of ["TimedOut", "OutOfMemory", "CompilerKilled", "DiskFull"]) {
    assertEquals(passes(code), true, code);
  }
  for (const code of ["WorkerCrashed", "FunctionFailed", "BadAnswer", "ObjectsLost"]) {
    assertEquals(passes(code), false, code);
  }
  assertEquals(mayPass(new TypeError("x")), false);
});
