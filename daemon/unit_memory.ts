/**
 * What proofs have found that the guess does not see (computed includes, `.incbin`, what plugins open), by unit, so
 * that the next build needs one round for each of them, after a restart, too.
 *
 * The file is JSON of one line: `{"version": 1, "paths": [path, …], "units": {key: [index, …], …}}`. A key is a hash of a
 * unit's source and arguments, as these take a kilobyte; paths stand once, as many units want the same. It is a guess
 * like any other: what is gone is not sent, and a damaged file is forgotten.
 */
import { FormatError } from "../job/errors.ts";
import { asArray, asInteger, asObject, asTexts, parseJson } from "../job/json.ts";
import { replaceFile } from "./write_output.ts";

/** A memory of units. */
export interface UnitMemory {
  /** Paths that proofs have found for a unit. */
  recall(unit: string): ReadonlySet<string>;
  /** Takes note of them, in place of what was known. */
  learn(unit: string, paths: ReadonlySet<string>): void;
  /** Resolves when all that was learned so far is in the file. */
  keep(): Promise<void>;
}

const VERSION = 1;
/** The oldest are forgotten when there are more. */
const MAX_UNITS = 20_000;
/** Milliseconds after something was learned until it is written: a build learns for many units together. */
const WRITE_AFTER_MS = 2_000;
const NOTHING: ReadonlySet<string> = new Set();

/**
 * Opens the memory kept in `path`, or one without a file.
 *
 * @param onProblem Hears that the file cannot be written; the memory goes on without.
 */
export async function openUnitMemory(
  path: string | undefined,
  onProblem: (problem: unknown) => void = () => undefined,
): Promise<UnitMemory> {
  const units = path === undefined ? new Map<string, ReadonlySet<string>>() : await read(path);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async () => {
    if (path === undefined) return;
    try {
      await replaceFile(path, new TextEncoder().encode(encode(units)), 0o600);
    } catch (error) {
      onProblem(error);
    }
  };
  const keep = () => {
    if (timer === undefined) return writing;
    clearTimeout(timer);
    timer = undefined;
    return writing = writing.then(write);
  };

  return {
    recall: (unit) => units.get(keyOf(unit)) ?? NOTHING,
    learn: (unit, paths) => {
      const key = keyOf(unit);
      // The oldest goes first, as a map keeps the order of its entries.
      units.delete(key);
      units.set(key, new Set(paths));
      const [oldest] = units.keys();
      if (units.size > MAX_UNITS && oldest !== undefined) units.delete(oldest);
      timer ??= setTimeout(() => void keep(), WRITE_AFTER_MS);
    },
    keep,
  };
}

/** FNV-1a (IETF draft-eastlake-fnv), twice 32 bits: two units of one key would only be sent what they do not need. */
function keyOf(unit: string): string {
  let [one, other] = [0x811c9dc5, 0x9747b28c];
  for (let at = 0; at < unit.length; at++) {
    const code = unit.charCodeAt(at);
    one = Math.imul(one ^ code, 0x01000193);
    other = Math.imul(other ^ code, 0x01000193);
  }
  return [one, other].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

function encode(units: ReadonlyMap<string, ReadonlySet<string>>): string {
  const indexes = new Map<string, number>();
  const indexOf = (path: string) => {
    const index = indexes.get(path) ?? indexes.size;
    indexes.set(path, index);
    return index;
  };
  const byUnit = Object.fromEntries(
    [...units].map(([key, paths]) => [key, [...paths].map(indexOf)]),
  );
  return JSON.stringify({ version: VERSION, paths: [...indexes.keys()], units: byUnit });
}

async function read(path: string): Promise<Map<string, ReadonlySet<string>>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Map();
    throw error;
  }
  try {
    const json = asObject(parseJson(text, "memory"), "memory");
    asInteger(json.version, "memory.version", VERSION, VERSION);
    const paths = asTexts(json.paths, "memory.paths");
    return new Map(
      Object.entries(asObject(json.units, "memory.units")).map(([key, indexes]) => [
        key,
        new Set(
          asArray(indexes, "memory.units").map((index) =>
            paths[asInteger(index, "memory.units", 0, paths.length - 1)] ?? ""
          ),
        ),
      ]),
    );
  } catch (error) {
    if (error instanceof FormatError) return new Map();
    throw error;
  }
}
