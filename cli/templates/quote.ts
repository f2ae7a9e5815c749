/** Go's quoted strings and characters, as `%q` writes them. */
import { hasLooseBytes } from "./text.ts";

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const NAMED: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

/** Whether Go writes the character as it is: it is a letter, mark, number, sign or the ASCII space. */
export function isPrintable(rune: string): boolean {
  return PRINTABLE.test(rune);
}

/** A string in double quotes; with `ascii`, all beyond ASCII is escaped. */
export function quoteText(text: string, ascii: boolean): string {
  let quoted = "";
  for (const rune of text) quoted += escapeRune(rune, '"', ascii);
  return `"${quoted}"`;
}

/** A character in single quotes. */
export function quoteRune(rune: string, ascii: boolean): string {
  return `'${escapeRune(rune, "'", ascii)}'`;
}

/** Whether the string can stand between backquotes as it is. */
export function canBackquote(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/[\x00-\x08\x0a-\x1f`\x7f\ufeff]/.test(text) && !hasLooseBytes(text);
}

/** The character of a code point, U+FFFD if there is none. */
export function runeOf(code: bigint): string {
  if (code < 0n || code > 0x10ffffn || (code >= 0xd800n && code <= 0xdfffn)) return "\ufffd";
  return String.fromCodePoint(Number(code));
}

function escapeRune(rune: string, quote: string, ascii: boolean): string {
  const code = rune.codePointAt(0) ?? 0;
  if (hasLooseBytes(rune)) return `\\x${hex(code - 0xdc00, 2)}`;
  if (rune === quote) return `\\${rune}`;
  const named = Object.hasOwn(NAMED, rune) ? NAMED[rune] : undefined;
  if (named !== undefined) return named;
  if (isPrintable(rune) && !(ascii && code > 0x7f)) return rune;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
