/** The outputs of one compilation: where they are to be, there and here. */
import type { FileSystem } from "../cc/file_system.ts";
import type { Place, Places } from "../cc/places.ts";
import { LlamaError } from "../job/errors.ts";
import { cleanPath } from "../job/path.ts";
import type { JobResult } from "../job/result.ts";
import type { ObjectStore } from "../store/object_store.ts";
import { absolute, type Compiled, type KeptOutputs, type RemoteRequest } from "./remote_request.ts";
import { leftFile } from "./left_file.ts";
import { readContent } from "./run_job.ts";
import { filesOf, isReplaceable, writeOutput } from "./write_output.ts";

/** Outputs of a compilation. */
export interface OutputPlaces {
  /** Each output once, in the order of the command line. */
  readonly list: readonly {
    /** Path in the job's root. */
    readonly path: string;
    /** Path here. */
    readonly target: string;
    /** Whether the assembler makes it, which replaces what is there. */
    readonly isObject: boolean;
  }[];
  /** Path in the job's root of what a compiler that ends well has made; `undefined` if nothing. */
  readonly main: string | undefined;
  /** Folders that must exist in the job's root. */
  readonly folders: readonly string[];
  /** All spellings of the outputs. */
  readonly made: ReadonlySet<string>;
}

/**
 * Finds where the outputs are to be.
 *
 * @throws {LlamaError} `SpecialOutput` if one of them is a device, a FIFO, a link or a folder here.
 */
export function placeOutputs(
  { compilation, request, line }: RemoteRequest,
  files: FileSystem,
  places: Places,
): OutputPlaces {
  const list: { path: string; target: string; isObject: boolean }[] = [];
  const folders: string[] = [];
  const made = new Set<string>();
  const { output, makesOutput, dependFile, extraOutputs } = compilation;
  let main: string | undefined;
  for (
    const spelled of [
      ...(makesOutput ? [output] : []),
      ...(dependFile === undefined ? [] : [dependFile]),
      ...extraOutputs,
    ]
  ) {
    const target = absolute(spelled, request.cwd);
    if (!isReplaceable(files.lstat(target))) {
      throw new LlamaError("SpecialOutput", `The output "${spelled}" is no regular file`);
    }
    const slash = target.lastIndexOf("/");
    const folder = target.slice(0, slash) || "/";
    const place: Place | undefined = places.find(folder);
    const real = place?.path ?? cleanPath(folder);
    const path = `${real === "/" ? "" : real}/${target.slice(slash + 1)}`;
    if (files.stat(folder)?.kind === "folder") folders.push(folder);
    list.push({ path, target, isObject: spelled === output && line.mode === "compile" });
    if (makesOutput) main ??= path;
    made.add(target);
    made.add(path);
  }
  return { list, main, folders, made };
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
 * made no object where one was expected.
 */
export async function writeOutputs(
  result: JobResult,
  umask: number,
  outputs: OutputPlaces,
  store: ObjectStore,
  keep?: (made: Pick<KeptOutputs, "files" | "removed">) => void,
): Promise<WrittenOutputs> {
  const { status } = result;
  // A compiler that was killed is no result at all: see worker_trouble.ts.
  if (status.kind === "signal") throw new LlamaError("CompilerKilled", status.signal);
  const stdout = await readContent(result.stdout, store);
  const stderr = await readContent(result.stderr, store);
  const made = filesOf(result.outputs);
  const { main } = outputs;
  if (
    result.status.kind === "exit" && result.status.code === 0 && main !== undefined &&
    !made.has(main)
  ) {
    throw new LlamaError("OutputElsewhere", `The compiler did not make "${main}"`);
  }
  const pending: { target: string; bytes: Uint8Array; isObject: boolean }[] = [];
  for (const { path, target, isObject } of outputs.list) {
    const file = made.get(path);
    if (file) pending.push({ target, bytes: await readContent(file.content, store), isObject });
  }
  // All contents are here before the first file is touched; the object is last, as the compiler makes it last.
  pending.sort((a, b) => Number(a.isObject) - Number(b.isObject));
  let outputBytes = 0;
  if (keep) {
    const kept = pending.map(({ target, bytes, isObject }) =>
      [target, { bytes, mode: modeOf(target, umask, isObject) }] as const
    );
    keep({ files: new Map(kept), removed: [] });
    pending.length = 0;
  }
  for (const { target, bytes, isObject } of pending) {
    await writeOutput(target, bytes, {
      umask,
      replacement: isObject ? "unlink" : "truncate",
    });
    outputBytes += bytes.length;
  }
  return { kind: "compiled", stdout, stderr, code: status.code, outputBytes };
}

/** The mode that {@linkcode writeOutput} gives. */
function modeOf(path: string, umask: number, isObject: boolean): number {
  const existing = leftFile(path);
  const stays = existing && (!isObject || existing.bytes.length === 0);
  return stays ? existing.mode : 0o666 & ~umask;
}
