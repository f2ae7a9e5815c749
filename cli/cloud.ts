/** `llama cloud`: the embedded cloud's life, and what it holds. */
import { createAwsClient } from "../aws/client.ts";
import { ensureEmbedded, readEmbeddedEndpoint, runningEmbedded } from "../aws/embedded.ts";
import { listFunctions } from "../aws/lambda.ts";
import { listObjects } from "../aws/s3.ts";
import { readConfig, removeConfig } from "../daemon/config.ts";
import { LlamaError } from "../job/errors.ts";
import { parseStoreUrl } from "../store/url.ts";
import type { Command, CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
import { writeAllSync } from "./output.ts";
import { cloudLogPath, startCloud } from "./start_cloud.ts";

const USAGE = `start, stop and look at the embedded cloud

usage: llama cloud -start | -stop | -status | -log | -reset [-y]
       llama cloud serve [-idle-timeout DURATION] [-concurrency N]

  -start   start it as a process of its own; whatever needs it does so anyway
  -stop    stop it; its data stay
  -status  print where it is and what it holds
  -log     print its log
  -reset   stop it and delete all that it holds; asks first,
           unless -y, -yes is given

  serve    run it in this process, with its log on stderr
  -idle-timeout DURATION   end when no request came for so long (never)
  -concurrency N           jobs at the same time (as many as there are cores)

The embedded cloud speaks AWS's protocols on 127.0.0.1. With no AWS account
configured, llama uses it.

exit status: 0 done, 1 failed or not running, 2 wrong call, 130 interrupted

examples:
  llama cloud -status
  llama cloud -stop && llama cloud serve -concurrency 2
`;

const ACTS = ["start", "stop", "status", "log", "reset"] as const;

/** Milliseconds that the embedded cloud has to start and to stop. */
const PATIENCE_MS = 20_000;
const POLL_MS = 25;

/** Starts, stops and looks at the embedded cloud. */
export const cloud: Command = {
  usage: USAGE,
  operands: ["serve"],
  flags: [
    ...ACTS.map((name) => ({ name, kind: "switch" as const })),
    { name: "yes", kind: "switch", aliases: ["y"] },
    { name: "idle-timeout", kind: "duration", takes: "DURATION" },
    { name: "concurrency", kind: "integer", takes: "N", min: 1, max: 1000 },
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { flags, operands, llamaDir, output } = context;
  if (operands.length === 1 && operands[0] === "serve") return await serve(context);
  if (operands.length > 0) throw usageError(`Unknown argument ${JSON.stringify(operands[0])}`);
  const acts = ACTS.filter((act) => flags.has(act));
  const [act] = acts;
  if (act === undefined || acts.length > 1) {
    throw usageError(
      `One of ${ACTS.map((name) => `-${name}`).join(", ")} is needed`,
      "see llama help cloud",
    );
  }
  switch (act) {
    case "start": {
      const account = await ensureEmbedded({
        llamaDir,
        start: () => startCloud(llamaDir),
        timeoutMs: PATIENCE_MS,
        logPath: cloudLogPath(llamaDir),
      });
      const endpoint = account.endpoint("s3") ?? "";
      await output.result({ endpoint }, endpoint);
      return 0;
    }
    case "stop": {
      const stopped = await stop(llamaDir);
      if (!stopped) output.say("llama: the embedded cloud does not run");
      await output.result({ stopped }, "");
      return 0;
    }
    case "status":
      return await status(context);
    case "log":
      return await printLog(context);
    case "reset":
      return await reset(context);
  }
}

async function serve({ flags, llamaDir, signal }: CommandContext): Promise<number> {
  const idleMs = flags.duration("idle-timeout");
  const concurrency = flags.integer("concurrency");
  const { serveCloud } = await import("../cloud/serve.ts");
  const encoder = new TextEncoder();
  const log = (line: string) => writeAllSync(Deno.stderr, encoder.encode(`${line}\n`));
  const running = await serveCloud({
    directory: `${llamaDir}/cloud`,
    log,
    ...(idleMs !== undefined && { idleMs }),
    ...(concurrency !== undefined && { concurrency }),
  });
  log(`The embedded cloud answers at ${running.endpoint}`);
  const close = () => void running.close();
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  await running.finished;
  log("The embedded cloud has ended");
  return 0;
}

/** Stops the embedded cloud and waits until it has gone; false if it did not run. */
async function stop(llamaDir: string): Promise<boolean> {
  if (await runningEmbedded(llamaDir) === undefined) return false;
  const endpoint = await readEmbeddedEndpoint(llamaDir);
  if (endpoint === undefined) return false;
  Deno.kill(endpoint.pid, "SIGTERM");
  // It holds its lock until its state is at rest.
  using lock = await Deno.open(`${llamaDir}/cloud/lock`, { create: true, write: true });
  const endMs = performance.now() + PATIENCE_MS;
  while (!await lock.tryLock(true)) {
    if (performance.now() > endMs) {
      throw new LlamaError(
        "CloudNotStopped",
        `Cannot stop the embedded cloud as its process ${endpoint.pid} does not end`,
        { hint: `see ${cloudLogPath(llamaDir)}` },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

async function status({ llamaDir, output }: CommandContext): Promise<number> {
  const account = await runningEmbedded(llamaDir);
  const disk = await sizeOfFolder(`${llamaDir}/cloud`);
  if (account === undefined) {
    await output.result(
      { running: false, diskBytes: disk },
      `The embedded cloud does not run; its data take ${megabytes(disk)}`,
    );
    return 1;
  }
  const client = createAwsClient(account);
  const functions = await Array.fromAsync(
    listFunctions(client),
    ({ functionName }) => functionName,
  );
  const config = await readConfig(llamaDir);
  let objects = 0;
  if (config?.cloud === "embedded") {
    const { bucket, prefix } = parseStoreUrl(config.store);
    for await (const _ of listObjects(client, bucket, `${prefix}obj/`)) objects++;
  }
  const endpoint = account.endpoint("s3") ?? "";
  const pid = (await readEmbeddedEndpoint(llamaDir))?.pid;
  await output.result(
    { running: true, endpoint, pid, functions, objects, diskBytes: disk },
    [
      `endpoint   ${endpoint} (process ${pid})`,
      `functions  ${functions.join(", ") || "none"}`,
      `objects    ${objects}`,
      `disk       ${megabytes(disk)}`,
      `log        ${cloudLogPath(llamaDir)}`,
    ].join("\n"),
  );
  return 0;
}

async function printLog({ llamaDir, output }: CommandContext): Promise<number> {
  const path = cloudLogPath(llamaDir);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new LlamaError("NoLog", `Cannot print ${path} as the embedded cloud never ran here`);
  }
  await output.result({ path, text }, text);
  return 0;
}

async function reset({ flags, llamaDir, output }: CommandContext): Promise<number> {
  const folder = `${llamaDir}/cloud`;
  const question = `Delete all that the embedded cloud holds, in ${folder}?`;
  if (!flags.has("yes") && !output.confirm(question)) {
    throw new LlamaError("NotConfirmed", "Cannot reset the embedded cloud without a yes", {
      hint: "give -yes",
    });
  }
  const config = await readConfig(llamaDir);
  await stop(llamaDir);
  await removeTree(folder);
  if (config?.cloud === "embedded") await removeConfig(llamaDir);
  await output.result({ reset: true }, "");
  return 0;
}

/** Removes a folder; well if there is none. */
async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function sizeOfFolder(path: string): Promise<number> {
  let total = 0;
  try {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      const child = `${path}/${name}`;
      total += isDirectory ? await sizeOfFolder(child) : (await Deno.lstat(child)).size;
    }
  } catch (error) {
    // It changes while it is read, and a worker's folder may be closed.
    const passing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.PermissionDenied;
    if (!passing) throw error;
  }
  return total;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
