/** Where the compiler of one unit looks for headers: the command line's folders and its own. */
import { searchEnvironment } from "../cc/environment.ts";
import type { FileSystem, ProcessRunner } from "../cc/file_system.ts";
import type { Folders } from "../cc/folders.ts";
import { settleSearchPath } from "../cc/guess.ts";
import type { Places } from "../cc/places.ts";
import { builtInSearchPath, type SearchPath, searchPathOf } from "../cc/search_path.ts";
import { FormatError } from "../job/errors.ts";
import type { RemoteRequest } from "./remote_request.ts";

/** The search path of a unit. */
export interface UnitSearch {
  /** Folders as the compiler spells them; they must exist in the job's root. */
  readonly spelled: readonly string[];
  /** The same folders by their real paths. */
  readonly real: SearchPath;
}

/** Finds the search path of a unit. */
export type UnitSearcher = (remote: RemoteRequest) => Promise<UnitSearch>;

/** What needs no preprocessor has no folders of the compiler's own, which then prints none. */
const NO_FOLDERS: Promise<SearchPath> = Promise.resolve({ quote: [], bracket: [] });

/** Creates a searcher that asks each compiler once for each set of flags and variables. */
export function createUnitSearcher(
  { processes, folders, places }: {
    readonly processes: ProcessRunner;
    readonly folders: Folders;
    readonly places: Places;
  },
): UnitSearcher {
  const builtIns = new Map<string, Promise<SearchPath>>();
  return async (remote) => {
    const { line, driver, compilation, request } = remote;
    const env = searchEnvironment(request.env);
    const language = compilation.language.name;
    const state = folders.stat(driver);
    const key = JSON.stringify([
      driver,
      // Another compiler may have taken its place.
      [state?.inode, state?.size, state?.mtimeMs],
      language,
      line.searchFlags,
      line.searchFlags.length > 0 ? request.cwd : "",
      env,
    ]);
    let asked = compilation.language.preprocessed ? NO_FOLDERS : builtIns.get(key);
    if (!asked) {
      asked = builtInSearchPath(processes, driver, {
        language,
        flags: line.searchFlags,
        cwd: request.cwd,
        env,
      }).catch((error) => {
        // A compiler that says what is wrong says it elsewhere, too; what else it needs the proof finds.
        if (error instanceof FormatError) return NO_FOLDERS;
        throw error;
      });
      builtIns.set(key, asked);
      asked.catch(() => builtIns.delete(key));
    }
    const builtIn = await asked;
    const spelled = settleSearchPath(
      searchPathOf(line, builtIn),
      request.cwd,
      (path) => folders.names(path) !== undefined,
    );
    const real = (path: string) => places.find(path)?.path ?? path;
    return {
      spelled: [...spelled.quote, ...spelled.bracket],
      // A header has one state, however many ways lead to it.
      real: { quote: spelled.quote.map(real), bracket: spelled.bracket.map(real) },
    };
  };
}

/** GCC and clang take a precompiled header in place of one that -include names. */
const PRECOMPILED = [".gch", ".pch"];

/** The file that -include or -imacros `name` takes, if there is one, with what is precompiled of it. */
export function findInclude(
  name: string,
  cwd: string,
  search: SearchPath,
  files: FileSystem,
): string[] {
  const folders = name.startsWith("/") ? [""] : [cwd, ...search.quote, ...search.bracket];
  for (const folder of folders) {
    const path = folder === "" ? name : `${folder}/${name}`;
    const found = [path, ...PRECOMPILED.map((suffix) => `${path}${suffix}`)]
      .filter((path) => files.stat(path)?.kind === "file");
    if (found.length > 0) return found;
  }
  return [];
}

/** What a compiler looks for beside its own files is the same for every unit. */
export function belongsToToolchain(path: string, search: SearchPath): boolean {
  if (!/^\/(?:usr|lib\w*|etc|opt|bin)\//.test(path)) return false;
  return ![...search.quote, ...search.bracket].some((folder) => path.startsWith(`${folder}/`));
}
