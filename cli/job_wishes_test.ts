import { assertEquals } from "@std/assert";
import type { Input } from "../job/manifest.ts";
import { isInPlace, missingOutputs, withUnchanged } from "./job_wishes.ts";

Deno.test("missingOutputs() names what was not made; an unchanged input counts as made", () => {
  const made: Input = {
    kind: "file",
    path: "d/x",
    mode: 0o644,
    content: { bytes: new TextEncoder().encode("") },
  };
  const input: Input = {
    kind: "file",
    path: "in",
    mode: 0o644,
    content: { bytes: new TextEncoder().encode("") },
  };
  const wishes = ["d", "in", "e", "d/y"].map((name) => ({ local: `l/${name}`, remote: name }));
  const outputs = withUnchanged([made], [input], wishes);
  assertEquals(missingOutputs(outputs, wishes).map(({ remote }) => remote), ["e", "d/y"]);
});

Deno.test("isInPlace() tells an input that comes back under its own name", () => {
  const at = (local: string, remote: string) => [{ local, remote }];
  assertEquals(isInPlace("x", at("a/x", "x"), at("./a/x", "x")), true);
  assertEquals(isInPlace("d/x", at("d", "d"), at("d/x", "d/x")), true);
  assertEquals(isInPlace("x", at("a/x", "x"), at("b/x", "x")), false);
});
