/**
 * The inputs of a guess, remembered: while no file of it and no folder on the way to one has changed they are what
 * they were, which is nearly always so when a unit is compiled again.
 */
import type { Input } from "../job/manifest.ts";
import { addFoldersAbove } from "../job/path.ts";
import type { FileState } from "./file_system.ts";
import { addPath, createInputSet, type InputSet, type InputTools } from "./inputs.ts";

/** Adds the paths of a guess, which is the same array as long as its files are unchanged. */
export type GuessAdder = (set: InputSet, paths: readonly string[]) => Promise<void>;

interface Kept {
  readonly inputs: readonly Input[];
  readonly states: readonly (readonly [string, FileState])[];
  /** Folders on the way to the files: while they are what they were, so are links and places. */
  readonly folders: readonly string[];
  readonly shape: number;
}

/** Creates an adder that remembers. */
export function createGuessAdder(tools: InputTools): GuessAdder {
  const kept = new WeakMap<readonly string[], Kept>();
  const { folders, digests } = tools;

  const isCurrent = (known: Kept) => {
    for (const folder of known.folders) folders.refresh(folder);
    return known.shape === folders.shapeGeneration;
  };

  return async (set, paths) => {
    let known = kept.get(paths);
    if (!known || !isCurrent(known)) {
      const shape = folders.shapeGeneration;
      const own = createInputSet();
      for (const path of paths) {
        // The source travels in the job and need not be hashed.
        if (set.inputs.get(path)?.kind !== "file") await addPath(own, path, tools);
      }
      const states = [...own.states];
      known = { inputs: [...own.inputs.values()], states, shape, folders: waysOf(own) };
      const isSettled = states.every(([path, state]) => digests.known(path, state) !== undefined);
      if (isSettled && own.unreadable.length === 0) kept.set(paths, known);
      set.unreadable.push(...own.unreadable);
    }
    for (const input of known.inputs) {
      if (set.inputs.get(input.path)?.kind !== "file") set.inputs.set(input.path, input);
    }
    for (const [path, state] of known.states) {
      if (!set.states.has(path)) set.states.set(path, state);
    }
  };
}

/** All folders in which a name was looked up on the way: each is above a link, a folder passed, or a file. */
function waysOf({ inputs }: InputSet): string[] {
  const folders = new Set<string>();
  for (const path of inputs.keys()) addFoldersAbove(path, folders);
  return [...folders];
}
