/**
 * Checks for parsed JSON. Each takes the value and the name it has in the message, and returns the
 * value with its type, or throws {@linkcode FormatError}.
 */
import { FormatError } from "./errors.ts";

/** A JSON object whose members are not checked yet. */
export type Json = { readonly [name: string]: unknown };

/** Parses JSON text. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(what, "it is not JSON", { cause });
  }
}

/** Checks that `value` is an object, not null and not an array. */
export function asObject(value: unknown, what: string): Json {
  if (isObject(value)) return value;
  throw new FormatError(what, "it must be an object");
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Checks that `value` is an array. */
export function asArray(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new FormatError(what, "it must be an array");
}

/** Checks that `value` is a string. */
export function asString(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new FormatError(what, "it must be a string");
}

/** Checks that `value` is a string without a NUL, as arguments and paths must be. */
export function asText(value: unknown, what: string): string {
  const text = asString(value, what);
  if (text.includes("\0")) throw new FormatError(what, "it must not hold a NUL");
  return text;
}

/** Checks that `value` is a whole number from `min` to `max`. */
export function asInteger(
  value: unknown,
  what: string,
  min = 0,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
    return value;
  }
  throw new FormatError(what, `it must be a whole number from ${min} to ${max}`);
}

/** Checks that `value` is a finite number that is not negative. */
export function asNumber(value: unknown, what: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  throw new FormatError(what, "it must be a number that is not negative");
}

/** Checks that `value` is true or false. */
export function asBoolean(value: unknown, what: string): boolean {
  if (typeof value === "boolean") return value;
  throw new FormatError(what, "it must be true or false");
}

/** Checks that `value` is an array of strings without NUL. */
export function asTexts(value: unknown, what: string): string[] {
  return asArray(value, what).map((item, index) => asText(item, `${what}[${index}]`));
}

/**
 * Reads bytes that are spelled as base64.
 *
 * @throws {FormatError} If `value` is none.
 */
export function asBase64(value: unknown, what: string): Uint8Array<ArrayBuffer> {
  const text = asString(value, what);
  try {
    return Uint8Array.fromBase64(text);
  } catch (cause) {
    throw new FormatError(what, "it is not base64", { cause });
  }
}
