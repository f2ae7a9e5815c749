/**
 * The local time zone, for `__TIME__`, `__DATE__` and `__TIMESTAMP__`. libc opens zone files by itself,
 * past the path shim, but in the folder that TZDIR names. Most machines run in UTC, where none has to
 * travel: version 2 and later of a zone file end with the rule for all times behind its last transition,
 * between two line ends (RFC 8536, sections 3.2 and 3.3), which is a value for TZ (POSIX.1-2017, 8.3).
 */
import type { FileSystem } from "./file_system.ts";

const FOLDER = "/usr/share/zoneinfo";
const LOCAL = "/etc/localtime";

/** A time zone for a job. */
export interface TimeZone {
  /** TZ, and TZDIR where a file is needed. */
  readonly env: Readonly<Record<string, string>>;
  /** Path of the file that must travel. */
  readonly file?: string;
}

/** The rule of a zone file without any transition, `undefined` for any other and for what is none. */
export function ruleOf(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder("latin1").decode(bytes);
  const header = text.lastIndexOf("TZif");
  if (!text.startsWith("TZif") || header < 0 || bytes.length < header + 44) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + header);
  // timecnt, of the header that counts: the second one, if there are two.
  if (view.getUint32(32) > 0) return undefined;
  return /\n([^\n]+)\n$/.exec(text.slice(-128))?.[1];
}

/** The zone of a job, given TZ and TZDIR here. */
export function timeZoneFor(
  env: Readonly<Record<string, string>>,
  files: FileSystem,
): TimeZone {
  // tzset(3): a leading colon, and a name that is no rule, name a file; empty means UTC.
  const name = env.TZ?.replace(/^:/, "");
  if (name === "") return { env: { TZ: "UTC0" } };
  const path = name === undefined
    ? LOCAL
    : name.startsWith("/")
    ? name
    : `${env.TZDIR || FOLDER}/${name}`;
  const bytes = files.read(path);
  if (!bytes) return { env: { TZ: name ?? "UTC0" } };
  const rule = ruleOf(bytes);
  if (rule !== undefined) return { env: { TZ: rule } };
  const slash = path.lastIndexOf("/");
  return { env: { TZ: `:${path.slice(slash + 1)}`, TZDIR: path.slice(0, slash) }, file: path };
}
