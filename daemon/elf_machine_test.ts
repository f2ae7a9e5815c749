import { assertEquals } from "@std/assert";
import { isElf, machineOf } from "./elf_machine.ts";

function head(order: number, ...machine: number[]): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, order]);
  bytes.set(machine, 18);
  return bytes;
}

Deno.test("machineOf() reads either byte order", () => {
  assertEquals(machineOf(head(1, 62, 0)), "x86_64");
  assertEquals(machineOf(head(1, 183, 0)), "aarch64");
  assertEquals(machineOf(head(2, 0, 22)), "s390x");
  assertEquals(machineOf(head(1, 1, 2)), "machine 513");
  assertEquals(machineOf(head(1).subarray(0, 19)), undefined);
});

Deno.test("isElf() knows a program from a script", () => {
  assertEquals(isElf(head(1)), true);
  assertEquals(isElf(new TextEncoder().encode("#!/bin/sh")), false);
  assertEquals(isElf(new Uint8Array(0)), false);
});
