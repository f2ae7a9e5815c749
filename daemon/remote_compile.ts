/** One compilation elsewhere: guess, run, prove, and go again with what was missing. */
import { AwsError } from "../aws/error.ts";
import { compilerEnvironment, SEARCH_VARIABLES } from "../cc/environment.ts";
import type { CommandLine } from "../cc/command_line.ts";
import type { Compilation } from "../cc/decision.ts";
import type { FileDigests } from "../cc/digests.ts";
import type { FileState, FileSystem, ProcessRunner } from "../cc/file_system.ts";
import type { Folders } from "../cc/folders.ts";
import { type Guesser, settleSearchPath } from "../cc/guess.ts";
import {
  addPath,
  addPaths,
  addWay,
  createInputSet,
  fileInput,
  type InputSet,
} from "../cc/inputs.ts";
import type { Place, Places } from "../cc/places.ts";
import { checkProof } from "../cc/proof_check.ts";
import { timeZoneFor } from "../cc/time_zone.ts";
import { builtInSearchPath, type SearchPath } from "../cc/search_path.ts";
import type { Settings } from "../cc/settings.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import { addFoldersAbove, cleanPath } from "../job/path.ts";
import type { Proof } from "../job/proof.ts";
import type { JobResult } from "../job/result.ts";
import type { JobSpec } from "../job/spec.ts";
import type { CompileRequest } from "./protocol.ts";
import { preprocess } from "./preprocess.ts";
import { type RanJob, readContent, runJob, type RunJobOptions } from "./run_job.ts";
import type { Session } from "./session.ts";
import type { Slots } from "./slots.ts";
import { count, type StatsKeeper } from "./stats.ts";
import type { ReadyToolchain, Toolchains } from "./toolchains.ts";
import type { ReadObject } from "./uploads.ts";
import { filesOf, isReplaceable, writeOutput } from "./write_output.ts";

/** A compilation to run elsewhere. */
export interface RemoteRequest {
  readonly request: CompileRequest;
  readonly settings: Settings;
  /** Path of the compiler here. */
  readonly driver: string;
  /** The compiler as its command shall spell it. */
  readonly name: string;
  /** Arguments behind the name. */
  readonly args: readonly string[];
  readonly line: CommandLine;
  readonly compilation: Compilation;
  readonly signal: AbortSignal;
  /** Stands for the source where it was preprocessed here. */
  readonly text?: Uint8Array<ArrayBuffer>;
}

/** What the compiler printed and how it ended, once its outputs are written. */
export interface Compiled {
  readonly kind: "compiled";
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly code: number;
}

/** Compiles elsewhere. */
export interface RemoteCompiler {
  /**
   * Compiles, writes the outputs, and returns what is to be printed. Whatever it throws has written
   * nothing, so that the local compiler can do it.
   */
  compile(remote: RemoteRequest): Promise<Compiled>;
}

/** There is no cloud to compile in, for a reason that holds for the whole build. */
export class CloudUnavailable extends LlamaError {
  /** Name of the class. */
  override readonly name = "CloudUnavailable";

  /** Takes over what `cause` says. */
  constructor(cause: LlamaError) {
    super(cause.code, cause.message, {
      cause,
      ...(cause.hint !== undefined && { hint: cause.hint }),
    });
  }
}

/** What {@linkcode createRemoteCompiler} works with. */
export interface RemoteCompileTools {
  readonly files: FileSystem;
  readonly processes: ProcessRunner;
  readonly folders: Folders;
  readonly places: Places;
  readonly digests: FileDigests;
  readonly guesser: Guesser;
  readonly toolchains: Toolchains;
  readonly slots: Slots;
  readonly stats: StatsKeeper;
  /** Names of the locales of this machine. */
  readonly locales: () => Promise<ReadonlySet<string>>;
  /** The session for a client's environment. */
  readonly openSession: (env: Readonly<Record<string, string>>) => Promise<Session>;
  /** Forgets that session, as AWS refused it: the next compilation opens it afresh. */
  readonly dropSession: (env: Readonly<Record<string, string>>) => void;
}

/** Jobs for one compilation before it runs here, but for a test that switched the guess off. */
const MAX_ROUNDS = 3;
/** What the drivers of GCC and of clang say when a signal, such as the kernel's for want of memory, ended cc1 or as. */
const PROGRAM_KILLED =
  /^[^\n]*: fatal error: [^\n]* signal terminated program |^[^\n]*: error: unable to execute command: /m;
/** Units for which names found by the proof are remembered. */
const MAX_LEARNED_UNITS = 20_000;
/** A source up to this size travels in the invocation. */
const MAX_INLINE_SOURCE_BYTES = 4 * 1024 * 1024;

/** What needs no preprocessor has no folders of the compiler's own, which then prints none. */
const NO_FOLDERS: Promise<SearchPath> = Promise.resolve({ quote: [], bracket: [] });

/** Creates a compiler with an empty memory. */
export function createRemoteCompiler(tools: RemoteCompileTools): RemoteCompiler {
  const { files, folders, places, stats } = tools;
  const builtIns = new Map<string, Promise<SearchPath>>();
  const learned = new Map<string, Set<string>>();

  const remember = (unit: string, paths: Set<string>) => {
    // The oldest goes first, as a map keeps the order of its entries.
    const [oldest] = learned.keys();
    if (learned.size >= MAX_LEARNED_UNITS && oldest !== undefined) learned.delete(oldest);
    learned.set(unit, paths);
  };

  const openSession = async (env: Readonly<Record<string, string>>): Promise<Session> => {
    try {
      return await tools.openSession(env);
    } catch (error) {
      throw error instanceof LlamaError ? new CloudUnavailable(error) : error;
    }
  };

  const searchPathOf = async (remote: RemoteRequest): Promise<UnitSearch> => {
    const { line, driver, compilation, request } = remote;
    const env: Record<string, string> = { PATH: request.env.PATH ?? "" };
    for (const name of SEARCH_VARIABLES) {
      const value = request.env[name];
      if (value !== undefined) env[name] = value;
    }
    const language = compilation.language.name;
    const key = JSON.stringify([driver, language, line.searchFlags, env]);
    let asked = compilation.language.preprocessed ? NO_FOLDERS : builtIns.get(key);
    if (!asked) {
      asked = builtInSearchPath(tools.processes, driver, {
        language,
        flags: line.searchFlags,
        cwd: request.cwd,
        env,
      });
      builtIns.set(key, asked);
      asked.catch(() => builtIns.delete(key));
    }
    const builtIn = await asked;
    const spelled = settleSearchPath(
      {
        quote: line.quoteFolders,
        bracket: [
          ...line.bracketFolders,
          ...line.systemFolders,
          ...builtIn.bracket,
          ...line.afterFolders,
        ],
      },
      request.cwd,
      (path) => folders.names(path) !== undefined,
    );
    const real = (path: string) => places.find(path)?.path ?? path;
    return {
      spelled: [...spelled.quote, ...spelled.bracket],
      // A header has one state, however many ways lead to it.
      real: { quote: spelled.quote.map(real), bracket: spelled.bracket.map(real) },
    };
  };

  const compile = async (remote: RemoteRequest): Promise<Compiled> => {
    const { settings, compilation } = remote;
    if (!settings.localPreprocess || compilation.language.preprocessed) return await run(remote);
    const { code, stderr, args, text } = await preprocess(remote, tools);
    const complaints = new TextEncoder().encode(stderr);
    if (text === undefined) {
      return { kind: "compiled", stdout: new Uint8Array(), stderr: complaints, code };
    }
    // The dependency file is written, and nothing but the text is left to be read.
    const rest = { ...compilation, dependFile: undefined };
    const compiled = await run({ ...remote, args, compilation: rest, text });
    return { ...compiled, stderr: new Uint8Array([...complaints, ...compiled.stderr]) };
  };

  const run = async (remote: RemoteRequest): Promise<Compiled> => {
    const { request, settings, driver, line, compilation } = remote;
    const session = await openSession(request.env);
    folders.nextRound();
    const { spelled, real: search } = await searchPathOf(remote);
    const outputs = placeOutputs(remote, files, places);
    const source = absolute(compilation.source, request.cwd);
    const unit = JSON.stringify([source, remote.args]);
    const known = learned.get(unit) ?? new Set<string>();
    const guesses = settings.guess && remote.text === undefined;
    const guess = (roots: readonly string[]) =>
      guesses
        ? tools.guesser.guess({ roots, search, assembler: compilation.language.assembler })
        : roots;
    const roots = [
      source,
      ...(guesses ? line.includes : []).flatMap((name) =>
        findInclude(name, request.cwd, search, files)
      ),
      ...(guesses ? ["/usr/include/stdc-predef.h"] : []),
    ];
    const maxRounds = settings.guess ? MAX_ROUNDS : Infinity;
    for (let round = 1; round <= maxRounds; round++) {
      if (round > 1) folders.nextRound();
      const toolchain = await tools.toolchains.prepare(
        driver,
        request.env.PATH ?? "",
        session.uploads,
      );
      const set = createInputSet();
      await addSource(set, source, tools, remote.text);
      await addPaths(set, guess([...roots, ...known]), tools);
      await addPaths(set, [...known, ...toolchain.extras], tools);
      const around = [
        request.cwd,
        ...logicalCwd(request, files),
        ...outputs.folders,
        ...(settings.guess ? spelled : []),
      ];
      await addPaths(set, around, tools);
      const inputs = [...set.inputs.values()].filter(({ path, kind }) =>
        kind === "folder" || !toolchain.inputs.has(path)
      );
      const spec = jobSpec(remote, toolchain, inputs, outputs, {
        files,
        locales: await tools.locales(),
      });
      const ran = await runUnlessChanged(spec, {
        session,
        functionName: settings.functionName ?? session.functionName,
        read: readerFor(tools),
        signal: remote.signal,
      });
      if (ran === undefined) {
        count(stats.current.voids, "changed");
        continue;
      }
      const counters = stats.current;
      counters.rounds++;
      counters.invocations += ran.invocations;
      counters.remoteMs += ran.result.timings.runMs;
      if (ran.result.cold) counters.coldStarts++;
      const { proof } = ran.result;
      if (!proof) {
        throw new LlamaError("Unproved", "Cannot trust a result that came without a proof");
      }
      folders.nextRound();
      const verdict = checkProof(
        {
          proof,
          sent: withOpened(set.states, proof, toolchain),
          links: [...set.inputs.values()].filter((input) => input.kind === "link"),
          made: outputs.made,
          sentNames: (folder) => namesIn(folder, [...inputs, ...toolchain.inputs.values()]),
          wasSent: sentTest(set.inputs, toolchain, places),
        },
        folders,
        files,
      );
      if (verdict.kind === "proved") {
        const result = await finish(ran.result, remote, outputs, session);
        counters.remote++;
        return result;
      }
      count(counters.voids, verdict.kind);
      if (verdict.kind === "unproved") {
        throw new LlamaError("Unproved", `Cannot trust the result: ${verdict.reason}`);
      }
      if (verdict.kind === "changed") {
        tools.toolchains.check(toolchain);
        continue;
      }
      for (const path of verdict.paths) {
        if (belongsToToolchain(path, search)) toolchain.extras.add(path);
        else known.add(path);
      }
      remember(unit, known);
    }
    throw new LlamaError(
      "TooManyRounds",
      `Cannot find all inputs of "${compilation.source}" in ${MAX_ROUNDS} rounds`,
    );
  };

  const finish = async (
    result: JobResult,
    remote: RemoteRequest,
    outputs: OutputPlaces,
    { store }: Session,
  ): Promise<Compiled> => {
    if (result.status.kind === "signal") {
      throw new LlamaError(
        "CompilerKilled",
        `The compiler was killed by ${result.status.signal}`,
        { hint: "give the function more memory" },
      );
    }
    const stdout = await readContent(result.stdout, store);
    const stderr = await readContent(result.stderr, store);
    if (result.status.code !== 0 && PROGRAM_KILLED.test(new TextDecoder().decode(stderr))) {
      throw new LlamaError("CompilerKilled", "A program of the compiler was killed", {
        hint: "give the function more memory",
      });
    }
    const made = filesOf(result.outputs);
    const pending: { target: string; bytes: Uint8Array; isObject: boolean }[] = [];
    for (const { path, target, isObject } of outputs.list) {
      const file = made.get(path);
      if (file) pending.push({ target, bytes: await readContent(file.content, store), isObject });
    }
    // All contents are here before the first file is touched; the object is last, as the compiler makes it last.
    pending.sort((a, b) => Number(a.isObject) - Number(b.isObject));
    for (const { target, bytes, isObject } of pending) {
      await writeOutput(target, bytes, {
        umask: remote.request.umask,
        replacement: isObject ? "unlink" : "truncate",
      });
      stats.current.outputBytes += bytes.length;
    }
    return { kind: "compiled", stdout, stderr, code: result.status.code };
  };

  return {
    compile: async (remote) => {
      try {
        return await compile(remote);
      } catch (error) {
        if (error instanceof AwsError) tools.dropSession(remote.request.env);
        throw error;
      }
    },
  };
}

/** Runs a job; undefined if a file of it changed before it was sent. */
async function runUnlessChanged(
  spec: JobSpec,
  options: RunJobOptions,
): Promise<RanJob | undefined> {
  try {
    return await runJob(spec, options);
  } catch (error) {
    if (error instanceof LlamaError && error.code === "ObjectGone") return undefined;
    throw error;
  }
}

/** The search path of a unit. */
interface UnitSearch {
  /** Folders as the compiler spells them; they must exist in the job's root. */
  readonly spelled: readonly string[];
  readonly real: SearchPath;
}

/** States of the files that were sent for this job, and of those of the toolchain that it opened. */
function withOpened(
  sent: ReadonlyMap<string, FileState>,
  proof: Proof,
  toolchain: ReadyToolchain,
): ReadonlyMap<string, FileState> {
  const states = new Map(sent);
  for (const path of proof.opened) {
    const state = toolchain.states.get(path) ??
      (path.includes("/.") ? toolchain.states.get(cleanPath(path)) : undefined);
    if (state) states.set(path, state);
  }
  return states;
}

interface OutputPlaces {
  readonly list: readonly {
    /** Path in the job's root. */
    readonly path: string;
    /** Path here. */
    readonly target: string;
    readonly isObject: boolean;
  }[];
  /** Folders that must exist in the job's root. */
  readonly folders: readonly string[];
  /** All spellings of the outputs. */
  readonly made: ReadonlySet<string>;
}

function placeOutputs(
  { compilation, request, line }: RemoteRequest,
  files: FileSystem,
  places: Places,
): OutputPlaces {
  const list: { path: string; target: string; isObject: boolean }[] = [];
  const folders: string[] = [];
  const made = new Set<string>();
  const { output, dependFile, extraOutputs } = compilation;
  for (
    const spelled of [output, ...(dependFile === undefined ? [] : [dependFile]), ...extraOutputs]
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
    made.add(target);
    made.add(path);
  }
  return { list, folders, made };
}

async function addSource(
  set: InputSet,
  source: string,
  tools: RemoteCompileTools,
  text?: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const place = tools.places.find(source);
  const state = place && tools.folders.stat(place.path);
  if (!place || state?.kind !== "file" || (state.size > MAX_INLINE_SOURCE_BYTES && !text)) {
    await addPath(set, source, tools);
    return;
  }
  const bytes = text ?? tools.files.read(place.path);
  if (!bytes) return;
  addWay(set, place, tools);
  set.inputs.set(place.path, { ...fileInput(place.path, "", state), content: { bytes } });
  // If the file has changed between this state and the reading, the proof finds it changed.
  set.states.set(place.path, state);
}

function jobSpec(
  { request, args, name, driver, line }: RemoteRequest,
  toolchain: ReadyToolchain,
  inputs: readonly Input[],
  outputs: OutputPlaces,
  here: { readonly files: FileSystem; readonly locales: ReadonlySet<string> },
): JobSpec {
  const [logical] = logicalCwd(request, here.files);
  const env = compilerEnvironment(request.env, here.locales);
  // GCC asks whether stderr is a terminal; there it never is.
  const color =
    request.stderrIsTerminal && !line.colorChosen && (request.env.TERM ?? "dumb") !== "dumb"
      ? ["-fdiagnostics-color=always"]
      : [];
  if (request.stderrIsTerminal && showsLinks(request.env) && makesLinks(toolchain, line)) {
    color.push("-fdiagnostics-urls=always");
  }
  return {
    args: [name, ...color, ...args],
    program: cleanPath(driver),
    env: { ...env, PWD: logical ?? request.cwd, TZ: timeZoneFor(request.env.TZ, here.files) },
    cwd: request.cwd,
    rooted: { shim: toolchain.shim, libraryPath: toolchain.libraryPath },
    manifests: [toolchain.manifest],
    packs: [],
    inputs,
    wanted: outputs.list.map(({ path }) => ({ match: "exact", path })),
  };
}

/** Terminals that GCC's auto_enable_urls() (gcc/diagnostic-color.cc) trusts with links. */
function showsLinks({ TERM = "dumb", COLORTERM }: Readonly<Record<string, string>>): boolean {
  if (COLORTERM === "gnome-terminal" || COLORTERM === "xfce4-terminal") return false;
  return !["", "dumb", "linux"].includes(TERM) && (TERM !== "xterm" || COLORTERM !== undefined);
}

/** GCC makes links since version 10; its folder carries the version. Clang does not know the option. */
function makesLinks({ inputs }: ReadyToolchain, { flags }: CommandLine): boolean {
  if ([...flags].some((flag) => /^-fdiagnostics-(?:urls=|plain-output)/.test(flag))) return false;
  return inputs.keys().some((path) =>
    Number(/\/gcc[^/]*\/[^/]+\/(\d+)[^/]*\/cc1$/.exec(path)?.[1] ?? 0) >= 10
  );
}

/** PWD, where it names the working folder: GCC records it as the compilation's folder. */
function logicalCwd({ env, cwd }: CompileRequest, files: FileSystem): string[] {
  const logical = env.PWD;
  if (logical === undefined || !logical.startsWith("/") || logical === cwd) return [];
  const a = files.stat(logical);
  const b = files.stat(cwd);
  return a && b && a.inode === b.inode && a.device === b.device ? [logical] : [];
}

function findInclude(
  name: string,
  cwd: string,
  search: SearchPath,
  files: FileSystem,
): string[] {
  if (name.startsWith("/")) return [name];
  for (const folder of [cwd, ...search.quote, ...search.bracket]) {
    const path = `${folder}/${name}`;
    if (files.stat(path)?.kind === "file") return [path];
  }
  return [];
}

/** What a compiler looks for beside its own files is the same for every unit. */
function belongsToToolchain(path: string, search: SearchPath): boolean {
  if (!/^\/(?:usr|lib\w*|etc|opt|bin)\//.test(path)) return false;
  return ![...search.quote, ...search.bracket].some((folder) => path.startsWith(`${folder}/`));
}

/** Tells whether a path, as the job spelled it, is or leads to an input or a folder above one. */
function sentTest(
  inputs: ReadonlyMap<string, Input>,
  toolchain: ReadyToolchain,
  places: Places,
): (path: string) => boolean {
  const above = new Set(toolchain.folders);
  for (const path of inputs.keys()) addFoldersAbove(path, above);
  const isSent = (path: string) =>
    inputs.has(path) || toolchain.inputs.has(path) || above.has(path);
  return (path) => {
    if (isSent(path)) return true;
    const real = places.find(path)?.path;
    return real !== undefined && isSent(real);
  };
}

function namesIn(folder: string, inputs: readonly Input[]): ReadonlySet<string> {
  const prefix = `${cleanPath(folder)}/`;
  const names = new Set<string>();
  for (const { path } of inputs) {
    if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split("/", 1)[0] ?? "");
  }
  return names;
}

function readerFor(tools: RemoteCompileTools): ReadObject {
  return async (digest: Digest) => {
    const own = tools.toolchains.read(digest);
    if (own) return own;
    const path = tools.digests.pathOf(digest);
    const bytes = path === undefined ? undefined : tools.files.read(path);
    return bytes && await digestOf(bytes) === digest ? bytes : undefined;
  };
}

function absolute(path: string, cwd: string): string {
  return path.startsWith("/") ? path : `${cwd}/${path}`;
}
