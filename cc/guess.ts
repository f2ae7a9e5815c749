/**
 * The guess: a superset of the files that a translation unit includes, found without evaluating any
 * condition. It is never trusted: the proof decides, and a name that was missed costs one round.
 *
 * For each search path there is a graph of headers: a node is a file, its edges are the files that its
 * directives name. A node is true as long as its file and the answers about names in folders are what
 * they were, so the walk of a new unit is a stat for each file and set look-ups, and that of a unit seen before
 * nothing but the stats.
 */
import { type FileState, type FileSystem, sameState } from "./file_system.ts";
import { childOf } from "../job/path.ts";
import type { FileDigests } from "./digests.ts";
import type { Folders } from "./folders.ts";
import type { HeaderMacros } from "./header_macros.ts";
import { createScans } from "./header_scans.ts";
import type { Include } from "./lex.ts";
import type { SearchPath } from "./search_path.ts";

/** What the guess starts from. */
export interface GuessRequest {
  /** Absolute paths of the source and of what the command line includes. */
  readonly roots: readonly string[];
  /** Absolute folders. */
  readonly search: SearchPath;
  /** Absolute. */
  readonly cwd: string;
  /** Headers that the command line names by macros. */
  readonly macros?: HeaderMacros;
  /**
   * Absolute paths that proofs have found for the unit. What a macro computes seldom comes alone (Boost has some
   * thirty such headers in one folder, each of which would take a round), so the files beside them are guessed, too.
   */
  readonly found?: Iterable<string>;
}

/** Guesses inputs, with memory. */
export interface Guesser {
  /**
   * Paths of existing files, spelled as the compiler will spell them, the roots first. The same array as the last
   * time says that each of them is the same unchanged file.
   */
  guess(request: GuessRequest): readonly string[];
  /**
   * Takes note of what a proof has found for a unit: other units will want it that have one of the files in which
   * this one computes includes.
   */
  learn(request: GuessRequest, found: Iterable<string>): void;
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
  /** Files with computed includes. */
  readonly computing: readonly string[];
  /** {@linkcode Space.learned} at its end. */
  readonly learned: number;
}

/** Headers as one search path finds them. */
interface Space {
  readonly nodes: Map<string, Node>;
  /** By what the guess began with. */
  readonly walks: Map<string, Walk>;
  /** Folders in which a name was looked for: an edge is true while their answers are. */
  readonly folders: Set<string>;
  /** What proofs have found for units that have a file with computed includes, by that. */
  readonly computed: Map<string, Set<string>>;
  /** How often that has grown. */
  learned: number;
}

/** A folder of more files is no folder of what belongs together. */
const MAX_SIBLINGS = 64;
/** Units whose guess is kept, for each search path. */
const MAX_WALKS = 5000;

/** Creates a guesser over `files` and `folders`; `digests` gets what was read anyway. */
export function createGuesser(
  files: FileSystem,
  folders: Folders,
  digests?: Pick<FileDigests, "learn">,
): Guesser {
  const spaces = new Map<string, Space>();
  const scans = createScans(files, digests);

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

  /** A header, and what GCC takes in its place if that is there. */
  const withPrecompiled = (path: string, space: Space): string[] =>
    isFile(`${path}.gch`, space) ? [path, `${path}.gch`] : [path];

  /** `path`, and the files beside it that are named alike. */
  const withSiblings = (path: string, space: Space): string[] => {
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, slash) || "/";
    const [ending = ""] = /\.[^./]*$/.exec(path.slice(slash)) ?? [];
    const names = folders.names(folder);
    if (ending === "" || !names || names.size > MAX_SIBLINGS) return [path];
    space.folders.add(folder);
    return [
      path,
      ...[...names.keys()].filter((name) => name.endsWith(ending))
        .map((name) => childOf(folder, name)),
    ];
  };

  const isSameWalk = ({ walked, states, answers, learned }: Walk, space: Space): boolean => {
    if (answers !== folders.answerGeneration || learned !== space.learned) return false;
    for (let index = 0; index < walked.length; index++) {
      const before = states[index];
      const now = folders.stat(walked[index] ?? "");
      if (before !== now && !(before && now && sameState(before, now))) return false;
    }
    return true;
  };

  const walk = (request: GuessRequest, space: Space): Walk & { readonly settled: boolean } => {
    const { search, cwd } = request;
    const proved = [...request.found ?? []].flatMap((path) => withSiblings(path, space));
    const roots = [...new Set([...request.roots, ...proved])];
    // Each path is visited once, though a listing may still have a file that is gone.
    const walked = [...roots];
    const queued = new Set<string>(roots);
    const states: (FileState | undefined)[] = [];
    const computed: { readonly include: Include; readonly from: string; position: number }[] = [];
    const learnedOf = new Set<string>();
    let settled = true;
    const add = (path: string) => {
      if (queued.has(path)) return;
      queued.add(path);
      walked.push(path);
    };

    const visit = (path: string) => {
      const state = folders.stat(path);
      states.push(state);
      if (state?.kind !== "file") return;
      let node = space.nodes.get(path);
      const scan = scans.scan(path, state, states.length <= request.roots.length);
      const { includes } = scan;
      settled &&= scan.settled;
      if (
        !node || node.includes !== includes || node.answers !== folders.answerGeneration
      ) {
        const position = node?.position ?? positionOf(path, search);
        const edges: string[] = [];
        for (const include of includes) {
          const target = resolve(include, path, position, search, space);
          if (target !== undefined) edges.push(...withPrecompiled(target, space));
        }
        node = { includes, edges, position, answers: folders.answerGeneration };
        space.nodes.set(path, node);
      }
      for (const edge of node.edges) add(edge);
      for (const name of scan.assembled) {
        const places = name.startsWith("/")
          ? [name]
          : [cwd, ...search.bracket].map((folder) => childOf(folder, name));
        const target = places.find((path) => isFile(path, space));
        if (target !== undefined) add(target);
      }
      for (const include of scan.computed) {
        computed.push({ include, from: path, position: node.position });
      }
      for (const known of space.computed.get(path) ?? []) {
        // Most files with computed includes have learned the same.
        if (learnedOf.has(known)) continue;
        learnedOf.add(known);
        for (const sibling of withSiblings(known, space)) add(sibling);
      }
    };

    let at = 0;
    for (let before = -1; before < walked.length;) {
      for (; at < walked.length; at++) visit(walked[at] ?? "");
      before = walked.length;
      // What a macro names may have macros of its own: until nothing new is found.
      const macros = computed.length > 0 ? [request.macros, ...walked.map(scans.macros)] : [];
      for (const { include, from, position } of computed) {
        const headers = macros.flatMap((known) => known?.get(include.name) ?? []);
        for (const header of headers) {
          const named = { ...header, next: include.next };
          const target = resolve(named, from, position, search, space);
          for (const path of target === undefined ? [] : withPrecompiled(target, space)) add(path);
        }
      }
    }
    const { learned } = space;
    const computing = [...new Set(computed.map(({ from }) => from))];
    const answers = folders.answerGeneration;
    // One array for both where all roots are files, as there are thousands of units.
    const isFound = (_: string, index: number) => states[index]?.kind === "file";
    const paths = walked.every(isFound) ? walked : walked.filter(isFound);
    return { paths, walked, states, answers, computing, learned, settled };
  };

  const spaceOf = ({ search }: GuessRequest): Space => {
    const key = `${search.quote.join("\0")}\0\0${search.bracket.join("\0")}`;
    let space = spaces.get(key);
    if (!space) {
      const empty = { nodes: new Map(), walks: new Map(), folders: new Set<string>() };
      spaces.set(key, space = { ...empty, computed: new Map(), learned: 0 });
    }
    return space;
  };

  return {
    guess: (request) => {
      const space = spaceOf(request);
      // Nothing of the walk would ask about them while all nodes are as they were.
      for (const folder of space.folders) folders.refresh(folder);
      const unit = unitOf(request);
      const before = space.walks.get(unit);
      if (before && isSameWalk(before, space)) return before.paths;
      const now = walk(request, space);
      space.walks.delete(unit);
      // What has just changed is looked at again, so it is not taken for the same.
      space.walks.set(unit, now.settled ? now : { ...now, answers: -1 });
      const [oldest] = space.walks.keys();
      if (space.walks.size > MAX_WALKS && oldest !== undefined) space.walks.delete(oldest);
      return now.paths;
    },
    learn: (request, found) => {
      const space = spaceOf(request);
      const files = space.walks.get(unitOf(request))?.computing ?? [];
      for (const path of found) {
        for (const file of files) {
          let known = space.computed.get(file);
          if (!known) space.computed.set(file, known = new Set());
          if (known.has(path)) continue;
          known.add(path);
          space.learned++;
        }
      }
    },
  };
}

/** What a unit's guess begins with, as a text. */
function unitOf({ roots, cwd, macros, found }: GuessRequest): string {
  const named = macros?.size ? JSON.stringify([...macros]) : "";
  return [named, cwd, ...roots, "", ...found ?? []].join("\0");
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
