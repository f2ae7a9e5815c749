/**
 * The proof: a result counts only if every name that the job looked for and did not find is absent
 * here, too, every listed folder was whole, and nothing that was sent has changed meanwhile.
 */
import type { Proof } from "../job/proof.ts";
import { type FileState, type FileSystem, sameState } from "./file_system.ts";
import type { Folders } from "./folders.ts";
import type { Step } from "./places.ts";

/** What the check found. */
export type Verdict =
  | { readonly kind: "proved" }
  /** Names that exist here and were missing there. */
  | { readonly kind: "incomplete"; readonly paths: readonly string[] }
  /** Files and links that changed while the job ran. */
  | { readonly kind: "changed"; readonly paths: readonly string[] }
  /**
   * The folder's order decided: GCC manual, "Using Precompiled Headers", takes the first of those in the
   * folder that fits, and complains of those before it.
   */
  | { readonly kind: "unordered"; readonly folder: string }
  /** The proof cannot tell. */
  | { readonly kind: "unproved"; readonly reason: string };

/** What the check needs to know. */
export interface ProofQuestion {
  readonly proof: Proof;
  /** State of each file that was sent, by real path. */
  readonly sent: ReadonlyMap<string, FileState>;
  /** Links that were sent: a file that one leads to is the same even if the link now leads elsewhere. */
  readonly links: readonly Step[];
  /** Paths that the job itself makes, so that they may exist here from an earlier run. */
  readonly isMade: (path: string) => boolean;
  /** Names in a folder of the job's root. */
  readonly sentNames: (folder: string) => ReadonlySet<string>;
  /** Whether a path of the job's root was sent, or leads to what was sent. */
  readonly wasSent: (path: string) => boolean;
}

/** Most names that a listed folder may lack to be sent, too: clang lists those of installed compilers. */
const MAX_LISTED = 256;
/** Where compilers put what they hand from one program to the next, directly in the folder. */
const TEMPORARY = /^\/tmp\/[^/]+$/;

/** Checks a proof against this machine; starts no round of `folders` itself. */
export function checkProof(
  question: ProofQuestion,
  folders: Folders,
  files: Pick<FileSystem, "readLink">,
): Verdict {
  const { proof, sent, isMade } = question;
  const [blind] = proof.blind;
  if (blind !== undefined) return { kind: "unproved", reason: blind };
  const closed = closedFolder(proof.absent, folders);
  if (closed !== undefined) {
    return { kind: "unproved", reason: `nobody may look into "${closed}" here` };
  }
  const here = proof.absent.filter((path) => !isMade(path) && exists(path, folders));
  for (const folder of proof.listed) {
    const names = folders.names(folder);
    if (folder.endsWith(".gch") && names && names.size > 1) return { kind: "unordered", folder };
    const there = question.sentNames(folder);
    const unseen = [...names?.keys() ?? []].filter((name) => !there.has(name));
    if (unseen.length > MAX_LISTED) {
      return { kind: "unproved", reason: `listed the folder "${folder}"` };
    }
    here.push(...unseen.map((name) => `${folder === "/" ? "" : folder}/${name}`));
  }
  if (here.length > 0) return { kind: "incomplete", paths: here };
  const changed: string[] = [];
  for (const [path, state] of sent) {
    const now = folders.stat(path);
    if (!now || !sameState(now, state)) changed.push(path);
  }
  for (const { path, target } of question.links) {
    if (files.readLink(path) !== target) changed.push(path);
  }
  if (changed.length > 0) return { kind: "changed", paths: changed };
  // A root may hold nothing else; this is what would tell if it did.
  const foreign = proof.opened.find((path) =>
    !isMade(path) && !TEMPORARY.test(path) && !question.wasSent(path)
  );
  if (foreign !== undefined) {
    return { kind: "unproved", reason: `it opened "${foreign}", which was not sent` };
  }
  return { kind: "proved" };
}

/** The first folder of `paths` in which this user may not look for names: the answer is another error. */
function closedFolder(paths: readonly string[], folders: Folders): string | undefined {
  const asked = new Set<string>();
  for (const path of paths) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (asked.has(folder)) continue;
    asked.add(folder);
    for (let at = folder; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) {
      const state = folders.stat(at);
      if (!state) continue;
      const open = state.kind !== "folder" || (state.mode & 0o111) === 0o111 ||
        folders.stat(`${at}/.`) !== undefined;
      if (!open) return at;
      break;
    }
  }
  return undefined;
}

function exists(path: string, folders: Folders): boolean {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const folder = path.slice(0, slash) || "/";
  if (name === "" || name === "." || name === "..") return folders.stat(path) !== undefined;
  const names = folders.names(folder);
  // A folder that cannot be listed may be entered all the same.
  if (!names) return folders.stat(folder)?.kind === "folder" && folders.stat(path) !== undefined;
  const kind = names.get(name);
  // A dangling link is as absent as nothing at all.
  return kind === "link" ? folders.stat(path) !== undefined : kind !== undefined;
}
