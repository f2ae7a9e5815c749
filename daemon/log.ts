/** The daemon's log: a line an event, bounded, without secrets. */

/** Where events go. */
export interface DaemonLog {
  /** Appends `TIME event key=value …`; values with blanks are quoted as in JSON. */
  write(event: string, fields?: Readonly<Record<string, string | number>>): void;
  /** Closes the file; later events are lost. */
  close(): void;
}

/** How {@linkcode openDaemonLog} keeps the log. */
export interface DaemonLogOptions {
  /** The file; the one before it is kept as `PATH.1`. */
  readonly path: string;
  /** Size at which a new file is begun, 10 MB unless given. */
  readonly maxBytes?: number;
  /** The clock in milliseconds, `Date.now` unless given. */
  now?(): number;
}

/** Opens the log (0600) and appends to it. */
export function openDaemonLog(options: DaemonLogOptions): DaemonLog {
  const { path, maxBytes = 10_000_000, now = Date.now } = options;
  const encoder = new TextEncoder();
  let file: Deno.FsFile | undefined = open(path);
  let size = file.statSync().size;
  return {
    write(event, fields = {}) {
      if (file === undefined) return;
      const words = Object.entries(fields).map(([key, value]) => `${key}=${format(key, value)}`);
      const line = [new Date(now()).toISOString(), event, ...words].join(" ") + "\n";
      const bytes = encoder.encode(line);
      if (size > 0 && size + bytes.length > maxBytes) {
        file.close();
        Deno.renameSync(path, `${path}.1`);
        file = open(path);
        size = 0;
      }
      // At once, so that the lines before a crash are there.
      let rest = bytes;
      while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
      size += bytes.length;
    },
    close() {
      file?.close();
      file = undefined;
    },
  };
}

/**
 * The last line of a log, without its line end; undefined if there is none after byte `start` (0).
 * Reads no more than its last 64 KiB.
 */
export function lastLogLine(path: string, start = 0): string | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const { size } = file.statSync();
    const from = Math.max(start > size ? 0 : start, size - 64 * 1024);
    file.seekSync(from, Deno.SeekMode.Start);
    const bytes = new Uint8Array(size - from);
    let length = 0;
    while (length < bytes.length) {
      const count = file.readSync(bytes.subarray(length));
      if (count === null) break;
      length += count;
    }
    const text = new TextDecoder().decode(bytes.subarray(0, length));
    return text.split("\n").map((line) => line.trim()).findLast((line) => line !== "");
  } finally {
    file.close();
  }
}

function open(path: string): Deno.FsFile {
  return Deno.openSync(path, { append: true, create: true, mode: 0o600 });
}

const secretName = /secret|token|password|authorization|credential|signature/i;
// `name=value` and `name: value` inside a text, as in a signed URL or a header.
const secretPair =
  /([\w-]*(?:secret|token|password|authorization|credential|signature)[\w-]*["']?\s*[=:]\s*["']?)[^\s&"',]+(?:\s+Credential=\S+)?/gi;

function format(key: string, value: string | number): string {
  if (secretName.test(key)) return "***";
  if (typeof value === "number") return String(value);
  const text = value.replace(secretPair, "$1***");
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
