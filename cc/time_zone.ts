/**
 * The local time zone in the form that needs no file, for `__TIME__` and `__DATE__`: zone files do not
 * travel with a job. Version 2 and later of a zone file end with the rule for all times to come between
 * two line ends (RFC 8536, section 3.3), which is a value for TZ (POSIX.1-2017, 8.3).
 */
import type { FileSystem } from "./file_system.ts";

const FOLDER = "/usr/share/zoneinfo";
const LOCAL = "/etc/localtime";

/** The rule that ends a zone file, `undefined` if the bytes are no such file. */
export function ruleOf(bytes: Uint8Array): string | undefined {
  const decoder = new TextDecoder("latin1");
  if (decoder.decode(bytes.subarray(0, 4)) !== "TZif") return undefined;
  return /\n([^\n]+)\n$/.exec(decoder.decode(bytes.subarray(-128)))?.[1];
}

/** TZ for a job, given TZ here: a rule where a file is named, and UTC where there is none. */
export function timeZoneFor(zone: string | undefined, files: FileSystem): string {
  // tzset(3): a leading colon, and a name that is no rule, name a file; empty means UTC.
  const name = zone?.replace(/^:/, "");
  if (name === "") return "UTC0";
  const path = name === undefined ? LOCAL : name.startsWith("/") ? name : `${FOLDER}/${name}`;
  const bytes = files.read(path);
  return (bytes && ruleOf(bytes)) ?? name ?? "UTC0";
}
