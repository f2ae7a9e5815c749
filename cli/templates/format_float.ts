/** Floats as Go's strconv.FormatFloat writes them. */
import { binaryOf, type Decimal, exactDecimal, roundDecimal, shortestDecimal } from "./decimal.ts";

/**
 * The number without its sign in the form of a verb: `e E f g G b x X`. A precision of -1 asks for the
 * fewest digits that tell the number from its neighbours.
 */
export function formatFloat(value: number, verb: string, precision: number): string {
  const size = Math.abs(value);
  if (Number.isNaN(size)) return "NaN";
  if (size === Infinity) return "Inf";
  switch (verb) {
    case "b":
      return binaryForm(size);
    case "x":
    case "X":
      return hexForm(size, precision, verb);
    case "e":
    case "E":
      return exponentForm(digitsOf(size, precision, precision + 1), precision, verb);
    case "f":
      return fixedForm(size, precision);
    default:
      return generalForm(size, precision, verb === "G" ? "E" : "e");
  }
}

function digitsOf(size: number, precision: number, count: number): Decimal {
  if (precision < 0) return shortestDecimal(size);
  return size === 0
    ? { digits: "0".repeat(Math.max(count, 1)), point: 1 }
    : roundDecimal(exactDecimal(size), count);
}

function exponentForm({ digits, point }: Decimal, precision: number, letter: string): string {
  const fraction = digits.slice(1).padEnd(Math.max(precision, 0), "0");
  const power = point - 1;
  const exponent = `${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  return `${digits.slice(0, 1)}${fraction === "" ? "" : "."}${fraction}${letter}${exponent}`;
}

function fixedForm(size: number, precision: number): string {
  let decimal = shortestDecimal(size);
  let places = precision;
  if (precision < 0) {
    places = size === 0 ? 0 : Math.max(0, decimal.digits.length - decimal.point);
  } else {
    const exact = exactDecimal(size);
    decimal = roundDecimal(exact, exact.point + precision);
  }
  return plain(decimal, places);
}

/** Digits with a point among them and so many behind it. */
function plain({ digits, point }: Decimal, places: number): string {
  const padded = point > 0 ? digits : "0".repeat(-point) + digits;
  const whole = point > 0 ? padded.slice(0, point).padEnd(point, "0") : "0";
  const fraction = (point > 0 ? padded.slice(point) : padded).slice(0, places).padEnd(places, "0");
  return places > 0 ? `${whole}.${fraction}` : whole;
}

function generalForm(size: number, precision: number, letter: string): string {
  const count = precision === 0 ? 1 : precision;
  const decimal = digitsOf(size, count, count);
  const digits = decimal.digits.replace(/0+$/, "") || "0";
  const power = decimal.point - 1;
  let limit = precision < 0 ? 6 : count;
  if (precision >= 0 && count > digits.length && digits.length >= decimal.point) {
    limit = digits.length;
  }
  if (power < -4 || power >= limit) {
    return exponentForm({ digits, point: decimal.point }, digits.length - 1, letter);
  }
  return plain({ digits, point: decimal.point }, Math.max(0, digits.length - decimal.point));
}

function binaryForm(size: number): string {
  const { mantissa, exponent } = size === 0 ? { mantissa: 0n, exponent: -1074 } : binaryOf(size);
  return `${mantissa}p${exponent < 0 ? "-" : "+"}${Math.abs(exponent)}`;
}

/** One hexadecimal digit, which is 1 but for zero, and a fraction of up to 13. */
function hexForm(size: number, precision: number, letter: string): string {
  let mantissa = 0n;
  let exponent = 0;
  if (size !== 0) {
    ({ mantissa, exponent } = binaryOf(size));
    const shift = 53 - mantissa.toString(2).length;
    mantissa <<= BigInt(shift);
    exponent += 52 - shift;
  }
  if (precision >= 0 && precision < 13) {
    const dropped = BigInt(4 * (13 - precision));
    const half = 1n << (dropped - 1n);
    const rest = mantissa & ((1n << dropped) - 1n);
    let kept = mantissa >> dropped;
    if (rest > half || (rest === half && kept % 2n === 1n)) kept += 1n;
    mantissa = kept << dropped;
    if (mantissa >= 1n << 53n) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  const digits = mantissa.toString(16).padStart(14, "0");
  const fraction = precision < 0
    ? digits.slice(1).replace(/0+$/, "")
    : digits.slice(1).padEnd(precision, "0").slice(0, precision);
  const power = `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  const text = `0x${digits[0]}${fraction === "" ? "" : "."}${fraction}p${power}`;
  return letter === "X" ? text.toUpperCase() : text;
}
