/** Integers and floats under a verb of `printf`, with its flags. */
import { formatFloat } from "./format_float.ts";
import { isPrintable, runeOf } from "./quote.ts";
import { runeCount } from "./text.ts";

/** Flags, width and precision of a verb; a width or precision that is not there is undefined. */
export interface Spec {
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  /** `%#v`: values as they are written in Go. */
  readonly goSyntax: boolean;
}

/** No flag, no width, no precision. */
export const PLAIN: Spec = {
  width: undefined,
  precision: undefined,
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  goSyntax: false,
};

/** Text at the width of a verb, filled with spaces, or with zeros at its left if `zero` says so. */
export function pad(text: string, spec: Spec, zero = spec.zero): string {
  const missing = (spec.width ?? 0) - runeCount(text);
  if (missing <= 0) return text;
  if (spec.minus) return text + " ".repeat(missing);
  return (zero ? "0" : " ").repeat(missing) + text;
}

/** An integer in a base; verb `O` and the flag `#` ask for a prefix. */
export function formatInteger(value: bigint, base: number, verb: string, spec: Spec): string {
  const size = value < 0n ? -value : value;
  const hasSign = value < 0n || spec.plus || spec.space;
  let digits = size.toString(base);
  if (spec.precision !== undefined) {
    if (spec.precision === 0 && size === 0n) return " ".repeat(spec.width ?? 0);
    digits = digits.padStart(spec.precision, "0");
  } else if (spec.zero && !spec.minus && spec.width !== undefined) {
    digits = digits.padStart(spec.width - (hasSign ? 1 : 0), "0");
  }
  if (spec.sharp) {
    if (base === 2) digits = `0b${digits}`;
    else if (base === 8 && !digits.startsWith("0")) digits = `0${digits}`;
    else if (base === 16) digits = `0x${digits}`;
  }
  if (verb === "X") digits = digits.toUpperCase();
  if (verb === "O") digits = `0o${digits}`;
  const sign = value < 0n ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  return pad(sign + digits, spec, false);
}

/** `U+0078`, and with the flag `#` the character behind it. */
export function formatUnicode(value: bigint, spec: Spec): string {
  const code = BigInt.asUintN(64, value);
  const digits = code.toString(16).toUpperCase().padStart(Math.max(4, spec.precision ?? 0), "0");
  const rune = runeOf(code);
  const isRune = code === BigInt(rune.codePointAt(0) ?? 0);
  const shown = spec.sharp && isRune && isPrintable(rune) ? ` '${rune}'` : "";
  return pad(`U+${digits}${shown}`, spec, false);
}

/** A float under the verb `e E f g G b x X`; `precision` is that of a verb which gives none. */
export function formatNumber(value: number, verb: string, precision: number, spec: Spec): string {
  const wanted = spec.precision ?? precision;
  const isNegative = value < 0 || Object.is(value, -0);
  let digits = formatFloat(value, verb, wanted);
  const mark = isNegative ? "-" : spec.space && !spec.plus ? " " : "+";
  const showsSign = spec.plus || mark !== "+";
  if (!Number.isFinite(value)) {
    const shows = Number.isNaN(value) ? spec.plus || spec.space : showsSign;
    return pad((shows ? mark : "") + digits, spec, false);
  }
  if (spec.sharp && verb !== "b") digits = withPoint(digits, verb, wanted);
  if (!showsSign) return pad(digits, spec);
  const missing = (spec.width ?? 0) - digits.length - 1;
  if (spec.zero && !spec.minus && missing > 0) return mark + "0".repeat(missing) + digits;
  return pad(mark + digits, spec);
}

/** The flag `#` keeps the decimal point and, for %g and %x, trailing zeros. */
function withPoint(text: string, verb: string, precision: number): string {
  const counts = verb === "g" || verb === "G" || verb === "x";
  const isHex = verb === "x" || verb === "X";
  const [, body = "", tail = ""] = (isHex ? /^(.*?)([pP].*)?$/ : /^(.*?)([eE].*)?$/).exec(text) ??
    [];
  let missing = 0;
  if (counts) {
    const significant = body.replace(".", "").replace(/^0+/, "").length;
    missing = (precision === -1 ? 6 : precision) - significant;
    if (body === "0") missing--;
  }
  const point = body.includes(".") ? "" : ".";
  return body + point + "0".repeat(Math.max(0, missing)) + tail;
}
