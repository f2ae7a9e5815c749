import { assertEquals } from "@std/assert";
import { readAtBytes, readElf, readElfFile } from "./elf.ts";

/** A header with one program header behind it, as the System V ABI lays them out. */
function elf(
  { wide, little, type = 3, text = "/ld\0", size = text.length }: {
    wide: boolean;
    little: boolean;
    type?: number;
    text?: string;
    size?: number;
  },
): Uint8Array {
  const bytes = new Uint8Array(200);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2]);
  const word = (at: number, value: number) =>
    wide ? view.setBigUint64(at, BigInt(value), little) : view.setUint32(at, value, little);
  word(wide ? 32 : 28, 64);
  view.setUint16(wide ? 54 : 42, wide ? 56 : 32, little);
  view.setUint16(wide ? 56 : 44, 1, little);
  view.setUint32(64, type, little);
  word(64 + (wide ? 8 : 4), 150);
  word(64 + (wide ? 32 : 16), size);
  bytes.set(new TextEncoder().encode(text), 150);
  return bytes;
}

Deno.test("readElf() finds the loader in either width and byte order", () => {
  for (const wide of [true, false]) {
    for (const little of [true, false]) {
      assertEquals(readElf(readAtBytes(elf({ wide, little }))), {
        interp: { path: "/ld", offset: 150, size: 4 },
      });
      assertEquals(readElf(readAtBytes(elf({ wide, little, type: 1 }))), {});
    }
  }
});

Deno.test("readElf() takes what is damaged or no ELF for no program", () => {
  const whole = elf({ wide: true, little: true });
  for (const bytes of [whole.subarray(0, 60), whole.subarray(0, 100), whole.subarray(0, 152)]) {
    assertEquals(readElf(readAtBytes(bytes)), undefined);
  }
  assertEquals(readElf(readAtBytes(elf({ wide: true, little: true, size: 3 }))), undefined);
  assertEquals(readElf(readAtBytes(elf({ wide: true, little: true, size: 2 ** 40 }))), undefined);
  assertEquals(readElf(readAtBytes(new TextEncoder().encode("#!/bin/sh\n"))), undefined);
});

Deno.test("readElfFile() agrees with the loader that this machine's programs name", () => {
  const interp = readElfFile("/usr/bin/env")?.interp;
  assertEquals(Deno.statSync(interp?.path ?? "").isFile, true);
});
