import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../job/errors.ts";
import { readShimLog } from "./shim_log.ts";
import { bytesOf } from "./worker_fixture.ts";

const nothing = { opened: [], absent: [], blind: [] };

Deno.test("readShimLog() sorts, joins and drops duplicates", () => {
  const log = bytesOf("O/b\0A/x\0O/a\0L/d\0O/b\0Bstatically linked /s\0A/x\n\0");
  assertEquals(readShimLog(log, { opened: ["/c"], absent: ["/w"], blind: ["why"] }), {
    opened: ["/a", "/b", "/c"],
    listed: ["/d"],
    absent: ["/w", "/x", "/x\n"],
    blind: ["statically linked /s", "why"],
  });
  assertEquals(readShimLog(bytesOf(""), nothing), { ...nothing, listed: [] });
  const { image } = readShimLog(bytesOf("I/usr/bin/as\0I/etc/x\0I/etc/x\0"), nothing);
  assertEquals(image, ["/etc/x", "/usr/bin/as"]);
});

Deno.test("readShimLog() calls a log that is cut off blind, and refuses one that is damaged", () => {
  assertEquals(readShimLog(bytesOf("O/a\0O/b"), nothing).blind, ["the path shim's log is cut off"]);
  for (const log of ["X/a\0", "Orelative\0", "\0"]) {
    assertThrows(() => readShimLog(bytesOf(log), nothing), FormatError);
  }
});

Deno.test("readShimLog() calls a log blind that has a name which is not UTF-8", () => {
  const log = new Uint8Array([...bytesOf("A/p/"), 0xff, ...bytesOf(".h\0O/a\0")]);
  const { blind, opened } = readShimLog(log, nothing);
  assertEquals([blind, opened], [["it asked for a name that is not UTF-8"], ["/a"]]);
});
