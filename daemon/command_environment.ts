/** The environment in which any command runs elsewhere: the one here, but for what must not or cannot travel. */
import type { FileSystem } from "../cc/file_system.ts";
import { timeZoneFor } from "../cc/time_zone.ts";

/** Variables of a command, and what became of the others. */
export interface CommandEnvironment {
  readonly env: Readonly<Record<string, string>>;
  /** The file of the time zone, if it must travel. */
  readonly zoneFile?: string;
  /** Names that stay here: credentials, and what belongs to this session or to the loader. */
  readonly withheld: readonly string[];
  /** Locales for which C.UTF-8 stands, as their data do not travel. */
  readonly locales: readonly string[];
}

/** Whoever reads a job may not learn them. */
const SECRET = /secret|token|passw|passphrase|credential|private|api_?key|^AWS_|^LLAMA/i;
/** They name sockets and screens of this session, or have the loader do other things. */
const SESSION = /^(?:SSH_|DBUS_|XDG_(?:RUNTIME|SESSION)|DISPLAY$|WAYLAND_|XAUTHORITY$|GPG_|LD_)/;
const LOCALE = /^(?:LANG|LC_\w+)$/;
const EVERYWHERE = /^(?:|C|POSIX|C\.utf-?8)$/i;

/** Divides `env` for a command that runs in `cwd`; `own` is set by the user and always travels. */
export function commandEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  own: Readonly<Record<string, string>>,
  cwd: string,
  files: FileSystem,
): CommandEnvironment {
  const sent: Record<string, string> = {};
  const withheld: string[] = [];
  const locales = new Set<string>();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    if (SECRET.test(name) || SESSION.test(name)) {
      withheld.push(name);
    } else if (LOCALE.test(name) && !EVERYWHERE.test(value)) {
      locales.add(value);
      sent[name] = "C.UTF-8";
    } else sent[name] = value;
  }
  const zone = timeZoneFor({ ...sent, ...own }, files);
  return {
    env: { ...sent, ...zone.env, PWD: cwd, ...own, ...ownerOf(files) },
    ...(zone.file !== undefined && { zoneFile: zone.file }),
    withheld: withheld.toSorted(),
    locales: [...locales],
  };
}

/** Whom the command's files are to belong to; see runtime/path_shim.c. */
function ownerOf(files: FileSystem): Record<string, string> {
  const [user, group] = [Deno.uid(), Deno.gid()];
  if (user === null || group === null) return {};
  const names = [nameIn("/etc/passwd", user, files), nameIn("/etc/group", group, files)];
  return { LLAMA_SHIM_OWNER: [user, group, ...names].join(":") };
}

/** passwd(5), group(5): the name is the first field, the number the third. */
function nameIn(path: string, id: number, files: FileSystem): string {
  const lines = new TextDecoder().decode(files.read(path)).split("\n");
  return lines.map((line) => line.split(":")).find(([, , number]) => number === `${id}`)?.[0] ?? "";
}
