/**
 * The lines that `xargs` makes jobs of, as a stream: what waits in memory is bounded, however many there are.
 */
import { joinBytes } from "../../job/bytes.ts";
import { LlamaError } from "../../job/errors.ts";

/** A line without its end. */
export interface Line {
  /** Number of the line, from 1. */
  readonly seq: number;
  /** Its text; bytes that are not UTF-8 stand as U+FFFD. */
  readonly text: string;
  /** Whether all of it is UTF-8. */
  readonly isText: boolean;
}

/** Lines to take one by one. */
export interface Lines {
  /** The next line, undefined at the end and after {@linkcode Lines.close}. */
  next(): Promise<Line | undefined>;
  /** How many lines are known of so far, and whether that is all. */
  total(): { readonly count: number; readonly isAll: boolean };
  /** Reads no more. */
  close(): void;
}

/** Most lines that wait in memory. */
const MAX_AHEAD = 10_000;
/** Most bytes of one line; a request has room for less than twice as many. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;

/** The lines that are given on the command line. */
export function linesOf(texts: readonly string[]): Lines {
  let at = 0;
  let end = texts.length;
  return {
    next: () => {
      const text = at < end ? texts[at++] : undefined;
      return Promise.resolve(text === undefined ? undefined : { seq: at, text, isText: true });
    },
    total: () => ({ count: texts.length, isAll: true }),
    close: () => {
      end = at;
    },
  };
}

/**
 * The lines of a stream, which end with `delimiter`. Reading goes on while others work, up to a bound.
 *
 * @throws {LlamaError} From `next()`: `LineTooLong`, and what the stream throws.
 */
export function linesFrom(stream: ReadableStream<Uint8Array>, delimiter: string): Lines {
  const reader = stream.getReader();
  const splitter = createSplitter(delimiter);
  let batches: Batch[] = [];
  let count = 0;
  let taken = 0;
  let isAll = false;
  let isClosed = false;
  let reading: Promise<void> | undefined;
  let failure: unknown;

  const read = async () => {
    try {
      const { value, done } = await reader.read();
      const batch = done ? splitter.end() : splitter.add(value);
      if (done) isAll = true;
      if (batch === undefined || isClosed) return;
      batches.push(batch);
      count += batch.count;
    } catch (error) {
      failure = error;
      isAll = true;
    } finally {
      reading = undefined;
      readAhead();
    }
  };
  const readAhead = () => {
    if (reading === undefined && !isAll && count - taken < MAX_AHEAD) reading = read();
  };

  return {
    next: async () => {
      for (;;) {
        const line = batches[0]?.next();
        if (line !== undefined) {
          taken++;
          readAhead();
          return { seq: taken, ...line };
        }
        batches.shift();
        if (batches.length > 0) continue;
        if (isAll) {
          if (failure !== undefined) throw failure;
          return undefined;
        }
        readAhead();
        await reading;
      }
    },
    total: () => ({ count, isAll }),
    close: () => {
      isClosed = true;
      isAll = true;
      batches = [];
      // A read that is under way ends; what it may say no longer matters.
      void reader.cancel().catch((error) => failure ??= error);
    },
  };
}

type Found = Omit<Line, "seq">;

/**
 * Lines that came together. They are cut as they are taken: objects that wait grow old, and with a million lines that
 * takes 20 MB more.
 */
interface Batch {
  readonly count: number;
  next(): Found | undefined;
}

/** Cuts chunks of bytes into lines. */
function createSplitter(delimiter: string) {
  const mark = new TextEncoder().encode(delimiter);
  let rest = new Uint8Array();

  const cut = (bytes: Uint8Array): Batch => {
    try {
      return textBatch(new TextDecoder("utf-8", STRICT).decode(bytes), delimiter);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    const found: Found[] = [];
    for (let start = 0; start <= bytes.length;) {
      const end = indexOf(bytes, mark, start);
      found.push(decode(bytes.subarray(start, end < 0 ? bytes.length : end)));
      if (end < 0) break;
      start = end + mark.length;
    }
    return { count: found.length, next: () => found.shift() };
  };

  return {
    add: (chunk: Uint8Array): Batch | undefined => {
      const all = rest.length === 0 ? chunk : joinBytes([rest, chunk]);
      const last = lastIndexOf(all, mark);
      rest = all.slice(last < 0 ? 0 : last + mark.length);
      if (rest.length > MAX_LINE_BYTES) {
        throw new LlamaError(
          "LineTooLong",
          `Cannot use a line of input of more than ${MAX_LINE_BYTES} bytes`,
          { hint: "lines end with a newline unless -0 or -d says otherwise" },
        );
      }
      return last < 0 ? undefined : cut(all.subarray(0, last));
    },
    end: (): Batch | undefined => rest.length === 0 ? undefined : cut(rest),
  };
}

const STRICT = { fatal: true, ignoreBOM: true };

function textBatch(text: string, delimiter: string): Batch {
  let count = 1;
  for (let at = text.indexOf(delimiter); at >= 0; at = text.indexOf(delimiter, at)) {
    count++;
    at += delimiter.length;
  }
  let start = 0;
  return {
    count,
    next: () => {
      if (start > text.length) return undefined;
      const found = text.indexOf(delimiter, start);
      const end = found < 0 ? text.length : found;
      const line = { text: text.slice(start, end), isText: true };
      start = found < 0 ? text.length + 1 : end + delimiter.length;
      return line;
    },
  };
}

function decode(bytes: Uint8Array): Found {
  try {
    return { text: new TextDecoder("utf-8", STRICT).decode(bytes), isText: true };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { text: new TextDecoder().decode(bytes), isText: false };
  }
}

function indexOf(bytes: Uint8Array, mark: Uint8Array, from: number): number {
  const first = mark[0] ?? 0;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (mark.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

/** Delimiters are found from the left, so that one of several bytes is the same wherever chunks end. */
function lastIndexOf(bytes: Uint8Array, mark: Uint8Array): number {
  if (mark.length === 1) return bytes.lastIndexOf(mark[0] ?? 0);
  let last = -1;
  for (let at = indexOf(bytes, mark, 0); at >= 0; at = indexOf(bytes, mark, at + mark.length)) {
    last = at;
  }
  return last;
}
