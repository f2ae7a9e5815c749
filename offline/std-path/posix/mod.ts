/** Stand-in for the part of `@std/path/posix` that the project uses, over `node:path`. */
import { posix } from "node:path";

const expectString = (path: unknown): void => {
  if (typeof path !== "string") {
    throw new TypeError(`Path must be a string, received "${JSON.stringify(path)}"`);
  }
};

const pathOf = (path: string | URL): string => {
  if (!(path instanceof URL)) {
    expectString(path);
    return path;
  }
  if (path.protocol !== "file:") {
    throw new TypeError(`URL must be a file URL: received "${path.protocol}"`);
  }
  return decodeURIComponent(path.pathname.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
};

/** The last part of a path, without `suffix` if it ends so and is not all of it. */
export function basename(path: string | URL, suffix = ""): string {
  return posix.basename(pathOf(path), suffix);
}

/** The path of the folder that holds `path`. */
export function dirname(path: string | URL): string {
  return posix.dirname(pathOf(path));
}

/** The extension of a path with its dot, or an empty string. */
export function extname(path: string | URL): string {
  return posix.extname(pathOf(path));
}

/** Whether a path starts with a slash. */
export function isAbsolute(path: string): boolean {
  expectString(path);
  return posix.isAbsolute(path);
}

/** The paths put together and normalised. */
export function join(path?: string | URL, ...paths: string[]): string {
  return path === undefined ? "." : posix.join(pathOf(path), ...paths);
}

/** A path without `.`, `..` that can be resolved and doubled slashes. */
export function normalize(path: string | URL): string {
  return posix.normalize(pathOf(path));
}

/** The way from one path to the other, both taken from the working directory. */
export function relative(from: string, to: string): string {
  expectString(from);
  expectString(to);
  return posix.relative(from, to);
}

/** The absolute path that the parts lead to, from the right, ending at the working directory. */
export function resolve(...pathSegments: string[]): string {
  return posix.resolve(...pathSegments);
}
