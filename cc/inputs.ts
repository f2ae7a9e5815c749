/** Turns paths as a compiler spells them into the inputs of a rooted job. */
import type { Digest } from "../job/digest.ts";
import type { FileInput, Input } from "../job/manifest.ts";
import type { FileDigests, KnownFile } from "./digests.ts";
import type { FileState } from "./file_system.ts";
import type { Folders } from "./folders.ts";
import type { Place, Places } from "./places.ts";

/** Inputs under construction: each real path once, with every link and folder on the way. */
export interface InputSet {
  readonly inputs: Map<string, Input>;
  /** State of each file when it was hashed, by real path; a change of it voids the result. */
  readonly states: Map<string, FileState>;
  /** Paths that do not exist, or cannot be read. */
  readonly unreadable: string[];
}

/** What {@linkcode addPath} works with. */
export interface InputTools {
  readonly folders: Folders;
  readonly places: Places;
  readonly digests: FileDigests;
}

/** Creates an empty set. */
export function createInputSet(): InputSet {
  return { inputs: new Map(), states: new Map(), unreadable: [] };
}

/**
 * Adds what `path` names: a file with its content by digest, or a folder without what is in it.
 * Returns a promise only where the file must be hashed first.
 */
export function addPath(set: InputSet, path: string, tools: InputTools): void | Promise<void> {
  const place = tools.places.find(path);
  if (!place) {
    set.unreadable.push(path);
    return;
  }
  addWay(set, place, tools);
  const real = place.path;
  if (set.inputs.get(real)?.kind === "file") return;
  const state = tools.folders.stat(real);
  if (state?.kind === "folder") {
    addFolder(set, real, tools, state);
    return;
  }
  if (state?.kind !== "file") {
    set.unreadable.push(path);
    return;
  }
  const known = tools.digests.known(real, state);
  if (known) {
    addFile(set, real, known);
    return;
  }
  return tools.digests.compute(real).then((file) => {
    if (file) addFile(set, real, file);
    else set.unreadable.push(path);
  });
}

/** Adds the links and folders that lead to a place. */
export function addWay(set: InputSet, place: Place, tools: InputTools): void {
  for (const { path, target } of place.links) {
    if (!set.inputs.has(path)) set.inputs.set(path, { kind: "link", path, target });
  }
  for (const folder of place.folders) addFolder(set, folder, tools);
}

function addFolder(set: InputSet, path: string, tools: InputTools, known?: FileState): void {
  if (path === "/" || set.inputs.has(path)) return;
  const state = known ?? tools.folders.stat(path);
  if (state) set.inputs.set(path, { kind: "folder", path, mode: state.mode });
}

/** The input of each known file, one for all units. */
const inputOf = new WeakMap<KnownFile, FileInput>();

function addFile(set: InputSet, path: string, file: KnownFile): void {
  let input = inputOf.get(file);
  if (!input) inputOf.set(file, input = fileInput(path, file.digest, file.state));
  set.inputs.set(path, input);
  set.states.set(path, file.state);
}

/** The input for a file whose content stands in the store. */
export function fileInput(path: string, digest: Digest, state: FileState): FileInput {
  return {
    kind: "file",
    path,
    // What could be read here is read there, too, though its owner be another or its reader root.
    mode: state.mode | 0o400,
    mtimeMs: Math.floor(state.mtimeMs),
    content: { digest, size: state.size },
  };
}

/** Adds many paths; those that must be hashed go one after the other. */
export async function addPaths(
  set: InputSet,
  paths: Iterable<string>,
  tools: InputTools,
): Promise<void> {
  for (const path of paths) {
    const pending = addPath(set, path, tools);
    if (pending) await pending;
  }
}
