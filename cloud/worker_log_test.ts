import { assertEquals } from "@std/assert";
import { joinTail, LOG_TAIL_BYTES, workerLog } from "./worker_log.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (of: Uint8Array) => new TextDecoder().decode(of);

Deno.test("workerLog() gives what was written since it was last taken", () => {
  const log = workerLog();
  log.write(bytes("one\n"));
  log.write(bytes("two\n"));
  assertEquals(text(log.take()), "one\ntwo\n");
  assertEquals(text(log.take()), "");
  log.write(bytes("three\n"));
  assertEquals(text(log.take()), "three\n");
});

Deno.test("joinTail() keeps the last bytes over all its parts", () => {
  const long = "x".repeat(LOG_TAIL_BYTES - 3);
  assertEquals(text(joinTail([bytes("abcd"), bytes(long), bytes("yz")])), `d${long}yz`);
  assertEquals(text(joinTail([bytes("a"), bytes(`${long}1234`)])), `${long.slice(1)}1234`);
});
