/**
 * Where a path as a compiler spells it really lies: `/usr/include/../lib/x.h` or `/lib64/ld.so` pass
 * through folders and links that must exist on the worker, too.
 */
import { childOf } from "../job/path.ts";
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

/** The place of a folder, and when it was last known to be true. */
interface KnownPlace {
  readonly place: Place | undefined;
  /** Folders that were asked on the way: the place is true while they hold the same. */
  readonly asked: readonly string[];
  round: number;
}

const MAX_LINKS = 40;

/** Creates a finder over `files` that trusts `folders` for what exists. */
export function createPlaces(files: FileSystem, folders: Folders): Places {
  let generation = -1;
  const known = new Map<string, KnownPlace>();

  const placeOf = (folder: string): Place | undefined => {
    const before = known.get(folder);
    if (before && before.round !== folders.round) {
      // A link on the way may lead elsewhere by now.
      for (const asked of before.asked) folders.refresh(asked);
      before.round = folders.round;
    }
    if (generation !== folders.shapeGeneration) {
      known.clear();
      generation = folders.shapeGeneration;
    }
    const same = known.get(folder);
    if (same) return same.place;
    const asked: string[] = [];
    const place = walk(folder, asked);
    known.set(folder, { place, asked, round: folders.round });
    return place;
  };

  const walk = (path: string, asked: string[] = []): Place | undefined => {
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
      const next = childOf(at, name);
      const kind = folders.entry(at, name);
      asked.push(at);
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
      // Files of one folder share the way to it, so the folder is what is remembered.
      const slash = path.lastIndexOf("/");
      const folder = path.slice(0, slash) || "/";
      const name = path.slice(slash + 1);
      if (name === "" || name === "." || name === "..") return walk(path);
      const place = placeOf(folder);
      if (!place) return undefined;
      const kind = folders.entry(place.path, name);
      if (kind === "link") return walk(path);
      if (kind === undefined && folders.stat(place.path)?.kind !== "folder") return undefined;
      const real = childOf(place.path, name);
      return { path: real, links: place.links, folders: place.folders };
    },
  };
}
