/** Comparisons of templates: eq, ne, lt, le, gt and ge. */
import { compareText } from "./text.ts";
import {
  Byte,
  describe,
  isNothing,
  Mapping,
  Root,
  Slice,
  type Value,
  ValueError,
} from "./values.ts";

/** Whether the first value equals any of the others. */
export function equalsAny(value: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw new ValueError("there is nothing to compare with");
  return others.some((other) => equals(value, other));
}

/** Whether two values of the same kind are equal; integers of all types are of one kind. */
export function equals(a: Value, b: Value): boolean {
  const left = simple(a);
  const right = simple(b);
  if (left !== undefined && right !== undefined) {
    if (typeof left !== typeof right) throw incompatible(a, b);
    return left === right;
  }
  if (isNothing(a) || isNothing(b)) {
    const other = isNothing(a) ? b : a;
    return isNothing(other) || isNil(other);
  }
  if (left !== undefined || right !== undefined || a.constructor !== b.constructor) {
    throw incompatible(a, b);
  }
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (a instanceof Root && b instanceof Root) return a === b;
  throw new ValueError(`${describe(a)} cannot be compared with any other`);
}

/** Whether `a` is less than `b`. */
export function isLess(a: Value, b: Value): boolean {
  const left = simple(a);
  const right = simple(b);
  for (const [side, value] of [[left, a], [right, b]]) {
    if (side === undefined) throw notOrdered(value);
  }
  if (typeof left !== typeof right) throw incompatible(a, b);
  if (typeof left === "boolean") throw notOrdered(a);
  if (typeof left === "string" && typeof right === "string") return compareText(left, right) < 0;
  return left !== undefined && right !== undefined && left < right;
}

function simple(value: Value): string | bigint | number | boolean | undefined {
  if (value instanceof Byte) return value.value;
  return typeof value === "object" && value !== null || value === null ? undefined : value;
}

function isNil(value: Value): boolean {
  return (value instanceof Slice || value instanceof Mapping) && value.isNil;
}

function incompatible(a: Value, b: Value): ValueError {
  return new ValueError(`${describe(a)} and ${describe(b)} cannot be compared`);
}

function notOrdered(value: Value): ValueError {
  return new ValueError(`${describe(value)} is neither less nor more than another value`);
}
