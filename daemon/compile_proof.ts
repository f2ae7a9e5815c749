/** What the proof of one compilation is held against. */
import type { InputSet } from "../cc/inputs.ts";
import type { Places } from "../cc/places.ts";
import type { ProofQuestion } from "../cc/proof_check.ts";
import type { Input } from "../job/manifest.ts";
import { addFoldersAbove, cleanPath } from "../job/path.ts";
import type { Proof } from "../job/proof.ts";
import type { OutputPlaces } from "./compile_outputs.ts";
import type { ReadyToolchain } from "./toolchains.ts";

/** What a job was sent beside its own inputs. */
export type SentBefore = Pick<ReadyToolchain, "states" | "inputs" | "folders">;

/** Where a system has compilers, their programs, libraries and own headers. */
const PROGRAMS = /^\/(?:usr\/)?(?:s?bin|lib(?:exec|32|64|x32)?)(?:\/|$)/;

/** The question for a job that was sent `set` beside its toolchain. */
export function proofQuestion(
  proof: Proof,
  set: InputSet,
  { outputs, toolchain, places, temporary, includeFolders = [], tellsByInode = false }: {
    readonly outputs: Pick<OutputPlaces, "isMade" | "standIns">;
    readonly toolchain: SentBefore;
    readonly places: Places;
    /** Folders in which the job's programs leave files for each other. */
    readonly temporary: readonly string[];
    /** Absolute folders in which the command line has headers looked for. */
    readonly includeFolders?: readonly string[];
    /** {@linkcode ProofQuestion.tellsByInode} */
    readonly tellsByInode?: boolean;
  },
): ProofQuestion {
  const sent = sentTest(set, toolchain, places);
  return {
    proof,
    sent: (path) =>
      sent(path) ??
        (temporary.includes(path.slice(0, path.lastIndexOf("/"))) ? "sent" : undefined),
    links: [...set.inputs.values()].filter((input) => input.kind === "link"),
    isMade: outputs.isMade,
    tellsByInode,
    isOfCompiler: (path) => {
      const clean = cleanPath(path);
      return toolchain.folders.has(clean) ||
        PROGRAMS.test(clean) && !includeFolders.some((folder) => clean.startsWith(`${folder}/`));
    },
    sentNames: (folder) =>
      namesIn(places.find(folder)?.path ?? cleanPath(folder), [
        ...set.inputs.values(),
        ...outputs.standIns.values(),
        ...toolchain.inputs.values(),
      ]),
  };
}

/** Finds what was sent by the way a job spelled it: an input, or a folder above one. */
function sentTest(
  { inputs, states }: InputSet,
  toolchain: SentBefore,
  places: Places,
): ProofQuestion["sent"] {
  let above: Set<string> | undefined;
  const isAbove = (path: string) => {
    if (toolchain.folders.has(path)) return true;
    if (!above) {
      above = new Set();
      for (const input of inputs.keys()) addFoldersAbove(input, above);
    }
    return above.has(path);
  };
  const stateOf = (path: string) => states.get(path) ?? toolchain.states.get(path);
  const isFolder = (path: string) =>
    inputs.get(path)?.kind === "folder" && !toolchain.inputs.has(path);
  const find = (path: string) =>
    stateOf(path) ??
      (isFolder(path)
        ? "folder"
        : inputs.has(path) || toolchain.inputs.has(path) || isAbove(path)
        ? "sent"
        : undefined);
  const isLink = (path: string) =>
    (inputs.get(path) ?? toolchain.inputs.get(path))?.kind === "link";
  return (path) => {
    // What has a state is a file, and no link.
    const state = stateOf(path);
    if (state) return state;
    const found = find(path);
    // A link that was sent leads to what has a state.
    if (found !== undefined && !isLink(path)) return found;
    const real = places.find(path)?.path;
    return (real === undefined || real === path ? undefined : find(real)) ?? found;
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
