/**
 * What commands have needed, by program and kind of arguments, so that the second of many similar ones
 * needs one round. It is a guess like any other: a path that is gone is not sent.
 */
import { FormatError } from "../job/errors.ts";
import { asObject, asTexts, parseJson } from "../job/json.ts";
import { replaceFile } from "./write_output.ts";

/** A memory of commands. */
export interface CommandMemory {
  /** Paths that such commands have needed, those of the program's other kinds if there was none. */
  recall(program: string, kind: string): readonly string[];
  /** Whether such a command has run, so that little will be missing. */
  knows(program: string, kind: string): boolean;
  /** Takes note of them. */
  learn(program: string, kind: string, paths: Iterable<string>): Promise<void>;
}

/** Programs with kinds that are remembered, and paths of one. */
const MAX_COMMANDS = 500;
const MAX_PATHS = 20_000;
const VERSION = 1;

/** Opens the memory kept in `path`; a damaged file is forgotten. */
export async function openCommandMemory(path: string): Promise<CommandMemory> {
  const known = await read(path);
  let writing: Promise<void> = Promise.resolve();
  const keyOf = (program: string, kind: string) => `${program}\0${kind}`;
  return {
    recall: (program, kind) => {
      const own = known.get(keyOf(program, kind));
      if (own) return own;
      const others = [...known].filter(([key]) => key.startsWith(`${program}\0`));
      return [...new Set(others.flatMap(([, paths]) => paths))];
    },
    knows: (program, kind) => known.has(keyOf(program, kind)),
    learn: async (program, kind, paths) => {
      const key = keyOf(program, kind);
      const before = known.get(key) ?? [];
      const all = [...new Set([...before, ...paths])].slice(-MAX_PATHS);
      if (all.length === before.length && all.every((one, index) => one === before[index])) return;
      // The oldest goes first, as a map keeps the order of its entries.
      known.delete(key);
      known.set(key, all);
      const [oldest] = known.keys();
      if (known.size > MAX_COMMANDS && oldest !== undefined) known.delete(oldest);
      const text = JSON.stringify({ version: VERSION, commands: Object.fromEntries(known) });
      const done = writing.then(() => replaceFile(path, new TextEncoder().encode(text), 0o600));
      // The next write must go on even if this one fails; the caller of this one is told.
      writing = done.catch(() => undefined);
      await done;
    },
  };
}

async function read(path: string): Promise<Map<string, readonly string[]>> {
  const known = new Map<string, readonly string[]>();
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return known;
    throw error;
  }
  try {
    const { version, commands } = asObject(parseJson(text, "memory"), "memory");
    if (version !== VERSION) return known;
    for (const [key, paths] of Object.entries(asObject(commands, "memory.commands"))) {
      known.set(key, asTexts(paths, "memory.commands"));
    }
    return known;
  } catch (error) {
    if (error instanceof FormatError) return new Map();
    throw error;
  }
}
