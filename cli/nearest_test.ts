import { assertEquals } from "@std/assert";
import { nearest } from "./nearest.ts";

Deno.test("nearest() finds a slip of the finger, and nothing for another word", () => {
  const names = ["invoke", "config", "cloud"];
  assertEquals(nearest("invkoe", names), "invoke");
  assertEquals(nearest("confg", names), "config");
  assertEquals(nearest("xyz", names), undefined);
});
