/**
 * The outputs of one compilation: where they are to be, there and here.
 *
 * How a compiler treats a file that is there already can be seen: `as` removes an object unless it is
 * empty, cc1 writes into a dependency file and keeps its mode and hard links, clang renames over it, all
 * write through a dangling link, and GCC's driver removes some outputs of a compilation that failed. So
 * the worker gets a stand-in for each output that exists here, and what became of that is done here:
 *
 *     stand-in      on the worker afterwards     here
 *     any           not there                    removed
 *     any           as it was                    left
 *     any           other content, same mode     written into
 *     any, or none  other content, other mode    written beside and renamed
 *
 * A stand-in has a mode that no compiler gives to a new file, and one that is not empty cannot be read, so
 * that its content has no part in any result. What the compiler reads again when it has written it, such as
 * a kept `.s`, is sent as it is.
 */
import type { FileSystem } from "../cc/file_system.ts";
import type { Place, Places } from "../cc/places.ts";
import { LlamaError } from "../job/errors.ts";
import type { FileInput } from "../job/manifest.ts";
import { childOf, cleanPath, parentOf } from "../job/path.ts";
import type { JobResult } from "../job/result.ts";
import type { Wanted } from "../job/spec.ts";
import type { ObjectStore } from "../store/object_store.ts";
import {
  absolute,
  type Compiled,
  type KeptOutputs,
  type RemoteRequest,
  StaysHere,
} from "./remote_request.ts";
import { leftFile } from "./left_file.ts";
import { readContent } from "./run_job.ts";
import { removeIfThere, replaceFile, writeInto } from "./write_output.ts";

/** Outputs of a compilation. */
export interface OutputPlaces {
  /** Real paths of all outputs whose names are known, and of those of a family that are there. */
  readonly targets: ReadonlySet<string>;
  /** What the job may give back. */
  readonly wanted: readonly Wanted[];
  /** Outputs that are there already, as the job gets them; each is wanted. */
  readonly standIns: ReadonlyMap<string, FileInput>;
  /** Folders that must exist in the job's root. */
  readonly folders: readonly string[];
  /** Real paths of the folders that outputs are in; the job must be able to write there, too. */
  readonly writtenFolders: ReadonlySet<string>;
  /** Ways that lead to outputs by links. */
  readonly ways: readonly Place[];
  /** Whether a path, as the job spells it, is one that the job itself makes. */
  isMade(path: string): boolean;
  /** Whether something that is no folder stands at the path of an output. */
  isReplaceable(path: string): boolean;
  /** Whether the compiler may write to that real path; it is the same here and in the job's root. */
  isOutput(path: string): boolean;
  /** Paths of the object or assembly: its own, and that to which it leads as a link. */
  readonly object: ReadonlySet<string>;
}

/** Folders of what is no file on a disk. */
const SPECIAL = /^\/(?:dev|proc|sys)(?:\/|$)/;
/** GCC's own test for a file that is none; `-` is for each option to explain. */
const NOTHING = "/dev/null";
const STAND_IN = new TextEncoder().encode("stands for a file that is not sent\n");
/** The modes of stand-ins. */
const TRUE_MODES = { writable: 0o600, readOnly: 0o400 };
const HIDDEN_MODES = { writable: 0o200, readOnly: 0 };
/** What compilers say of a stand-in that they may not open as they want to. */
const REFUSED = /Permission denied|: error: cannot open |can't (?:open|create) /;
/** A file up to this size travels in the invocation. */
const MAX_INLINE_BYTES = 1024 * 1024;

/**
 * Finds where the outputs are to be.
 *
 * @throws {StaysHere} If one of them is a device, a FIFO, in a folder that cannot be written, or the like.
 */
export function placeOutputs(
  { compilation, request }: RemoteRequest,
  files: FileSystem,
  places: Places,
): OutputPlaces {
  const { output, makesOutput, dependFile, auxiliary } = compilation;
  const targets = new Set<string>();
  const wanted: Wanted[] = [];
  const standIns = new Map<string, FileInput>();
  const folders = new Set<string>();
  const writtenFolders = new Set<string>();
  const ways: Place[] = [];
  const links = new Set<string>();
  const object = new Set<string>();
  const readAgain = new Set(auxiliary.readAgain);
  const notes = new Set(auxiliary.notes);
  const spellings = new Set<string>();

  /** The folder of an output, by its real path if it exists. */
  const enterFolder = (spelled: string): string => {
    const target = absolute(spelled, request.cwd);
    const folder = parentOf(target);
    const real = places.find(folder)?.path;
    if (real === undefined || files.stat(real)?.kind !== "folder") return cleanPath(folder);
    if (SPECIAL.test(real)) throw new StaysHere("special-output");
    if (!writtenFolders.has(real) && !files.isWritable(real)) {
      throw new StaysHere("unwritable-output");
    }
    folders.add(folder);
    writtenFolders.add(real);
    return real;
  };

  const addTarget = (path: string, spelled: string): void => {
    targets.add(path);
    if (spelled === output) object.add(path);
    const state = files.lstat(path);
    if (state === undefined) return;
    if (state.kind === "folder") {
      folders.add(path);
    } else if (state.kind === "file") {
      const isTrue = state.size === 0 || readAgain.has(spelled);
      const modes = isTrue || notes.has(spelled) ? TRUE_MODES : HIDDEN_MODES;
      const mode = files.isWritable(path) ? modes.writable : modes.readOnly;
      const bytes = !isTrue
        ? STAND_IN
        : state.size > MAX_INLINE_BYTES
        ? undefined
        : files.read(path);
      if (!bytes) throw new StaysHere("special-output");
      standIns.set(path, { kind: "file", path, mode, content: { bytes } });
    } else if (state.kind === "link") {
      const place = places.find(path);
      // A link such as /dev/stdout leads elsewhere in each process.
      if (!place || place.links.some((step) => SPECIAL.test(step.path))) {
        throw new StaysHere("special-output");
      }
      links.add(path);
      ways.push(place);
      enterFolder(place.path);
      wanted.push({ match: "exact", path: place.path });
      addTarget(place.path, spelled);
    } else {
      throw new StaysHere("special-output");
    }
  };

  const spelled = [
    ...auxiliary.files,
    ...(dependFile === undefined ? [] : [dependFile]),
    ...(makesOutput ? [output] : []),
  ];
  for (const name of spelled) {
    if (name === "-" || name === NOTHING) continue;
    if (/(?:^|\/)\.{0,2}$/.test(name)) throw new StaysHere("special-output");
    const path = childOf(enterFolder(name), nameOf(name));
    spellings.add(absolute(name, request.cwd));
    if (targets.has(path)) continue;
    wanted.push({ match: "exact", path });
    addTarget(path, name);
  }
  const families = auxiliary.families.map(({ prefix, rest }) => {
    const folder = enterFolder(prefix);
    const start = childOf(folder, nameOf(prefix));
    const isMember = (path: string) =>
      path.startsWith(start) && rest.test(path.slice(start.length));
    for (const { name } of files.list(folder) ?? []) {
      const path = childOf(folder, name);
      if (isMember(path) && !targets.has(path)) addTarget(path, path);
    }
    if (!wanted.some(({ match, path }) => match === "prefix" && path === start)) {
      wanted.push({ match: "prefix", path: start });
    }
    return isMember;
  });
  const isOutput = (path: string) =>
    targets.has(path) || families.some((isMember) => isMember(path));
  return {
    targets,
    wanted,
    standIns,
    folders: [...folders],
    writtenFolders,
    ways,
    isMade: (path) => spellings.has(path) || isOutput(cleanPath(path)),
    isReplaceable: (path) => standIns.has(path) || links.has(path),
    isOutput,
    object,
  };
}

/** A compilation whose outputs are written. */
export interface WrittenOutputs extends Compiled {
  /** Bytes of all outputs. */
  readonly outputBytes: number;
}

/**
 * Writes what a compilation made, once all of it is here, or gives it to `keep` instead.
 *
 * @throws {LlamaError} `CompilerKilled` if it did not end by itself, `OutputElsewhere` if it ended well and
 * made no object where one was expected, `BadOutput` for what no compiler makes.
 * @throws {StaysHere} If it met a stand-in where it needs the file, wrote over an input, or cannot be written.
 */
export async function writeOutputs(
  result: JobResult,
  umask: number,
  outputs: OutputPlaces,
  isInput: (path: string) => boolean,
  store: ObjectStore,
  keep?: (made: Pick<KeptOutputs, "files" | "removed">) => void,
): Promise<WrittenOutputs> {
  const { status } = result;
  // A compiler that was killed is no result at all: see worker_trouble.ts.
  if (status.kind === "signal") throw new LlamaError("CompilerKilled", status.signal);
  const stdout = await readContent(result.stdout, store);
  const stderr = await readContent(result.stderr, store);
  const { object } = outputs;
  if (
    status.code === 0 && object.size > 0 && !result.outputs.some(({ path }) => object.has(path))
  ) {
    throw new LlamaError("OutputElsewhere", `The compiler did not make "${[...object].join()}"`);
  }
  if (
    outputs.standIns.size > 0 && status.code !== 0 &&
    REFUSED.test(new TextDecoder().decode(stderr))
  ) {
    throw new StaysHere("unwritable-output");
  }
  const pending: { path: string; bytes: Uint8Array; into: boolean }[] = [];
  for (const output of result.outputs) {
    const { path } = output;
    if (!outputs.isOutput(path) || output.kind !== "file") {
      throw new LlamaError("BadOutput", `No compiler makes "${path}" (${output.kind})`);
    }
    if (isInput(path)) throw new StaysHere("output-is-input");
    const bytes = await readContent(output.content, store);
    const standIn = outputs.standIns.get(path);
    if (standIn && startsWith(bytes, STAND_IN)) throw new StaysHere("appends");
    pending.push({ path, bytes, into: standIn?.mode === output.mode });
  }
  const removed = (result.removed ?? []).filter((path) =>
    outputs.isReplaceable(path) && !isInput(path)
  );
  // All contents are here before the first file is touched; the object is last, as the compiler makes it last.
  pending.sort((a, b) => Number(object.has(a.path)) - Number(object.has(b.path)));
  const outputBytes = pending.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const mode = 0o666 & ~umask;
  if (keep) {
    const files = pending.map(({ path, bytes, into }) =>
      [path, { bytes, mode: into ? leftFile(path)?.mode ?? mode : mode }] as const
    );
    keep({ files: new Map(files), removed });
  } else {
    try {
      for (const path of removed) await removeIfThere(path);
      for (const { path, bytes, into } of pending) {
        if (into) await writeInto(path, bytes);
        else await replaceFile(path, bytes, mode);
      }
    } catch (error) {
      // A full disk, say: the local compiler meets it, too, and has its own words for it.
      if (error instanceof Error && "code" in error) throw new StaysHere("unwritable-output");
      throw error;
    }
  }
  return { kind: "compiled", stdout, stderr, code: status.code, outputBytes };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, index) => bytes[index] === byte);
}
