/** The functions that every template has. Source: documentation of Go's text/template, "Functions". */
import { equals, equalsAny, isLess } from "./compare.ts";
import { escapeHtml, escapeQuery, escapeScript } from "./escape.ts";
import { print, printFormat, printLine } from "./print.ts";
import { byteAt, byteLength, sliceBytes } from "./text.ts";
import {
  Byte,
  describe,
  isNothing,
  isTrue,
  lengthOf,
  Mapping,
  Slice,
  typeName,
  type Value,
  ValueError,
  zeroOf,
} from "./values.ts";

/** What an argument must be. */
export type Parameter = "string" | "value";

/** A function or a method. */
export interface Callable {
  /** Arguments that it must get. */
  readonly parameters: readonly Parameter[];
  /** Whether it takes more of any type. */
  readonly takesMore: boolean;
  /** The truth of an argument after which no other is evaluated, and which is then the result. */
  readonly decidedBy?: boolean;
  /** Calls it; throws a {@linkcode ValueError} for values that it cannot work on. */
  readonly call: (...args: Value[]) => Value;
}

const BUILTINS: Readonly<Record<string, Callable>> = {
  and: { ...some(1, lastOf), decidedBy: false },
  call: some(1, (callee) => {
    throw new ValueError(`${describe(callee)} cannot be called`);
  }),
  eq: some(1, (first, ...others) => equalsAny(first, others)),
  ge: exactly(2, (a, b) => !isLess(a, b)),
  gt: exactly(2, (a, b) => !isLess(a, b) && !equals(a, b)),
  html: some(0, (...values) => escapeHtml(printedTogether(values))),
  index: some(1, indexOf),
  js: some(0, (...values) => escapeScript(printedTogether(values))),
  le: exactly(2, (a, b) => isLess(a, b) || equals(a, b)),
  len: exactly(1, (value) => {
    const length = lengthOf(value);
    if (length === undefined) throw new ValueError(`${describe(value)} has no length`);
    return BigInt(length);
  }),
  lt: exactly(2, isLess),
  ne: exactly(2, (a, b) => !equals(a, b)),
  not: exactly(1, (value) => !isTrue(value)),
  or: { ...some(1, lastOf), decidedBy: true },
  print: some(0, (...values) => print(values)),
  printf: {
    parameters: ["string"],
    takesMore: true,
    call: (format, ...values) => printFormat(String(format), values),
  },
  println: some(0, (...values) => printLine(values)),
  slice: some(1, sliceOf),
  urlquery: some(0, (...values) => escapeQuery(printedTogether(values))),
};

/** Names of all functions. */
export const FUNCTION_NAMES: readonly string[] = Object.keys(BUILTINS);

/** The function of a name, undefined if there is none. */
export function functionOf(name: string): Callable | undefined {
  return Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
}

function exactly(count: number, call: Callable["call"]): Callable {
  return { parameters: Array<Parameter>(count).fill("value"), takesMore: false, call };
}

function some(count: number, call: Callable["call"]): Callable {
  return { ...exactly(count, call), takesMore: true };
}

/** What `and` and `or` give if no argument decides. */
function lastOf(...values: Value[]): Value {
  return values.at(-1);
}

/** As an action would print each of them. */
function printedTogether(values: readonly Value[]): string {
  return print(values.map((value) => isNothing(value) ? "<no value>" : value));
}

function indexOf(item: Value, ...indexes: Value[]): Value {
  let found = item;
  if (isNothing(found)) throw new ValueError("nil cannot be indexed");
  for (const index of indexes) {
    if (found instanceof Mapping) {
      const key = index instanceof Byte ? index.value : index;
      if ((typeof key !== "string" && typeof key !== "bigint") || typeName(key) !== found.key) {
        throw new ValueError(`${describe(index)} is no key of a ${found.type}`);
      }
      found = found.entries.has(key) ? found.entries.get(key) : zeroOf(found.element);
    } else if (typeof found === "string") {
      const at = position(index, found, byteLength(found) - 1);
      found = new Byte(BigInt(byteAt(found, at) ?? 0));
    } else if (found instanceof Slice) {
      found = found.under[found.start + position(index, found, found.length - 1)];
    } else {
      throw new ValueError(`${describe(found)} cannot be indexed`);
    }
  }
  return found;
}

function sliceOf(item: Value, ...indexes: Value[]): Value {
  if (indexes.length > 3) throw new ValueError(`a slice has no ${indexes.length} bounds`);
  if (typeof item !== "string" && !(item instanceof Slice)) {
    throw new ValueError(`${describe(item)} cannot be sliced`);
  }
  const isText = typeof item === "string";
  if (isText && indexes.length === 3) throw new ValueError("a string is sliced by two bounds");
  const length = isText ? byteLength(item) : item.length;
  const capacity = isText ? length : item.end - item.start;
  const [from = 0, to = length, end = capacity] = indexes.map((index) =>
    position(index, item, capacity)
  );
  if (from > to || to > end) throw new ValueError(`the bounds ${[from, to, end]} are not in order`);
  if (isText) return sliceBytes(item, from, to);
  const { type, under, start, isNil } = item;
  return new Slice(type, under, start + from, to - from, start + end, isNil);
}

function position(index: Value, item: string | Slice, last: number): number {
  const integer = index instanceof Byte ? index.value : index;
  if (typeof integer !== "bigint") throw new ValueError(`${describe(index)} is no index`);
  if (integer < 0n || integer > BigInt(last)) {
    const bounds = last < 0 ? ", which is empty" : `, whose last is ${last}`;
    throw new ValueError(`the index ${integer} is not in ${describe(item)}${bounds}`);
  }
  return Number(integer);
}
