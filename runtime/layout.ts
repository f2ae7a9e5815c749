/**
 * Lays out a job's inputs under a fresh root. Everything is done by calls that wait: for hundreds of
 * files they are several times faster than as many promises.
 */
import { isInline } from "../job/content.ts";
import { LlamaError } from "../job/errors.ts";
import type { FileInput } from "../job/manifest.ts";
import { parentOf } from "../job/path.ts";
import { isWanted, type JobSpec } from "../job/spec.ts";
import type { Cache } from "./cache.ts";
import { type Look, type Patch, setModified } from "./look.ts";
import { type ElfProgram, readAtBytes, readElf } from "./elf.ts";
import { type Fingerprint, fingerprint, type Libc } from "./libc.ts";
import type { KeptRoot } from "./kept_root.ts";
import { targetInRoot } from "./link_target.ts";
import type { Loaders } from "./loaders.ts";
import type { Tree } from "./tree.ts";

/** What makes the parts of a root. */
type RootMaker = Omit<KeptRoot, "path" | "end" | "drop">;

/** What laying out needs of the worker. */
export interface LayoutTools {
  /** A root that stays; its path is that of the job's root then. */
  readonly kept: KeptRoot | undefined;
  readonly cache: Cache;
  readonly loaders: Loaders;
  readonly libc: Libc | undefined;
}

/** A root with a job's inputs in it. */
export interface Layout {
  /** Absolute path without a slash at its end. */
  readonly root: string;
  readonly rooted: boolean;
  /** State of the inputs that the job may give back, by job path. */
  readonly before: ReadonlyMap<string, Fingerprint>;
  /** Loaders that programs name, as they name them, and that were shipped. */
  readonly loaders: readonly string[];
  /** Loaders that programs name and that were not shipped. */
  readonly absentLoaders: readonly string[];
}

const FOLDER_MODE = 0o755;
const SHARED_FOLDER_MODE = 0o1777;

/** The path on the worker of a job's path. */
export function realPathOf(root: string, path: string): string {
  return path === "" || path === "/"
    ? root
    : path.startsWith("/")
    ? root + path
    : `${root}/${path}`;
}

/**
 * Lays out `tree` under `root`, which must not exist, unless it is that of `tools.kept`.
 *
 * @throws {LlamaError} `BadJob` if the working folder is no folder.
 */
export function layOut(
  tree: Tree,
  spec: Pick<JobSpec, "cwd" | "rooted" | "wanted">,
  root: string,
  tools: LayoutTools,
): Layout {
  // Permission bits are as the job says, whatever the worker's own mask is.
  const umask = Deno.umask(0);
  try {
    return layOutUnmasked(tree, spec, root, tools);
  } finally {
    Deno.umask(umask);
  }
}

function layOutUnmasked(
  tree: Tree,
  spec: Pick<JobSpec, "cwd" | "rooted" | "wanted">,
  root: string,
  tools: LayoutTools,
): Layout {
  const rooted = spec.rooted !== undefined;
  const mayComeBack = (path: string) => isWanted(path, spec.wanted);
  const folders = foldersOf(tree, spec);
  const maker = tools.kept ?? freshRoot(root, tools.cache);
  maker.prepare(tree, folders, mayComeBack);
  for (const path of folders) maker.makeFolder(path);
  const place = (input: FileInput, patch: Patch | undefined) => {
    const { path, mode, mtimeMs, content } = input;
    const look: Look = { mode, ...(mtimeMs !== undefined && { mtimeMs }), ...(patch && { patch }) };
    if (isInline(content)) writeFile(maker.makeRoom(path), content.bytes, look);
    else maker.place(path, content.digest, look, mayComeBack(path));
  };
  const programs: { input: FileInput; elf: ElfProgram }[] = [];
  for (const input of tree.values()) {
    if (input.kind === "folder") continue;
    if (input.kind === "link") {
      maker.makeLink(input.path, rooted ? targetInRoot(input) : input.target);
      continue;
    }
    const elf = rooted ? programOf(input, tools.cache) : undefined;
    if (elf?.interp) programs.push({ input, elf });
    else place(input, undefined);
  }
  // Which loader a program means is known only once all links are there.
  const loaders = new Map<string, boolean>();
  for (const { input, elf } of programs) {
    const patch = loaderPatch(elf, root, tree, tools.loaders);
    if (elf.interp) loaders.set(elf.interp.path, patch !== undefined);
    place(input, patch);
  }
  makeWorkingFolder(realPathOf(root, spec.cwd), spec.cwd);
  // Last, as a folder may be one that we may not write to.
  for (const path of folders) {
    const input = tree.get(path);
    const implicit = rooted && path === "/tmp" ? SHARED_FOLDER_MODE : FOLDER_MODE;
    maker.setMode(path, input?.kind === "folder" ? input.mode : implicit);
  }
  for (const input of tree.values()) {
    if (input.kind !== "folder" || input.mtimeMs === undefined) continue;
    setModified(realPathOf(root, input.path), input.mtimeMs);
  }
  maker.begin();
  const named = [...loaders];
  return {
    root,
    rooted,
    before: statesOf(tree, folders, mayComeBack, root, tools.libc),
    loaders: named.filter(([, shipped]) => shipped).map(([path]) => path),
    absentLoaders: named.filter(([, shipped]) => !shipped).map(([path]) => path),
  };
}

/** All folders that a job needs, each after the one that it is in. */
function foldersOf(tree: Tree, { cwd, rooted }: Pick<JobSpec, "cwd" | "rooted">): Set<string> {
  const top = rooted ? "/" : "";
  const folders = new Set([top]);
  const add = (path: string) => {
    if (path === "" || folders.has(path)) return;
    add(parentOf(path));
    folders.add(path);
  };
  for (const input of tree.values()) {
    add(input.kind === "folder" ? input.path : parentOf(input.path));
  }
  if (!rooted) return folders;
  if (!tree.has("/tmp")) add("/tmp");
  if (!isBelowOther(tree, cwd)) add(cwd);
  return folders;
}

/** Whether the way to a folder leads through a file or link. */
function isBelowOther(tree: Tree, cwd: string): boolean {
  for (let path = cwd; path !== "" && path !== "/"; path = parentOf(path)) {
    const input = tree.get(path);
    if (input && input.kind !== "folder") return true;
  }
  return false;
}

/** What makes a root that does not stay. */
function freshRoot(root: string, cache: Cache): RootMaker {
  const real = (path: string) => realPathOf(root, path);
  return {
    prepare() {},
    makeFolder: (path) => Deno.mkdirSync(real(path), { mode: FOLDER_MODE }),
    setMode(path, mode) {
      if (mode !== FOLDER_MODE) Deno.chmodSync(real(path), mode);
    },
    makeLink: (path, target) => Deno.symlinkSync(target, real(path)),
    place(path, digest, look, mayComeBack) {
      cache.place(digest, real(path), look, mayComeBack);
    },
    makeRoom: real,
    begin() {},
  };
}

function statesOf(
  tree: Tree,
  folders: ReadonlySet<string>,
  mayComeBack: (path: string) => boolean,
  root: string,
  libc: Libc | undefined,
): Map<string, Fingerprint> {
  const states = new Map<string, Fingerprint>();
  const note = (path: string) => {
    if (!mayComeBack(path)) return;
    const state = fingerprint(libc, realPathOf(root, path));
    if (state) states.set(path, state);
  };
  for (const path of folders) note(path);
  for (const path of tree.keys()) if (!folders.has(path)) note(path);
  return states;
}

function makeWorkingFolder(path: string, cwd: string): void {
  try {
    Deno.mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  } catch (cause) {
    throw new LlamaError(
      "BadJob",
      `Cannot use ${JSON.stringify(cwd)} as the working folder as it is not a folder`,
      { cause },
    );
  }
}

function programOf({ path, mode, content }: FileInput, cache: Cache): ElfProgram | undefined {
  // A library that can also be executed, such as libc.so.6, is read by the loader alone.
  if ((mode & 0o111) === 0 || /\.so(\.[0-9.]+)?$/.test(path)) return undefined;
  if (isInline(content)) return readElf(readAtBytes(content.bytes));
  return cache.elf(content.digest);
}

function loaderPatch(
  { interp }: ElfProgram,
  root: string,
  tree: Tree,
  loaders: Loaders,
): Patch | undefined {
  if (interp === undefined || !interp.path.startsWith("/")) return undefined;
  const real = realPathOrNone(root + interp.path);
  if (real === undefined || !real.startsWith(root + "/")) return undefined;
  const input = tree.get(real.slice(root.length));
  if (input?.kind !== "file" || isInline(input.content)) return undefined;
  const path = loaders.ship(input.content.digest, real, interp.size - 1);
  if (path === undefined) return undefined;
  const bytes = new Uint8Array(interp.size);
  new TextEncoder().encodeInto(path, bytes);
  return { offset: interp.offset, bytes };
}

function realPathOrNone(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

function writeFile(path: string, content: Uint8Array<ArrayBuffer>, look: Look): void {
  const { mode, mtimeMs, patch } = look;
  let bytes = content;
  if (patch) {
    bytes = bytes.slice();
    bytes.set(patch.bytes, patch.offset);
  }
  Deno.writeFileSync(path, bytes, { createNew: true, mode: 0o600 });
  if (mtimeMs !== undefined) setModified(path, mtimeMs);
  Deno.chmodSync(path, mode);
}
