/**
 * Flags of commands. One dash or two, `-x=v` and `-x v`, `--` ends them, as Go's flag package has it.
 * Arguments are first brought into the one form that every parser reads alike (`--x=v`), as a value
 * may begin with a dash; the operands never go through the parser, so none becomes a number.
 */
import { parseArgs } from "@std/cli/parse-args";
import { LlamaError } from "../job/errors.ts";
import { nearest } from "./nearest.ts";

/** A flag that a command knows. */
export type Flag = SwitchFlag | ValueFlag | IntegerFlag;

/** What all flags have. */
interface NamedFlag {
  /** Its name without dashes, such as `dry-run`. */
  readonly name: string;
  /** Other names of the same flag, such as `f` for `file`. */
  readonly aliases?: readonly string[];
}

/** A flag that stands alone. */
export interface SwitchFlag extends NamedFlag {
  /** Tells it from the other kinds. */
  readonly kind: "switch";
}

/** A flag with a value. */
export interface ValueFlag extends NamedFlag {
  /** Any text, any text of each time that it is given, a {@linkcode parseDuration}, or a number that is not negative. */
  readonly kind: "value" | "list" | "duration" | "number";
  /** What usage calls the value; completion offers files for FILE, PATH and LOCAL, and folders for DIR. */
  readonly takes: string;
}

/** A flag that takes a whole number. */
export interface IntegerFlag extends NamedFlag {
  /** Tells it from the other kinds. */
  readonly kind: "integer";
  /** What usage calls the value. */
  readonly takes: string;
  /** Least value. */
  readonly min: number;
  /** Greatest value. */
  readonly max: number;
}

/** The flags of one command line. */
export interface Flags {
  /** Whether the switch `name` is on. */
  has(name: string): boolean;
  /** The value of the flag `name`, undefined if it is not given. */
  value(name: string): string | undefined;
  /** The values of the flag `name` in their order. */
  list(name: string): readonly string[];
  /** The whole number that the flag `name` gives, undefined if it is not given. */
  integer(name: string): number | undefined;
  /** The number that the flag `name` gives, undefined if it is not given. */
  number(name: string): number | undefined;
  /** The milliseconds that the flag `name` gives, undefined if it is not given. */
  duration(name: string): number | undefined;
}

/** A command line taken apart. */
export interface ParsedLine {
  readonly flags: Flags;
  readonly operands: readonly string[];
}

/** An error in how a command was called; its exit status is 2. */
export function usageError(message: string, hint?: string): LlamaError {
  return new LlamaError("Usage", message, { exitCode: 2, ...(hint !== undefined && { hint }) });
}

/**
 * Takes `args` apart by the flags in `known`. Of flags that take one value the last one counts, and all are
 * checked. A number may follow its flag at once, as in `-j8`.
 *
 * @param endAtOperand Whether the first operand ends the flags, as where a command follows.
 * @throws {LlamaError} With code `Usage`, if a flag is unknown, lacks its value or has a bad one.
 */
export function parseFlags(
  args: readonly string[],
  known: readonly Flag[],
  endAtOperand: boolean,
): ParsedLine {
  const flags: string[] = [];
  const operands: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      operands.push(...args.slice(index + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      if (endAtOperand) {
        operands.push(...args.slice(index));
        break;
      }
      operands.push(arg);
      continue;
    }
    const { spelled, inline } = spellingOf(arg, known);
    const flag = find(spelled, known);
    if (flag.kind === "switch") {
      flags.push(`--${flag.name}=${switchValue(spelled, inline)}`);
      continue;
    }
    const value = inline ?? args[++index];
    if (value === undefined) throw usageError(`The flag -${spelled} needs a value`);
    checkValue(flag, value, spelled);
    // `--x=` would be a flag called `x=`; alone, a flag that takes text has the empty one.
    flags.push(value === "" ? `--${flag.name}` : `--${flag.name}=${value}`);
  }
  const named = (is: (kind: Flag["kind"]) => boolean) =>
    known.filter(({ kind }) => is(kind)).map(({ name }) => name);
  const parsed: Readonly<Record<string, unknown>> = parseArgs(flags, {
    boolean: named((kind) => kind === "switch"),
    string: named((kind) => kind !== "switch"),
    collect: named((kind) => kind === "list"),
  });
  return { flags: flagsOf(parsed, known), operands };
}

/** The name that `arg` begins with, and the value that it holds. */
function spellingOf(
  arg: string,
  known: readonly Flag[],
): { readonly spelled: string; readonly inline: string | undefined } {
  const body = arg.slice(arg.startsWith("--") ? 2 : 1);
  const equals = body.indexOf("=");
  if (equals >= 0) return { spelled: body.slice(0, equals), inline: body.slice(equals + 1) };
  const letter = body.slice(0, 1);
  const isNumber = /^[a-z]\d+$/i.test(body) &&
    known.some(({ name, kind, aliases }) =>
      kind === "integer" && (name === letter || aliases?.includes(letter))
    );
  return isNumber
    ? { spelled: letter, inline: body.slice(1) }
    : { spelled: body, inline: undefined };
}

function checkValue(flag: Flag, text: string, spelled: string): void {
  if (flag.kind === "integer") parseInteger(text, spelled, flag.min, flag.max);
  if (flag.kind === "duration") parseDuration(text, spelled);
  if (flag.kind === "number") parseNumber(text, spelled);
}

function find(spelled: string, known: readonly Flag[]): Flag {
  const flag = known.find(({ name, aliases }) => name === spelled || aliases?.includes(spelled));
  if (flag !== undefined) return flag;
  const names = known.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]);
  const near = nearest(spelled, names);
  throw usageError(
    `Unknown flag -${spelled}`,
    near === undefined ? undefined : `did you mean -${near}?`,
  );
}

function switchValue(spelled: string, text: string | undefined): boolean {
  if (text === undefined || text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw usageError(`The flag -${spelled} takes "true" or "false", not ${JSON.stringify(text)}`);
}

function flagsOf(parsed: Readonly<Record<string, unknown>>, known: readonly Flag[]): Flags {
  const get = (name: string, kind: Flag["kind"]): unknown => {
    if (!known.some((flag) => flag.name === name && flag.kind === kind)) {
      throw new TypeError(`The command does not declare the ${kind} flag -${name}`);
    }
    return parsed[name];
  };
  const texts = (value: unknown): string[] =>
    (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
  const last = (name: string, kind: Flag["kind"]) => texts(get(name, kind)).at(-1);
  return {
    has: (name) => get(name, "switch") === true,
    value: (name) => last(name, "value"),
    list: (name) => texts(get(name, "list")),
    integer: (name) => {
      const text = last(name, "integer");
      return text === undefined ? undefined : Number(text);
    },
    number: (name) => {
      const text = last(name, "number");
      return text === undefined ? undefined : Number(text);
    },
    duration: (name) => {
      const text = last(name, "duration");
      return text === undefined ? undefined : parseDuration(text, name);
    },
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads a duration such as `90s`, `1m30s`, `500ms` or `1.5h`; a bare number is seconds.
 *
 * @returns Whole milliseconds, at least 1.
 * @throws {LlamaError} With code `Usage`, if it is not one.
 */
export function parseDuration(text: string, flag: string): number {
  const bad = () =>
    usageError(`The flag -${flag} takes a duration such as 90s or 1m30s, not ${quote(text)}`);
  if (/^\d+(\.\d+)?$/.test(text)) return atLeastOne(Number(text) * 1000, bad);
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) throw bad();
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return atLeastOne(total, bad);
}

function atLeastOne(ms: number, bad: () => LlamaError): number {
  const whole = Math.round(ms);
  if (whole < 1 || !Number.isSafeInteger(whole)) throw bad();
  return whole;
}

/**
 * Reads a whole number from `min` to `max`.
 *
 * @throws {LlamaError} With code `Usage`, if it is not one.
 */
function parseInteger(text: string, flag: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw usageError(
    `The flag -${flag} takes a whole number from ${min} to ${max}, not ${quote(text)}`,
  );
}

function parseNumber(text: string, flag: string): number {
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (Number.isFinite(value)) return value;
  throw usageError(`The flag -${flag} takes a number such as 2.50, not ${quote(text)}`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
