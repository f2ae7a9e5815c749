/** What the proof of one compilation is held against. */
import type { FileState } from "../cc/file_system.ts";
import type { InputSet } from "../cc/inputs.ts";
import type { Places } from "../cc/places.ts";
import type { ProofQuestion } from "../cc/proof_check.ts";
import type { Input } from "../job/manifest.ts";
import { addFoldersAbove, cleanPath } from "../job/path.ts";
import type { Proof } from "../job/proof.ts";
import type { OutputPlaces } from "./compile_outputs.ts";
import type { ReadyToolchain } from "./toolchains.ts";

/** The question for a job that was sent `set` beside its toolchain. */
export function proofQuestion(
  proof: Proof,
  set: InputSet,
  { outputs, toolchain, places, temporary }: {
    readonly outputs: OutputPlaces;
    readonly toolchain: ReadyToolchain;
    readonly places: Places;
    /** Folders in which the job's programs leave files for each other. */
    readonly temporary: readonly string[];
  },
): ProofQuestion {
  const wasSent = sentTest(set.inputs, toolchain, places);
  return {
    proof,
    sent: withOpened(set.states, proof, toolchain),
    links: [...set.inputs.values()].filter((input) => input.kind === "link"),
    isMade: outputs.isMade,
    sentNames: (folder) =>
      namesIn(places.find(folder)?.path ?? cleanPath(folder), [
        ...set.inputs.values(),
        ...outputs.standIns.values(),
        ...toolchain.inputs.values(),
      ]),
    wasSent: (path) => wasSent(path) || temporary.includes(path.slice(0, path.lastIndexOf("/"))),
  };
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
  const prefix = folder === "/" ? folder : `${folder}/`;
  const names = new Set<string>();
  for (const { path } of inputs) {
    if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split("/", 1)[0] ?? "");
  }
  return names;
}
