/**
 * The guess: a superset of the files that a translation unit includes, found without evaluating any
 * macro. It is never trusted: the proof decides, and a name that was missed costs one round.
 *
 * The walk of a new unit over the graph of headers is a stat for each file and set look-ups, and that of a unit seen
 * before nothing but the stats. Includes that need a macro which nothing defines, neither the command line nor any file
 * ever seen, are left out: that is a third of what libstdc++ names, its debug and parallel modes.
 */
import { createDefinedNames, nameHash } from "./defined_names.ts";
import type { FileDigests } from "./digests.ts";
import { type FileState, type FileSystem, sameState } from "./file_system.ts";
import type { Folders } from "./folders.ts";
import { createHeaderGraph, type HeaderGraph } from "./header_graph.ts";
import type { HeaderMacros } from "./header_macros.ts";
import { createScans } from "./header_scans.ts";
import type { Include } from "./lex.ts";
import type { SearchPath } from "./search_path.ts";
import { childOf } from "../job/path.ts";

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
  /** Names that the command line defines. */
  readonly defined?: readonly string[];
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
   * this one computes includes, and a macro without which it would not have been reached counts as defined.
   */
  learn(request: GuessRequest, found: Iterable<string>): void;
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
  /** Names that were asked for in vain and then defined, at its end. */
  readonly opened: number;
}

/** What is known of one search path. */
interface Space {
  readonly graph: HeaderGraph;
  /** By what the guess began with. */
  readonly walks: Map<string, Walk>;
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
  const names = createDefinedNames();
  const scans = createScans(files, names, digests);

  /** `path`, and the files beside it that are named alike. */
  const withSiblings = (path: string, { graph }: Space): string[] => {
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, slash) || "/";
    const [ending = ""] = /\.[^./]*$/.exec(path.slice(slash)) ?? [];
    const listed = folders.names(folder);
    if (ending === "" || !listed || listed.size > MAX_SIBLINGS) return [path];
    graph.folders.add(folder);
    return [
      path,
      ...[...listed.keys()].filter((name) => name.endsWith(ending))
        .map((name) => childOf(folder, name)),
    ];
  };

  const isSameWalk = (before: Walk, space: Space): boolean => {
    const { walked, states } = before;
    if (before.answers !== folders.answerGeneration) return false;
    if (before.learned !== space.learned || before.opened !== names.opened) return false;
    for (let index = 0; index < walked.length; index++) {
      const then = states[index];
      const now = folders.stat(walked[index] ?? "");
      if (then !== now && !(then && now && sameState(then, now))) return false;
    }
    return true;
  };

  const walk = (request: GuessRequest, space: Space): Walk & { readonly settled: boolean } => {
    const { search, cwd } = request;
    const { graph } = space;
    const proved = [...request.found ?? []].flatMap((path) => withSiblings(path, space));
    const roots = [...new Set([...request.roots, ...proved])];
    // Each path is visited once, though a listing may still have a file that is gone.
    const walked = [...roots];
    const queued = new Set<string>(roots);
    const states: (FileState | undefined)[] = [];
    const computed: { readonly include: Include; readonly from: string; position: number }[] = [];
    const learnedOf = new Set<string>();
    // Files with directives that are not reached, until something defines what they need.
    let waiting: { readonly path: string; readonly state: FileState }[] = [];
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
      const isSource = states.length <= request.roots.length;
      const { scan, edges, unreached, position } = graph.node(path, state, isSource);
      settled &&= scan.settled;
      if (unreached.length > 0) waiting.push({ path, state });
      for (const edge of edges) add(edge);
      for (const name of scan.assembled) {
        const places = name.startsWith("/")
          ? [name]
          : [cwd, ...search.bracket].map((folder) => childOf(folder, name));
        const target = places.find(graph.isFile);
        if (target !== undefined) add(target);
      }
      for (const include of scan.computed) {
        computed.push({ include, from: path, position });
      }
      for (const known of space.computed.get(path) ?? []) {
        // Most files with computed includes have learned the same.
        if (learnedOf.has(known)) continue;
        learnedOf.add(known);
        for (const sibling of withSiblings(known, space)) add(sibling);
      }
    };

    let at = 0;
    let { opened } = names;
    for (let before = -1; before < walked.length;) {
      for (; at < walked.length; at++) visit(walked[at] ?? "");
      before = walked.length;
      if (opened !== names.opened) {
        ({ opened } = names);
        const again = waiting;
        waiting = [];
        for (const { path, state } of again) {
          const { edges, unreached } = graph.node(path, state, false);
          edges.forEach(add);
          if (unreached.length > 0) waiting.push({ path, state });
        }
      }
      // What a macro names may have macros of its own: until nothing new is found.
      const macros = computed.length > 0 ? [request.macros, ...walked.map(scans.macros)] : [];
      for (const { include, from, position } of computed) {
        const headers = macros.flatMap((known) => known?.get(include.name) ?? []);
        for (const header of headers) {
          const named = { ...header, next: include.next };
          for (const path of graph.resolve(named, from, position)) add(path);
        }
      }
    }
    const { learned } = space;
    const computing = [...new Set(computed.map(({ from }) => from))];
    const answers = folders.answerGeneration;
    // One array for both where all roots are files, as there are thousands of units.
    const isFound = (_: string, index: number) => states[index]?.kind === "file";
    const paths = walked.every(isFound) ? walked : walked.filter(isFound);
    return { paths, walked, states, answers, computing, learned, opened, settled };
  };

  const spaceOf = ({ search }: GuessRequest): Space => {
    const key = `${search.quote.join("\0")}\0\0${search.bracket.join("\0")}`;
    let space = spaces.get(key);
    if (!space) {
      const graph = createHeaderGraph(search, { folders, scans, names });
      spaces.set(key, space = { graph, walks: new Map(), computed: new Map(), learned: 0 });
    }
    return space;
  };

  return {
    guess: (request) => {
      const space = spaceOf(request);
      for (const name of request.defined ?? []) names.define(nameHash(name));
      // Nothing of the walk would ask about them while all nodes are as they were.
      for (const folder of space.graph.folders) folders.refresh(folder);
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
      const walk = space.walks.get(unitOf(request));
      if (!walk) return;
      const all = new Set(found);
      for (const path of all) {
        for (const file of walk.computing) {
          let known = space.computed.get(file);
          if (!known) space.computed.set(file, known = new Set());
          if (known.has(path)) continue;
          known.add(path);
          space.learned++;
        }
      }
      const { graph } = space;
      for (const [index, path] of walk.walked.entries()) {
        const state = walk.states[index];
        if (state?.kind !== "file") continue;
        const { unreached, position } = graph.node(path, state, false);
        for (const include of unreached) {
          const isReached = graph.resolve(include, path, position).some((one) => all.has(one));
          if (isReached) { for (const hash of include.needs?.flat() ?? []) names.define(hash); }
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
