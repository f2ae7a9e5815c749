/** What a command writes: results to stdout, everything else to stderr. */

import { LlamaError } from "../job/errors.ts";
import { reasonOf } from "./report_error.ts";

/** Where the text of a command goes. */
export interface Output {
  /** Whether stdout gets exactly one JSON value. */
  readonly json: boolean;
  /** Whether a person is there to answer a question. */
  readonly interactive: boolean;
  /** Writes the result: `value` with -json, otherwise `text` and a newline. */
  result(value: unknown, text: string): Promise<void>;
  /** Writes bytes to stdout as they are. */
  bytes(bytes: Uint8Array): Promise<void>;
  /** Writes bytes to stderr as they are. */
  errorBytes(bytes: Uint8Array): Promise<void>;
  /** Writes a line to stderr, unless -quiet. */
  say(text: string): void;
  /** Writes a line to stderr if that is a terminal, unless -quiet. */
  progress(text: string): void;
  /** Asks a question and returns the line that answers it; an empty one without a terminal. */
  ask(question: string): string;
  /** Asks a question that yes or no answers; no without a terminal. */
  confirm(question: string): boolean;
}

/** How much is written. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

/** The output of this process. */
export function processOutput({ json, quiet }: OutputOptions): Output {
  const isTerminal = Deno.stderr.isTerminal();
  const interactive = Deno.stdin.isTerminal() && isTerminal;
  const encoder = new TextEncoder();
  const say = (text: string) => {
    if (!quiet) writeAllSync(Deno.stderr, encoder.encode(text + "\n"));
  };
  const ask = (question: string) => {
    if (!interactive) return "";
    writeAllSync(Deno.stderr, encoder.encode(`${question} `));
    return readLineSync();
  };
  return {
    json,
    interactive,
    result: (value, text) => print(encoder.encode(resultText(json ? JSON.stringify(value) : text))),
    bytes: print,
    errorBytes: (bytes) => writeAll(Deno.stderr, bytes),
    say,
    progress: (text) => {
      if (isTerminal) say(text);
    },
    ask,
    confirm: (question) => /^\s*y(es)?\s*$/i.test(ask(`${question} [y/N]`)),
  };
}

/** `text` with one newline at its end; nothing at all if it is empty. */
function resultText(text: string): string {
  return text === "" || text.endsWith("\n") ? text : text + "\n";
}

/** Writes to stdout; that nobody reads on is not said. */
async function print(bytes: Uint8Array): Promise<void> {
  try {
    await writeAll(Deno.stdout, bytes);
  } catch (cause) {
    if (cause instanceof Deno.errors.BrokenPipe) throw cause;
    throw new LlamaError("NotPrinted", `Cannot write to standard output: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

/** Writes all of `bytes`, as one write may take only a part. */
export async function writeAll(
  to: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let position = 0; position < bytes.length;) {
    position += await to.write(bytes.subarray(position));
  }
}

/** Writes all of `bytes`, waiting. */
export function writeAllSync(
  to: { writeSync(bytes: Uint8Array): number },
  bytes: Uint8Array,
): void {
  for (let position = 0; position < bytes.length;) {
    position += to.writeSync(bytes.subarray(position));
  }
}

function readLineSync(): string {
  const byte = new Uint8Array(1);
  const line: number[] = [];
  while (Deno.stdin.readSync(byte) === 1 && byte[0] !== 10) line.push(byte[0] ?? 0);
  return new TextDecoder().decode(Uint8Array.from(line));
}
