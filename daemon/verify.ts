/**
 * LLAMACC_VERIFY: compiles here what was compiled elsewhere, and compares.
 *
 * What came back is kept in memory and not written, so that the local compiler finds what it would have
 * found, and what it leaves is what stands. Where the two differ, the local compiler runs again: if
 * its own two runs differ in the same places, such as in __TIME__ or in the random id of split DWARF,
 * the compilation is not reproducible, and llamacc is not to blame.
 *
 * The daemon runs the compiler, not the client: it must see what the compiler says, and a client that
 * is to pass that on would have to be more than the small program that it is. So a compilation that is
 * verified has no terminal, here as elsewhere: {@linkcode withoutTerminal} has both asked for colours (GCC's links to its manual are missed).
 */
import { type Difference, differencesOf, type LeftFile, type Outcome } from "./differences.ts";
import type { Compiled, KeptOutputs, RemoteRequest } from "./remote_request.ts";
import type { LocalEnd } from "./run_as_client.ts";

/** What {@linkcode verify} works with. */
export interface VerifyTools {
  /** Runs the local compiler. */
  readonly runHere: () => Promise<LocalEnd>;
  /** Reads a file; undefined if there is none. */
  readonly readFile: (path: string) => LeftFile | undefined;
  /** Changes the permission bits of a file. */
  readonly setMode: (path: string, mode: number) => void;
  /** Waits, so that a second run does not read the same time. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** What came of a comparison, as it is counted. */
export type Verdict = "same" | "different" | "unreproducible";

/** A compilation that ran on both sides. */
export interface Verified {
  readonly verdict: Verdict;
  /** What the last local run said, and how it ended; its files stand. */
  readonly here: LocalEnd;
  /** What differs though the local compiler's own runs agree. */
  readonly differences: readonly Difference[];
}

/**
 * The same compilation without a terminal, with an option in front that has a compiler colour its words if
 * there is one that shows colours; options behind it that say otherwise count.
 */
export function withoutTerminal<T extends Pick<RemoteRequest, "request" | "args">>(remote: T): T {
  const { request: { env, stderrIsTerminal }, args } = remote;
  if (!stderrIsTerminal) return remote;
  const request = { ...remote.request, stderrIsTerminal: false };
  const showsColours = !["", "dumb"].includes(env.TERM ?? "");
  return { ...remote, request, args: [...showsColours ? [COLOUR] : [], ...args] };
}

/** GCC manual, "Options to Control Diagnostic Messages Formatting"; it is in no object. */
const COLOUR = "-fdiagnostics-color=always";

/** __TIME__ counts seconds. */
const NEXT_SECOND_MS = 1_100;

/** Compiles here and compares with what `there` and `kept` say of the run elsewhere. */
export async function verify(
  there: Compiled,
  kept: readonly KeptOutputs[],
  tools: VerifyTools,
): Promise<Verified> {
  const remote = outcomeElsewhere(there, kept, tools);
  const first = await outcomeHere(remote, kept, tools);
  const found = differencesOf(remote, first.outcome);
  if (found.length === 0) return { verdict: "same", here: first.end, differences: [] };
  await tools.sleep(NEXT_SECOND_MS);
  const second = await outcomeHere(remote, kept, tools);
  // Compilers keep the mode of some files that they find; the second run found those of the first.
  for (const [path, file] of second.outcome.files) {
    const mode = first.outcome.files.get(path)?.mode ?? file?.mode;
    if (file && mode !== undefined && mode !== file.mode) tools.setMode(path, mode);
  }
  const ownPlaces = new Set(
    differencesOf(first.outcome, second.outcome).map(({ place }) => place),
  );
  const differences = found.filter(({ place }) => !ownPlaces.has(place));
  const verdict = differences.length > 0 ? "different" : "unreproducible";
  return { verdict, here: second.end, differences };
}

/** What would be here now if the outputs had been written. */
function outcomeElsewhere(
  { code, stdout, stderr }: Compiled,
  kept: readonly KeptOutputs[],
  { readFile }: VerifyTools,
): Outcome {
  const files = new Map<string, LeftFile | undefined>();
  for (const { list } of kept) for (const path of list()) files.set(path, readFile(path));
  for (const { removed } of kept) for (const path of removed) files.set(path, undefined);
  for (const part of kept) for (const [path, file] of part.files) files.set(path, file);
  return { end: endOf({ code, signal: null }), stdout, stderr, files };
}

async function outcomeHere(
  remote: Outcome,
  kept: readonly KeptOutputs[],
  { runHere, readFile }: VerifyTools,
): Promise<{ readonly end: LocalEnd; readonly outcome: Outcome }> {
  const end = await runHere();
  const paths = new Set([...remote.files.keys(), ...kept.flatMap(({ list }) => [...list()])]);
  const files = new Map(Array.from(paths, (path) => [path, readFile(path)]));
  const { stdout, stderr } = end;
  return { end, outcome: { end: endOf(end), stdout, stderr, files } };
}

function endOf({ code, signal }: Pick<LocalEnd, "code" | "signal">): string {
  return signal ?? `exit status ${code}`;
}
