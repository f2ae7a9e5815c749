/**
 * Flags of commands. One dash or two, `-x=v` and `-x v`, `--` ends them, as Go's flag package has it.
 * Arguments are first brought into the one form that every parser reads alike (`--x=v`), as a value
 * may begin with a dash; the operands never go through the parser, so none becomes a number.
 */
import { parseArgs } from "@std/cli/parse-args";
import { LlamaError } from "../job/errors.ts";

/** A flag that a command knows. */
export interface Flag {
  /** Its name without dashes, such as `dry-run`. */
  readonly name: string;
  /** Whether it stands alone, takes one value (the last one counts) or may be repeated. */
  readonly kind: "switch" | "value" | "list";
  /** Other names of the same flag, such as `f` for `file`. */
  readonly aliases?: readonly string[];
}

/** The flags of one command line. */
export interface Flags {
  /** Whether the switch `name` is on. */
  has(name: string): boolean;
  /** The value of the flag `name`, undefined if it is not given. */
  value(name: string): string | undefined;
  /** The values of the flag `name` in their order. */
  list(name: string): readonly string[];
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
 * Takes `args` apart by the flags in `known`.
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
    const body = arg.slice(arg.startsWith("--") ? 2 : 1);
    const equals = body.indexOf("=");
    const spelled = equals < 0 ? body : body.slice(0, equals);
    const flag = find(spelled, known);
    const inline = equals < 0 ? undefined : body.slice(equals + 1);
    if (flag.kind === "switch") {
      flags.push(`--${flag.name}=${switchValue(spelled, inline)}`);
      continue;
    }
    const value = inline ?? args[++index];
    if (value === undefined) throw usageError(`The flag -${spelled} needs a value`);
    // `--x=` would be a flag called `x=`; alone, a flag that takes text has the empty one.
    flags.push(value === "" ? `--${flag.name}` : `--${flag.name}=${value}`);
  }
  const named = (kind: Flag["kind"]) => known.filter((f) => f.kind === kind).map((f) => f.name);
  const parsed: Readonly<Record<string, unknown>> = parseArgs(flags, {
    boolean: named("switch"),
    string: [...named("value"), ...named("list")],
    collect: named("list"),
  });
  return { flags: flagsOf(parsed, known), operands };
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
  return {
    has: (name) => get(name, "switch") === true,
    value: (name) => texts(get(name, "value")).at(-1),
    list: (name) => texts(get(name, "list")),
  };
}

/** The name that `spelled` most likely means, undefined if none is near. */
export function nearest(spelled: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(spelled.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(spelled, name);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, substitutions and swaps of neighbours that make `b` of `a`. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let distance = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, (before[column - 2] ?? 0) + 1);
      }
      current.push(distance);
    }
    before = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
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
export function parseInteger(text: string, flag: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw usageError(
    `The flag -${flag} takes a whole number from ${min} to ${max}, not ${quote(text)}`,
  );
}

function quote(text: string): string {
  return JSON.stringify(text);
}
