/**
 * The embedded cloud as an account: found by the file that it writes when it is ready, and started by
 * whoever needs it first.
 */
import { FormatError, LlamaError, messageOf } from "../job/errors.ts";
import { asInteger, asObject, asText, parseJson } from "../job/json.ts";
import type { AwsAccount } from "./account.ts";
import { sleep } from "./retry.ts";

/** What `LLAMA_DIR/cloud/endpoint.json` says. */
export interface EmbeddedEndpoint {
  /** Process that wrote it. */
  readonly pid: number;
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Region that it speaks for. */
  readonly region: string;
  /** Account, 12 digits. */
  readonly accountId: string;
  /** Name of the key. */
  readonly accessKeyId: string;
  /** The secret. */
  readonly secretAccessKey: string;
}

/** How to get the embedded cloud to run. */
export interface EnsureOptions {
  /** The folder `LLAMA_DIR`. */
  readonly llamaDir: string;
  /** Starts the cloud's process; need not wait until it is ready. */
  readonly start: () => Promise<void> | void;
  /** Time until it must be ready, 20,000 unless given. */
  readonly timeoutMs?: number;
  /** Its log, for messages; `LLAMA_DIR/cloud/cloud.log` unless given. */
  readonly logPath?: string;
  /** Gives the wait up. */
  readonly signal?: AbortSignal;
}

const POLL_MS = 20;
const HEALTH_TIMEOUT_MS = 2_000;

/**
 * Reads the embedded cloud's endpoint, undefined if it has never run here.
 *
 * @throws {FormatError} If the file is damaged.
 */
export async function readEmbeddedEndpoint(
  llamaDir: string,
): Promise<EmbeddedEndpoint | undefined> {
  const path = `${llamaDir}/cloud/endpoint.json`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const what = `"${path}"`;
  const json = asObject(parseJson(text, what), what);
  asInteger(json.version, `${what} version`, 1, 1);
  return {
    pid: asInteger(json.pid, `${what} pid`, 1),
    port: asInteger(json.port, `${what} port`, 1, 65_535),
    region: asText(json.region, `${what} region`),
    accountId: asText(json.accountId, `${what} accountId`),
    accessKeyId: asText(json.accessKeyId, `${what} accessKeyId`),
    secretAccessKey: asText(json.secretAccessKey, `${what} secretAccessKey`),
  };
}

/**
 * The embedded cloud as an account, whether it runs or not; undefined if it has never run here.
 *
 * @throws {FormatError} If its file is damaged.
 */
export async function embeddedAccount(llamaDir: string): Promise<AwsAccount | undefined> {
  const endpoint = await readEmbeddedEndpoint(llamaDir);
  return endpoint === undefined ? undefined : accountOf(endpoint);
}

function accountOf(endpoint: EmbeddedEndpoint): AwsAccount {
  const { accessKeyId, secretAccessKey, port, region } = endpoint;
  const url = `http://127.0.0.1:${port}`;
  return {
    kind: "embedded",
    region,
    credentials: () => Promise.resolve({ accessKeyId, secretAccessKey }),
    endpoint: () => url,
    source: {
      region: "embedded cloud",
      credentials: "embedded cloud",
      endpoint: "embedded cloud",
    },
  };
}

/**
 * The account of the embedded cloud that runs now, undefined if none does.
 *
 * A damaged file counts as none: the cloud writes it anew when it starts.
 */
export async function runningEmbedded(llamaDir: string): Promise<AwsAccount | undefined> {
  let endpoint: EmbeddedEndpoint | undefined;
  try {
    endpoint = await readEmbeddedEndpoint(llamaDir);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  if (endpoint === undefined || await healthyPid(endpoint.port) !== endpoint.pid) return undefined;
  return accountOf(endpoint);
}

/** The process that answers for the cloud's health on `port`, undefined if none does. */
async function healthyPid(port: number): Promise<unknown> {
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), HEALTH_TIMEOUT_MS);
  try {
    const response = await fetch(`http://127.0.0.1:${port}/_llama/health`, {
      signal: ended.signal,
    });
    const text = await response.text();
    return response.ok ? asObject(parseJson(text, "health"), "health").pid : undefined;
  } catch {
    // Whatever it is that answers there, or does not: it is not the cloud.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Returns the account of the embedded cloud, which is started if it does not run. Of many processes
 * that ask at the same time one starts it.
 *
 * @throws {LlamaError} `CloudNotReady`, if it is not ready in time.
 */
export async function ensureEmbedded(options: EnsureOptions): Promise<AwsAccount> {
  const { llamaDir, signal } = options;
  const running = await runningEmbedded(llamaDir);
  if (running !== undefined) return running;
  const timeoutMs = options.timeoutMs ?? 20_000;
  const endMs = performance.now() + timeoutMs;
  const wait = async (state: string): Promise<void> => {
    if (performance.now() + POLL_MS > endMs) throw notReady(options, state);
    await sleep(POLL_MS, signal);
  };
  const folder = `${llamaDir}/cloud`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  using lock = await Deno.open(`${folder}/start.lock`, { create: true, write: true, mode: 0o600 });
  while (!await lock.tryLock(true)) await wait("another process is still starting it");
  const meanwhile = await runningEmbedded(llamaDir);
  if (meanwhile !== undefined) return meanwhile;
  try {
    await options.start();
  } catch (cause) {
    throw notReady(options, messageOf(cause), cause);
  }
  for (;;) {
    const started = await runningEmbedded(llamaDir);
    if (started !== undefined) return started;
    await wait(`it did not answer within ${timeoutMs / 1000} s`);
  }
}

function notReady(options: EnsureOptions, state: string, cause?: unknown): LlamaError {
  const logPath = options.logPath ?? `${options.llamaDir}/cloud/cloud.log`;
  return new LlamaError("CloudNotReady", `Cannot start the embedded cloud as ${state}`, {
    cause,
    hint: `Read its log, "${logPath}", or run \`llama cloud -status\``,
  });
}
