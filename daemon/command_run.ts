/**
 * Any local command elsewhere, with nothing declared: what its arguments name is sent with the program, the
 * proof finds what else it wants, and what it made or changed comes back.
 */
import type { FileDigests } from "../cc/digests.ts";
import type { FileSystem, ProcessRunner } from "../cc/file_system.ts";
import type { Folders } from "../cc/folders.ts";
import { addPaths, createInputSet, type InputSet } from "../cc/inputs.ts";
import type { Places } from "../cc/places.ts";
import { checkProof } from "../cc/proof_check.ts";
import { findProgram } from "../cc/toolchain.ts";
import type { Content } from "../job/content.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { encodeManifest, type Input } from "../job/manifest.ts";
import { cleanPath } from "../job/path.ts";
import type { JobSpec } from "../job/spec.ts";
import type { Guesser } from "../cc/guess.ts";
import { guessForCompiler } from "./command_compiler.ts";
import { type CommandGuess, guessCommand, isBelow } from "./command_guess.ts";
import type { CommandMemory } from "./command_memory.ts";
import { createNeeds } from "./command_needs.ts";
import { resolveScript } from "./command_script.ts";
import { proofQuestion } from "./compile_proof.ts";
import { type JobSession, type RanJob, runJob } from "./run_job.ts";
import { SHIM_PATH } from "./toolchain_files.ts";
import type { ReadObject } from "./uploads.ts";

/** A command, and what is known of it. */
export interface CommandRequest {
  /** The program as the user spelled it, and its arguments. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** All that the command is to find in its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: { readonly content: Content; readonly bytes: Uint8Array<ArrayBuffer> };
  /** Absolute paths that are sent and fetched beside those that the arguments name. */
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly timeoutMs?: number;
  readonly maxRounds: number;
  readonly logTail?: boolean;
  readonly signal?: AbortSignal;
}

/** What a command is sent, and where it may write. */
export interface CommandPlan {
  /** Absolute path of what the user named, which may be a script. */
  readonly file: string;
  /** Absolute path of the program, an interpreter for a script. */
  readonly program: string;
  readonly args: readonly string[];
  readonly guess: CommandGuess;
  readonly set: InputSet;
  readonly libraryPath: readonly string[];
  /** Folders and files whose changes come back, none below another. */
  readonly outputs: readonly string[];
}

/** A command that ran, and whose result is proved. */
export interface RanCommand {
  readonly ran: RanJob;
  readonly plan: CommandPlan;
  /** Jobs that it took. */
  readonly rounds: number;
  /** Paths that only the proof found. */
  readonly found: readonly string[];
}

/** Runs commands. */
export interface CommandRunner {
  /**
   * Runs a command until its result is proved; nothing is written here.
   *
   * @throws {LlamaError} `ProgramNotFound`, `Unproved`, `TooManyRounds`, and what {@linkcode runJob} throws.
   */
  run(request: CommandRequest, session: JobSession, functionName: string): Promise<RanCommand>;
  /** What the first job would be sent. */
  plan(request: CommandRequest): Promise<CommandPlan>;
}

/** What {@linkcode createCommandRunner} works with. */
export interface CommandTools {
  readonly files: FileSystem;
  readonly processes: ProcessRunner;
  readonly folders: Folders;
  readonly places: Places;
  readonly digests: FileDigests;
  readonly guesser: Guesser;
  readonly memory: CommandMemory;
  /** The path shim. */
  readonly shim: () => Promise<Uint8Array<ArrayBuffer>>;
  /** Hears of each round that was not the last, with the names that it lacked. */
  readonly onRound?: (round: number, missing: readonly string[]) => void;
}

/** What is of this machine, not of its files. */
const SPECIAL = /^\/(?:dev|proc|sys)(?:\/|$)/;
/** Interpreters list the folders of their libraries, which may hold many. */
const MAX_LISTED = 4096;
/** A folder that was found travels with its own files, unless they are more. */
const MAX_FOLDER_FILES = 256;

/** Creates a runner; what it learns about files is kept for its next command. */
export function createCommandRunner(tools: CommandTools): CommandRunner {
  const { files, folders, places, digests, memory } = tools;
  const own = new Map<Digest, Uint8Array<ArrayBuffer>>();

  const planWith = async (
    request: CommandRequest,
    found: ReadonlySet<string>,
  ): Promise<CommandPlan> => {
    const { cwd, env } = request;
    const [name = "", ...rest] = request.args;
    const path = env.PATH ?? "/usr/bin:/bin";
    const spelled = name.includes("/") && !name.startsWith("/") ? `${cwd}/${name}` : name;
    const file = findProgram(spelled, path, files);
    if (file === undefined || files.stat(file)?.kind !== "file") {
      throw new LlamaError("ProgramNotFound", `Cannot run "${name}" as it is not found here`, {
        exitCode: 127,
      });
    }
    const { program, args } = resolveScript(cleanPath(file), name, rest, path, files);
    const guess = guessCommand(rest, cwd, files);
    const set = createInputSet();
    const wanted = [
      ...[program, cleanPath(file), ...guess.inputs, ...request.inputs ?? []],
      ...await guessForCompiler(program, rest, request, tools),
      ...memory.recall(cleanPath(file), guess.kind).flatMap((one) => recalled(one, cwd, files)),
      ...found,
    ].filter((one) => !SPECIAL.test(one) && files.lstat(one) !== undefined);
    const libraryPath = await createNeeds(path, tools).add(set, wanted);
    await addPaths(set, guess.folders, tools);
    if (!set.inputs.has("/tmp")) {
      set.inputs.set("/tmp", { kind: "folder", path: "/tmp", mode: 0o1777 });
    }
    for (const [path, input] of set.inputs) {
      if (input.kind !== "folder") continue;
      const mtimeMs = files.stat(path)?.mtimeMs;
      if (mtimeMs !== undefined) set.inputs.set(path, { ...input, mtimeMs: Math.floor(mtimeMs) });
    }
    const outputs = [cwd, ...guess.outputs, ...request.outputs ?? []];
    return {
      file: cleanPath(file),
      program,
      args,
      guess,
      set,
      libraryPath,
      outputs: [...new Set(outputs)].filter((one) =>
        !outputs.some((other) => other !== one && isBelow(one, other))
      ),
    };
  };

  const keep = async (bytes: Uint8Array<ArrayBuffer>): Promise<Digest> => {
    const digest = await digestOf(bytes);
    own.set(digest, bytes);
    return digest;
  };

  /** What similar commands have in common travels as a manifest, which a worker keeps laid out. */
  const specOf = async (
    request: CommandRequest,
    plan: CommandPlan,
    session: JobSession,
    read: ReadObject,
  ): Promise<JobSpec> => {
    const { cwd, env, stdin, timeoutMs } = request;
    const named = new Set([...plan.guess.inputs, ...plan.guess.folders, ...request.inputs ?? []]);
    const isOwn = ({ path }: Input) =>
      named.has(path) || plan.outputs.some((output) => isBelow(path, output));
    const all = [...plan.set.inputs.values()];
    const shim = await tools.shim();
    const shared: Input[] = [...all.filter((input) => !isOwn(input)), {
      kind: "file",
      path: SHIM_PATH,
      mode: 0o755,
      content: { digest: await keep(shim), size: shim.length },
    }];
    shared.sort((a, b) => a.path < b.path ? -1 : 1);
    const contents = shared.flatMap((input) =>
      input.kind === "file" && "digest" in input.content ? [input.content.digest] : []
    );
    const packs = await session.uploads.ensure(contents, read);
    return {
      args: plan.args,
      program: plan.program,
      env,
      cwd,
      ...(stdin && { stdin: stdin.content }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      rooted: { shim: SHIM_PATH, libraryPath: plan.libraryPath },
      manifests: [await keep(encodeManifest({ packs, inputs: shared }))],
      packs: [],
      inputs: all.filter(isOwn),
      wanted: plan.outputs.map((path) => ({ match: "tree", path })),
    };
  };

  return {
    plan: (request) => {
      folders.nextRound();
      return planWith(request, new Set());
    },
    run: async (request, session, functionName) => {
      const found = new Set<string>();
      const { stdin, cwd } = request;
      const stdinDigest = stdin && "digest" in stdin.content ? stdin.content.digest : undefined;
      const read: ReadObject = async (digest) =>
        own.get(digest) ?? (digest === stdinDigest ? stdin?.bytes : undefined) ??
          await digests.read(digest);
      for (let round = 1; round <= request.maxRounds; round++) {
        folders.nextRound();
        const plan = await planWith(request, found);
        const spec = await specOf(request, plan, session, read);
        const ran = await runJob(spec, {
          session,
          functionName,
          read,
          ...(request.logTail && { logTail: true }),
          ...(request.signal && { signal: request.signal }),
        });
        const { proof } = ran.result;
        const learn = () => {
          const listed = (proof?.listed ?? []).filter((folder) => !SPECIAL.test(folder));
          const paths = [...found, ...listed.map((folder) => `${folder}/`)];
          return memory.learn(plan.file, plan.guess.kind, paths.map((one) => noted(one, cwd)));
        };
        if (!proof) throw unproved(plan.program, "it came without a proof");
        const question = proofQuestion(proof, plan.set, {
          outputs: { isMade: () => false, standIns: new Map() },
          toolchain: { states: new Map(), inputs: new Map(), folders: new Set() },
          places,
          temporary: [],
        });
        // What one process of the command makes another one finds.
        const sent = (path: string) =>
          question.sent(path) ??
            ([...plan.outputs, "/tmp"].some((at) => isBelow(path, at)) ? "sent" : undefined);
        const verdict = checkProof({ ...question, sent, maxListed: MAX_LISTED }, folders, files);
        if (verdict.kind === "proved") {
          await learn();
          return { ran, plan, rounds: round, found: [...found] };
        }
        if (verdict.kind === "unproved") throw unproved(plan.program, verdict.reason);
        if (verdict.kind === "unordered") {
          throw unproved(plan.program, `listed the folder "${verdict.folder}"`);
        }
        tools.onRound?.(round, verdict.paths);
        if (verdict.kind === "changed") continue;
        const fresh = verdict.paths.filter((path) => !found.has(path));
        if (fresh.length === 0) {
          throw unproved(plan.program, `it wants "${verdict.paths[0]}", which cannot be sent`);
        }
        for (const path of fresh) addFound(path, cwd, found, tools);
        if (round === request.maxRounds) await learn();
      }
      throw new LlamaError(
        "TooManyRounds",
        `Cannot find all that "${request.args[0]}" needs in ${request.maxRounds} rounds`,
        { hint: "the next run goes on from here; -max-rounds allows more, -f names files" },
      );
    },
  };
}

/** What is remembered: a folder that was listed ends in a slash, and the current one is any current one. */
function noted(path: string, cwd: string): string {
  return path === `${cwd}/` ? "./" : path;
}

/** What a memory means now: for a folder that was listed, all that is in it. */
function recalled(path: string, cwd: string, files: FileSystem): string[] {
  if (!path.endsWith("/")) return [path];
  const folder = path === "./" ? cwd : path.slice(0, -1) || "/";
  const entries = files.list(folder) ?? [];
  const names = entries.length > MAX_FOLDER_FILES ? [] : entries;
  return [folder, ...names.map(({ name }) => `${folder === "/" ? "" : folder}/${name}`)];
}

/** A folder of the system that a program asks for is mostly listed next, or read. */
function addFound(path: string, cwd: string, found: Set<string>, { files }: CommandTools): void {
  found.add(path);
  if (isBelow(path, cwd) || files.stat(path)?.kind !== "folder") return;
  const entries = files.list(path) ?? [];
  if (entries.length > MAX_FOLDER_FILES) return;
  for (const { name, kind } of entries) if (kind === "file") found.add(`${path}/${name}`);
}

function unproved(program: string, reason: string): LlamaError {
  return new LlamaError("Unproved", `Cannot trust what "${program}" did elsewhere: ${reason}`, {
    hint: "run it here, or declare its files and use llama invoke -ship",
  });
}
