/**
 * Where jobs of `xargs` are told of: stdout and stderr, with a bar at the end of a terminal that what is printed
 * goes before.
 */
import type { Output } from "../output.ts";
import { writeAllSync } from "../output.ts";

/** A screen. */
export interface Screen extends Pick<Output, "bytes" | "errorBytes" | "say"> {
  /** Takes the bar away. */
  close(): void;
}

/** Milliseconds between two pictures of the bar. */
const EVERY_MS = 200;

/** Takes the cursor to the first column and what is there away (ECMA-48, EL). */
const CLEAR = new TextEncoder().encode("\r\x1b[K");

/** A screen without a bar. */
export function plainScreen(output: Output): Screen {
  return {
    bytes: output.bytes,
    errorBytes: output.errorBytes,
    say: output.say,
    close: () => undefined,
  };
}

/** A screen with the bar that `draw` gives for so many columns. */
export function barScreen(output: Output, draw: (columns: number) => string): Screen {
  let isShown = false;
  const clear = () => {
    if (isShown) writeAllSync(Deno.stderr, CLEAR);
    isShown = false;
  };
  const show = () => {
    clear();
    writeAllSync(Deno.stderr, new TextEncoder().encode(draw(columns())));
    isShown = true;
  };
  const timer = setInterval(show, EVERY_MS);
  show();
  return {
    bytes: async (bytes) => {
      if (bytes.length > 0) clear();
      await output.bytes(bytes);
    },
    errorBytes: async (bytes) => {
      if (bytes.length > 0) clear();
      await output.errorBytes(bytes);
    },
    say: (text) => {
      clear();
      output.say(text);
    },
    close: () => {
      clearInterval(timer);
      clear();
    },
  };
}

/** The terminal may be resized meanwhile; its size is that of whichever stream is one. */
function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return 80;
  }
}
