import { assertEquals } from "@std/assert";
import { createMemoryFiles } from "./memory_files_fixture.ts";
import { ruleOf, timeZoneFor } from "./time_zone.ts";

const file = "TZif2\0\0data\0TZif2\0\0data\nCET-1CEST,M3.5.0,M10.5.0/3\n";

Deno.test("ruleOf() reads the end of a zone file and of nothing else", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assertEquals(ruleOf(bytes(file)), "CET-1CEST,M3.5.0,M10.5.0/3");
  assertEquals(ruleOf(bytes("TZif\0old")), undefined);
  assertEquals(ruleOf(bytes("\nCET-1\n")), undefined);
});

Deno.test("timeZoneFor() gives a rule that needs no file", () => {
  const files = createMemoryFiles();
  assertEquals(timeZoneFor(undefined, files), "UTC0");
  files.write("/usr/share/zoneinfo/Europe/Berlin", file);
  files.write("/usr/share/zoneinfo/Asia/Tokyo", "TZif2\0\nJST-9\n");
  files.link("/etc/localtime", "/usr/share/zoneinfo/Asia/Tokyo");
  assertEquals(timeZoneFor(undefined, files), "JST-9");
  assertEquals(timeZoneFor("Europe/Berlin", files), "CET-1CEST,M3.5.0,M10.5.0/3");
  assertEquals(timeZoneFor(":Europe/Berlin", files), "CET-1CEST,M3.5.0,M10.5.0/3");
  assertEquals(timeZoneFor("EST5EDT", files), "EST5EDT");
  assertEquals(timeZoneFor("", files), "UTC0");
});
