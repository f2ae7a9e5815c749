/**
 * The converters of libc that a compiler needs for `-finput-charset=` and its kin. libc finds and loads
 * them by itself, past the path shim, so no proof can ask for them. GNU C library manual, "The iconv
 * Implementation in the GNU C Library": a folder `gconv` beside the library has modules, and files that
 * say which module converts which set; the names are in capitals and end with two slashes.
 */
import type { FileSystem } from "./file_system.ts";

const OPTION = /^-f(?:input|exec|wide-exec)-charset=(.+)$/;
const ALIAS = /^alias\s+(\S+?)\/*\s+(\S+?)\/*(?:\s|$)/;
const MODULE = /^module\s+(\S+?)\/*\s+(\S+?)\/*\s+(\S+)/;
/** How far an alias may lead. */
const MAX_ALIASES = 10;

/** Character sets that a command names, in capitals. */
export function characterSets(args: Iterable<string>): string[] {
  return [...args].flatMap((arg) => OPTION.exec(arg)?.[1]?.toUpperCase() ?? []);
}

/** Files by which libc converts `sets`, in the folders `gconv` of those of its libraries. */
export function converterFiles(
  sets: readonly string[],
  libraryPath: readonly string[],
  files: FileSystem,
): string[] {
  const found: string[] = [];
  for (const folder of sets.length > 0 ? libraryPath.map((path) => `${path}/gconv`) : []) {
    const lists = [
      `${folder}/gconv-modules`,
      ...(files.list(`${folder}/gconv-modules.d`) ?? []).filter(({ name }) =>
        name.endsWith(".conf")
      )
        .map(({ name }) => `${folder}/gconv-modules.d/${name}`),
    ];
    const aliases = new Map<string, string>();
    const modules = new Map<string, Set<string>>();
    for (const list of lists) {
      const bytes = files.read(list);
      if (!bytes) continue;
      found.push(list);
      for (const line of new TextDecoder().decode(bytes).split("\n")) {
        const [, alias, meant] = ALIAS.exec(line) ?? [];
        if (alias !== undefined && meant !== undefined) aliases.set(alias, meant);
        const [, from, to, file] = MODULE.exec(line) ?? [];
        for (const set of [from, to]) {
          if (set === undefined || file === undefined) continue;
          modules.set(set, (modules.get(set) ?? new Set()).add(file));
        }
      }
    }
    for (const set of sets) {
      let name = set.replace(/\/+.*$/, "");
      for (let links = 0; links < MAX_ALIASES; links++) name = aliases.get(name) ?? name;
      for (const file of modules.get(name) ?? []) {
        found.push(`${folder}/${file.endsWith(".so") ? file : `${file}.so`}`);
      }
    }
    // What some modules share lies beside them, where their RUNPATH leads.
    if (modules.size > 0) {
      found.push(
        ...(files.list(folder) ?? []).filter(({ name }) => /^lib.*\.so$/.test(name))
          .map(({ name }) => `${folder}/${name}`),
      );
    }
  }
  return found;
}
