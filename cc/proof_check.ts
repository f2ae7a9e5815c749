/**
 * The proof: a result counts only if every name that the job looked for and did not find is absent
 * here, too, every listed folder was whole, and nothing that was sent has changed meanwhile.
 */
import { childOf } from "../job/path.ts";
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
  /**
   * What was sent and stands at `path` in the job's root, as the job spelled it: the state that the file had
   * here when it was read, `"sent"` for what has no content of this machine, `undefined` if nothing was.
   */
  readonly sent: (path: string) => FileState | "sent" | undefined;
  /** Links that were sent: a file that one leads to is the same even if the link now leads elsewhere. */
  readonly links: readonly Step[];
  /** Paths that the job itself makes, so that they may exist here from an earlier run. */
  readonly isMade: (path: string) => boolean;
  /** Names in a folder of the job's root. */
  readonly sentNames: (folder: string) => ReadonlySet<string>;
  /** Whether a name that the image has is one of the compiler's own, so that this machine's does not count. */
  readonly isOfCompiler?: (path: string) => boolean;
  /** Most names that a listed folder may lack to be sent, too; 256 unless given. */
  readonly maxListed?: number;
}

/** Clang lists the folders of installed compilers. */
const MAX_LISTED = 256;
/** Where compilers put what they hand from one program to the next, directly in the folder. */
const TEMPORARY = /^\/tmp\/[^/]+$/;

/** Checks a proof against this machine as it is now. */
export function checkProof(
  question: ProofQuestion,
  folders: Folders,
  files: Pick<FileSystem, "readLink">,
): Verdict {
  return folders.freshly(() => check(question, folders, files));
}

function check(
  question: ProofQuestion,
  folders: Folders,
  files: Pick<FileSystem, "readLink">,
): Verdict {
  const { proof, sent, isMade } = question;
  const [blind] = proof.blind;
  if (blind !== undefined) return { kind: "unproved", reason: blind };
  const ofImage = (proof.image ?? []).filter((path) => !question.isOfCompiler?.(path));
  const absent = findAbsent(
    ofImage.length > 0 ? [...proof.absent, ...ofImage] : proof.absent,
    folders,
  );
  if (absent.closed !== undefined) {
    return { kind: "unproved", reason: `nobody may look into "${absent.closed}" here` };
  }
  const here = absent.here.filter((path) => !isMade(path));
  for (const folder of proof.listed) {
    const names = folders.names(folder);
    if (folder.endsWith(".gch") && names && names.size > 1) return { kind: "unordered", folder };
    const there = question.sentNames(folder);
    const unseen = [...names?.keys() ?? []].filter((name) => !there.has(name));
    if (unseen.length > (question.maxListed ?? MAX_LISTED)) {
      return { kind: "unproved", reason: `listed the folder "${folder}"` };
    }
    here.push(...unseen.map((name) => childOf(folder, name)));
  }
  if (here.length > 0) return { kind: "incomplete", paths: here };
  const changed: string[] = [];
  let foreign: string | undefined;
  // What was sent and not opened has no part in the result.
  for (const path of proof.opened) {
    const state = sent(path);
    if (state === undefined) {
      if (!isMade(path) && !TEMPORARY.test(path)) foreign ??= path;
    } else if (state !== "sent") {
      const now = folders.stat(path);
      if (!now || !sameState(now, state)) changed.push(path);
    }
  }
  for (const { path, target } of question.links) {
    if (files.readLink(path) !== target) changed.push(path);
  }
  if (changed.length > 0) return { kind: "changed", paths: changed };
  // A root may hold nothing else; this is what would tell if it did.
  if (foreign !== undefined) {
    return { kind: "unproved", reason: `it opened "${foreign}", which was not sent` };
  }
  return { kind: "proved" };
}

/**
 * Those of `paths` that exist here. They are sorted, so that names in one folder follow one another and it
 * is looked at once; a folder in which this user may not look for names ends it, as the answer is another
 * error there.
 */
function findAbsent(
  paths: readonly string[],
  folders: Folders,
): { readonly here: readonly string[]; readonly closed?: string } {
  const here: string[] = [];
  const open = new Set<string>();
  let folder: string | undefined;
  let names: ReturnType<Folders["names"]>;
  let isEntered = false;
  for (const path of paths) {
    const slash = path.lastIndexOf("/");
    if (folder === undefined || slash !== folder.length || !path.startsWith(folder)) {
      folder = path.slice(0, slash);
      const closed = closedFolder(folder, folders, open);
      if (closed !== undefined) return { here, closed };
      names = folders.names(folder || "/");
      // A folder that cannot be listed may be entered all the same.
      isEntered = !names && folders.stat(folder || "/")?.kind === "folder";
    }
    const name = path.slice(slash + 1);
    const isDotted = name === "" || name === "." || name === "..";
    const kind = names?.get(name);
    // A dangling link is as absent as nothing at all.
    const exists = isDotted || isEntered || kind === "link"
      ? folders.stat(path) !== undefined
      : kind !== undefined;
    if (exists) here.push(path);
  }
  return { here };
}

/**
 * The folder on the way to what is in `folder` in which this user may not look for names; `open` are those
 * that were found to be none.
 */
function closedFolder(folder: string, folders: Folders, open: Set<string>): string | undefined {
  for (let at = folder; at !== "" && !open.has(at); at = at.slice(0, at.lastIndexOf("/"))) {
    const state = folders.stat(at);
    if (
      state && state.kind === "folder" && (state.mode & 0o111) !== 0o111 &&
      folders.stat(`${at}/.`) === undefined
    ) {
      return at;
    }
    open.add(at);
    if (state) break;
  }
  return undefined;
}
