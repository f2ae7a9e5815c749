/** Toolchains that are ready to be named in a job: found, packed and uploaded once per content. */
import type { FileDigests } from "../cc/digests.ts";
import {
  type FileState,
  type FileSystem,
  type ProcessRunner,
  sameState,
} from "../cc/file_system.ts";
import type { Folders } from "../cc/folders.ts";
import { addPaths, createInputSet, type InputSet } from "../cc/inputs.ts";
import type { Places, Step } from "../cc/places.ts";
import { foldersOf, librariesOf } from "../cc/libraries.ts";
import { type CompilerParts, discoverToolchain, refuseScript } from "../cc/toolchain.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { encodeManifest, type Input } from "../job/manifest.ts";
import { addFoldersAbove } from "../job/path.ts";
import type { rehearse } from "./rehearsal.ts";
import type { ReadObject, Uploads } from "./uploads.ts";

/** A toolchain in the store. */
export interface ReadyToolchain {
  readonly driver: string;
  /** Manifest of its files, with the packs that hold them. */
  readonly manifest: Digest;
  readonly manifestBytes: Uint8Array<ArrayBuffer>;
  /** Path of the path shim in a job's root. */
  readonly shim: string;
  readonly libraryPath: readonly string[];
  /** States of its files when they were hashed, by real path. */
  readonly states: ReadonlyMap<string, FileState>;
  /** All folders above its inputs. */
  readonly folders: ReadonlySet<string>;
  /** Its inputs by real path. */
  readonly inputs: ReadonlyMap<string, Input>;
  /** Paths that proofs have found beside it. */
  readonly extras: Set<string>;
}

/** Prepares toolchains. */
export interface Toolchains {
  /**
   * The toolchain of a compiler, uploaded through `uploads`; prepared once, and again when one of its
   * programs or libraries has changed. Whether a header has is for the proof to see, which asks only about
   * those that were opened.
   *
   * @throws {LlamaError} If the compiler cannot run elsewhere.
   */
  prepare(parts: CompilerParts, uploads: Uploads): Promise<ReadyToolchain>;
  /** The toolchain that was prepared and is still the same. */
  ready(parts: CompilerParts, uploads: Uploads): Promise<ReadyToolchain> | undefined;
  /** Forgets the toolchain if any of its files has changed. */
  check(toolchain: ReadyToolchain): void;
  /** Bytes of the manifest or the shim of a toolchain that was prepared. */
  read(digest: Digest): Uint8Array<ArrayBuffer> | undefined;
}

/** What toolchains are made with. */
export interface ToolchainTools {
  readonly files: FileSystem;
  readonly processes: ProcessRunner;
  readonly folders: Folders;
  readonly places: Places;
  readonly digests: FileDigests;
  /** Returns the compiled path shim, made by the local compiler. */
  readonly buildShim: (compiler: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Names what the compiler looks at beside its programs; see {@linkcode rehearse}. */
  readonly rehearse: typeof rehearse;
}

const SHIM_PATH = "/.llama/path_shim.so";

interface Entry {
  readonly ready: Promise<ReadyToolchain>;
  states: ReadonlyMap<string, FileState> | undefined;
  links: readonly Step[];
}

/** Creates an empty set of toolchains. */
export function createToolchains(tools: ToolchainTools): Toolchains {
  const byUploads = new WeakMap<Uploads, Map<string, Entry>>();
  const entryOf = new WeakMap<ReadyToolchain, Omit<Entry, "ready">>();
  const objects = new Map<Digest, Uint8Array<ArrayBuffer>>();
  const shims = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  /** Compiled once for the same programs, as that takes longer than all else for another session or PATH. */
  const shimOf = (driver: string, set: InputSet): Promise<Uint8Array<ArrayBuffer>> => {
    const programs = sortedInputs(set).filter(({ path }) => isProgram(path));
    const key = contentsOf(programs).join();
    let built = shims.get(key);
    if (!built) {
      shims.set(key, built = tools.buildShim(driver));
      built.catch(() => shims.delete(key));
    }
    return built;
  };

  const prepare = async (
    parts: CompilerParts,
    uploads: Uploads,
    entry: Omit<Entry, "ready">,
  ): Promise<ReadyToolchain> => {
    const { driver } = parts;
    const found = await discoverToolchain(parts, tools);
    const set = createInputSet();
    await addPaths(set, found.paths, tools);
    if (set.unreadable.length > 0) {
      throw new LlamaError(
        "ToolchainUnreadable",
        `Cannot read "${set.unreadable[0]}", a file of the compiler "${driver}"`,
      );
    }
    const shim = await shimOf(driver, set);
    const beside = await tools.rehearse(parts, shim, tools);
    const libraries = await librariesBeside(beside.filter((path) => !found.paths.includes(path)));
    // What it cannot take along, a job may not need.
    const { unreadable: _, ...rest } = set;
    await addPaths({ ...rest, unreadable: [] }, [...beside, ...libraries], tools);
    const shimDigest = await digestOf(shim);
    objects.set(shimDigest, shim);
    const inputs: Input[] = [...sortedInputs(set), {
      kind: "file",
      path: SHIM_PATH,
      mode: 0o755,
      content: { digest: shimDigest, size: shim.length },
    }];
    const read: ReadObject = async (digest) =>
      objects.get(digest) ?? await tools.digests.read(digest);
    const packs = await uploads.ensure(contentsOf(inputs), read);
    const manifestBytes = encodeManifest({ packs, inputs });
    const manifest = await digestOf(manifestBytes);
    objects.set(manifest, manifestBytes);
    await uploads.ensure([manifest], read);
    entry.states = new Map([...set.states].filter(([path]) => isProgram(path)));
    // A library is another file when it is another version; `cc` may lead to another compiler.
    entry.links = inputs.filter((input) => input.kind === "link")
      .filter(({ path }) => !/\.so(?:\.|$)/.test(path));
    const toolchain: ReadyToolchain = {
      states: set.states,
      driver,
      manifest,
      manifestBytes,
      shim: SHIM_PATH,
      libraryPath: [...new Set([...found.libraryPath, ...foldersOf(libraries)])],
      folders: foldersAbove(inputs),
      inputs: new Map(inputs.map((input) => [input.path, input])),
      extras: new Set(),
    };
    entryOf.set(toolchain, entry);
    return toolchain;
  };

  /**
   * Libraries of programs and plugins among `paths`: a loader that misses one ends a program as if it were at fault.
   *
   * @throws {LlamaError} `ScriptCompiler`.
   */
  const librariesBeside = async (paths: readonly string[]): Promise<string[]> => {
    const libraries: string[] = [];
    for (const path of paths) {
      const state = tools.files.stat(path);
      if (state?.kind !== "file") continue;
      const isExecutable = (state.mode & 0o111) !== 0;
      if (!isExecutable && !/\.so(?:\.|$)/.test(path)) continue;
      if (isExecutable) refuseScript(path, tools.files);
      libraries.push(...(await librariesOf(path, tools.processes)).paths);
    }
    return libraries;
  };

  const isCurrent = ({ states, links }: Pick<Entry, "states" | "links">) => {
    for (const { path, target } of links) if (tools.files.readLink(path) !== target) return false;
    for (const [path, state] of states ?? []) {
      const now = tools.folders.stat(path);
      if (!now || !sameState(now, state)) return false;
    }
    return true;
  };

  return {
    ready: (parts, uploads) => {
      const known = byUploads.get(uploads)?.get(keyOf(parts));
      return known && isCurrent(known) ? known.ready : undefined;
    },
    prepare: (parts, uploads) => {
      const { driver } = parts;
      let entries = byUploads.get(uploads);
      if (!entries) byUploads.set(uploads, entries = new Map());
      const key = keyOf(parts);
      const known = entries.get(key);
      if (known && isCurrent(known)) return known.ready;
      const entry = { states: undefined, links: [] };
      const ready = prepare(parts, uploads, entry);
      entries.set(key, Object.assign(entry, { ready }));
      ready.catch((error) => {
        const state = tools.folders.stat(driver);
        if (
          error instanceof LlamaError && /^(?:Static|Script)Compiler$/.test(error.code) && state
        ) {
          // It stays so as long as it is the same file.
          Object.assign(entry, { states: new Map([[driver, state]]) });
          return;
        }
        // What else was wrong may be mended by the next compilation.
        if (entries.get(key)?.ready === ready) entries.delete(key);
      });
      return ready;
    },
    check: (toolchain) => {
      const entry = entryOf.get(toolchain);
      // From now on all of its files count, so that the next one to prepare it finds it changed.
      if (entry && !isCurrent({ ...entry, states: toolchain.states })) {
        entry.states = toolchain.states;
      }
    },
    read: (digest) => objects.get(digest),
  };
}

function foldersAbove(inputs: readonly Input[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const { path } of inputs) addFoldersAbove(path, folders);
  return folders;
}

function isProgram(path: string): boolean {
  return !/\/include(?:-fixed)?\//.test(path);
}

function contentsOf(inputs: readonly Input[]): Digest[] {
  return inputs.flatMap((input) =>
    input.kind === "file" && "digest" in input.content ? [input.content.digest] : []
  );
}

/** Sorted by path, so that equal toolchains have equal manifests. */
function sortedInputs(set: InputSet): Input[] {
  return [...set.inputs.values()].toSorted((a, b) => a.path < b.path ? -1 : 1);
}

function keyOf({ driver, flags, env, cwd }: CompilerParts): string {
  const isSameAnywhere = flags.length === 0 && Object.keys(env).every((name) => name === "PATH");
  return JSON.stringify([driver, env, flags, isSameAnywhere ? "" : cwd]);
}
