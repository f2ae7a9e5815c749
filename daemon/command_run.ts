/**
 * Any local command elsewhere, with nothing declared: what its arguments name is sent with the program, the
 * proof finds what else it wants, and what it made or changed comes back.
 */
import { checkProof } from "../cc/proof_check.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { contentsOf, encodeManifest, type Input } from "../job/manifest.ts";
import type { JobSpec } from "../job/spec.ts";
import { isBelow, SPECIAL } from "./command_guess.ts";
import {
  addFound,
  type CommandPlan,
  type CommandPlanTools,
  type CommandRequest,
  noted,
  planCommand,
  prepareCommand,
  type PreparedCommand,
} from "./command_plan.ts";
import { proofQuestion } from "./compile_proof.ts";
import { folderOrder } from "./folder_order.ts";
import { type JobSession, type RanJob, runJob } from "./run_job.ts";
import { SHIM_PATH, shimInput } from "./toolchain_files.ts";
import type { ReadObject } from "./uploads.ts";

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
export interface CommandTools extends CommandPlanTools {
  /** The path shim. */
  readonly shim: () => Promise<Uint8Array<ArrayBuffer>>;
  /** Hears of each round that was not the last, with the names that it lacked. */
  readonly onRound?: (round: number, missing: readonly string[]) => void;
}

/** Interpreters list the folders of their libraries, which may hold many. */
const MAX_LISTED = 4096;
/** Creates a runner; what it learns about files is kept for its next command. */
export function createCommandRunner(tools: CommandTools): CommandRunner {
  const { files, folders, places, digests, memory } = tools;
  const own = new Map<Digest, Uint8Array<ArrayBuffer>>();
  /** Commands that are the first of their kind, until they have ended. */
  const firsts = new Map<string, Promise<void>>();

  /** Commands of a kind that was never seen wait for the first of them, which finds what all of them need. */
  const begin = async (request: CommandRequest) => {
    for (;;) {
      const prepared = await prepareCommand(request, tools);
      const { file, guess: { kind } } = prepared;
      if (memory.knows(file, kind)) return { prepared, end: () => undefined };
      const key = `${file}\0${kind}`;
      const first = firsts.get(key);
      if (first === undefined) {
        const { promise, resolve } = Promise.withResolvers<void>();
        firsts.set(key, promise);
        const end = () => {
          firsts.delete(key);
          resolve();
        };
        return { prepared, end };
      }
      await first;
      request.signal?.throwIfAborted();
      folders.nextRound();
    }
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
      named.has(path) ||
      plan.outputs.some((output) => isBelow(path, output) || isBelow(output, path));
    const all = [...plan.set.inputs.values()];
    const shim = await tools.shim();
    const shared = [...all.filter((input) => !isOwn(input)), shimInput(await keep(shim), shim)]
      .toSorted((a, b) => a.path < b.path ? -1 : 1);
    const packs = await session.uploads.ensure(contentsOf(shared), read);
    const ofJob = all.filter(isOwn);
    const order = folderOrder(ofJob, files);
    return {
      args: plan.args,
      program: plan.program,
      env: { ...env, ...(order && { LLAMA_SHIM_ORDER: order.path }) },
      cwd,
      ...(stdin && { stdin: stdin.content }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      rooted: { shim: SHIM_PATH, libraryPath: plan.libraryPath },
      manifests: [await keep(encodeManifest({ packs, inputs: shared }))],
      packs: [],
      inputs: order ? [...ofJob, order] : ofJob,
      wanted: plan.outputs.map((path) => ({ match: "tree", path })),
    };
  };

  const runPrepared = async (
    known: PreparedCommand,
    request: CommandRequest,
    session: JobSession,
    functionName: string,
  ): Promise<RanCommand> => {
    const found = new Set<string>();
    const { stdin, cwd } = request;
    const stdinDigest = stdin && "digest" in stdin.content ? stdin.content.digest : undefined;
    const read: ReadObject = async (digest) =>
      own.get(digest) ?? (digest === stdinDigest ? stdin?.bytes : undefined) ??
        await digests.read(digest);
    let prepared: PreparedCommand | undefined = known;
    for (let round = 1; round <= request.maxRounds; round++) {
      folders.nextRound();
      prepared ??= await prepareCommand(request, tools);
      const plan = await planCommand(prepared, found, tools);
      const spec = await specOf(request, plan, session, read);
      const ran = await runJob(spec, {
        session,
        functionName,
        read,
        fileOf: (digest) => digest === stdinDigest ? stdin?.file : undefined,
        ...(request.logTail && { logTail: true }),
        ...(request.signal && { signal: request.signal }),
        ...(request.onInvocation && { onInvocation: request.onInvocation }),
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
          (SPECIAL.test(path) || [...plan.outputs, "/tmp"].some((at) => isBelow(path, at))
            ? "sent"
            : undefined);
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
      if (verdict.kind === "changed") {
        // A program may have been replaced, and its libraries with it.
        prepared = undefined;
        continue;
      }
      const fresh = verdict.paths.filter((path) => !found.has(path));
      if (fresh.length === 0) {
        throw unproved(plan.program, `it wants "${verdict.paths[0]}", which cannot be sent`);
      }
      for (const path of fresh) addFound(path, cwd, found, files);
      if (round === request.maxRounds) await learn();
    }
    throw new LlamaError(
      "TooManyRounds",
      `Cannot find all that "${request.args[0]}" needs in ${request.maxRounds} rounds`,
      { hint: "the next run goes on from here; -max-rounds allows more, -f names files" },
    );
  };

  return {
    plan: async (request) => {
      folders.nextRound();
      return await planCommand(await prepareCommand(request, tools), [], tools);
    },
    run: async (request, session, functionName) => {
      folders.nextRound();
      const { prepared, end } = await begin(request);
      try {
        return await runPrepared(prepared, request, session, functionName);
      } finally {
        end();
      }
    },
  };
}
function unproved(program: string, reason: string): LlamaError {
  return new LlamaError("Unproved", `Cannot trust what "${program}" did elsewhere: ${reason}`, {
    hint: "run it here, or declare its files and use llama invoke -ship",
  });
}
