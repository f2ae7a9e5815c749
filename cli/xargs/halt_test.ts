import { assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../../job/errors.ts";
import { isHalted, parseHalt } from "./halt.ts";

Deno.test("parseHalt() reads when and why", () => {
  assertEquals(parseHalt("never"), undefined);
  assertEquals(parseHalt("soon,fail=1"), { when: "soon", why: "fail", count: 1 });
  assertEquals(parseHalt("now,done=20"), { when: "now", why: "done", count: 20 });
  for (const text of ["", "2", "now", "soon,fail", "later,fail=1", "now,fail=0", "now,fail=10%"]) {
    assertThrows(() => parseHalt(text), LlamaError, "-halt takes never", text);
  }
});

Deno.test("isHalted() counts what it is asked to count", () => {
  const ended = { succeeded: 3, failed: 1 };
  const halted = (why: "fail" | "success" | "done", count: number) =>
    isHalted({ when: "soon", why, count }, ended);
  assertEquals([halted("fail", 1), halted("fail", 2)], [true, false]);
  assertEquals([halted("success", 3), halted("success", 4)], [true, false]);
  assertEquals([halted("done", 4), halted("done", 5)], [true, false]);
});
