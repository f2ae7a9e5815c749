/**
 * Stand-in for `@std/cli/parse-args` over minimist, which it comes from. What minimist does otherwise
 * is mended here: an option given twice keeps the last value unless it is in `collect`, `--no-x` negates
 * only what is in `negatable`, `--x=` without a value is an option called `x=`, and `unknown` gets the
 * key and the value.
 */
// @ts-types="npm:@types/minimist@1.2.5"
import minimist from "minimist";

/** What {@linkcode parseArgs} is told about the options. */
export interface ParseOptions<
  B extends string = string,
  S extends string = string,
  C extends string = string,
  D extends boolean = boolean,
> {
  /** Whether what follows `--` goes to the member `--` in place of `_`. */
  "--"?: D;
  /** Other names of options. */
  alias?: Record<string, string | readonly string[]>;
  /** Options that take no value. */
  boolean?: B | readonly B[];
  /** Values of options that are not given. */
  default?: Record<string, unknown>;
  /** Whether all from the first argument that is not an option on goes to `_`. */
  stopEarly?: boolean;
  /** Options that take a value. */
  string?: S | readonly S[];
  /** Options whose values are gathered in an array. */
  collect?: C | readonly C[];
  /** Options that `--no-` sets to false. */
  negatable?: string | readonly string[];
  /** Called for each argument that is not known; false drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The parsed arguments. */
export type Args<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  D extends boolean = false,
> =
  & { _: (string | number)[] }
  & (D extends true ? { "--": string[] } : unknown)
  & { [K in B]: boolean }
  & { [K in Exclude<S, C>]: string | undefined }
  & { [K in C]: string[] };

const listOf = (value: string | readonly string[] | undefined): string[] =>
  value === undefined ? [] : typeof value === "string" ? [value] : [...value];

// What minimist must not see as its own is written with a NUL, which no argument of a process holds.
const hide = (arg: string): string =>
  arg.endsWith("=") && arg.indexOf("=") === arg.length - 1 ? `${arg.slice(0, -1)}\0` : arg;
const hideNegation = (arg: string): string => arg.replace("--no-", "--\0no-");
const show = (text: string): string => text.replace(/^(-*)\0no-/, "$1no-").replace(/\0$/, "=");
const shown = (value: unknown): unknown => typeof value === "string" ? show(value) : value;

/** Parses the arguments of a program. */
export function parseArgs<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  D extends boolean = false,
>(args: readonly string[], options: ParseOptions<B, S, C, D> = {}): Args<B, S, C, D> {
  const aliases = options.alias ?? {};
  const namesOf = (key: string): string[] => {
    const group = Object.entries(aliases).map(([name, others]) => [name, ...listOf(others)]);
    return group.find((names) => names.includes(key)) ?? [key];
  };
  const collect = new Set(listOf(options.collect).flatMap(namesOf));
  const negatable = new Set(listOf(options.negatable).flatMap(namesOf));
  const { unknown } = options;
  const end = args.indexOf("--");
  const flags = args.slice(0, end < 0 ? args.length : end).map((arg) => {
    if (!arg.startsWith("--")) return arg;
    const negated = /^--no-([^=]+)$/.exec(arg)?.[1];
    return negated === undefined || negatable.has(negated) ? hide(arg) : hideNegation(arg);
  });
  const parsed: Record<string, unknown> & { _: unknown[] } = minimist(
    [...flags, ...(end < 0 ? [] : args.slice(end))],
    {
      ...(options["--"] === undefined ? {} : { "--": options["--"] }),
      ...(options.stopEarly === undefined ? {} : { stopEarly: options.stopEarly }),
      alias: Object.fromEntries(
        Object.entries(aliases).map(([key, value]) => [key, listOf(value)]),
      ),
      boolean: listOf(options.boolean).flatMap(namesOf),
      default: { ...options.default },
      string: listOf(options.string),
      ...(unknown === undefined ? {} : {
        unknown: (hiddenArg: string) => {
          const arg = show(hiddenArg);
          const [, key, value] = /^--?([^=]+)(?:=([^]*))?$/.exec(arg) ?? [];
          return (key === undefined ? unknown(arg) : unknown(arg, key, value ?? true)) !== false;
        },
      }),
    },
  );
  const defaults = options.default ?? {};
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(parsed)) {
    const name = show(key);
    if (name === "_" || name === "--") {
      result[name] = Array.isArray(value) ? value.map(shown) : value;
    } else if (namesOf(name).some((other) => defaults[other] === value)) result[name] = value;
    else if (collect.has(name)) result[name] = (Array.isArray(value) ? value : [value]).map(shown);
    else result[name] = shown(Array.isArray(value) ? value.at(-1) : value);
  }
  for (const name of collect) if (!Object.hasOwn(result, name)) result[name] = [];
  return result as Args<B, S, C, D>;
}
