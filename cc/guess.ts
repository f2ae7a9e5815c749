/**
 * The guess: a superset of the files that a translation unit includes, found without evaluating any
 * condition. It is never trusted: the proof decides, and a name that was missed costs one round.
 *
 * For each search path there is a graph of headers: a node is a file, its edges are the files that its
 * directives name. A node is true as long as its file and the answers about names in folders are what
 * they were, so the walk of a new unit is a stat for each file and set look-ups, and that of a unit seen before
 * nothing but the stats.
 */
import { type FileState, type FileSystem, isSettled, sameState } from "./file_system.ts";
import { childOf } from "../job/path.ts";
import type { FileDigests } from "./digests.ts";
import type { Folders } from "./folders.ts";
import { type Include, scan } from "./lex.ts";
import type { SearchPath } from "./search_path.ts";

/** What the guess starts from. */
export interface GuessRequest {
  /** Absolute paths of the source and of what the command line includes. */
  readonly roots: readonly string[];
  /** Absolute folders. */
  readonly search: SearchPath;
  /** Absolute. */
  readonly cwd: string;
}

/** Guesses inputs, with memory. */
export interface Guesser {
  /**
   * Paths of existing files, spelled as the compiler will spell them, the roots first. The same array as the last
   * time says that each of them is the same unchanged file.
   */
  guess(request: GuessRequest): readonly string[];
}

interface Node {
  readonly includes: readonly Include[];
  readonly edges: readonly string[];
  /** Folder of the search path in which the file was found, -1 if not there. */
  readonly position: number;
  /** {@linkcode Folders.answerGeneration} when the edges were found. */
  readonly answers: number;
}

/** The guess of a unit, and what it was made from. */
interface Walk {
  readonly paths: readonly string[];
  /** What was walked over, with roots that are no files. */
  readonly walked: readonly string[];
  readonly states: readonly (FileState | undefined)[];
  /** {@linkcode Folders.answerGeneration} at its end. */
  readonly answers: number;
}

/** Headers as one search path finds them. */
interface Space {
  readonly nodes: Map<string, Node>;
  /** By what the guess began with. */
  readonly walks: Map<string, Walk>;
  /** Folders in which a name was looked for: an edge is true while their answers are. */
  readonly folders: Set<string>;
}

/** GCC's precompiled headers stand beside those that they are made of; clang's are named in the command. */
const PRECOMPILED = /\.[gp]ch$/;
/** Largest file that is scanned, in bytes; a larger one is sent without its includes. */
const MAX_SCANNED_BYTES = 64 * 1024 * 1024;

/** Units whose guess is kept, for each search path. */
const MAX_WALKS = 5000;

/** Creates a guesser over `files` and `folders`; `digests` gets what was read anyway. */
export function createGuesser(
  files: FileSystem,
  folders: Folders,
  digests?: Pick<FileDigests, "learn">,
): Guesser {
  const spaces = new Map<string, Space>();
  const scans = new Map<
    string,
    {
      state: FileState;
      settled: boolean;
      includes: readonly Include[];
      /** Names that the assembler takes: found anew for each unit, as that begins in its working folder. */
      assembled: readonly string[];
    }
  >();
  const decoder = new TextDecoder();

  const scanned = (path: string, state: FileState, isRoot: boolean) => {
    const known = scans.get(path);
    if (known && known.settled && sameState(known.state, state)) return known;
    const lookedMs = files.now();
    const isText = !PRECOMPILED.test(path) && state.size <= MAX_SCANNED_BYTES;
    const bytes = isText ? files.read(path) : undefined;
    // A source travels in the job and need not be hashed.
    if (bytes && !isRoot) digests?.learn(path, { bytes, state, lookedMs });
    const all = bytes ? scan(decoder.decode(bytes)) : [];
    const entry = {
      state,
      settled: isSettled(state, lookedMs, files.settleMs),
      includes: all.filter(({ assembled }) => !assembled),
      assembled: all.flatMap(({ assembled, name }) => assembled ? [name] : []),
    };
    scans.set(path, entry);
    return entry;
  };

  const isFile = (path: string, space: Space): boolean => {
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, slash) || "/";
    space.folders.add(folder);
    const kind = folders.answer(folder, path.slice(slash + 1));
    return kind === "file" || (kind === "link" && folders.stat(path)?.kind === "file");
  };

  const resolve = (
    include: Include,
    from: string,
    position: number,
    search: SearchPath,
    space: Space,
  ) => {
    const { name, quoted, next } = include;
    if (name.startsWith("/")) return isFile(name, space) ? name : undefined;
    const { quote, bracket } = search;
    if (quoted && !next) {
      const beside = childOf(from.slice(0, from.lastIndexOf("/")) || "/", name);
      if (isFile(beside, space)) return beside;
    }
    const total = quote.length + bracket.length;
    const start = next && position >= 0 ? position + 1 : quoted ? 0 : quote.length;
    for (let index = start; index < total; index++) {
      const folder = index < quote.length ? quote[index] : bracket[index - quote.length];
      if (folder === undefined) continue;
      const path = childOf(folder, name);
      if (isFile(path, space)) return path;
    }
    return undefined;
  };

  const positionOf = (path: string, search: SearchPath): number => {
    const all = [...search.quote, ...search.bracket];
    let best = -1;
    let length = 0;
    for (const [index, folder] of all.entries()) {
      if (folder.length > length && path.startsWith(folder + "/")) {
        best = index;
        length = folder.length;
      }
    }
    return best;
  };

  const isSameWalk = ({ walked, states, answers }: Walk): boolean => {
    if (answers !== folders.answerGeneration) return false;
    for (let index = 0; index < walked.length; index++) {
      const before = states[index];
      const now = folders.stat(walked[index] ?? "");
      if (before !== now && !(before && now && sameState(before, now))) return false;
    }
    return true;
  };

  const walk = ({ roots, search, cwd }: GuessRequest, space: Space): Walk | string[] => {
    const found = new Set<string>(roots);
    const walked: string[] = [];
    const states: (FileState | undefined)[] = [];
    let settled = true;
    for (const path of found) {
      const state = folders.stat(path);
      walked.push(path);
      states.push(state);
      if (state?.kind !== "file") {
        found.delete(path);
        continue;
      }
      let node = space.nodes.get(path);
      const scan = scanned(path, state, walked.length <= roots.length);
      const { includes, assembled } = scan;
      settled &&= scan.settled;
      if (
        !node || node.includes !== includes || node.answers !== folders.answerGeneration
      ) {
        const position = node?.position ?? positionOf(path, search);
        const edges: string[] = [];
        for (const include of includes) {
          const target = resolve(include, path, position, search, space);
          if (target === undefined) continue;
          edges.push(target);
          if (isFile(`${target}.gch`, space)) edges.push(`${target}.gch`);
        }
        node = { includes, edges, position, answers: folders.answerGeneration };
        space.nodes.set(path, node);
      }
      for (const edge of node.edges) found.add(edge);
      for (const name of assembled) {
        const places = name.startsWith("/")
          ? [name]
          : [cwd, ...search.bracket].map((folder) => childOf(folder, name));
        const target = places.find((path) => isFile(path, space));
        if (target !== undefined) found.add(target);
      }
    }
    const paths = [...found];
    return settled ? { paths, walked, states, answers: folders.answerGeneration } : paths;
  };

  return {
    guess: (request) => {
      const { roots, search, cwd } = request;
      const key = `${search.quote.join("\0")}\0\0${search.bracket.join("\0")}`;
      let space = spaces.get(key);
      if (!space) {
        spaces.set(key, space = { nodes: new Map(), walks: new Map(), folders: new Set() });
      }
      // Nothing of the walk would ask about them while all nodes are as they were.
      for (const folder of space.folders) folders.refresh(folder);
      const unit = `${cwd}\0${roots.join("\0")}`;
      const before = space.walks.get(unit);
      if (before && isSameWalk(before)) return before.paths;
      const now = walk(request, space);
      space.walks.delete(unit);
      if (!("paths" in now)) return now;
      space.walks.set(unit, now);
      const [oldest] = space.walks.keys();
      if (space.walks.size > MAX_WALKS && oldest !== undefined) space.walks.delete(oldest);
      return now.paths;
    },
  };
}

/** Makes the folders of `search` absolute, drops those that are no folder, and repeated ones. */
export function settleSearchPath(
  search: SearchPath,
  cwd: string,
  isFolder: (path: string) => boolean,
): SearchPath {
  const absolute = (folders: readonly string[]) => [
    ...new Set(
      folders.map((folder) => folder.startsWith("/") ? folder : `${cwd}/${folder}`)
        .filter(isFolder),
    ),
  ];
  return { quote: absolute(search.quote), bracket: absolute(search.bracket) };
}
