/**
 * What is known about one unit before any job runs: where it looks for headers, what it will write, and
 * the guess of what it reads. Compilations start from it, and `llamacc --explain` prints it.
 */
import { characterSets, converterFiles } from "../cc/character_sets.ts";
import type { FileSystem, ProcessRunner } from "../cc/file_system.ts";
import type { Folders } from "../cc/folders.ts";
import type { Guesser, GuessRequest } from "../cc/guess.ts";
import { headerMacrosOf, macrosDefinedBy } from "../cc/header_macros.ts";
import { createGuessAdder } from "../cc/guessed_inputs.ts";
import {
  addPath,
  addPaths,
  addWay,
  createInputSet,
  fileInput,
  type InputSet,
  type InputTools,
} from "../cc/inputs.ts";
import type { NativeProcessor } from "../cc/native_processor.ts";
import type { Places } from "../cc/places.ts";
import { timeZoneFor } from "../cc/time_zone.ts";
import type { Input } from "../job/manifest.ts";
import type { OutputPlaces } from "./compile_outputs.ts";
import { placeOutputs } from "./compile_outputs.ts";
import { addSpecs, logicalCwd, temporaryFolders } from "./compile_spec.ts";
import { createNativeProcessors } from "./native_processors.ts";
import { absolute, type RemoteRequest, type SourceText, StaysHere } from "./remote_request.ts";
import type { ReadyToolchain } from "./toolchains.ts";
import { createUnitSearcher, findInclude, type UnitSearch } from "./unit_search.ts";

/** What {@linkcode createUnitPlanner} works with. */
export interface UnitPlanTools extends InputTools {
  readonly files: FileSystem;
  readonly processes: ProcessRunner;
  readonly folders: Folders;
  readonly places: Places;
  readonly guesser: Guesser;
}

/** The plan of a unit. */
export interface UnitPlan {
  /** Absolute path of the source. */
  readonly source: string;
  readonly search: UnitSearch;
  readonly outputs: OutputPlaces;
  readonly zone: ReturnType<typeof timeZoneFor>;
  readonly processor: NativeProcessor | undefined;
  /** Folders in which the compiler makes its temporary files. */
  readonly temporary: readonly string[];
  /** Tells the guess what a proof has found for a job that was sent `known`. */
  learn(known: Iterable<string>, found: readonly string[]): void;
  /** Collects what a job of it is sent; `known` are paths that earlier jobs have found. */
  gather(toolchain: ReadyToolchain, known: Iterable<string>): Promise<GatheredInputs>;
}

/** Inputs of one job. */
export interface GatheredInputs {
  /** All, those of the toolchain among them. */
  readonly set: InputSet;
  /** Those that do not travel with the toolchain. */
  readonly inputs: readonly Input[];
  /** Paths that were asked for, not guessed. */
  readonly asked: ReadonlySet<string>;
}

/** Makes the plan of a unit. */
export type UnitPlanner = (remote: RemoteRequest) => Promise<UnitPlan>;

/** A source up to this size travels in the invocation. */
const MAX_INLINE_SOURCE_BYTES = 4 * 1024 * 1024;

/** Creates a planner with an empty memory of what compilers have said about themselves. */
export function createUnitPlanner(tools: UnitPlanTools): UnitPlanner {
  const { files, places } = tools;
  const searchPathOf = createUnitSearcher(tools);
  const nativeProcessor = createNativeProcessors(tools.processes);
  const addGuess = createGuessAdder(tools);
  return async (remote) => {
    const { request, settings, line, compilation } = remote;
    const search = await searchPathOf(remote);
    const outputs = placeOutputs(remote, files, places);
    const source = absolute(compilation.source, request.cwd);
    const reads = compilation.reads.map((path) => absolute(path, request.cwd));
    const guesses = settings.guess && remote.text === undefined;
    const macros = headerMacrosOf(line.options);
    const defined = macrosDefinedBy(line.options);
    const asking = (found: Iterable<string>): GuessRequest => {
      return { roots, search: search.real, cwd: request.cwd, macros, defined, found };
    };
    const guess = (found: Iterable<string>) =>
      guesses ? tools.guesser.guess(asking(found)) : [...roots, ...found];
    const roots = [
      source,
      ...(guesses ? line.includes : []).flatMap((name) =>
        findInclude(name, request.cwd, search.real, files)
      ),
      ...(guesses ? ["/usr/include/stdc-predef.h"] : []),
    ];
    const zone = timeZoneFor(request.env, files);
    const processor = await nativeProcessor(remote);
    const temporary = temporaryFolders(request);
    const around = [
      request.cwd,
      ...logicalCwd(request, files),
      ...outputs.folders,
      ...(settings.guess ? search.spelled : []),
      ...temporary,
      ...(zone.file === undefined ? [] : [zone.file]),
    ];
    return {
      learn: (known, found) => {
        if (guesses) tools.guesser.learn(asking(known), found);
      },
      source,
      search,
      outputs,
      zone,
      processor,
      temporary,
      gather: async (toolchain, known) => {
        const set = createInputSet();
        await addSource(set, source, tools, remote.text);
        await addGuess(set, guess(known));
        if (settings.guess) await addPaths(set, reads, tools);
        const asked = new Set([...known, ...toolchain.extras]);
        await addPaths(set, asked, tools);
        const converters = converterFiles(
          characterSets(line.flags),
          toolchain.libraryPath,
          files,
        );
        await addPaths(set, [...around, ...converters], tools);
        addSpecs(set, processor);
        for (const way of outputs.ways) addWay(set, way, tools);
        const both = outputs.wanted.find(({ match, path }) =>
          match === "exact" && set.inputs.get(path)?.kind === "file"
        );
        if (both) throw new StaysHere("output-is-input");
        const inputs = [...set.inputs.values()].filter(({ path, kind }) =>
          kind === "folder" || !toolchain.inputs.has(path)
        );
        return { set, inputs, asked };
      },
    };
  };
}

async function addSource(
  set: InputSet,
  source: string,
  tools: UnitPlanTools,
  text?: SourceText,
): Promise<void> {
  if (text && text.path !== source) {
    const { path, bytes } = text;
    set.inputs.set(path, { kind: "file", path, mode: 0o644, content: { bytes } });
    return;
  }
  const place = tools.places.find(source);
  const state = place && tools.folders.stat(place.path);
  if (!place || state?.kind !== "file" || (state.size > MAX_INLINE_SOURCE_BYTES && !text)) {
    await addPath(set, source, tools);
    return;
  }
  const bytes = text?.bytes ?? tools.files.read(place.path);
  if (!bytes) return;
  addWay(set, place, tools);
  set.inputs.set(place.path, { ...fileInput(place.path, "", state), content: { bytes } });
  // If the file has changed between this state and the reading, the proof finds it changed.
  set.states.set(place.path, state);
}
