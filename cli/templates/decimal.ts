/**
 * Digits of a float64. Number.prototype.toFixed rounds halves up and changes its form at 1e21; Go rounds
 * halves to even and has no limit, so that the exact decimal value is made first.
 */

/** Significant digits without leading zeros, and the number of them before the decimal point. */
export interface Decimal {
  readonly digits: string;
  readonly point: number;
}

const ZERO: Decimal = { digits: "0", point: 1 };

/** The fewest digits that tell a finite number that is not negative from its neighbours. */
export function shortestDecimal(value: number): Decimal {
  if (value === 0) return ZERO;
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  return { digits: mantissa.replace(".", ""), point: Number(exponent) + 1 };
}

/** All digits of a finite number that is not negative. */
export function exactDecimal(value: number): Decimal {
  if (value === 0) return ZERO;
  const { mantissa, exponent } = binaryOf(value);
  // m * 2^-n is m * 5^n / 10^n.
  const whole = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const digits = whole.toString();
  return { digits, point: digits.length - Math.max(0, -exponent) };
}

/** Rounds to `count` digits, halves to even; none or fewer gives the digit before the first or zero. */
export function roundDecimal({ digits, point }: Decimal, count: number): Decimal {
  if (count >= digits.length) return { digits: digits.padEnd(count, "0"), point };
  if (count < 0) return { digits: "", point };
  const kept = digits.slice(0, count);
  const rest = digits.slice(count);
  const half = `5${"0".repeat(rest.length - 1)}`;
  const isOdd = Number(kept.at(-1) ?? "0") % 2 === 1;
  if (rest < half || (rest === half && !isOdd)) return { digits: kept, point };
  const up = (BigInt(`0${kept}`) + 1n).toString().padStart(count, "0");
  return up.length > count
    ? { digits: count === 0 ? up : up.slice(0, count), point: point + 1 }
    : { digits: up, point };
}

/** A positive finite number as `mantissa * 2^exponent`; the mantissa of a normal one has 53 bits. */
export function binaryOf(value: number): { mantissa: bigint; exponent: number } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const fraction = bits & (2n ** 52n - 1n);
  const power = Number((bits >> 52n) & 0x7ffn);
  return power === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: power - 1075 };
}
