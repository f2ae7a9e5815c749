/**
 * Paths of a job. In a rooted job they are absolute, in any other they are relative to the job's
 * folder; they have no `.`, `..` or empty component, so that none can climb out.
 */
import { FormatError } from "./errors.ts";
import { asText } from "./json.ts";

/**
 * Checks a path of a job.
 *
 * @throws {FormatError} If it is of the wrong kind or could climb out.
 */
export function asJobPath(value: unknown, what: string, rooted: boolean): string {
  const path = asText(value, what);
  const quoted = JSON.stringify(path);
  if (rooted !== path.startsWith("/")) {
    throw new FormatError(what, `the path ${quoted} must be ${rooted ? "absolute" : "relative"}`);
  }
  const components = (rooted ? path.slice(1) : path).split("/");
  if (rooted && path === "/") return path;
  for (const component of components) {
    if (component === "" || component === "." || component === "..") {
      throw new FormatError(
        what,
        `the path ${quoted} has the component ${JSON.stringify(component)}`,
      );
    }
  }
  return path;
}

/** The folder that holds `path`: `/a` for `/a/b`, `/` for `/a`, and `` for `a`. */
export function parentOf(path: string): string {
  const end = path.lastIndexOf("/");
  return end > 0 ? path.slice(0, end) : end === 0 ? "/" : "";
}

/** The path of `name` in `folder`, which is absolute. */
export function childOf(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** Adds all folders above the absolute `path`, up to `/`. */
export function addFoldersAbove(path: string, folders: Set<string>): void {
  for (let at = parentOf(path); !folders.has(at); at = parentOf(at)) folders.add(at);
}

/** Resolves `.`, `..` and doubled slashes by text alone; `..` at `/` stays there. */
export function cleanPath(path: string): string {
  const absolute = path.startsWith("/");
  // Nearly all are clean, and a proof has hundreds.
  if (absolute && !/\/(?:[./]|$)/.test(path)) return path;
  const kept: string[] = [];
  for (const component of path.split("/")) {
    if (component === "" || component === ".") continue;
    if (component !== "..") kept.push(component);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!absolute) kept.push("..");
  }
  return (absolute ? "/" : "") + kept.join("/");
}
