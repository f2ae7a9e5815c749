/** FILE arguments: `LOCAL:REMOTE`, split at the last colon; `\:` is a colon of a name. */
import { normalize } from "@std/path/posix";
import { usageError } from "./flags.ts";

/** A file or folder that travels, by its two names. */
export interface FileArg {
  /** Path here, as it was given. */
  readonly local: string;
  /** Path below the job's folder; `` is the folder itself. */
  readonly remote: string;
}

/**
 * Reads a FILE argument. Without REMOTE, a path below the current folder keeps its name there.
 *
 * @throws {LlamaError} With code `Usage`, if it has no REMOTE and needs one, or REMOTE is not a path
 * below the job's folder.
 */
export function parseFileArg(text: string, cwd: string): FileArg {
  const { head, tail } = splitAtLastColon(text);
  if (head === "") throw usageError(`The file argument ${quote(text)} has no local path`);
  if (tail !== undefined) return { local: head, remote: remotePath(tail, text) };
  const below = head === cwd ? "." : head.startsWith(cwd + "/") ? head.slice(cwd.length + 1) : head;
  const path = normalize(below);
  if (path.startsWith("/") || path === ".." || path.startsWith("../")) {
    throw usageError(
      `The path ${quote(head)} is not below the current folder, so it needs a remote name`,
      `write ${head}:NAME`,
    );
  }
  return { local: head, remote: remotePath(path, text) };
}

function splitAtLastColon(text: string): { head: string; tail: string | undefined } {
  for (let index = text.length - 1; index >= 0; index--) {
    if (text[index] !== ":" || text[index - 1] === "\\") continue;
    return { head: unescape(text.slice(0, index)), tail: unescape(text.slice(index + 1)) };
  }
  return { head: unescape(text), tail: undefined };
}

function unescape(text: string): string {
  return text.replaceAll("\\:", ":");
}

function remotePath(path: string, text: string): string {
  if (path === "") throw usageError(`The file argument ${quote(text)} has no remote path`);
  const clean = normalize(path).replace(/\/$/, "");
  if (clean.startsWith("/") || clean === "" || clean === ".." || clean.startsWith("../")) {
    throw usageError(
      `The remote path ${quote(path)} is not below the job's folder`,
      "remote paths are relative, without ..",
    );
  }
  return clean === "." ? "" : clean;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
