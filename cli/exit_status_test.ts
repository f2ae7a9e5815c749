import { assertEquals } from "@std/assert";
import { exitCodeOf } from "./exit_status.ts";

Deno.test("exitCodeOf() adds 128 to a signal's number", () => {
  assertEquals(exitCodeOf({ kind: "exit", code: 255 }), 255);
  assertEquals(exitCodeOf({ kind: "signal", signal: "SIGKILL" }), 137);
  assertEquals(exitCodeOf({ kind: "signal", signal: "SIGSEGV" }), 139);
});
