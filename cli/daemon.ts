/** `llama daemon`: the local process that llamacc's compilations go through. */
import { askControl } from "../daemon/client.ts";
import { MAX_CONCURRENCY, readConfig } from "../daemon/config.ts";
import { connectRunning, daemonLogPath, startAndConnect } from "../daemon/lifecycle.ts";
import { socketPathIn } from "../daemon/llama_dir.ts";
import { startDetached } from "../daemon/start_detached.ts";
import { LlamaError } from "../job/errors.ts";
import type { Command, CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
import { selfCommand } from "./self.ts";
import { startCloud } from "./start_cloud.ts";
import { statsTable } from "./stats_table.ts";

const USAGE = `start, stop and ask the local daemon

usage: llama daemon -start [-detach] [-idle-timeout DURATION]
                           [-cc-concurrency N]
       llama daemon -stats [-build ID] [-zero] [-json]
       llama daemon -autostart | -ping | -shutdown | -path | -zero

  -start        run the daemon; with -detach as a process of its own
  -autostart    start it as a process of its own if none runs
  -ping         exit 0 if it answers, 1 if not
  -stats        print its counters, with -build those of the build ID alone
                (LLAMACC_BUILD_ID; the last 100 builds are kept)
  -zero         set them to 0; with -stats once they are printed
  -shutdown     stop it when the jobs that run have ended
  -path         print the path of its socket
  -idle-timeout DURATION   stop after so long without a job (10m)
  -cc-concurrency N        local compilers at once (ccConcurrency of llama.json,
                           or one a core)

llamacc starts the daemon itself, so that -start is seldom needed.

exit status: 0 done, 1 failed or none runs, 2 wrong call, 130 interrupted

examples:
  llama daemon -stats -build nightly
  llama daemon -start -detach -idle-timeout 1h
`;

const ACTS = ["start", "autostart", "ping", "stats", "shutdown", "path"] as const;
/** Used unless -idle-timeout says otherwise. */
const IDLE_TIMEOUT_MS = 600_000;

/** Starts, stops and asks the daemon. */
export const daemon: Command = {
  usage: USAGE,
  flags: [
    ...ACTS.map((name) => ({ name, kind: "switch" as const })),
    { name: "detach", kind: "switch" },
    { name: "zero", kind: "switch" },
    { name: "build", kind: "value", takes: "ID" },
    { name: "idle-timeout", kind: "duration", takes: "DURATION" },
    { name: "cc-concurrency", kind: "integer", takes: "N", min: 1, max: MAX_CONCURRENCY },
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { flags, operands, llamaDir, output } = context;
  if (operands.length > 0) throw usageError(`Unknown argument ${JSON.stringify(operands[0])}`);
  const acts = ACTS.filter((act) => flags.has(act));
  const [act] = acts.length === 0 && flags.has("zero") ? ["zero" as const] : acts;
  if (act === undefined || acts.length > 1) {
    throw usageError(
      `One of ${ACTS.map((name) => `-${name}`).join(", ")} is needed`,
      "see llama help daemon",
    );
  }
  const idleTimeoutMs = flags.duration("idle-timeout") ?? IDLE_TIMEOUT_MS;
  const concurrency = flags.integer("cc-concurrency");
  switch (act) {
    case "path": {
      const path = socketPathIn(llamaDir);
      await output.result({ path }, path);
      return 0;
    }
    case "start":
      if (!flags.has("detach")) return await serve(context, idleTimeoutMs, concurrency);
      return await start(context, idleTimeoutMs, concurrency);
    case "autostart":
      return await start(context, idleTimeoutMs, concurrency);
    case "ping": {
      const answer = await ask(llamaDir, { type: "ping" });
      await output.result({ running: answer !== undefined }, "");
      if (answer === undefined) output.say("llama: no daemon runs");
      return answer === undefined ? 1 : 0;
    }
    case "stats": {
      const answer = await ask(llamaDir, statsRequest(context));
      if (answer === undefined) throw noDaemon();
      await output.result(answer, statsTable(answer));
      return 0;
    }
    case "zero": {
      const answer = await ask(llamaDir, statsRequest(context));
      await output.result({ zeroed: answer !== undefined }, "");
      if (answer === undefined) output.say("llama: no daemon runs");
      return 0;
    }
    case "shutdown": {
      const answer = await ask(llamaDir, { type: "shutdown" });
      await output.result({ stopped: answer !== undefined }, "");
      if (answer === undefined) output.say("llama: no daemon runs");
      return 0;
    }
  }
}

function statsRequest({ flags }: CommandContext): unknown {
  return { type: "stats", build: flags.value("build"), zero: flags.has("zero") };
}

async function serve(
  context: CommandContext,
  idleTimeoutMs: number,
  concurrency: number | undefined,
): Promise<number> {
  const { runDaemon } = await import("../daemon/serve.ts");
  const slots = concurrency ?? (await configuredConcurrency(context));
  await runDaemon({
    llamaDir: context.llamaDir,
    idleTimeoutMs,
    ...(slots !== undefined && { slots }),
    startCloud: () => startCloud(context.llamaDir),
    signal: context.signal,
  });
  return 0;
}

/** What llama.json says; whoever needs the rest of it tells that it is damaged. */
async function configuredConcurrency({ llamaDir }: CommandContext): Promise<number | undefined> {
  try {
    return (await readConfig(llamaDir))?.ccConcurrency;
  } catch (error) {
    if (error instanceof LlamaError) return undefined;
    throw error;
  }
}

async function start(
  { llamaDir, output }: CommandContext,
  idleTimeoutMs: number,
  concurrency: number | undefined,
): Promise<number> {
  const running = await connectRunning(llamaDir);
  const connection = running ?? await startAndConnect({
    llamaDir,
    // It starts in another folder, where a relative LLAMA_DIR would be another one.
    start: () =>
      startDetached(
        ["env", `LLAMA_DIR=${llamaDir}`, ...selfCommand()]
          .concat("daemon", "-start", "-idle-timeout", `${idleTimeoutMs}ms`)
          .concat(concurrency === undefined ? [] : ["-cc-concurrency", String(concurrency)]),
        daemonLogPath(llamaDir),
      ),
  });
  connection.close();
  await output.result({ started: running === undefined }, "");
  return 0;
}

async function ask(llamaDir: string, request: unknown): Promise<unknown> {
  using connection = await connectRunning(llamaDir).catch((error: unknown) => {
    // A folder that is not there yet has no daemon.
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  return connection && (await askControl(connection, request) ?? null);
}

function noDaemon(): LlamaError {
  return new LlamaError("NoDaemon", "Cannot ask the daemon as none runs", {
    hint: "llama daemon -autostart starts one",
  });
}
