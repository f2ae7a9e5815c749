/**
 * Keeps what a command prints: in memory while it is little, in a file from then on, up to a bound. Or passes it on
 * while it comes.
 */
import type { OutputName } from "../job/output_stream.ts";
import type { Source } from "./answer.ts";
import { openSpool } from "./spool.ts";

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
 * So much waits in memory to be passed on, and in a file from then on: Lambda lets 2 MB a second through after the first
 * 6 MB (Developer Guide, "Bandwidth limits for response streaming"), and a command need not wait for that.
 */
const MAX_BEHIND_BYTES = 4 * 1024 * 1024;

/**
 * Keeps `stream`, in `file` if it is long, but for what `pass` takes; what that has not taken when the stream ends stays.
 * Nothing more is read while as much as may be kept waits for it. `onTrouble` is called once if it must end early.
 */
export function capture(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  file: string,
  limits: CaptureLimits,
  onTrouble: () => void,
  pass?: (bytes: Uint8Array<ArrayBuffer>) => Promise<void> | undefined,
): Capture {
  const reader = stream.getReader();
  const kept = openSpool(file, pass ? MAX_BEHIND_BYTES : limits.memoryBytes);
  let tooLarge = false;
  let failure: unknown;
  let passes = pass !== undefined;
  let passing: Promise<void> | undefined;
  let part: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const passWhile = async () => {
    while (passes && kept.size > 0) {
      const bytes = kept.peek(PASS_BYTES);
      part = pass?.(bytes);
      passes = part !== undefined;
      if (!passes) return;
      await part;
      kept.drop(bytes.length);
    }
  };
  /** One at a time, so that the order stays. */
  const passNow = () => {
    clearTimeout(timer);
    timer = undefined;
    passing ??= passWhile().catch((error) => {
      failure ??= error;
      giveUp();
    }).finally(() => {
      passing = undefined;
      // What came in this very moment has not been seen.
      if (passes && kept.size > 0) timer ??= setTimeout(passNow, PASS_AFTER_MS);
    });
  };
  const giveUp = () => {
    reader.cancel().catch((error) => failure ??= error);
  };
  const read = async () => {
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        const isFull = () => kept.size + value.length > limits.maxBytes;
        while (passing !== undefined && isFull()) await part;
        if (isFull()) {
          tooLarge = true;
          return;
        }
        kept.push(value);
        if (passes && kept.size >= PASS_BYTES) passNow();
        else if (passes) timer ??= setTimeout(passNow, PASS_AFTER_MS);
      }
    } catch (error) {
      failure ??= error;
    } finally {
      clearTimeout(timer);
      // What is left goes with the answer.
      passes = false;
      await passing;
      kept.close();
      if (tooLarge || failure !== undefined) onTrouble();
      await reader.cancel();
    }
  };
  return {
    done: read(),
    get size() {
      return kept.size;
    },
    read: kept.read,
    file: kept.file,
    tooLarge: () => tooLarge,
    failure: () => failure,
    giveUp,
  };
}
