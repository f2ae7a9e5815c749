/** Go's Sprint, Sprintln and Sprintf. Source of the verbs: documentation of Go's package fmt. */
import { PLAIN, type Spec } from "./format_number.ts";
import { formatArgument } from "./format_value.ts";
import { hasLooseBytes, joined } from "./text.ts";
import { Byte, typeName, type Value } from "./values.ts";

/** Greatest width and precision that Go takes. */
const MAX_NUMBER = 1_000_000;

/** Values in their default form, with a space between two of which none is a string. */
export function print(values: readonly Value[]): string {
  let text = "";
  values.forEach((value, index) => {
    const apart = index > 0 && typeof value !== "string" && typeof values[index - 1] !== "string";
    text += (apart ? " " : "") + formatArgument(value, "v", PLAIN);
  });
  return joined(text);
}

/** Values in their default form with spaces between them, and a newline. */
export function printLine(values: readonly Value[]): string {
  return joined(values.map((value) => formatArgument(value, "v", PLAIN)).join(" ") + "\n");
}

/** Values under the verbs of a format. What does not fit is written as Go does: `%!d(string=abc)`. */
export function printFormat(format: string, values: readonly Value[]): string {
  const state: State = { format, values, at: 0, next: 0, reordered: false };
  let text = "";
  for (;;) {
    const percent = format.indexOf("%", state.at);
    if (percent === -1) {
      text += format.slice(state.at);
      break;
    }
    text += format.slice(state.at, percent);
    state.at = percent + 1;
    text += formatDirective(state);
  }
  if (!state.reordered && state.next < values.length) {
    text += `%!(EXTRA ${values.slice(state.next).map(extra).join(", ")})`;
  }
  return joined(text);
}

function extra(value: Value): string {
  if (value === undefined || value === null) return "<nil>";
  return `${typeName(value)}=${formatArgument(value, "v", PLAIN)}`;
}

/** How far a format has come. */
interface State {
  readonly format: string;
  readonly values: readonly Value[];
  /** Index in the format. */
  at: number;
  /** Index of the value that the next verb takes. */
  next: number;
  /** Whether an index in brackets has been met. */
  reordered: boolean;
}

/** What a `[n]` did: nothing was there, it named a value, or it named none. */
type Index = "none" | "good" | "outside" | "bad";

/** What stands between a percent sign and its verb, which `state.at` is behind. */
function formatDirective(state: State): string {
  const { format, values } = state;
  const spec: { -readonly [K in keyof Spec]: Spec[K] } = { ...PLAIN };
  readFlags(state, spec);
  let complaints = "";
  let index = readIndex(state);
  let isGood = index === "none" || index === "good";
  let afterIndex = index === "good" || index === "outside";
  if (format[state.at] === "*") {
    state.at++;
    spec.width = integerArgument(state);
    if (spec.width === undefined) complaints += "%!(BADWIDTH)";
    if (spec.width !== undefined && spec.width < 0) {
      spec.width = -spec.width;
      spec.minus = true;
      spec.zero = false;
    }
    afterIndex = false;
  } else {
    spec.width = readNumber(state);
    if (afterIndex && spec.width !== undefined) isGood = false;
  }
  if (format[state.at] === "." && state.at + 1 < format.length) {
    state.at++;
    if (afterIndex) isGood = false;
    index = readIndex(state);
    if (index === "outside" || index === "bad") isGood = false;
    afterIndex = index === "good" || index === "outside";
    if (format[state.at] === "*") {
      state.at++;
      const precision = integerArgument(state);
      spec.precision = precision !== undefined && precision >= 0 ? precision : undefined;
      if (spec.precision === undefined) complaints += "%!(BADPREC)";
      afterIndex = false;
    } else {
      spec.precision = readNumber(state) ?? 0;
    }
  }
  if (!afterIndex) {
    index = readIndex(state);
    if (index === "outside" || index === "bad") isGood = false;
  }
  if (state.at >= format.length) return `${complaints}%!(NOVERB)`;
  const written = String.fromCodePoint(format.codePointAt(state.at) ?? 0);
  state.at += written.length;
  const verb = hasLooseBytes(written) ? "\ufffd" : written;
  if (verb === "%") return `${complaints}%`;
  if (!isGood) return `${complaints}%!${verb}(BADINDEX)`;
  if (state.next >= values.length) return `${complaints}%!${verb}(MISSING)`;
  if (verb === "v" || verb === "w") {
    spec.goSyntax = spec.sharp;
    spec.sharp = false;
    spec.plus = false;
  }
  return complaints + formatArgument(values[state.next++], verb, spec);
}

function readFlags(state: State, spec: { -readonly [K in keyof Spec]: Spec[K] }): void {
  for (;; state.at++) {
    switch (state.format[state.at]) {
      case "#":
        spec.sharp = true;
        break;
      case "0":
        spec.zero = true;
        break;
      case "+":
        spec.plus = true;
        break;
      case "-":
        spec.minus = true;
        break;
      case " ":
        spec.space = true;
        break;
      default:
        return;
    }
  }
}

/** Reads a decimal number; one that is too large takes the rest of the format with it. */
function readNumber(state: State): number | undefined {
  const digits = /^\d+/.exec(state.format.slice(state.at, state.at + 9))?.[0];
  if (digits === undefined) return undefined;
  // Go looks whether a number is too large only before each further digit.
  for (let end = 1; end < digits.length; end++) {
    if (Number(digits.slice(0, end)) <= MAX_NUMBER) continue;
    state.at = state.format.length;
    return undefined;
  }
  state.at += digits.length;
  return Number(digits);
}

/** Takes the next value as a width or a precision; undefined if it is no integer or out of bounds. */
function integerArgument(state: State): number | undefined {
  if (state.next >= state.values.length) return undefined;
  const value = state.values[state.next++];
  const integer = value instanceof Byte ? value.value : value;
  if (typeof integer !== "bigint") return undefined;
  const number = Number(integer);
  return Math.abs(number) > MAX_NUMBER ? undefined : number;
}

/** Reads `[n]`, which says that the value of number n is next. */
function readIndex(state: State): Index {
  if (state.format[state.at] !== "[") return "none";
  state.reordered = true;
  const close = state.format.indexOf("]", state.at + 1);
  if (close === -1 || state.format.length - state.at < 3) {
    state.at++;
    return "bad";
  }
  const text = state.format.slice(state.at + 1, close);
  state.at = close + 1;
  if (!/^\d+$/.test(text) || Number(text) > 10 * MAX_NUMBER) return "bad";
  const index = Number(text) - 1;
  if (index < 0 || index >= state.values.length) return "outside";
  state.next = index;
  return "good";
}
