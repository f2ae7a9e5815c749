/**
 * Go's strings are bytes, JavaScript's are UTF-16. Here a string is a JavaScript string in which a lone
 * surrogate U+DC80 to U+DCFF stands for one byte, 0x80 to 0xff, that is not part of valid UTF-8: such
 * bytes come from `\x` escapes and from cutting through a character, and may become whole again.
 */

const BYTE = /[\uDC80-\uDCFF]/u;
// deno-lint-ignore no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether the string has a byte that is not part of valid UTF-8. */
export function hasLooseBytes(text: string): boolean {
  return BYTE.test(text);
}

/** Whether the bytes of the string are its UTF-16 units. */
export function isAscii(text: string): boolean {
  return ASCII.test(text);
}

/** Number of bytes. */
export function byteLength(text: string): number {
  return isAscii(text) ? text.length : bytesOf(text).length;
}

/** Number of characters; a loose byte counts as one. */
export function runeCount(text: string): number {
  if (isAscii(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The bytes of a string. */
export function bytesOf(text: string): Uint8Array {
  if (!hasLooseBytes(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (const rune of text) {
    if (hasLooseBytes(rune)) bytes.push(rune.charCodeAt(0) - 0xdc00);
    else bytes.push(...encoder.encode(rune));
  }
  return Uint8Array.from(bytes);
}

/** The string of bytes. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length;) {
    const length = runeLength(bytes, start);
    text += length === 0
      ? String.fromCharCode(0xdc00 + (bytes[start] ?? 0))
      : strict.decode(bytes.subarray(start, start + length));
    start += Math.max(length, 1);
  }
  return text;
}

/** Number of bytes of the character that starts there, 0 if none does. */
function runeLength(bytes: Uint8Array, start: number): number {
  const first = bytes[start] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || start + length > bytes.length) return 0;
  const second = bytes[start + 1] ?? 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let index = start + 2; index < start + length; index++) {
    if (((bytes[index] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** Makes loose bytes that have come together a character again. */
export function joined(text: string): string {
  return hasLooseBytes(text) ? textOf(bytesOf(text)) : text;
}

/** The bytes from `start` to `end`. */
export function sliceBytes(text: string, start: number, end: number): string {
  return isAscii(text) ? text.slice(start, end) : textOf(bytesOf(text).subarray(start, end));
}

/** The byte at an index. */
export function byteAt(text: string, index: number): number | undefined {
  return isAscii(text) ? text.charCodeAt(index) : bytesOf(text)[index];
}

/** Negative, zero or positive as the bytes of `a` sort before, with or after those of `b`. */
export function compareText(a: string, b: string): number {
  if (isAscii(a) && isAscii(b)) return a < b ? -1 : a > b ? 1 : 0;
  const left = bytesOf(a);
  const right = bytesOf(b);
  for (let index = 0; index < left.length && index < right.length; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
