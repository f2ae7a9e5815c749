/** The daemon: everything it keeps in memory, behind its socket. */
import type { ExchangeEvent } from "../aws/client.ts";
import { s3Class } from "../aws/prices.ts";
import { type RetryEvent, sleep } from "../aws/retry.ts";
import { LlamaError, messageOf } from "../job/errors.ts";
import { asObject, asString } from "../job/json.ts";
import { createCompileHandler } from "./compile.ts";
import { createFunctionInfo } from "./function_info.ts";
import { createFunctionSizes } from "./function_sizes.ts";
import { createImageCompilers } from "./image_compilers.ts";
import { openKeptToolchains } from "./kept_toolchains.ts";
import { giveLargeBlocksBack } from "./large_blocks.ts";
import { leftFile } from "./left_file.ts";
import { becomeDaemon, daemonLogPath } from "./lifecycle.ts";
import { openDaemonLog } from "./log.ts";
import { realFiles, realProcesses } from "./real_files.ts";
import { openRealTools } from "./real_tools.ts";
import { rehearse } from "./rehearsal.ts";
import { createRemoteCompiler } from "./remote_compile.ts";
import { runAsClient } from "./run_as_client.ts";
import { serveDaemon } from "./server.ts";
import { openSession, type Session, sessionKey } from "./session.ts";
import { buildShim, shimSourceDigest } from "./shim_build.ts";
import { createSlots, watchedSlots } from "./slots.ts";
import { createStats, type StatsKeeper } from "./stats.ts";
import { statsAnswer } from "./stats_answer.ts";
import { addToolchain } from "./toolchain_add.ts";
import { keepToolchain } from "./toolchain_records.ts";
import { createToolchains } from "./toolchains.ts";
import { openUnitMemory } from "./unit_memory.ts";

/** How {@linkcode runDaemon} runs. */
export interface DaemonOptions {
  readonly llamaDir: string;
  /** Ends the daemon after so long without a client. */
  readonly idleTimeoutMs: number;
  /** Local commands at once, one a core unless given. */
  readonly slots?: number;
  /** Starts the embedded cloud as a process of its own. */
  readonly startCloud: () => Promise<void>;
  /** Ends the daemon, as SIGTERM and SIGINT do through it. */
  readonly signal: AbortSignal;
}

/** Runs the daemon until it is idle, told to stop or aborted; returns at once if one runs already. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { llamaDir } = options;
  const instance = await becomeDaemon(llamaDir);
  if (instance === undefined) return;
  const log = openDaemonLog({ path: daemonLogPath(llamaDir) });
  giveLargeBlocksBack();
  try {
    const stats = createStats();
    const about = createFunctionInfo(log.write);
    const sizes = createFunctionSizes(about);
    const slots = watchedSlots(
      createSlots(options.slots),
      (waitedMs) => {
        stats.add((counters) => {
          counters.slotWaits++;
          counters.slotWaitMs += waitedMs;
        });
      },
    );
    const seams = openRealTools();
    const onProblem = (problem: unknown) => log.write("memory", { text: messageOf(problem) });
    const memory = await openUnitMemory(`${llamaDir}/units.json`, onProblem);
    let asked: Promise<ReadonlySet<string>> | undefined;
    const locales = () => asked ??= installedLocales();
    const sessions = createSessions(options, stats, log.write);
    const toolchains = createToolchains({
      ...seams,
      buildShim,
      rehearse,
      kept: openKeptToolchains(`${llamaDir}/cache/compilers`, {
        digests: seams.digests,
        shimSource: shimSourceDigest,
        onProblem,
      }),
      note: (toolchain) => keepToolchain(llamaDir, toolchain),
    });
    const onCompile = createCompileHandler({
      files: realFiles,
      slots,
      stats,
      log: log.write,
      locales,
      verification: {
        random: Math.random,
        run: runAsClient,
        readFile: leftFile,
        setMode: Deno.chmodSync,
        sleep,
      },
      remote: createRemoteCompiler({
        ...seams,
        toolchains,
        images: createImageCompilers(realProcesses, about),
        slots,
        stats,
        memory,
        onProblem: (problem) => log.write("pool", { text: messageOf(problem) }),
        learnSize: sizes.learn,
        locales,
        openSession: sessions.open,
        dropSession: sessions.drop,
      }),
    });
    const server = serveDaemon({
      socketPath: instance.socketPath,
      idleTimeoutMs: options.idleTimeoutMs,
      log: log.write,
      onCompile,
      onControl: (json) => {
        const { type, zero, build } = asObject(json, "control request");
        switch (type) {
          case "ping":
            return Promise.resolve({ pid: Deno.pid });
          case "stats": {
            const what = "control request: build";
            const answer = statsAnswer(stats, sizes, {
              zero: zero === true,
              ...(build !== undefined && { build: asString(build, what) }),
            });
            return Promise.resolve({
              pid: Deno.pid,
              ...answer,
              slots: slots.stats(),
              server: server.stats(),
              memoryBytes: Deno.memoryUsage().rss,
            });
          }
          case "toolchain":
            return addToolchain(json, { files: realFiles, toolchains, open: sessions.open });
          case "shutdown":
            server.shutdown("asked to");
            return Promise.resolve({ pid: Deno.pid });
          default:
            throw new LlamaError("BadRequest", `Unknown control request ${JSON.stringify(type)}`);
        }
      },
    });
    const stop = () => server.shutdown("signal");
    options.signal.addEventListener("abort", stop, { once: true });
    if (options.signal.aborted) stop();
    await server.finished;
    await memory.keep();
    options.signal.removeEventListener("abort", stop);
  } finally {
    log.close();
    instance.release();
  }
}

/** What locale(1) of glibc prints; none where there is no such program. */
async function installedLocales(): Promise<ReadonlySet<string>> {
  const { stdout } = await realProcesses.run("/usr/bin/env", ["locale", "-a"], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
  });
  return new Set(stdout.split("\n").filter(Boolean));
}

/** Sessions by the variables that decide them. */
interface Sessions {
  open(env: Readonly<Record<string, string>>): Promise<Session>;
  drop(env: Readonly<Record<string, string>>): void;
}

/** One session for each set of deciding variables, opened once, and again if opening it failed. */
function createSessions(
  { llamaDir, startCloud }: DaemonOptions,
  stats: StatsKeeper,
  log: (event: string, fields: Readonly<Record<string, string | number>>) => void,
): Sessions {
  const sessions = new Map<string, Promise<Session>>();
  const say = (line: string) => log("session", { text: line });
  const onExchange = ({ service, operation, bytesSent, bytesReceived }: ExchangeEvent) =>
    stats.add((counters) => {
      counters.requests++;
      counters.bytesSent += bytesSent;
      counters.bytesReceived += bytesReceived;
      if (service !== "s3") return;
      const kind = s3Class(operation);
      if (kind === "put") counters.s3Puts++;
      if (kind === "get") counters.s3Gets++;
    });
  const onRetry = ({ kind }: RetryEvent) =>
    stats.add((counters) => {
      counters.retries++;
      if (kind === "throttle") counters.throttles++;
    });
  return {
    open: (env) => {
      const key = sessionKey(env);
      let opening = sessions.get(key);
      if (!opening) {
        opening = openSession({ env, llamaDir, startCloud, say, onExchange, onRetry });
        sessions.set(key, opening);
        opening.catch(() => sessions.delete(key));
      }
      return opening;
    },
    drop: (env) => {
      sessions.delete(sessionKey(env));
    },
  };
}
