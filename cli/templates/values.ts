/**
 * Values of templates. A JavaScript value stands for each type of Go's that a template can meet:
 * a string for string, a bigint for int, a number for float64, a boolean for bool; `null` is an interface
 * that holds nothing and `undefined` no value at all (what a map lacks), which Go keeps apart.
 */
import { byteLength, compareText } from "./text.ts";

/** Thrown by what works on values, for values that it cannot work on. */
export class ValueError extends Error {
  /** Name of the class. */
  override readonly name = "ValueError";
}

/** A byte of a string: Go's uint8. */
export class Byte {
  /** Creates a byte, 0 to 255. */
  constructor(readonly value: bigint) {}
}

/** A slice; `type` is Go's name, such as `[]string`. Its elements go on behind it up to its capacity. */
export class Slice {
  /** Creates a slice of `length` items from `start` of what lies under it. */
  constructor(
    readonly type: string,
    readonly under: readonly Value[],
    readonly start: number = 0,
    readonly length: number = under.length,
    readonly end: number = under.length,
    readonly isNil: boolean = false,
  ) {}

  /** Its elements. */
  get items(): readonly Value[] {
    return this.under.slice(this.start, this.start + this.length);
  }
}

/** A map; `key` and `element` are the names of their types in Go. Entries are sorted by key. */
export class Mapping {
  /** Its type's name. */
  readonly type: string;
  /** Values by key. */
  readonly entries: ReadonlyMap<string | bigint, Value>;

  /** Creates a map of entries in any order. */
  constructor(
    readonly key: "string" | "int",
    readonly element: string,
    entries: Iterable<readonly [string | bigint, Value]>,
    readonly isNil: boolean = false,
  ) {
    this.type = `map[${key}]${element}`;
    this.entries = new Map([...entries].toSorted(([a], [b]) => compareKeys(a, b)));
  }
}

/** What the data of a job offers: fields to read, and methods of one string to call. */
export interface TemplateData {
  /** Values by name. */
  readonly fields: Readonly<Record<string, Data>>;
  /** Methods by name; each takes exactly one string. */
  readonly methods: Readonly<Record<string, (text: string) => string>>;
}

/**
 * A value of a field. An integer is Go's int, another number float64, a bigint int; arrays and objects
 * are slices and maps of what they hold, `[]interface {}` and `map[string]interface {}` if that is mixed.
 */
export type Data =
  | string
  | number
  | bigint
  | boolean
  | null
  | Slice
  | Mapping
  | readonly Data[]
  | { readonly [name: string]: Data };

/** The data itself, the dot that a template starts with. */
export class Root {
  /** Creates the value of what a caller gives. */
  constructor(readonly data: TemplateData) {}
}

/** Anything that a template can hold. */
export type Value =
  | undefined
  | null
  | string
  | bigint
  | number
  | boolean
  | Byte
  | Slice
  | Mapping
  | Root;

/** Go's name for a type that holds anything. */
export const ANY = "interface {}";

/** The value of a field. */
export function valueOf(data: Data): Value {
  switch (typeof data) {
    case "number":
      return Number.isSafeInteger(data) ? BigInt(data) : data;
    case "object":
      break;
    default:
      return data;
  }
  if (data === null || data instanceof Slice || data instanceof Mapping) return data;
  if (isList(data)) {
    const items = data.map(valueOf);
    return new Slice(`[]${commonType(items)}`, items);
  }
  const entries = Object.entries(data).map(([key, value]) => [key, valueOf(value)] as const);
  return new Mapping("string", commonType(entries.map(([, value]) => value)), entries);
}

function isList(
  data: readonly Data[] | { readonly [name: string]: Data },
): data is readonly Data[] {
  return Array.isArray(data);
}

function commonType(values: readonly Value[]): string {
  const [first, ...others] = new Set(values.map((value) => value === null ? ANY : typeName(value)));
  return first === undefined || others.length > 0 ? ANY : first;
}

/** Go's name of a value's type, as messages and `%T` have it. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case "undefined":
      return "nil";
    case "bigint":
      return "int";
    case "number":
      return "float64";
    case "boolean":
      return "bool";
    case "string":
      return "string";
  }
  if (value === null) return ANY;
  if (value instanceof Byte) return "uint8";
  if (value instanceof Root) return "the data as a whole";
  return value.type;
}

/** A value as messages show it: what it is, and its type where that does not show. */
export function describe(value: Value): string {
  switch (typeof value) {
    case "undefined":
      return "nil";
    case "string":
      return `the string ${JSON.stringify(shortened(value))}`;
    case "bigint":
    case "number":
    case "boolean":
      return `the ${typeName(value)} ${value}`;
  }
  if (value === null) return "nil";
  if (value instanceof Byte) return `the byte ${value.value}`;
  return value instanceof Root ? "the data as a whole" : `a value of type ${value.type}`;
}

/** The beginning of a text that may be too long for a message. */
export function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** What an element of that type is before anything is put there. */
export function zeroOf(type: string): Value {
  switch (type) {
    case "string":
      return "";
    case "int":
      return 0n;
    case "float64":
      return 0;
    case "bool":
      return false;
    case "uint8":
      return new Byte(0n);
    case ANY:
      return null;
  }
  const map = /^map\[(string|int)\](.*)$/s.exec(type);
  if (map === null) return new Slice(type, [], 0, 0, 0, true);
  return new Mapping(map[1] === "int" ? "int" : "string", map[2] ?? ANY, [], true);
}

/** Whether it is nil or no value at all. */
export function isNothing(value: Value): value is undefined | null {
  return value === undefined || value === null;
}

/** Whether a condition takes the value for true: it is not the zero of its type. */
export function isTrue(value: Value): boolean {
  if (value instanceof Byte) return value.value !== 0n;
  if (value instanceof Slice) return value.length > 0;
  if (value instanceof Mapping) return value.entries.size > 0;
  return Number.isNaN(value) || Boolean(value);
}

/** What `len` says, undefined for what has no length. */
export function lengthOf(value: Value): number | undefined {
  if (typeof value === "string") return byteLength(value);
  if (value instanceof Slice) return value.length;
  if (value instanceof Mapping) return value.entries.size;
  return undefined;
}

function compareKeys(a: string | bigint, b: string | bigint): number {
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}
