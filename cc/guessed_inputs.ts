/**
 * The inputs of a guess, remembered for each path: while no folder on the way to a file has changed, and not the file,
 * its inputs are what they were. That is so for nearly all headers of nearly all units.
 */
import type { Input } from "../job/manifest.ts";
import { addFoldersAbove } from "../job/path.ts";
import { type FileState, sameState } from "./file_system.ts";
import { addPath, createInputSet, type InputSet, type InputTools } from "./inputs.ts";

/** Adds the paths of a guess. */
export type GuessAdder = (set: InputSet, paths: readonly string[]) => Promise<void>;

/** The folders in which a name was looked up on the way to a file; files of one folder share it. */
interface Way {
  readonly folders: readonly string[];
  /** When they were found unchanged. */
  round: number;
}

/** What one path has added. */
interface Known {
  /** Links and folders on the way, and the file. */
  readonly inputs: readonly Input[];
  /** Its real path and its state. */
  readonly real: string;
  readonly state: FileState;
  readonly way: Way;
}

/** Creates an adder that remembers. */
export function createGuessAdder(tools: InputTools): GuessAdder {
  const { folders } = tools;
  let known = new Map<string, Known>();
  let ways = new Map<string, Way>();
  let shape = -1;

  /** Looks at the folders of a way, which tells whether any of them has another shape. */
  const refresh = (way: Way) => {
    if (way.round === folders.round) return;
    for (const folder of way.folders) folders.refresh(folder);
    way.round = folders.round;
  };

  const forgetIfChanged = () => {
    if (shape === folders.shapeGeneration) return;
    known = new Map();
    ways = new Map();
    shape = folders.shapeGeneration;
  };

  /** Finds the inputs of one path, and remembers them if they will be the same. */
  const find = async (path: string): Promise<InputSet> => {
    const own = createInputSet();
    await addPath(own, path, tools);
    const [[real, state] = []] = own.states;
    if (real !== undefined && state && tools.digests.known(real, state)) {
      forgetIfChanged();
      const passed = waysOf(own);
      const key = passed.join("\0");
      let way = ways.get(key);
      if (!way) ways.set(key, way = { folders: passed, round: folders.round });
      known.set(path, { inputs: [...own.inputs.values()], real, state, way });
    }
    return own;
  };

  return async (set, paths) => {
    forgetIfChanged();
    for (const path of paths) {
      const before = known.get(path);
      if (before) refresh(before.way);
    }
    forgetIfChanged();
    for (const path of paths) {
      // The source travels in the job and need not be hashed.
      if (set.inputs.get(path)?.kind === "file") continue;
      const before = known.get(path);
      const state = before && folders.stat(before.real);
      if (before && state && (state === before.state || sameState(state, before.state))) {
        for (const input of before.inputs) {
          if (!set.inputs.has(input.path)) set.inputs.set(input.path, input);
        }
        set.states.set(before.real, before.state);
        continue;
      }
      const found = await find(path);
      for (const [at, input] of found.inputs) {
        if (set.inputs.get(at)?.kind !== "file") set.inputs.set(at, input);
      }
      for (const [at, state] of found.states) set.states.set(at, state);
      set.unreadable.push(...found.unreadable);
    }
  };
}

/** All folders in which a name was looked up on the way: each is above a link, a folder passed, or a file. */
function waysOf({ inputs }: InputSet): string[] {
  const folders = new Set<string>();
  for (const path of inputs.keys()) addFoldersAbove(path, folders);
  return [...folders];
}
