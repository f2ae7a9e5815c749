/**
 * The proof: a result counts only if every name that the job looked for and did not find is absent
 * here, too, every listed folder was whole, and nothing that was sent has changed meanwhile.
 */
import { childOf, parentOf } from "../job/path.ts";
import type { Proof } from "../job/proof.ts";
import { type FileState, type FileSystem, sameState } from "./file_system.ts";
import type { Folders } from "./folders.ts";
import type { Step } from "./places.ts";

/** What the check found. */
export type Verdict =
  | { readonly kind: "proved" }
  /** Names that exist here and were missing there. */
  | { readonly kind: "incomplete"; readonly paths: readonly string[] }
  /** Files, folders and links that changed while the job ran. */
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
   * here when it was read, `"folder"` for a folder of this machine, `"sent"` for what has no content of this
   * machine, `undefined` if nothing was.
   */
  readonly sent: (path: string) => FileState | "folder" | "sent" | undefined;
  /** Links that were sent: a file that one leads to is the same even if the link now leads elsewhere. */
  readonly links: readonly Step[];
  /** Paths that the job itself makes, so that they may exist here from an earlier run. */
  readonly isMade: (path: string) => boolean;
  /** Names in a folder of the job's root. */
  readonly sentNames: (folder: string) => ReadonlySet<string>;
  /** Whether a name that the image has is one of the compiler's own, so that this machine's does not count. */
  readonly isOfCompiler?: (path: string) => boolean;
  /**
   * Whether the compiler takes two names of one inode for the same file, as clang does where a file is to be read
   * once: names that are hard links of each other here are files of their own there.
   */
  readonly tellsByInode?: boolean;
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
  files: Pick<FileSystem, "readLink" | "lstat">,
): Verdict {
  return folders.freshly(() => check(question, folders, files));
}

function check(
  question: ProofQuestion,
  folders: Folders,
  files: Pick<FileSystem, "readLink" | "lstat">,
): Verdict {
  const { proof, sent, isMade } = question;
  const [blind] = proof.blind;
  if (blind !== undefined) return { kind: "unproved", reason: blind };
  const ofImage = (proof.image ?? []).filter((path) => !question.isOfCompiler?.(path));
  const absent = findAbsent(
    ofImage.length > 0 ? [...proof.absent, ...ofImage] : proof.absent,
    folders,
    files,
  );
  if (absent.trouble !== undefined) return { kind: "unproved", reason: absent.trouble };
  // Where a file stands in the way, another error is the answer: it must stand there, too.
  const inTheWay = [...absent.inTheWay].filter((path) => sent(path) === undefined);
  const here = [...absent.here, ...inTheWay].filter((path) => !isMade(path));
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
  const inodes = question.tellsByInode ? new Map<string, FileState>() : undefined;
  let twice: string | undefined;
  let foreign: string | undefined;
  // What was sent and not opened has no part in the result.
  for (const path of proof.opened) {
    const state = sent(path);
    if (state === undefined) {
      if (!isMade(path) && !TEMPORARY.test(path)) foreign ??= path;
    } else if (state === "folder") {
      // Compilers warn of one that is not there.
      if (folders.stat(path)?.kind !== "folder") changed.push(path);
    } else if (state !== "sent") {
      const now = folders.stat(path);
      if (!now || !sameState(now, state)) changed.push(path);
      if (inodes && state.kind === "file") {
        const inode = `${state.device} ${state.inode}`;
        const other = inodes.get(inode);
        // One state for each real path, however that is spelled.
        if (other && other !== state) twice ??= path;
        inodes.set(inode, state);
      }
    }
  }
  for (const { path, target } of question.links) {
    if (files.readLink(path) !== target) changed.push(path);
  }
  if (changed.length > 0) return { kind: "changed", paths: changed };
  if (twice !== undefined) {
    return { kind: "unproved", reason: `"${twice}" is a hard link of another file that it opened` };
  }
  // A root may hold nothing else; this is what would tell if it did.
  if (foreign !== undefined) {
    return { kind: "unproved", reason: `it opened "${foreign}", which was not sent` };
  }
  return { kind: "proved" };
}

/** What is known of names that were not there. */
interface Absent {
  /** Those that exist here. */
  readonly here: readonly string[];
  /** What is no folder and stands on the way to one. */
  readonly inTheWay: ReadonlySet<string>;
  /** Why a look at one gives another error here. */
  readonly trouble?: string;
}

/**
 * Those of `paths` that exist here. Names in one folder follow one another, and it is looked at once. A name
 * that is no more there than here can be told apart all the same by the error, which compilers print: where
 * this user may not look into a folder, where a link leads in a circle, and where a file stands on the way.
 */
function findAbsent(
  paths: readonly string[],
  folders: Folders,
  files: Pick<FileSystem, "readLink" | "lstat">,
): Absent {
  const here: string[] = [];
  const inTheWay = new Set<string>();
  const clear = new Set<string>();
  let folder: string | undefined;
  let names: ReturnType<Folders["names"]>;
  let isEntered = false;
  for (const path of paths) {
    const slash = path.lastIndexOf("/");
    if (folder === undefined || slash !== folder.length || !path.startsWith(folder)) {
      folder = path.slice(0, slash);
      const obstacle = obstacleTo(folder, folders, files, clear);
      if (obstacle?.trouble !== undefined) return { here, inTheWay, trouble: obstacle.trouble };
      if (obstacle) inTheWay.add(obstacle.path);
      names = folders.names(folder || "/");
      // A folder that cannot be listed may be entered all the same.
      isEntered = !names && folders.stat(folder || "/")?.kind === "folder";
    }
    const name = path.slice(slash + 1);
    const isDotted = name === "" || name === "." || name === "..";
    const kind = names?.get(name);
    // A link that leads to nothing is as absent as nothing at all.
    const exists = isDotted || isEntered || kind === "link"
      ? folders.stat(path) !== undefined
      : kind !== undefined;
    if (exists) here.push(path);
    else if (kind === "link") {
      const trouble = troubleOfLink(path, files);
      if (trouble !== undefined) return { here, inTheWay, trouble };
    }
  }
  return { here, inTheWay };
}

/** What lies on the way to what is in `folder`; `clear` are folders on whose way nothing does. */
function obstacleTo(
  folder: string,
  folders: Folders,
  files: Pick<FileSystem, "readLink" | "lstat">,
  clear: Set<string>,
): { readonly path: string; readonly trouble?: string } | undefined {
  const passed: string[] = [];
  for (let at = folder; at !== "" && !clear.has(at); at = at.slice(0, at.lastIndexOf("/"))) {
    passed.push(at);
    const state = folders.stat(at);
    if (!state) {
      const name = at.slice(at.lastIndexOf("/") + 1);
      if (folders.entry(parentOf(at), name) !== "link") continue;
      const trouble = troubleOfLink(at, files);
      if (trouble === undefined) continue;
      return { path: at, trouble };
    }
    if (state.kind !== "folder") return { path: at };
    if ((state.mode & 0o111) !== 0o111 && folders.stat(`${at}/.`) === undefined) {
      return { path: at, trouble: `nobody may look into "${at}" here` };
    }
    break;
  }
  for (const at of passed) clear.add(at);
  return undefined;
}

/** Most links that Linux follows for one name (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Why a look at `path`, a link that has no state, is no plain "not there": it leads in a circle, or through a
 * file. Component by component, as the kernel goes.
 */
function troubleOfLink(
  path: string,
  files: Pick<FileSystem, "readLink" | "lstat">,
): string | undefined {
  let at = "";
  let links = 0;
  let left = path.split("/").reverse();
  while (left.length > 0) {
    const name = left.pop();
    if (name === undefined || name === "" || name === ".") continue;
    if (name === "..") {
      at = at.slice(0, Math.max(0, at.lastIndexOf("/")));
      continue;
    }
    const next = `${at}/${name}`;
    const kind = files.lstat(next)?.kind;
    if (kind === undefined) return undefined;
    if (kind === "link") {
      const target = files.readLink(next);
      if (target === undefined) return undefined;
      if (++links > MAX_LINKS) return `the link "${path}" leads in a circle here`;
      if (target.startsWith("/")) at = "";
      left = [...left, ...target.split("/").reverse()];
      continue;
    }
    if (kind !== "folder" && left.some((rest) => rest !== "" && rest !== ".")) {
      return `the link "${path}" leads through a file here`;
    }
    at = next;
  }
  return undefined;
}
