import { assertEquals } from "@std/assert";
import { createMemoryFiles } from "./memory_files_fixture.ts";
import { ruleOf, timeZoneFor } from "./time_zone.ts";

/** RFC 8536, section 3: the data of version 1, then those of version 2 and the rule. */
function zone(transitions: number, rule: string): string {
  const header = (count: number) =>
    `TZif2${"\0".repeat(15 + 12 + 3)}${String.fromCharCode(count)}${"\0".repeat(8)}`;
  return `${header(0)}${header(transitions)}data\n${rule}\n`;
}

Deno.test("ruleOf() reads the end of a zone file that has nothing but a rule", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  assertEquals(ruleOf(bytes(zone(0, "JST-9"))), "JST-9");
  assertEquals(ruleOf(bytes(zone(3, "CET-1CEST,M3.5.0,M10.5.0/3"))), undefined);
  assertEquals(ruleOf(bytes("TZif\0old")), undefined);
  assertEquals(ruleOf(bytes("\nCET-1\n")), undefined);
});

Deno.test("timeZoneFor() gives a rule, or the file without which a time could have another name", () => {
  const files = createMemoryFiles();
  const forZone = (TZ?: string, TZDIR?: string) =>
    timeZoneFor({ ...(TZ !== undefined && { TZ }), ...(TZDIR && { TZDIR }) }, files);
  assertEquals(forZone(), { env: { TZ: "UTC0" } });
  files.write("/usr/share/zoneinfo/Europe/Berlin", zone(3, "CET-1CEST,M3.5.0,M10.5.0/3"));
  files.write("/usr/share/zoneinfo/Asia/Tokyo", zone(0, "JST-9"));
  files.write("/zones/Mine", zone(1, "EST5"));
  files.link("/etc/localtime", "/usr/share/zoneinfo/Asia/Tokyo");
  const berlin = {
    env: { TZ: ":Berlin", TZDIR: "/usr/share/zoneinfo/Europe" },
    file: "/usr/share/zoneinfo/Europe/Berlin",
  };
  assertEquals(forZone(), { env: { TZ: "JST-9" } });
  assertEquals(forZone("Europe/Berlin"), berlin);
  assertEquals(forZone(":Europe/Berlin"), berlin);
  const mine = { env: { TZ: ":Mine", TZDIR: "/zones" }, file: "/zones/Mine" };
  assertEquals(forZone("Mine", "/zones"), mine);
  assertEquals(forZone(":/zones/Mine"), mine);
  assertEquals(forZone("EST5EDT"), { env: { TZ: "EST5EDT" } });
  assertEquals(forZone(""), { env: { TZ: "UTC0" } });
});
