/** Literals of Go: numbers, strings and characters. Syntax: The Go Programming Language Specification. */
import { textOf } from "./text.ts";

const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);
const MAX_UINT = 2n ** 64n - 1n;

/**
 * Reads a number or a character as it is written: an int, a float64, or undefined if it is an integer
 * that int cannot hold and uint can.
 *
 * @throws {SyntaxError} If it is none.
 */
export function readNumber(text: string): bigint | number | undefined {
  if (text.startsWith("'")) return BigInt(readCharacter(text));
  const integer = readInteger(text);
  const inRange = integer !== undefined && integer >= MIN_INT &&
    (integer <= MAX_INT || (integer <= MAX_UINT && /^\d/.test(text)));
  if (inRange) {
    // A sign before 0x hides the prefix from Go, so that the digit e makes it a float.
    if (/[eE]/.test(text) && !/^0[xX]/.test(text)) return Number(integer);
    return integer <= MAX_INT ? integer : undefined;
  }
  const float = readFloat(text);
  if (float === undefined) throw new SyntaxError(`${text} is not a number`);
  if (!/[.eEpP]/.test(text)) throw new SyntaxError(`the number ${text} is too large`);
  return float;
}

/** Underscores stand between digits, or between a prefix and a digit. */
const UNDERSCORES = /^[+-]?(?:0[xXoObB]_?)?[\da-fA-F]+(?:_[\da-fA-F]+)*$/;

function readInteger(text: string): bigint | undefined {
  if (text.includes("_") && !UNDERSCORES.test(text)) return undefined;
  const [, sign = "", body = ""] = /^([+-]?)(.*)$/.exec(text.replaceAll("_", "")) ?? [];
  let digits = body;
  if (/^0[0-7]+$/.test(body)) digits = `0o${body.slice(1)}`;
  else if (!/^(?:0|[1-9]\d*|0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+)$/.test(body)) return undefined;
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
}

function readFloat(text: string): number | undefined {
  if (text.includes("_") && !floatUnderscores(text)) return undefined;
  const plain = text.replaceAll("_", "");
  let value: number;
  const hex = /^([+-]?)0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)[pP]([+-]?\d+)$/.exec(plain);
  if (hex !== null) {
    const [, sign = "", whole = "", fraction = "", exponent = ""] = hex;
    if (whole + fraction === "") return undefined;
    const mantissa = Number(BigInt(`0x${whole}${fraction}`));
    value = mantissa * 2 ** (Number(exponent) - 4 * fraction.length) * (sign === "-" ? -1 : 1);
  } else if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(plain)) {
    value = Number(plain);
  } else {
    return undefined;
  }
  return Number.isFinite(value) ? value : undefined;
}

function floatUnderscores(text: string): boolean {
  const body = text.replace(/^[+-]/, "");
  const digits = /^0[xX]/.test(body) ? "[\\da-fA-F]" : "\\d";
  const marked = body.replace(/^0[xX]/, "0");
  return !new RegExp(`(?<!${digits})_|_(?!${digits})`).test(marked);
}

/**
 * Reads a string in quotes or backquotes.
 *
 * @throws {SyntaxError} If an escape in it has no meaning.
 */
export function readString(text: string): string {
  const body = text.slice(1, -1);
  if (text.startsWith("`")) return body.replaceAll("\r", "");
  if (!body.includes("\\")) return body;
  const encoder = new TextEncoder();
  const parts = [...body.matchAll(/\\(?:x.{0,2}|u.{0,4}|U.{0,8}|[0-7].{0,2}|.)|[^\\]+/gsu)].map(
    ([part]) => {
      if (!part.startsWith("\\")) return encoder.encode(part);
      const { code, isByte } = readEscape(part, '"');
      return isByte ? Uint8Array.of(code) : encoder.encode(String.fromCodePoint(code));
    },
  );
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return textOf(bytes);
}

function readCharacter(text: string): number {
  const body = text.slice(1, -1);
  if (body.startsWith("\\")) return readEscape(body, "'").code;
  const code = body.codePointAt(0);
  if (code === undefined || String.fromCodePoint(code) !== body) {
    throw new SyntaxError(`${text} is not one character`);
  }
  return code;
}

const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 92,
};

function readEscape(escape: string, quote: string): { code: number; isByte: boolean } {
  const body = escape.slice(1);
  const simple = Object.hasOwn(SIMPLE, body) ? SIMPLE[body] : undefined;
  if (simple !== undefined) return { code: simple, isByte: false };
  if (body === quote) return { code: quote.charCodeAt(0), isByte: false };
  if (/^[0-7]{3}$/.test(body) && parseInt(body, 8) < 256) {
    return { code: parseInt(body, 8), isByte: true };
  }
  if (/^x[\da-fA-F]{2}$/.test(body)) return { code: parseInt(body.slice(1), 16), isByte: true };
  if (/^(?:u[\da-fA-F]{4}|U[\da-fA-F]{8})$/.test(body)) {
    const code = parseInt(body.slice(1), 16);
    if (code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)) return { code, isByte: false };
  }
  throw new SyntaxError(`the escape ${escape} has no meaning in ${quote}…${quote}`);
}
