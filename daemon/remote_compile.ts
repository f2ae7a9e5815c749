/** One compilation elsewhere: guess, run, prove, and go again with what was missing. */
import type { AwsClient } from "../aws/client.ts";
import { AwsError } from "../aws/error.ts";
import { partEnvironment } from "../cc/environment.ts";
import { checkProof } from "../cc/proof_check.ts";
import { searchPathOf } from "../cc/search_path.ts";
import type { CompilerParts } from "../cc/toolchain.ts";
import type { Digest } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { cleanPath } from "../job/path.ts";
import type { JobResult } from "../job/result.ts";
import type { ObjectStore } from "../store/object_store.ts";
import { type OutputPlaces, placeOutputs, writeOutputs } from "./compile_outputs.ts";
import { proofQuestion } from "./compile_proof.ts";
import { jobSpec } from "./compile_spec.ts";
import { listIncludes } from "./include_list.ts";
import { createInputPools } from "./input_pool.ts";
import { type ImageCompilers, type ImageQuestion, imageToolchain } from "./image_compilers.ts";
import { preprocess } from "./preprocess.ts";
import { absolute, type Compiled, type RemoteRequest, StaysHere } from "./remote_request.ts";
import { runCompilation } from "./run_compilation.ts";
import { readContent } from "./run_job.ts";
import type { Session } from "./session.ts";
import type { Slots } from "./slots.ts";
import { count, type StatsKeeper } from "./stats.ts";
import type { ReadyToolchain, Toolchains } from "./toolchains.ts";
import {
  createUnitPlanner,
  type GatheredInputs,
  type UnitPlan,
  type UnitPlanTools,
} from "./unit_plan.ts";
import { belongsToToolchain } from "./unit_search.ts";
import type { UnitMemory } from "./unit_memory.ts";
import { noUploads, type ReadObject } from "./uploads.ts";

/** Compiles elsewhere. */
export interface RemoteCompiler {
  /**
   * Compiles, writes the outputs, and returns what is to be printed. Whatever it throws has written
   * nothing, so that the local compiler can do it.
   */
  compile(remote: RemoteRequest): Promise<Compiled>;
  /** What {@linkcode compile} would begin with. Nothing is sent, and nothing runs but the compiler about itself. */
  preview(remote: RemoteRequest): Promise<UnitPreview>;
}

/** What a compilation begins with. */
export interface UnitPreview {
  readonly plan: UnitPlan;
  readonly toolchain: ReadyToolchain;
  readonly gathered: GatheredInputs;
  /** Whether an object is in the store; the error tells why there is none. */
  readonly stored: ((digest: Digest) => boolean) | LlamaError;
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
export interface RemoteCompileTools extends UnitPlanTools {
  readonly toolchains: Toolchains;
  readonly images: ImageCompilers;
  readonly slots: Slots;
  readonly stats: StatsKeeper;
  /** What proofs have found beside the guess. */
  readonly memory: UnitMemory;
  /** Hears of what keeps jobs from being small. */
  readonly onProblem?: (problem: unknown) => void;
  /** Is told of each use of a function, so that its price can be told later. */
  readonly learnSize?: (client: AwsClient, functionName: string) => void;
  /** Names of the locales of this machine. */
  readonly locales: () => Promise<ReadonlySet<string>>;
  /** The session for a client's environment. */
  readonly openSession: (env: Readonly<Record<string, string>>) => Promise<Session>;
  /** Forgets that session, as AWS refused it: the next compilation opens it afresh. */
  readonly dropSession: (env: Readonly<Record<string, string>>) => void;
}

/** Jobs for one compilation before it runs here, but for a test that switched the guess off. */
const MAX_ROUNDS = 3;
/** After so many the preprocessor here is asked what the unit includes: a void job costs more than that. */
const LISTING_ROUND = 2;
/** Files that no preprocessor writes. */
const MADE_LAST = /\.(?:gcno|su|dwo)$/;
/** Further ones that find nothing but what belongs to the toolchain, and so is found once for all units. */
const MAX_TOOLCHAIN_ROUNDS = 5;

/** Creates a compiler. */
export function createRemoteCompiler(tools: RemoteCompileTools): RemoteCompiler {
  const { files, folders, places, stats, memory } = tools;
  const planUnit = createUnitPlanner(tools);
  const read: ReadObject = async (digest) =>
    tools.toolchains.read(digest) ?? await tools.digests.read(digest);

  const onProblem = tools.onProblem ?? (() => undefined);
  const poolOf = createInputPools({ read, onProblem });

  const openSession = async (env: Readonly<Record<string, string>>): Promise<Session> => {
    try {
      return await tools.openSession(env);
    } catch (error) {
      throw error instanceof LlamaError ? new CloudUnavailable(error) : error;
    }
  };

  const compile = async (remote: RemoteRequest): Promise<Compiled> => {
    const { settings, compilation } = remote;
    const { files: auxiliary, families } = compilation.auxiliary;
    if (!settings.localPreprocess || compilation.language.preprocessed) return await run(remote);
    // Other files come from a compilation that includes the preprocessor.
    const [other = families[0]?.prefix] = auxiliary.filter((name) => !MADE_LAST.test(name));
    if (other !== undefined) throw new StaysHere("extra-output");
    const { stderr, args, text } = await preprocess(remote, tools);
    const complaints = new TextEncoder().encode(stderr);
    // The dependency file is written, and nothing but the text is left to be read.
    const rest = { ...compilation, dependFile: undefined };
    const compiled = await run({ ...remote, args, compilation: rest, text });
    return { ...compiled, stderr: new Uint8Array([...complaints, ...compiled.stderr]) };
  };

  const run = async (remote: RemoteRequest): Promise<Compiled> => {
    const { request, settings, compilation } = remote;
    const session = await openSession(request.env);
    const functionName = settings.functionName ?? session.functionName;
    tools.learnSize?.(session.client, functionName);
    const isImage = await tools.images.isImage(session.client, functionName);
    const { driver, name } = remote;
    const image = isImage ? { session, functionName, driver, name } : undefined;
    if (image) await sayDifference(image, remote);
    folders.nextRound();
    const plan = await planUnit(remote);
    const { outputs, temporary, zone, processor } = plan;
    const search = plan.search.real;
    const includeFolders = image ? includeFoldersOf(remote) : [];
    const tellsByInode = remote.family === "clang";
    const unit = unitOf(plan, remote);
    const known = new Set(memory.recall(unit));
    let maxRounds = settings.guess ? MAX_ROUNDS : Infinity;
    for (let round = 1; round <= maxRounds; round++) {
      if (round > 1) folders.nextRound();
      const prepared = await tools.toolchains.prepare(
        partsOf(remote),
        image ? noUploads : session.uploads,
      );
      const toolchain = image ? imageToolchain(prepared) : prepared;
      const { set, inputs, asked } = await plan.gather(toolchain, known);
      const whole = jobSpec(remote, toolchain, inputs, outputs, {
        files,
        locales: await tools.locales(),
        zone,
        processor,
      });
      const pool = poolOf(toolchain, session.uploads);
      const { own, picked } = pool.part(whole.inputs);
      const spec = { ...whole, inputs: own, ...(picked && { picked }) };
      const ran = await runCompilation(spec, {
        session,
        functionName,
        signal: remote.signal,
        read: async (digest) => pool.read(digest) ?? await read(digest),
      }, stats);
      if (ran === undefined) {
        stats.add(({ voids }) => count(voids, "changed"));
        continue;
      }
      stats.add((counters) => counters.rounds++);
      const { proof } = ran.result;
      if (!proof) {
        throw new LlamaError("Unproved", "Cannot trust a result that came without a proof");
      }
      const verdict = checkProof(
        proofQuestion(proof, set, {
          outputs,
          toolchain,
          places,
          temporary,
          includeFolders,
          tellsByInode,
        }),
        folders,
        files,
      );
      if (verdict.kind === "proved") {
        await refuseLoaderFailure(ran.result, session.store);
        const { keep } = remote;
        const written = await writeOutputs(
          ran.result,
          request.umask,
          outputs,
          (path) => set.inputs.get(path)?.kind === "file",
          session.store,
          keep &&
            ((made) => keep({ ...made, list: () => outputsNow(remote, outputs, tools) })),
        );
        // A compiler spells its own folders with dots.
        const opened = new Set(proof.opened.map((path) => places.find(path)?.path ?? path));
        stats.add((counters) => {
          counters.remote++;
          counters.inputs += set.states.size;
          for (const path of opened) if (set.states.has(path)) counters.inputsUsed++;
          counters.outputBytes += written.outputBytes;
        });
        return written;
      }
      stats.add(({ voids }) => count(voids, verdict.kind));
      if (verdict.kind === "unordered") throw new StaysHere("precompiled-headers");
      if (verdict.kind === "unproved") {
        if (image && /shim was not loaded|statically linked/.test(verdict.reason)) {
          throw tools.images.refuse(image, verdict.reason);
        }
        throw new LlamaError("Unproved", `Cannot trust the result: ${verdict.reason}`);
      }
      if (verdict.kind === "changed") {
        tools.toolchains.check(prepared);
        continue;
      }
      const stuck = verdict.paths.find((path) => asked.has(path));
      if (stuck !== undefined) {
        throw new LlamaError("Unproved", `Cannot trust the result: it wants "${stuck}"`);
      }
      if (verdict.paths.every((path) => belongsToToolchain(path, search))) {
        if (settings.guess) maxRounds = Math.min(maxRounds + 1, MAX_ROUNDS + MAX_TOOLCHAIN_ROUNDS);
      }
      const [ofUnit, ofToolchain] = partition(
        verdict.paths,
        (path) => !belongsToToolchain(path, search),
      );
      if (round === LISTING_ROUND && mayList(remote)) {
        stats.add((counters) => counters.listed++);
        const listed = await listIncludes(remote, tools);
        ofUnit.push(...listed.filter((path) => !set.states.has(path)));
      }
      plan.learn(known, ofUnit);
      for (const path of ofUnit) known.add(path);
      if (ofToolchain.length > 0) await tools.toolchains.learn(prepared, ofToolchain);
      if (known.size > 0) memory.learn(unit, known);
    }
    throw new LlamaError(
      "TooManyRounds",
      `Cannot find all inputs of "${compilation.source}" in ${maxRounds} rounds`,
    );
  };

  /** Objects of another version are not those of this machine, which the user should know. */
  const sayDifference = async (image: ImageQuestion, { say }: RemoteRequest) => {
    const difference = await tools.images.difference(image);
    if (difference !== undefined) say?.(`image ${image.functionName} ${image.name}`, difference);
  };

  const preview = async (remote: RemoteRequest): Promise<UnitPreview> => {
    const session = await openSession(remote.request.env).catch((error: unknown) => {
      if (error instanceof LlamaError) return error;
      throw error;
    });
    folders.nextRound();
    const plan = await planUnit(remote);
    const ready = session instanceof LlamaError
      ? undefined
      : tools.toolchains.ready(partsOf(remote), session.uploads);
    const toolchain = await (ready ?? tools.toolchains.prepare(partsOf(remote), noUploads));
    const known = memory.recall(unitOf(plan, remote));
    return {
      plan,
      toolchain,
      gathered: await plan.gather(toolchain, known),
      stored: session instanceof LlamaError ? session : session.uploads.has,
    };
  };

  return {
    preview,
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

/** All outputs that are here now; those of the beginning if something is in the way of telling. */
function outputsNow(
  remote: RemoteRequest,
  outputs: OutputPlaces,
  { files, places }: RemoteCompileTools,
): Iterable<string> {
  try {
    return placeOutputs(remote, files, places).targets;
  } catch (error) {
    if (error instanceof StaysHere) return outputs.targets;
    throw error;
  }
}

/** What decides which toolchain a compilation needs. */
function partsOf({ driver, line, request: { cwd, env } }: RemoteRequest): CompilerParts {
  return { driver, flags: line.partFlags, env: partEnvironment(env), cwd };
}

/** Folders in which the command line has headers looked for, absolute. */
function includeFoldersOf({ line, request }: RemoteRequest): string[] {
  const { quote, bracket } = searchPathOf(line, { quote: [], bracket: [] });
  return [...quote, ...bracket].map((folder) => cleanPath(absolute(folder, request.cwd)));
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

/** Whether the preprocessor here may list the unit's includes: one that is not told to write anything else. */
function mayList({ settings, compilation, text }: RemoteRequest): boolean {
  const { files, families } = compilation.auxiliary;
  return settings.guess && text === undefined && !compilation.language.preprocessed &&
    files.every((name) => MADE_LAST.test(name)) && families.length === 0;
}

/** What is learned about a unit is kept under this key. */
function unitOf({ source }: UnitPlan, { args }: RemoteRequest): string {
  return JSON.stringify([source, args]);
}

/**
 * The loader's search is seen by no proof: a library that it misses there may be here.
 *
 * @throws {LlamaError} `LibraryMissing`.
 */
async function refuseLoaderFailure(result: JobResult, store: ObjectStore): Promise<void> {
  if (result.status.kind === "exit" && result.status.code === 0) return;
  const words = new TextDecoder().decode(await readContent(result.stderr, store));
  const [, library] = /([^\s']+): cannot open shared object file/.exec(words) ?? [];
  if (library === undefined) return;
  throw new LlamaError("LibraryMissing", `Cannot find the library "${library}" there`);
}
