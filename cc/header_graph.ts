/**
 * Headers as one search path finds them: a node is a file, its edges are the files that its directives name. A node is
 * true as long as its file and the answers about names in folders are what they were, and nothing defines a macro that
 * it waits for.
 */
import type { DefinedNames } from "./defined_names.ts";
import type { FileState } from "./file_system.ts";
import type { Folders } from "./folders.ts";
import type { Scan, Scans } from "./header_scans.ts";
import type { Include } from "./lex.ts";
import type { SearchPath } from "./search_path.ts";
import { childOf } from "../job/path.ts";

/** A file that may include others. */
export interface HeaderNode {
  readonly scan: Scan;
  /** Files, each followed by what is precompiled of it. */
  readonly edges: readonly string[];
  /** Directives that are not reached, as nothing defines what they need. */
  readonly unreached: readonly Include[];
  /** Folder of the search path in which the file was found, -1 if not there. */
  readonly position: number;
}

/** The headers of one search path. */
export interface HeaderGraph {
  /** Folders in which a name was looked for: an edge is true while their answers are. */
  readonly folders: Set<string>;
  /** The node of the file at `path`, which has this state. */
  node(path: string, state: FileState, isSource: boolean): HeaderNode;
  /** The file that a directive of the file `from` takes, followed by what is precompiled of it; none if not there. */
  resolve(include: Include, from: string, position: number): readonly string[];
  /** Whether there is a file, or a link to one. */
  isFile(path: string): boolean;
}

interface KnownNode extends HeaderNode {
  /** {@linkcode Folders.answerGeneration} when the edges were found. */
  readonly answers: number;
  /** {@linkcode DefinedNames.opened} when they were found. */
  readonly opened: number;
}

/** Creates a graph without nodes. */
export function createHeaderGraph(
  search: SearchPath,
  { folders, scans, names }: {
    readonly folders: Folders;
    readonly scans: Scans;
    readonly names: DefinedNames;
  },
): HeaderGraph {
  const nodes = new Map<string, KnownNode>();
  const asked = new Set<string>();
  const places = [...search.quote, ...search.bracket];

  const isFile = (path: string): boolean => {
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, slash) || "/";
    asked.add(folder);
    const kind = folders.answer(folder, path.slice(slash + 1));
    return kind === "file" || (kind === "link" && folders.stat(path)?.kind === "file");
  };

  const find = ({ name, quoted, next }: Include, from: string, position: number) => {
    if (name.startsWith("/")) return isFile(name) ? name : undefined;
    if (quoted && !next) {
      const beside = childOf(from.slice(0, from.lastIndexOf("/")) || "/", name);
      if (isFile(beside)) return beside;
    }
    const start = next && position >= 0 ? position + 1 : quoted ? 0 : search.quote.length;
    for (let index = start; index < places.length; index++) {
      const path = childOf(places[index] ?? "/", name);
      if (isFile(path)) return path;
    }
    return undefined;
  };

  const resolve = (include: Include, from: string, position: number): readonly string[] => {
    const path = find(include, from, position);
    if (path === undefined) return [];
    return isFile(`${path}.gch`) ? [path, `${path}.gch`] : [path];
  };

  const positionOf = (path: string): number => {
    let best = -1;
    let length = 0;
    for (const [index, folder] of places.entries()) {
      if (folder.length > length && path.startsWith(folder + "/")) {
        best = index;
        length = folder.length;
      }
    }
    return best;
  };

  const isReached = ({ needs }: Include): boolean =>
    !needs || needs.every((list) => list.some(names.mayBeDefined));

  return {
    folders: asked,
    isFile,
    resolve,
    node: (path, state, isSource) => {
      const before = nodes.get(path);
      const scan = scans.scan(path, state, isSource);
      const { answerGeneration: answers } = folders;
      const { opened } = names;
      if (
        before && before.scan.includes === scan.includes && before.answers === answers &&
        (before.unreached.length === 0 || before.opened === opened)
      ) {
        return before;
      }
      const position = before?.position ?? positionOf(path);
      const edges: string[] = [];
      const unreached: Include[] = [];
      for (const include of scan.includes) {
        if (isReached(include)) edges.push(...resolve(include, path, position));
        else unreached.push(include);
      }
      const node = { scan, edges, unreached, position, answers, opened };
      nodes.set(path, node);
      return node;
    },
  };
}
