/**
 * llama.json, what `llama bootstrap` leaves in LLAMA_DIR: which cloud is in use and where its parts
 * are. It is small, written whole and never edited in place:
 *
 *     {"version": 1, "cloud": "aws", "region": "eu-west-1", "store": "s3://BUCKET/",
 *      "function": "llama", "stack": "llama", "role": ARN, "repository": URI, "ccConcurrency": 8}
 *
 * No credentials stand in it.
 */
import { FormatError, LlamaError } from "../job/errors.ts";
import { asInteger, asObject, asText, parseJson } from "../job/json.ts";

/** What bootstrap made, and where. */
export interface LlamaConfig {
  /** The embedded cloud of this LLAMA_DIR, or any other that is reached with credentials. */
  readonly cloud: "embedded" | "aws";
  /** Region of all parts. */
  readonly region: string;
  /** Endpoint of every service, where it is neither AWS nor the embedded cloud. */
  readonly endpointUrl?: string;
  /** The object store, `s3://BUCKET/PREFIX`. */
  readonly store: string;
  /** Name of the default function. */
  readonly functionName: string;
  /** Name of the CloudFormation stack. */
  readonly stack: string;
  /** ARN of the role that functions run as. */
  readonly role: string;
  /** URI of the ECR repository for function images. */
  readonly repository?: string;
  /** Local compilers at once, one a core unless given; bootstrap leaves it as it is. */
  readonly ccConcurrency?: number;
}

/** Most local compilers at once that can be asked for. */
export const MAX_CONCURRENCY = 4096;

const VERSION = 1;

/** Path of llama.json. */
export function configPath(llamaDir: string): string {
  return `${llamaDir}/llama.json`;
}

/**
 * Reads llama.json; undefined if there is none.
 *
 * @throws {LlamaError} With code `BadConfig`, if it is damaged or of another version.
 */
export async function readConfig(llamaDir: string): Promise<LlamaConfig | undefined> {
  const path = configPath(llamaDir);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    return configFromJson(parseJson(text, path), path);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new LlamaError("BadConfig", error.message, {
      cause: error,
      hint: `remove ${path} and run llama bootstrap, which finds again what it made`,
    });
  }
}

/** Writes llama.json (0600), and LLAMA_DIR (0700) if there is none. */
export async function writeConfig(llamaDir: string, config: LlamaConfig): Promise<void> {
  await Deno.mkdir(llamaDir, { recursive: true, mode: 0o700 });
  const path = configPath(llamaDir);
  const temporary = `${path}.${Deno.pid}.tmp`;
  const { functionName, ...rest } = config;
  const json = { version: VERSION, ...rest, function: functionName };
  try {
    await Deno.writeTextFile(temporary, JSON.stringify(json, null, 2) + "\n", {
      mode: 0o600,
      create: true,
    });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(ignoreNotFound);
    throw error;
  }
}

/** Removes llama.json; well if there is none. */
export async function removeConfig(llamaDir: string): Promise<void> {
  await Deno.remove(configPath(llamaDir)).catch(ignoreNotFound);
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function configFromJson(value: unknown, path: string): LlamaConfig {
  const json = asObject(value, path);
  asInteger(json.version, `${path}: version`, VERSION, VERSION);
  if (json.cloud !== "embedded" && json.cloud !== "aws") {
    throw new FormatError(`${path}: cloud`, 'it must be "embedded" or "aws"');
  }
  const text = (name: string) => {
    const found = asText(json[name], `${path}: ${name}`);
    if (found === "") throw new FormatError(`${path}: ${name}`, "it must not be empty");
    return found;
  };
  const store = text("store");
  if (!store.startsWith("s3://")) {
    throw new FormatError(`${path}: store`, "it must begin with s3://");
  }
  return {
    cloud: json.cloud,
    region: text("region"),
    ...(json.endpointUrl !== undefined && { endpointUrl: text("endpointUrl") }),
    store,
    functionName: text("function"),
    stack: text("stack"),
    role: text("role"),
    ...(json.repository !== undefined && { repository: text("repository") }),
    ...(json.ccConcurrency !== undefined && {
      ccConcurrency: asInteger(
        json.ccConcurrency,
        `${path}: ccConcurrency`,
        1,
        MAX_CONCURRENCY,
      ),
    }),
  };
}
