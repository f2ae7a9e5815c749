/** All files of a toolchain, each with the reason why it travels. */
import { addPaths, createInputSet, type InputSet, type InputTools } from "../cc/inputs.ts";
import type { FileSystem, ProcessRunner } from "../cc/file_system.ts";
import { foldersOf, librariesOf } from "../cc/libraries.ts";
import { type CompilerParts, discoverToolchain, refuseScript } from "../cc/toolchain.ts";
import type { Digest } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import type { rehearse } from "./rehearsal.ts";

/** Path of the path shim in a job's root. */
export const SHIM_PATH = "/.llama/path_shim.so";

/** The shim as an input of a job. */
export function shimInput(digest: Digest, { length }: Uint8Array): Input {
  return { kind: "file", path: SHIM_PATH, mode: 0o755, content: { digest, size: length } };
}

/** What {@linkcode collectToolchain} works with. */
export interface CollectTools extends InputTools {
  readonly files: FileSystem;
  readonly processes: ProcessRunner;
  /** Names what the compiler looks at beside its programs; see {@linkcode rehearse}. */
  readonly rehearse: typeof rehearse;
  /** Returns the path shim for the compiler that has these files. */
  readonly shimFor: (driver: string, set: InputSet) => Promise<Uint8Array<ArrayBuffer>>;
}

/** The files of a toolchain. */
export interface CollectedToolchain {
  readonly set: InputSet;
  /** What was asked for, as the compiler spells it; links and folders on the way are in the set. */
  readonly paths: readonly string[];
  readonly shim: Uint8Array<ArrayBuffer>;
  /** Folders for the loader. */
  readonly libraryPath: readonly string[];
  /** Why each file travels, by real path. */
  readonly why: ReadonlyMap<string, string>;
}

/**
 * Collects what a compiler needs to run elsewhere.
 *
 * @throws {LlamaError} If it cannot run elsewhere: see {@linkcode discoverToolchain}; `ToolchainUnreadable`.
 */
export async function collectToolchain(
  parts: CompilerParts,
  tools: CollectTools,
): Promise<CollectedToolchain> {
  const found = await discoverToolchain(parts, tools);
  const set = createInputSet();
  await addPaths(set, found.why.keys(), tools);
  if (set.unreadable.length > 0) {
    throw new LlamaError(
      "ToolchainUnreadable",
      `Cannot read "${set.unreadable[0]}", a file of the compiler "${parts.driver}"`,
    );
  }
  const shim = await tools.shimFor(parts.driver, set);
  const why = new Map(found.why);
  const beside = await tools.rehearse(parts, shim, tools);
  const libraries = new Set<string>();
  for (const path of beside) {
    if (why.has(path)) continue;
    why.set(path, "the compiler looks at it");
    for (const library of await librariesBeside(path, tools)) {
      libraries.add(library);
      if (!why.has(library)) why.set(library, `library of ${nameOf(path)}`);
    }
  }
  // What it cannot take along, a job may not need.
  await addPaths({ ...set, unreadable: [] }, [...beside, ...libraries], tools);
  const real = (path: string) => tools.places.find(path)?.path ?? path;
  return {
    set,
    paths: [...why.keys()],
    shim,
    libraryPath: [...new Set([...found.libraryPath, ...foldersOf(libraries)])],
    why: new Map([...why].map(([path, reason]) => [real(path), reason])),
  };
}

/**
 * Libraries of a program or plugin: a loader that misses one ends a program as if it were at fault.
 *
 * @throws {LlamaError} `ScriptCompiler`.
 */
async function librariesBeside(path: string, tools: CollectTools): Promise<readonly string[]> {
  const state = tools.files.stat(path);
  if (state?.kind !== "file") return [];
  const isExecutable = (state.mode & 0o111) !== 0;
  if (!isExecutable && !/\.so(?:\.|$)/.test(path)) return [];
  if (isExecutable) refuseScript(path, tools.files);
  return (await librariesOf(path, tools.processes)).paths;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
