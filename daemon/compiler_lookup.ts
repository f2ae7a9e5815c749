/**
 * Finds the compiler that llamacc stands in for. In PATH there may be this program itself under the
 * compiler's name, as a link, a copy or a script, and programs such as ccache that run the compiler in their turn.
 */
import { askedCompiler, isRunner } from "../cc/compiler_name.ts";
import { type FileState, type FileSystem, sameState } from "../cc/file_system.ts";
import type { Settings } from "../cc/settings.ts";
import { findProgram } from "../cc/toolchain.ts";
import { LlamaError } from "../job/errors.ts";

/** A compiler that was found. */
export interface FoundCompiler {
  /** Path of its driver, absolute. */
  readonly driver: string;
  /** The compiler as its command spells it. */
  readonly name: string;
  /** Arguments of its own before those of each command. */
  readonly args: readonly string[];
  /** Whether it takes C for C++. */
  readonly cxx: boolean;
  /** What runs here in its place. */
  readonly local: {
    readonly program: string;
    /** Its name and all arguments before those of the command. */
    readonly argv: readonly string[];
  };
  /** PATH as the compiler is to see it: without the folders of links to this program. */
  readonly path: string;
  /** Why it cannot run elsewhere. */
  readonly localReason: string | undefined;
  /** Whether this program runs below itself, and its local run is part of one that has a slot. */
  readonly nested: boolean;
}

/** Where a compiler is looked for. */
export interface LookupRequest {
  /** The name that this program was called by. */
  readonly calledAs: string;
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Finds compilers, with memory of what files are. */
export interface CompilerLookup {
  /**
   * Finds the compiler.
   *
   * @throws {LlamaError} `CompilerNotFound`, `CompilerIsLlamacc`.
   */
  find(request: LookupRequest): FoundCompiler;
}

/**
 * Counts how often this program runs below itself: a compiler that runs the next one of its name in PATH, as
 * ccache and lto-wrapper do, may meet us there.
 */
export const NESTED_VARIABLE = "LLAMACC_NESTED";
/** Tells the name by which a client was called that cannot know it: a script that runs Deno. */
export const ARGV0_VARIABLE = "LLAMACC_ARGV0";
/** Names of this program's files. */
const OWN_NAMES = /(?:^|-)(?:llamacc|llamac\+\+|llamacxx|llama)$/;
/** In the launcher (cli/launcher.c), so that a copy under another name is known. */
const OWN_MARK = "llamacc: this is the client of the llama daemon";
/** No compiler's driver that is larger is read in search of it. */
const MAX_LAUNCHER_BYTES = 4 * 1024 * 1024;
const MAX_SCRIPT_BYTES = 64 * 1024;
const MAX_LINKS = 40;
/** Where execvp(3) of glibc looks without PATH. */
const DEFAULT_PATH = "/bin:/usr/bin";

/** What a file in PATH is. */
type Kind = "own" | "runner" | "script" | "setuid" | "compiler";

/** Creates a lookup with an empty memory. */
export function createCompilerLookup(files: FileSystem): CompilerLookup {
  const kinds = new Map<string, { readonly state: FileState; readonly kind: Kind }>();
  const ownFolders = new Map<string, { readonly state: FileState; readonly isOwn: boolean }>();

  const kindOf = (path: string): Kind => {
    const real = followLinks(path, files);
    if (real.some((step) => OWN_NAMES.test(baseOf(step)))) return "own";
    if (real.some(isRunner)) return "runner";
    const state = files.stat(path);
    if (!state) return "compiler";
    const known = kinds.get(path);
    if (known && sameState(known.state, state)) return known.kind;
    const kind = inspect(path, state, files);
    kinds.set(path, { state, kind });
    return kind;
  };

  /** Folders whose every entry is this program. */
  const isOwnFolder = (folder: string) => {
    const state = files.stat(folder);
    if (!state) return false;
    const known = ownFolders.get(folder);
    if (known && sameState(known.state, state)) return known.isOwn;
    const entries = files.list(folder) ?? [];
    const isOwn = entries.length > 0 &&
      entries.every(({ name }) => kindOf(`${folder}/${name}`) === "own");
    ownFolders.set(folder, { state, isOwn });
    return isOwn;
  };

  const find = (request: LookupRequest): FoundCompiler => {
    const { calledAs, settings, env, cwd } = request;
    const path = env.PATH ?? DEFAULT_PATH;
    const depth = Number(env[NESTED_VARIABLE] ?? 0) || 0;
    const within = (folder: string) => folder.startsWith("/") ? folder : join(cwd, folder);
    const resolve = (name: string): Candidate[] => {
      if (name.includes("/")) return [{ file: within(name), folder: undefined }];
      return path.split(":").flatMap((folder) => {
        const file = findProgram(name, within(folder), files);
        return file === undefined ? [] : [{ file, folder }];
      });
    };
    const asked = askedCompiler(
      env[ARGV0_VARIABLE] || calledAs,
      settings,
      (name) => resolve(name).some(({ file }) => files.stat(file)?.kind === "file"),
    );

    const search = (name: string): Found | undefined => {
      const own: string[] = [];
      let runner: string | undefined;
      let script: string | undefined;
      let candidates = resolve(name);
      // What is given by its path may be a link to a runner: that looks for the next one of the name.
      if (name.includes("/") && candidates.some(({ file }) => kindOf(file) === "runner")) {
        candidates = [...candidates, ...resolve(baseOf(name))];
      }
      for (const { file, folder } of candidates) {
        const kind = kindOf(file);
        if (kind === "own") {
          if (folder !== undefined) own.push(folder);
          continue;
        }
        if (kind === "runner") {
          runner ??= file;
          continue;
        }
        // Below ourselves only a compiler ends the circle.
        if (kind === "script" && depth > 0) {
          script ??= file;
          continue;
        }
        return { name, file, kind, own, runner };
      }
      const file = script ?? runner;
      if (file === undefined) return undefined;
      return { name, file, kind: script === undefined ? "runner" : "script", own, runner };
    };

    const found = firstOf(asked.names, search);
    if (!found) {
      throw isOwn(asked.names, resolve, kindOf)
        ? new LlamaError(
          "CompilerIsLlamacc",
          `Cannot find the compiler "${asked.names[0]}" as there is only llamacc by that name`,
          { hint: hintFor(asked.variable) },
        )
        : new LlamaError(
          "CompilerNotFound",
          `Cannot find the compiler "${asked.names[0]}" in PATH`,
          { hint: hintFor(asked.variable) },
        );
    }
    if (depth > 1) {
      throw new LlamaError(
        "CompilerIsLlamacc",
        `Cannot run the compiler "${found.file}" as it leads back to llamacc`,
        { hint: hintFor(asked.variable) },
      );
    }
    const { file, own, kind } = found;
    // A driver looks itself up in PATH by its name, to find its parts: there it must not find us. A folder of
    // our links alone is not missed; where others are in it, too, the driver gets its whole path as its name.
    const hidden = new Set(own.filter((folder) => isOwnFolder(within(folder))));
    const shown = own.every((folder) => hidden.has(folder));
    const viaRunner = found.runner !== undefined && depth === 0;
    const name = shown && !viaRunner ? found.name : file;
    const [runner = "", ...runnerArgs] = asked.runner;
    const runnerFile = depth > 0 || runner === "" ? undefined : resolve(runner)[0]?.file;
    if (depth === 0 && runner !== "" && runnerFile === undefined) {
      throw new LlamaError("CompilerNotFound", `Cannot find "${runner}" in PATH`, {
        hint: `install it, or take it out of ${asked.variable}`,
      });
    }
    return {
      driver: file,
      name,
      args: asked.args,
      cxx: asked.cxx,
      local: runnerFile !== undefined
        ? { program: runnerFile, argv: [runner, ...runnerArgs, found.name, ...asked.args] }
        : viaRunner
        ? { program: found.runner ?? file, argv: [found.name, ...asked.args] }
        : { program: file, argv: [name, ...asked.args] },
      path: hidden.size === 0
        ? path
        : path.split(":").filter((folder) => !hidden.has(folder)).join(":"),
      localReason: kind === "compiler" ? undefined : `compiler-${kind}`,
      nested: depth > 0,
    };
  };
  return { find };
}

interface Candidate {
  readonly file: string;
  /** Folder of PATH, as PATH spells it. */
  readonly folder: string | undefined;
}

interface Found {
  readonly name: string;
  readonly file: string;
  readonly kind: Exclude<Kind, "own">;
  /** Folders of PATH before it that have this program by its name. */
  readonly own: readonly string[];
  readonly runner: string | undefined;
}

function inspect(path: string, state: FileState, files: FileSystem): Kind {
  if (state.kind !== "file" || state.size > MAX_LAUNCHER_BYTES) return "compiler";
  const bytes = files.read(path);
  if (bytes === undefined) return "compiler";
  const isScript = bytes[0] === 0x23 && bytes[1] === 0x21;
  if (isScript && bytes.length <= MAX_SCRIPT_BYTES) {
    const lines = new TextDecoder().decode(bytes).split("\n");
    const calls = lines.some((line) =>
      !/^\s*#/.test(line) && /\bllamac(?:c\b|\+\+|xx\b)/.test(line)
    );
    return calls ? "own" : "script";
  }
  if (isScript) return "script";
  if (new TextDecoder("latin1").decode(bytes).includes(OWN_MARK)) return "own";
  return (state.mode & 0o6000) !== 0 ? "setuid" : "compiler";
}

/** The path and all that its links lead to. */
function followLinks(path: string, files: FileSystem): string[] {
  const steps = [path];
  for (let at = path; steps.length <= MAX_LINKS;) {
    const target = files.readLink(at);
    if (target === undefined) break;
    at = target.startsWith("/") ? target : `${at.slice(0, at.lastIndexOf("/") + 1)}${target}`;
    steps.push(at);
  }
  return steps;
}

function isOwn(
  names: readonly string[],
  resolve: (name: string) => Candidate[],
  kindOf: (path: string) => Kind,
): boolean {
  return names.some((name) => resolve(name).some(({ file }) => kindOf(file) === "own"));
}

function hintFor(variable: string | undefined): string {
  return variable === undefined
    ? "add the folder of the compiler to PATH"
    : `install one, or set ${variable} to its path`;
}

function firstOf<A, B>(items: readonly A[], find: (item: A) => B | undefined): B | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function join(folder: string, name: string): string {
  return name === "" || name === "." ? folder : `${folder}/${name}`;
}
