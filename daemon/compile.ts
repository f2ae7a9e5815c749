/** The way of one compilation, from a client's arguments to its exit status. */
import type { FileSystem } from "../cc/file_system.ts";
import { filterWarnings, readSettings, type Settings } from "../cc/settings.ts";
import { AwsError } from "../aws/error.ts";
import { LlamaError, messageOf } from "../job/errors.ts";
import {
  ARGV0_VARIABLE,
  createCompilerLookup,
  type FoundCompiler,
  NESTED_VARIABLE,
} from "./compiler_lookup.ts";
import { createBuildNotices } from "./build_notices.ts";
import { compileEach } from "./compile_each.ts";
import { createComparison, type VerificationTools } from "./comparison.ts";
import type { Connection } from "./connection.ts";
import { decideRequest, remoteRequests } from "./decide_request.ts";
import { describeExplanation, explain, explainForm } from "./explain.ts";
import type { CompileRequest, ExecCommand, SystemText } from "./protocol.ts";
import { CloudUnavailable, type RemoteCompiler } from "./remote_compile.ts";
import { type KeptOutputs, StaysHere } from "./remote_request.ts";
import type { Slots } from "./slots.ts";
import { count, type StatsKeeper } from "./stats.ts";
import { withoutTerminal } from "./verify.ts";

/** What {@linkcode createCompileHandler} works with. */
export interface CompileTools {
  readonly files: FileSystem;
  readonly slots: Slots;
  readonly stats: StatsKeeper;
  readonly remote: RemoteCompiler;
  /** Names of the locales of this machine. */
  readonly locales: () => Promise<ReadonlySet<string>>;
  /** What LLAMACC_VERIFY needs. */
  readonly verification: VerificationTools;
  /** Takes an event for the log. */
  readonly log: (event: string, fields: Readonly<Record<string, string | number>>) => void;
}

/** Creates the handler of compile requests. */
export function createCompileHandler(
  tools: CompileTools,
): (request: CompileRequest, connection: Connection) => Promise<void> {
  const { files, slots, stats, remote, log } = tools;
  const notices = createBuildNotices();
  const lookup = createCompilerLookup(files);
  const compareHere = createComparison(tools);

  /** Says what the build is to hear, once, of a command that runs here. */
  const notice = async (reason: string, { buildId }: Settings, connection: Connection) => {
    const line = notices.ranHere(buildId, reason);
    if (line !== undefined) {
      await connection.stderr(new TextEncoder().encode(`llamacc: ${line}\n`));
    }
  };

  const runLocally = async (command: ExecCommand, connection: Connection) => {
    const slot = await slots.acquire(connection.signal);
    try {
      await connection.exec(command);
      await connection.closed;
    } finally {
      slot.release();
    }
  };

  const compile = async (
    request: CompileRequest,
    settings: Settings,
    connection: Connection,
  ): Promise<void> => {
    await warnOfSettings(settings, connection);
    const { cwd, env } = request;
    const compiler = lookup.find({ calledAs: request.argv[0] ?? "", settings, env, cwd });
    const form = explainForm(request.argv);
    if (form !== undefined) {
      const asked = request.argv.slice(2);
      const args = [...compiler.args, ...filterWarnings(asked, settings.filteredWarnings)];
      const decided = await decideRequest({ request, settings, compiler, args }, tools);
      const explanation = await explain(decided, remote, connection.signal);
      const text = form === "json"
        ? `${JSON.stringify(explanation)}\n`
        : describeExplanation(explanation);
      await connection.stdout(new TextEncoder().encode(text));
      await connection.exit(0);
      return;
    }
    const given = filterWarnings(request.argv.slice(1), settings.filteredWarnings);
    const filtered = given.length < request.argv.length - 1;
    const args = [...compiler.args, ...given];
    // The bytes as they came, as arguments may be no text.
    const local = localCommand(compiler, filtered ? given : request.rawArgv.slice(1), env);
    if (compiler.nested) {
      // It is part of a local run that was counted and has its slot.
      await connection.exec(local);
      return;
    }
    const decided = await decideRequest({ request, settings, compiler, args }, tools);
    const { line, decision } = decided;
    const say = async (text: string) => {
      if (settings.verbose) {
        await connection.stderr(
          new TextEncoder().encode(`llamacc: ${text}: ${[compiler.name, ...args].join(" ")}\n`),
        );
      }
    };

    const note = (where: string) => {
      if (settings.buildId === undefined) return;
      log("build", { id: settings.buildId, where, source: line.sources[0]?.path ?? "" });
    };
    const runDecided = async (reason: string) => {
      note(`here: ${reason}`);
      stats.add(({ local }) => count(local, reason));
      await say(`run here (${reason})`);
      await notice(reason, settings, connection);
      await runLocally(local, connection);
    };
    if (decision.kind === "local") return await runDecided(decision.reason);
    await say("run elsewhere");
    const kept: KeptOutputs[] = [];
    const keep = (outputs: KeptOutputs) => void kept.push(outputs);
    const isVerified = tools.verification.random() < settings.verifyRate;
    const said: string[] = [];
    const sayOnce = (key: string, line: string) => {
      if (notices.isNews(settings.buildId, key)) said.push(`llamacc: ${line}\n`);
    };
    const jobs = remoteRequests(decided, connection.signal)
      .map((job) => ({ ...job, say: sayOnce }));
    const [first] = jobs;
    const outcome = await compileEach(
      remote,
      isVerified ? jobs.map((job) => ({ ...withoutTerminal(job), keep })) : jobs,
    ).catch((error) => {
      if (connection.signal.aborted) throw error;
      return error instanceof StaysHere ? error.reason : failureOf(error);
    });
    for (const line of said) await connection.stderr(new TextEncoder().encode(line));
    if (typeof outcome === "string") return await runDecided(outcome);
    if (outcome.kind === "compiled") {
      note("elsewhere");
      notices.ranThere(settings.buildId);
      if (isVerified && first) {
        await compareHere(outcome, kept, { ...first, args }, connection);
        return;
      }
      // Compilers write stdout late, as it is no terminal: a log of both has their words in this order.
      await connection.stderr(outcome.stderr);
      await connection.stdout(outcome.stdout);
      await connection.exit(outcome.code);
      return;
    }
    log("fallback", { reason: outcome.reason, message: outcome.message });
    stats.add(({ fallback }) => count(fallback, outcome.reason));
    if (!settings.localFallback) {
      throw new LlamaError("NoFallback", `Cannot compile elsewhere: ${outcome.message}`, {
        hint: "unset LLAMACC_LOCAL_FALLBACK to compile here instead",
      });
    }
    note(`here: ${outcome.reason}`);
    if (outcome.cloudFailed && notices.isNews(settings.buildId, outcome.reason)) {
      // Once: a user who forgot something wants to know, and a build of 400 must not say it 400 times.
      await connection.stderr(
        new TextEncoder().encode(`llamacc: compiling on this machine: ${outcome.message}\n`),
      );
    }
    await say(`run here after all (${outcome.reason}: ${outcome.message})`);
    await notice(outcome.reason, settings, connection);
    await runLocally(local, connection);
  };

  return (request, connection) => {
    const settings = readSettings(request.env);
    return stats.within(settings.buildId, () => compile(request, settings, connection));
  };
}

function localCommand(
  { local, path }: FoundCompiler,
  args: readonly SystemText[],
  env: Readonly<Record<string, string>>,
): ExecCommand {
  const depth = Number(env[NESTED_VARIABLE] ?? 0) || 0;
  return {
    program: local.program,
    argv: [...local.argv, ...args],
    changes: [
      `${NESTED_VARIABLE}=${depth + 1}`,
      ...(path === env.PATH || env.PATH === undefined ? [] : [`PATH=${path}`]),
      ...(env[ARGV0_VARIABLE] === undefined ? [] : [ARGV0_VARIABLE]),
    ],
  };
}

/** Why a compilation did not work elsewhere. */
interface Failure {
  readonly kind: "failed";
  readonly reason: string;
  readonly message: string;
  /** Whether no compilation of this build would have worked. */
  readonly cloudFailed: boolean;
}

function failureOf(error: unknown): Failure {
  if (!(error instanceof LlamaError)) {
    return {
      kind: "failed",
      reason: "InternalError",
      message: messageOf(error),
      cloudFailed: false,
    };
  }
  const hint = error.hint === undefined ? "" : `; ${error.hint}`;
  return {
    kind: "failed",
    reason: error.code,
    message: error.message + hint,
    cloudFailed: error instanceof AwsError || error instanceof CloudUnavailable ||
      /^ImageWithout/.test(error.code),
  };
}

async function warnOfSettings(settings: Settings, connection: Connection): Promise<void> {
  const unknown = settings.unknown.map((name) => `the variable ${name} means nothing to llamacc`);
  for (const text of [...unknown, ...settings.complaints]) {
    await connection.stderr(new TextEncoder().encode(`llamacc: warning: ${text}\n`));
  }
}
