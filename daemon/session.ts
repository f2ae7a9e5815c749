/**
 * An open session: which cloud is in use, the client that signs for it, its object store and the
 * default function. An account that flags, environment or profiles name is used as it is; with none
 * at all the embedded cloud is. Credentials that exist and fail are an error, never a silent change.
 */
import { type AwsAccount, resolveAccount } from "../aws/account.ts";
import { type AwsClient, createAwsClient, type ExchangeEvent } from "../aws/client.ts";
import { ensureEmbedded, readEmbeddedEndpoint } from "../aws/embedded.ts";
import type { RetryEvent } from "../aws/retry.ts";
import { LlamaError } from "../job/errors.ts";
import { openDiskCache } from "../store/disk_cache.ts";
import { type ObjectStore, openObjectStore } from "../store/object_store.ts";
import { configPath, type LlamaConfig, readConfig } from "./config.ts";
import { openUploads, type Uploads } from "./uploads.ts";

/** Flags of the command line that decide the session. */
export interface SessionFlags {
  readonly region?: string;
  readonly profile?: string;
  readonly endpointUrl?: string;
  /** Object store in place of the one in llama.json, `s3://BUCKET/PREFIX`. */
  readonly store?: string;
  /** Most S3 requests at the same time, the store's own bound unless given. */
  readonly s3Concurrency?: number;
}

/** What a session is opened from. */
export interface SessionInputs {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly llamaDir: string;
  readonly flags?: SessionFlags;
  /** Starts the embedded cloud as a process of its own. */
  readonly startCloud: () => Promise<void>;
  /** Takes a line for each request and answer, secrets masked. */
  readonly debug?: (line: string) => void;
  /** Hears of each attempt of a request to AWS when it is over. */
  readonly onExchange?: (event: ExchangeEvent) => void;
  /** Hears of each wait before another attempt. */
  readonly onRetry?: (event: RetryEvent) => void;
  /** Takes a line for the user, such as that the embedded cloud is in use. */
  readonly say?: (line: string) => void;
}

/** An account and the client that signs for it. */
export interface OpenAccount {
  readonly account: AwsAccount;
  readonly client: AwsClient;
  /** The embedded cloud of this LLAMA_DIR, or any other. */
  readonly cloud: LlamaConfig["cloud"];
  /** llama.json, if there is one, whatever cloud it is about. */
  readonly config: LlamaConfig | undefined;
}

/** All that jobs need. */
export interface Session {
  readonly account: AwsAccount;
  readonly client: AwsClient;
  readonly store: ObjectStore;
  /** What this machine has put into the store. */
  readonly uploads: Uploads;
  /** Name of the default function. */
  readonly functionName: string;
  readonly config: LlamaConfig;
}

/** Most bytes that objects read from the store take on this machine's disk. */
const CACHE_BYTES = 1024 ** 3;
/** Milliseconds that the embedded cloud has to answer after its start. */
const EMBEDDED_TIMEOUT_MS = 20_000;

/**
 * Opens the account in force, starting the embedded cloud if it is the one.
 *
 * @throws {LlamaError} If credentials are incomplete, llama.json is damaged, or llama.json names AWS
 * and there are no credentials now.
 */
export async function openAccount(inputs: SessionInputs): Promise<OpenAccount> {
  const config = await readConfig(inputs.llamaDir);
  const { debug, onExchange, onRetry } = inputs;
  const options = {
    ...(debug && { debug }),
    ...(onExchange && { onExchange }),
    ...(onRetry && { onRetry }),
  };
  const named = await accountFrom(inputs, config);
  if (named !== undefined) {
    const cloud = await isEmbedded(named, inputs.llamaDir) ? "embedded" : "aws";
    return { account: named, client: createAwsClient(named, options), cloud, config };
  }
  if (config?.cloud === "aws") {
    throw new LlamaError(
      "CredentialsMissing",
      `Cannot find AWS credentials, and ${configPath(inputs.llamaDir)} says that llama uses AWS`,
      {
        hint: "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or remove that " +
          "file to use the embedded cloud",
      },
    );
  }
  if (config === undefined) {
    inputs.say?.("llama: no AWS account is configured, using the embedded cloud on this machine");
  }
  const account = await ensureEmbedded({
    llamaDir: inputs.llamaDir,
    start: inputs.startCloud,
    timeoutMs: EMBEDDED_TIMEOUT_MS,
  });
  const region = inputs.flags?.region;
  if (region !== undefined && region !== account.region) {
    throw new LlamaError(
      "CredentialsMissing",
      `Cannot use the region ${JSON.stringify(region)} as no AWS account is configured, and the ` +
        `embedded cloud is in ${account.region}`,
      { hint: "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" },
    );
  }
  return { account, client: createAwsClient(account, options), cloud: "embedded", config };
}

/**
 * Opens a session.
 *
 * @throws {LlamaError} With code `NotBootstrapped`, if there is no store and function for this cloud.
 */
export async function openSession(inputs: SessionInputs): Promise<Session> {
  const opened = await openAccount(inputs);
  const config = configFor(opened, inputs);
  const concurrency = inputs.flags?.s3Concurrency;
  const store = openObjectStore({
    client: opened.client,
    url: config.store,
    cache: openDiskCache({ folder: `${inputs.llamaDir}/cache/objects`, maxBytes: CACHE_BYTES }),
    ...(concurrency !== undefined && { concurrency }),
  });
  return {
    account: opened.account,
    client: opened.client,
    store,
    uploads: await openUploads(store, `${inputs.llamaDir}/cache`),
    functionName: config.functionName,
    config,
  };
}

/** The configuration in force: that of llama.json, if it is about this cloud, with the flag `-store`. */
function configFor(
  { account, cloud, config }: OpenAccount,
  { flags, env, llamaDir }: SessionInputs,
): LlamaConfig {
  const store = flags?.store ?? (env.LLAMA_OBJECT_STORE || undefined);
  const problem = config === undefined
    ? "llama bootstrap has not run"
    : config.cloud !== cloud
    ? `${configPath(llamaDir)} is about ${CLOUD_NAMES[config.cloud]}, and ` +
      `${CLOUD_NAMES[cloud]} is in use (credentials: ${account.source.credentials})`
    : config.region !== account.region
    ? `${configPath(llamaDir)} is about ${config.region}, and the region is ${account.region} ` +
      `(${account.source.region})`
    : cloud === "aws" && config.endpointUrl !== account.endpoint("lambda")
    ? `${configPath(llamaDir)} is about ${config.endpointUrl ?? "AWS's own endpoints"}, and ` +
      `${account.endpoint("lambda") ?? "AWS's own"} is in use`
    : undefined;
  if (config !== undefined && problem === undefined) {
    return store === undefined ? config : { ...config, store };
  }
  if (store !== undefined) {
    return {
      cloud,
      region: account.region,
      store,
      functionName: DEFAULT_NAME,
      stack: DEFAULT_NAME,
      role: "",
    };
  }
  throw new LlamaError("NotBootstrapped", `Cannot tell where to run jobs as ${problem}`, {
    hint: "run llama bootstrap",
  });
}

/** Name of the default function and of the default stack. */
export const DEFAULT_NAME = "llama";

const CLOUD_NAMES: Readonly<Record<LlamaConfig["cloud"], string>> = {
  embedded: "the embedded cloud",
  aws: "AWS",
};

/** Whether an account is the embedded cloud after all, as what `llama config -shell` prints makes it. */
async function isEmbedded(account: AwsAccount, llamaDir: string): Promise<boolean> {
  const url = account.endpoint("lambda");
  if (url === undefined) return false;
  const embedded = await readEmbeddedEndpoint(llamaDir);
  return embedded !== undefined && url === `http://127.0.0.1:${embedded.port}`;
}

/** The account that flags, environment and profiles name; llama.json gives the region if none does. */
async function accountFrom(
  { env, flags }: SessionInputs,
  config: LlamaConfig | undefined,
): Promise<AwsAccount | undefined> {
  const resolveIn = (region: string | undefined) =>
    resolveAccount({
      env,
      home: env.HOME,
      readTextFile,
      ...(region !== undefined && { region }),
      ...(flags?.profile !== undefined && { profile: flags.profile }),
      ...(flags?.endpointUrl !== undefined && { endpointUrl: flags.endpointUrl }),
    });
  try {
    return await resolveIn(flags?.region);
  } catch (error) {
    const region = config?.cloud === "aws" ? config.region : undefined;
    if (!(error instanceof LlamaError && error.code === "RegionMissing") || region === undefined) {
      throw error;
    }
    const account = await resolveIn(region);
    return account && { ...account, source: { ...account.source, region: "llama.json" } };
  }
}

function readTextFile(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * What decides a session in an environment, so that a daemon can keep one for each. It holds secrets
 * and is for comparing only.
 */
export function sessionKey(env: Readonly<Record<string, string | undefined>>): string {
  const deciding = Object.entries(env).filter(([name, value]) =>
    value !== undefined && value !== "" && (/^(AWS|LLAMA)_/.test(name) || name === "HOME")
  );
  return JSON.stringify(deciding.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
