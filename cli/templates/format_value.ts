/** One value under one verb, as Go's package fmt writes it. */
import { formatInteger, formatNumber, formatUnicode, pad, type Spec } from "./format_number.ts";
import { canBackquote, quoteRune, quoteText, runeOf } from "./quote.ts";
import { bytesOf, isAscii } from "./text.ts";
import { ANY, Byte, Mapping, Root, Slice, typeName, type Value, ValueError } from "./values.ts";

/** An argument under a verb; a verb that does not fit its type gives Go's `%!d(string=abc)`. */
export function formatArgument(value: Value, verb: string, spec: Spec): string {
  if (value === undefined || value === null) {
    return verb === "T" || verb === "v" ? pad("<nil>", spec) : `%!${verb}(<nil>)`;
  }
  if (verb === "T") return pad(truncate(typeName(value), spec), spec);
  if (verb === "p" && (value instanceof Slice || value instanceof Mapping)) {
    throw new ValueError("%p has no meaning here, as values have no addresses");
  }
  return formatValue(value, verb, spec);
}

function formatValue(value: Value, verb: string, spec: Spec): string {
  const written = valueForm(value, verb, spec);
  if (written !== undefined) return written;
  return `%!${verb}(${typeName(value)}=${formatValue(value, "v", spec)})`;
}

/** The value, or undefined for a verb that does not fit. */
function valueForm(value: Value, verb: string, spec: Spec): string | undefined {
  switch (typeof value) {
    case "string":
      return stringForm(value, verb, spec);
    case "bigint":
      return integerForm(value, verb, spec, false);
    case "number":
      return floatForm(value, verb, spec);
    case "boolean":
      return verb === "t" || verb === "v" ? pad(String(value), spec) : undefined;
    case "undefined":
      return "<nil>";
  }
  if (value === null) return spec.goSyntax ? `${ANY}(nil)` : "<nil>";
  if (value instanceof Byte) return integerForm(value.value, verb, spec, true);
  if (value instanceof Root) throw new ValueError("the data as a whole cannot be printed");
  if (verb === "w") return undefined;
  return value instanceof Slice ? sliceForm(value, verb, spec) : mapForm(value, verb, spec);
}

function sliceForm({ type, items, isNil }: Slice, verb: string, spec: Spec): string {
  const written = items.map((item) => formatValue(item, verb, spec));
  if (!spec.goSyntax) return `[${written.join(" ")}]`;
  return isNil ? `${type}(nil)` : `${type}{${written.join(", ")}}`;
}

function mapForm({ type, entries, isNil }: Mapping, verb: string, spec: Spec): string {
  const written = [...entries].map(([key, value]) =>
    `${formatValue(key, verb, spec)}:${formatValue(value, verb, spec)}`
  );
  if (!spec.goSyntax) return `map[${written.join(" ")}]`;
  return isNil ? `${type}(nil)` : `${type}{${written.join(", ")}}`;
}

function stringForm(text: string, verb: string, spec: Spec): string | undefined {
  switch (verb) {
    case "v":
      if (spec.goSyntax) return quotedForm(text, spec);
      return pad(truncate(text, spec), spec);
    case "s":
      return pad(truncate(text, spec), spec);
    case "q":
      return quotedForm(text, spec);
    case "x":
    case "X":
      return hexForm(text, verb, spec);
    default:
      return undefined;
  }
}

function quotedForm(text: string, spec: Spec): string {
  const shown = truncate(text, spec);
  if (spec.sharp && canBackquote(shown)) return pad(`\`${shown}\``, spec);
  return pad(quoteText(shown, spec.plus), spec);
}

function hexForm(text: string, verb: string, spec: Spec): string {
  const bytes = bytesOf(text).subarray(0, spec.precision);
  if (bytes.length === 0) return pad("", spec);
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const prefix = spec.sharp ? "0x" : "";
  const written = spec.space
    ? digits.map((two) => prefix + two).join(" ")
    : prefix + digits.join("");
  return pad(verb === "X" ? written.toUpperCase() : written, spec);
}

function truncate(text: string, { precision }: Spec): string {
  if (precision === undefined) return text;
  return isAscii(text) ? text.slice(0, precision) : [...text].slice(0, precision).join("");
}

function integerForm(
  value: bigint,
  verb: string,
  spec: Spec,
  isUnsigned: boolean,
): string | undefined {
  switch (verb) {
    case "v":
      if (spec.goSyntax && isUnsigned) {
        return formatInteger(value, 16, "v", { ...spec, sharp: true });
      }
      return formatInteger(value, 10, verb, spec);
    case "d":
      return formatInteger(value, 10, verb, spec);
    case "b":
      return formatInteger(value, 2, verb, spec);
    case "o":
    case "O":
      return formatInteger(value, 8, verb, spec);
    case "x":
    case "X":
      return formatInteger(value, 16, verb, spec);
    case "c":
      return pad(runeOf(value), spec);
    case "q":
      return pad(quoteRune(runeOf(value), spec.plus), spec);
    case "U":
      return formatUnicode(value, spec);
    default:
      return undefined;
  }
}

function floatForm(value: number, verb: string, spec: Spec): string | undefined {
  switch (verb) {
    case "v":
      return formatNumber(value, "g", -1, spec);
    case "b":
    case "g":
    case "G":
    case "x":
    case "X":
      return formatNumber(value, verb, -1, spec);
    case "f":
    case "F":
      return formatNumber(value, "f", 6, spec);
    case "e":
    case "E":
      return formatNumber(value, verb, 6, spec);
    default:
      return undefined;
  }
}
