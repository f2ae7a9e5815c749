/**
 * What files of a command need beside themselves before it can use them: libraries, which the loader looks
 * for before any record begins, and the interpreters of scripts.
 */
import { foldersOf, type Libraries, librariesOf } from "../cc/libraries.ts";
import { addPaths, addWay, type InputSet } from "../cc/inputs.ts";
import { findProgram } from "../cc/toolchain.ts";
import { LlamaError } from "../job/errors.ts";
import { childOf } from "../job/path.ts";
import { headOf, programOfEnv, shebangOf } from "./command_script.ts";
import { neededNames } from "./elf_needed.ts";
import type { MachineTools } from "./real_tools.ts";

/** Adds paths to sets of inputs, with all that they need. */
export interface Needs {
  /** Adds `paths` and what they need; returns the folders in which the loader has to look for libraries. */
  add(set: InputSet, paths: Iterable<string>): Promise<readonly string[]>;
  /**
   * The libraries of a program.
   *
   * @throws {LlamaError} `LibraryMissing`.
   */
  libraries(program: string): Promise<Libraries>;
}

/** What one file needs. */
interface Needed {
  /** All that the loader loads with it, and the loader. */
  readonly libraries: readonly string[];
  /** Interpreters, which have needs of their own. */
  readonly programs: readonly string[];
}

const NOTHING: Needed = { libraries: [], programs: [] };

/** Creates an adder that asks about each file once; scripts that begin with `env` look at the folders of `path`. */
export function createNeeds(path: string, tools: MachineTools): Needs {
  const { files, processes } = tools;
  const asked = new Map<string, Promise<Needed>>();
  const linked = new Map<string, Promise<Libraries>>();

  const libraries = (file: string) => {
    let known = linked.get(file);
    if (!known) linked.set(file, known = librariesOf(file, processes));
    return known;
  };

  const neededBy = async (
    file: string,
    known: ReadonlySet<string>,
  ): Promise<Needed> => {
    const state = files.stat(file);
    if (state?.kind !== "file") return NOTHING;
    const isProgram = (state.mode & 0o111) !== 0;
    if (!isProgram && !/\.so(?:\.[\d.]+)?$/.test(file)) return NOTHING;
    const head = headOf(file);
    if (head.startsWith("\x7fELF")) {
      // An interpreter has a hundred plugins, and ldd takes 10 ms for each.
      const names = isProgram ? undefined : neededNames(files.read(file) ?? new Uint8Array());
      if (names?.every((name) => known.has(name))) return NOTHING;
      try {
        return { libraries: (await libraries(file)).paths, programs: [] };
      } catch (error) {
        // A plugin may count on libraries of the program that loads it.
        if (!isProgram && error instanceof LlamaError) return NOTHING;
        throw error;
      }
    }
    const shebang = shebangOf(head);
    if (shebang === undefined) return NOTHING;
    const { interpreter } = shebang;
    const named = programOfEnv(shebang);
    const found = named === undefined ? undefined : findProgram(named, path, files);
    // Scripts that nobody runs may name interpreters that are not here.
    const programs = [interpreter, ...(found === undefined ? [] : [found])]
      .filter((program) => files.stat(program) !== undefined);
    return { libraries: [], programs };
  };

  return {
    libraries,
    add: async (set, paths) => {
      const folders = new Set<string>();
      /** Names of the libraries that travel. */
      const known = new Set<string>();
      const all = new Set(paths);
      // It grows while it is gone through.
      for (const one of all) {
        let needed = asked.get(one);
        if (!needed) asked.set(one, needed = neededBy(one, known));
        const { libraries, programs } = await needed;
        for (const program of programs) all.add(program);
        for (const library of libraries) {
          all.add(library);
          known.add(library.slice(library.lastIndexOf("/") + 1));
          // ldd has named all that it needs in turn.
          if (!asked.has(library)) asked.set(library, Promise.resolve(NOTHING));
        }
        for (const folder of foldersOf(libraries)) folders.add(folder);
        const link = files.lstat(one);
        if (link?.kind === "link" && files.stat(one) === undefined) addDangling(set, one, tools);
      }
      await addPaths(set, all, tools);
      return [...folders];
    },
  };
}

/** A link that leads nowhere is there all the same. */
function addDangling(set: InputSet, path: string, tools: MachineTools): void {
  const slash = path.lastIndexOf("/");
  const folder = tools.places.find(path.slice(0, slash) || "/");
  const target = tools.files.readLink(path);
  if (!folder || target === undefined) return;
  addWay(set, folder, tools);
  const real = childOf(folder.path, path.slice(slash + 1));
  set.inputs.set(real, { kind: "link", path: real, target });
}
