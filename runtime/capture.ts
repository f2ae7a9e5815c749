/**
 * Keeps what a command prints: in memory while it is little, in a file from then on, up to a bound. Or passes it on
 * while it comes.
 */
import { joinBytes } from "../job/bytes.ts";
import type { OutputName } from "../job/output_stream.ts";
import type { Source } from "./answer.ts";

/** Bounds of one stream. */
export interface CaptureLimits {
  /** Bytes that are kept in memory; 256 KiB unless a test says otherwise. */
  readonly memoryBytes: number;
  /** Most bytes of a stream; a command that prints more is stopped. */
  readonly maxBytes: number;
}

/** A stream that is being kept. */
export interface Capture extends Source {
  /** Settles when the stream has ended, was cut off at the limit or was given up. */
  readonly done: Promise<void>;
  /** Whether the limit was reached. */
  tooLarge(): boolean;
  /** What went wrong in keeping it, such as a full disk. */
  failure(): unknown;
  /** Reads no more. */
  giveUp(): void;
}

/** Passes on what a command prints, or refuses at once: it is kept then, as is all that follows. */
export type PassOn = (
  name: OutputName,
  bytes: Uint8Array<ArrayBuffer>,
) => Promise<void> | undefined;

/** What comes within so many milliseconds is passed on together: most commands end sooner. */
const PASS_AFTER_MS = 20;
/** So much is passed on at once. */
const PASS_BYTES = 64 * 1024;
/**
 * A command that prints so much faster than it can be passed on has the rest kept. Lambda lets 2 MB a second through
 * after the first 6 MB (Developer Guide, "Bandwidth limits for response streaming"); the store takes far more.
 */
const MAX_BEHIND_BYTES = 4 * 1024 * 1024;

/**
 * Keeps `stream`, in `file` if it is long, but for what `pass` takes.
 * `onTrouble` is called once if it must end early.
 */
export function capture(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  file: string,
  limits: CaptureLimits,
  onTrouble: () => void,
  pass?: (bytes: Uint8Array<ArrayBuffer>) => Promise<void> | undefined,
): Capture {
  const reader = stream.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  let spool: Deno.FsFile | undefined;
  let tooLarge = false;
  let failure: unknown;
  let passes = pass !== undefined;
  let passing: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const passWhile = async () => {
    while (passes && size > 0) {
      const bytes = joinBytes(chunks);
      const passed = pass?.(bytes);
      if (passed === undefined) {
        passes = false;
        return;
      }
      chunks.length = 0;
      size = 0;
      await passed;
    }
  };
  /** One at a time, so that the order stays. */
  const passNow = () => {
    clearTimeout(timer);
    timer = undefined;
    passing ??= passWhile().catch((error) => {
      failure ??= error;
      giveUp();
    }).finally(() => passing = undefined);
  };
  const giveUp = () => {
    reader.cancel().catch((error) => failure ??= error);
  };
  const keep = (chunk: Uint8Array<ArrayBuffer>) => {
    size += chunk.length;
    if (spool === undefined) {
      chunks.push(chunk);
      if (passes || size <= limits.memoryBytes) return;
      spool = Deno.openSync(file, { write: true, createNew: true, mode: 0o600 });
      for (const early of chunks.splice(0)) writeAll(spool, early);
      return;
    }
    writeAll(spool, chunk);
  };
  const read = async () => {
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        if (size + value.length > limits.maxBytes) {
          tooLarge = true;
          return;
        }
        keep(value);
        if (size > MAX_BEHIND_BYTES) passes = false;
        if (passes && size >= PASS_BYTES) passNow();
        else if (passes) timer ??= setTimeout(passNow, PASS_AFTER_MS);
      }
    } catch (error) {
      failure = error;
    } finally {
      clearTimeout(timer);
      // What is left goes with the answer.
      passes = false;
      await passing;
      spool?.close();
      if (tooLarge || failure !== undefined) onTrouble();
      await reader.cancel();
    }
  };
  return {
    done: read(),
    get size() {
      return size;
    },
    read: () => spool ? Deno.readFileSync(file) : joinBytes(chunks),
    // Only what was written to the file is so long.
    file: () => file,
    tooLarge: () => tooLarge,
    failure: () => failure,
    giveUp,
  };
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    written += file.writeSync(bytes.subarray(written));
  }
}
