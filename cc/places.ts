/**
 * Where a path as a compiler spells it really lies: `/usr/include/../lib/x.h` or `/lib64/ld.so` pass
 * through folders and links that must exist on the worker, too.
 */
import type { FileSystem } from "./file_system.ts";
import type { Folders } from "./folders.ts";

/** A link on the way to a file. */
export interface Step {
  readonly path: string;
  readonly target: string;
}

/** A path with no link and no `..`, and what lies on the way to it. */
export interface Place {
  /** The real path, of which all but the last component exists. */
  readonly path: string;
  readonly links: readonly Step[];
  /** Real folders that the spelling passes and that do not lead to {@linkcode Place.path}. */
  readonly folders: readonly string[];
}

/** Finds places, with memory. */
export interface Places {
  /** The place of `path`, which is absolute; `undefined` if a folder on the way does not exist. */
  find(path: string): Place | undefined;
}

const MAX_LINKS = 40;

/** Creates a finder over `files` that trusts `folders` for what exists. */
export function createPlaces(files: FileSystem, folders: Folders): Places {
  let generation = -1;
  const known = new Map<string, Place | undefined>();

  const fresh = () => {
    if (generation === folders.shapeGeneration) return;
    known.clear();
    generation = folders.shapeGeneration;
  };

  const walk = (path: string): Place | undefined => {
    const links: Step[] = [];
    const passed: string[] = [];
    let pending = path.split("/").reverse();
    let at = "/";
    while (pending.length > 0) {
      const name = pending.pop();
      if (name === undefined || name === "" || name === ".") continue;
      if (name === "..") {
        if (at !== "/") passed.push(at);
        at = at.slice(0, Math.max(1, at.lastIndexOf("/")));
        continue;
      }
      const next = at === "/" ? `/${name}` : `${at}/${name}`;
      const kind = folders.entry(at, name);
      if (kind === "link") {
        const target = files.readLink(next);
        if (target === undefined || links.length >= MAX_LINKS) return undefined;
        links.push({ path: next, target });
        pending = [...pending, ...target.split("/").reverse()];
        if (target.startsWith("/")) at = "/";
        continue;
      }
      if (kind !== "folder" && pending.some((rest) => rest !== "" && rest !== ".")) {
        return undefined;
      }
      at = next;
    }
    return { path: at, links, folders: passed };
  };

  return {
    find: (path) => {
      fresh();
      // Files of one folder share the way to it, so the folder is what is remembered.
      const slash = path.lastIndexOf("/");
      const folder = path.slice(0, slash) || "/";
      const name = path.slice(slash + 1);
      if (name === "" || name === "." || name === "..") return walk(path);
      let place = known.get(folder);
      if (place === undefined && !known.has(folder)) {
        place = walk(folder);
        known.set(folder, place);
      }
      if (!place) return undefined;
      const kind = folders.entry(place.path, name);
      if (kind === "link") return walk(path);
      const real = place.path === "/" ? `/${name}` : `${place.path}/${name}`;
      return { path: real, links: place.links, folders: place.folders };
    },
  };
}
