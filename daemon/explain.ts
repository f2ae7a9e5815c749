/** `llamacc --explain ARGS…`: the decision about a command and the guess of its inputs; nothing is compiled. */
import type { InputSet } from "../cc/inputs.ts";
import { explainReason } from "../cc/reasons.ts";
import type { SearchPath } from "../cc/search_path.ts";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import { type DecidedRequest, remoteRequests } from "./decide_request.ts";
import type { RemoteCompiler, UnitPreview } from "./remote_compile.ts";
import { type RemoteRequest, StaysHere } from "./remote_request.ts";

/** All that is told about a command; as JSON, the value that `--explain=json` prints. */
export interface Explanation {
  readonly decision: "remote" | "local";
  /** Why it runs here, as statistics count it. */
  readonly reason?: string;
  /** The reason as a sentence. */
  readonly why?: string;
  readonly compiler: { readonly path: string; readonly name: string; readonly options: string };
  /** Arguments behind the compiler's name. */
  readonly args: readonly string[];
  readonly responseFiles: readonly string[];
  /** One for each source that is compiled elsewhere. */
  readonly units: readonly ExplainedUnit[];
}

/** What is told about a source. */
export interface ExplainedUnit {
  readonly source: string;
  readonly language: string;
  /** What would bring this unit back to this machine, in spite of the decision. */
  readonly problem?: string;
  /** As the compiler spells it, like all outputs. */
  readonly output?: string;
  readonly dependFile?: string;
  /** Further files that may be written, and beginnings of names with the expression for what may follow. */
  readonly auxiliary?: readonly string[];
  /** Folders that are searched for headers. */
  readonly search?: SearchPath;
  /** Real paths of the files that are guessed to be read. */
  readonly inputs?: readonly string[];
  /** Those of them that travel with the toolchain. */
  readonly ofToolchain?: readonly string[];
  readonly toolchain?: ToolchainSize;
  /** What the store lacks; `undefined` without a cloud. */
  readonly toSend?: { readonly files: number; readonly bytes: number };
  /** Why there is no cloud. */
  readonly noCloud?: string;
}

/** What a toolchain has. */
export interface ToolchainSize {
  readonly files: number;
  readonly bytes: number;
  /** Whether all of it is in the store; `undefined` without a cloud. */
  readonly stored?: boolean;
}

/** The form in which a command asks to be explained, if it does; only the first argument counts. */
export function explainForm(argv: readonly string[]): "text" | "json" | undefined {
  return argv[1] === "--explain" ? "text" : argv[1] === "--explain=json" ? "json" : undefined;
}

/** Explains a command. */
export async function explain(
  decided: DecidedRequest,
  remote: RemoteCompiler,
  signal: AbortSignal,
): Promise<Explanation> {
  const { decision, compiler, family, args, responseFiles } = decided;
  const units: ExplainedUnit[] = [];
  let reason = decision.kind === "local" ? decision.reason : undefined;
  try {
    for (const request of remoteRequests(decided, signal)) {
      units.push(await explainUnit(request, remote));
    }
  } catch (error) {
    if (!(error instanceof StaysHere)) throw error;
    reason = error.reason;
    units.length = 0;
  }
  return {
    decision: reason === undefined ? "remote" : "local",
    ...(reason !== undefined && { reason, why: explainReason(reason) }),
    compiler: { path: compiler.driver, name: compiler.name, options: family },
    args,
    responseFiles,
    units,
  };
}

async function explainUnit(
  request: RemoteRequest,
  remote: RemoteCompiler,
): Promise<ExplainedUnit> {
  const { source, language } = request.compilation;
  const named = { source, language: language.name };
  let preview: UnitPreview;
  try {
    preview = await remote.preview(request);
  } catch (error) {
    if (!(error instanceof LlamaError) || error instanceof StaysHere) throw error;
    return { ...named, problem: `${error.code}: ${error.message}` };
  }
  const { plan, toolchain, gathered, stored } = preview;
  const { output, makesOutput, dependFile, auxiliary } = request.compilation;
  const files = filesIn(gathered.set);
  const own = filesIn(gathered.set, (path) => toolchain.inputs.has(path));
  const all = [...toolchain.inputs.values()].filter((input) => input.kind === "file");
  const isStored = stored instanceof LlamaError ? undefined : stored;
  const fresh = gathered.inputs.filter((input) => isToSend(input, isStored));
  return {
    ...named,
    ...(makesOutput && { output }),
    ...(dependFile !== undefined && { dependFile }),
    auxiliary: [
      ...auxiliary.files,
      ...auxiliary.families.map(({ prefix, rest }) => `${prefix} and ${rest.source}`),
    ],
    search: plan.search.real,
    inputs: files,
    ofToolchain: own,
    toolchain: {
      files: all.length,
      bytes: bytesOf(all),
      ...(isStored && { stored: !all.some((input) => isToSend(input, isStored)) }),
    },
    ...(stored instanceof LlamaError
      ? { noCloud: stored.message }
      : { toSend: { files: fresh.length, bytes: bytesOf(fresh) } }),
  };
}

function filesIn({ inputs }: InputSet, fits: (path: string) => boolean = () => true): string[] {
  return [...inputs.values()].filter(({ kind, path }) => kind === "file" && fits(path))
    .map(({ path }) => path);
}

function isToSend(input: Input, isStored: ((digest: string) => boolean) | undefined): boolean {
  if (input.kind !== "file") return false;
  return !("digest" in input.content) || !isStored?.(input.content.digest);
}

function bytesOf(inputs: readonly Input[]): number {
  return inputs.reduce((sum, input) => {
    if (input.kind !== "file") return sum;
    return sum + ("digest" in input.content ? input.content.size : input.content.bytes.length);
  }, 0);
}

/** An explanation as lines for people. */
export function describeExplanation(explanation: Explanation): string {
  const { decision, reason, why, compiler, args, responseFiles, units } = explanation;
  const lines: string[] = [];
  const say = (name: string, text: string) => lines.push(`${name.padEnd(12)}${text}`);
  say("decision", decision === "local" ? `local: ${reason}` : "remote");
  if (why !== undefined) say("why", why);
  say("command", [compiler.name, ...args].join(" "));
  say("compiler", `${compiler.path}, with the options of ${compiler.options}`);
  for (const file of responseFiles) say("arguments", `also in ${file}`);
  for (const unit of units) {
    lines.push("");
    say("source", `${unit.source} (${unit.language})`);
    if (unit.problem !== undefined) {
      say("but", `it would run here after all: ${unit.problem}`);
      continue;
    }
    say("output", unit.output ?? "none, or on stdout");
    if (unit.dependFile !== undefined) say("depends", unit.dependFile);
    for (const path of unit.auxiliary ?? []) say("may write", path);
    for (const folder of unit.search?.quote ?? []) say('search "x"', folder);
    for (const folder of unit.search?.bracket ?? []) say("search <x>", folder);
    const { inputs = [], ofToolchain = [], toolchain, toSend, noCloud } = unit;
    say("inputs", `${count(inputs.length, "file")}, ${ofToolchain.length} of the toolchain`);
    const own = new Set(ofToolchain);
    for (const path of inputs) say("", own.has(path) ? `${path} (toolchain)` : path);
    if (toolchain) {
      const { stored } = toolchain;
      const state = stored === undefined ? "" : stored ? ", in the store" : ", to be sent once";
      say(
        "toolchain",
        `${count(toolchain.files, "file")}, ${count(toolchain.bytes, "byte")}${state}`,
      );
    }
    if (toSend) {
      say("to send", `${count(toSend.files, "file")}, ${count(toSend.bytes, "byte")}`);
    }
    if (noCloud !== undefined) say("cloud", `none: ${noCloud}`);
  }
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}
