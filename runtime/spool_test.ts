import { assert, assertEquals } from "@std/assert";
import { openSpool, type Spool } from "./spool.ts";
import { bytesOf } from "./worker_fixture.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function withSpool(memoryBytes: number, test: (spool: Spool, path: string) => void): void {
  const folder = Deno.makeTempDirSync();
  const spool = openSpool(`${folder}/spool`, memoryBytes);
  try {
    test(spool, `${folder}/spool`);
  } finally {
    spool.close();
    Deno.removeSync(folder, { recursive: true });
  }
}

/** A difference of millions of bytes is not to be printed. */
function assertSame(one: Uint8Array, other: Uint8Array): void {
  assert(one.length === other.length && one.every((byte, at) => byte === other[at]), "differs");
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("openSpool() keeps little in memory and gives it in order", () => {
  withSpool(10, (spool, path) => {
    assertEquals([textOf(spool.peek(5)), textOf(spool.read()), spool.size], ["", "", 0]);
    for (const text of ["abc", "de", "fghij"]) spool.push(bytesOf(text));
    assertEquals([textOf(spool.peek(2)), textOf(spool.peek(4)), spool.size], ["ab", "abcd", 10]);
    spool.drop(4);
    assertEquals([textOf(spool.peek(100)), textOf(spool.read()), spool.size], [
      "efghij",
      "efghij",
      6,
    ]);
    assertEquals(isThere(path), false);
  });
});

Deno.test("openSpool() goes to a file and back, whatever is being looked at", () => {
  withSpool(4, (spool, path) => {
    spool.push(bytesOf("abcd"));
    assertEquals(textOf(spool.peek(2)), "ab");
    spool.push(bytesOf("efg"));
    assertEquals(Deno.readTextFileSync(path), "abcdefg");
    spool.drop(2);
    assertEquals([textOf(spool.peek(3)), textOf(spool.read()), spool.size], ["cde", "cdefg", 5]);
    spool.push(bytesOf("h"));
    spool.drop(6);
    assertEquals([Deno.readTextFileSync(path), spool.size, textOf(spool.read())], ["", 0, ""]);
    spool.push(bytesOf("ij"));
    assertEquals([Deno.readTextFileSync(path), textOf(spool.read())], ["", "ij"]);
    spool.push(bytesOf("klm"));
    assertEquals([Deno.readTextFileSync(path), textOf(spool.peek(9))], ["ijklm", "ijklm"]);
  });
});

Deno.test("openSpool() gives a file of what is left, and no more", () => {
  withSpool(4, (spool, path) => {
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, at) => at % 251);
    spool.push(bytes);
    assertEquals(spool.file(), path);
    spool.drop(1_234_567);
    assertSame(spool.read(), bytes.subarray(1_234_567));
    assertEquals(spool.file(), path);
    assertSame(Deno.readFileSync(path), bytes.subarray(1_234_567));
    spool.push(bytesOf("more"));
    assertEquals(textOf(spool.read().slice(-4)), "more");
    assertEquals(spool.size, bytes.length - 1_234_567 + 4);
  });
});
