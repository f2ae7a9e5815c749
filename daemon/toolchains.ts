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
import type { CompilerParts } from "../cc/toolchain.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { contentsOf, encodeManifest, type Input } from "../job/manifest.ts";
import { addFoldersAbove } from "../job/path.ts";
import type { KeptToolchains } from "./kept_toolchains.ts";
import type { rehearse } from "./rehearsal.ts";
import { collectToolchain, SHIM_PATH, shimInput } from "./toolchain_files.ts";
import type { StoredToolchain } from "./toolchain_records.ts";
import type { ReadObject, Uploads } from "./uploads.ts";

/** A toolchain in the store. */
export interface ReadyToolchain {
  readonly driver: string;
  /** Whether it is the image's that stands for it; nothing of it travels but what {@linkcode ReadyToolchain.sent} has. */
  readonly image?: true;
  /** What travels with each job beside the manifest. */
  readonly sent?: readonly Input[];
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
  /** Paths that proofs have found beside it; see {@linkcode Toolchains.learn}. */
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
  /** Takes note of what proofs have found beside a toolchain, after a restart, too. */
  learn(toolchain: ReadyToolchain, paths: readonly string[]): Promise<void>;
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
  /** What compilers said of themselves before the daemon started. */
  readonly kept?: KeptToolchains;
  /** Takes note of each toolchain that is in the store. */
  readonly note?: (toolchain: StoredToolchain) => Promise<void>;
}

/** No toolchain has none. */
const NO_PROGRAMS = "";

interface Entry {
  readonly ready: Promise<ReadyToolchain>;
  states: ReadonlyMap<string, FileState> | undefined;
  links: readonly Step[];
}

/** Creates an empty set of toolchains. */
export function createToolchains(tools: ToolchainTools): Toolchains {
  const byUploads = new WeakMap<Uploads, Map<string, Entry>>();
  const entryOf = new WeakMap<ReadyToolchain, Omit<Entry, "ready">>();
  const keepers = new WeakMap<ReadyToolchain, () => Promise<void>>();
  const objects = new Map<Digest, Uint8Array<ArrayBuffer>>();
  const shims = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  /** Compiled once for the same programs, as that takes longer than all else for another session or PATH. */
  const shimOf = (driver: string, set: InputSet): Promise<Uint8Array<ArrayBuffer>> => {
    const key = programsOf(set);
    let built = shims.get(key);
    if (!built) {
      shims.set(key, built = tools.buildShim(driver));
      built.catch(() => shims.delete(key));
    }
    return built;
  };

  /** What a compiler said of itself before, with its files as they are now; not if a program of it is another. */
  const recall = async (key: string) => {
    const kept = await tools.kept?.recall(key);
    if (!kept) return undefined;
    const set = createInputSet();
    await addPaths(set, kept.paths, tools);
    if (programsOf(set) !== kept.programs) return undefined;
    await addPaths(set, kept.extras, tools);
    return { kept, set, isKept: true };
  };

  const collect = async (key: string, parts: CompilerParts) => {
    const recalled = await recall(key);
    if (recalled) return recalled;
    const { set, ...kept } = await collectToolchain(parts, { ...tools, shimFor: shimOf });
    return { kept: { ...kept, extras: [], programs: programsOf(set) }, set, isKept: false };
  };

  const prepare = async (
    parts: CompilerParts,
    uploads: Uploads,
    entry: Omit<Entry, "ready">,
  ): Promise<ReadyToolchain> => {
    const { driver } = parts;
    const key = keyOf(parts);
    const { kept, set, isKept } = await collect(key, parts);
    const { shim, libraryPath } = kept;
    const shimDigest = await digestOf(shim);
    objects.set(shimDigest, shim);
    const inputs: Input[] = [...sortedInputs(set), shimInput(shimDigest, shim)];
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
      libraryPath,
      folders: foldersAbove(inputs),
      inputs: new Map(inputs.map((input) => [input.path, input])),
      extras: new Set(),
    };
    entryOf.set(toolchain, entry);
    const keep = async () => {
      const extras = [...new Set([...kept.extras, ...toolchain.extras])];
      // One that has come in front of another, or needs libraries: the compiler is to be asked next time.
      const programs = [...toolchain.extras].some(isExecutable) ? NO_PROGRAMS : kept.programs;
      await tools.kept?.keep(key, { ...kept, extras, programs }, set.states.keys());
    };
    keepers.set(toolchain, keep);
    if (!isKept) await keep();
    await tools.note?.({
      driver,
      flags: parts.flags,
      manifest,
      files: set.states.size + 1,
      bytes: sizeOf(inputs),
      packs: packs.length,
    });
    return toolchain;
  };

  const isExecutable = (path: string): boolean => {
    const state = tools.folders.stat(path);
    return state?.kind === "file" && ((state.mode & 0o111) !== 0 || /\.so(?:\.|$)/.test(path));
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
    learn: async (toolchain, paths) => {
      for (const path of paths) toolchain.extras.add(path);
      await keepers.get(toolchain)?.();
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

function sizeOf(inputs: readonly Input[]): number {
  let bytes = 0;
  for (const input of inputs) {
    if (input.kind === "file" && "size" in input.content) bytes += input.content.size;
  }
  return bytes;
}

/** Names the programs and libraries of a toolchain by their contents. */
function programsOf(set: InputSet): string {
  return contentsOf(sortedInputs(set).filter(({ path }) => isProgram(path))).join();
}

/** Sorted by path, so that equal toolchains have equal manifests. */
function sortedInputs(set: InputSet): Input[] {
  return [...set.inputs.values()].toSorted((a, b) => a.path < b.path ? -1 : 1);
}

function keyOf({ driver, flags, env, cwd }: CompilerParts): string {
  const isSameAnywhere = flags.length === 0 && Object.keys(env).every((name) => name === "PATH");
  return JSON.stringify([driver, env, flags, isSameAnywhere ? "" : cwd]);
}
