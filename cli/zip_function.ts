/** Brings a zip function into the state that it is to have. */
import type { AwsClient } from "../aws/client.ts";
import {
  createFunction,
  type FunctionInfo,
  type FunctionSettings,
  getFunction,
  updateFunctionCode,
  updateFunctionConfiguration,
  waitUntilActive,
} from "../aws/lambda.ts";
import { headObject, putObject } from "../aws/s3.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { parseStoreUrl } from "../store/url.ts";
import type { FunctionCode } from "./function_code.ts";

/** A zip function as it is to be. */
export interface ZipFunction {
  readonly functionName: string;
  /** ARN of its role. */
  readonly role: string;
  /** The object store, `s3://BUCKET/PREFIX`. */
  readonly store: string;
  readonly code: FunctionCode;
  /** Memory in MB; a new function gets {@linkcode DEFAULT_MEMORY_MB}, an old one keeps its own. */
  readonly memoryMb?: number;
  /** Size of /tmp in MB; unless given at least {@linkcode MIN_TMP_MB}. */
  readonly tmpMb?: number;
  /** Longest run in seconds; a new function gets {@linkcode DEFAULT_TIMEOUT_SECONDS}. */
  readonly timeoutSeconds?: number;
}

/** What {@linkcode bringZipFunction} did. */
export interface BroughtFunction {
  readonly info: FunctionInfo;
  readonly action: "created" | "updated" | "unchanged";
}

/** One full core of Lambda (AWS Lambda Developer Guide, "Memory and computing power"). */
export const DEFAULT_MEMORY_MB = 1769;
/**
 * Least size of a function's /tmp unless told otherwise, in MB: gcc's programs for all its languages and clang with its
 * libraries are 200 MB each, and a worker without room for both fetches one of them for each change
 * between them (2 s). What is above 512 MB adds 0.2 % to the price of the time.
 */
const MIN_TMP_MB = 2048;
/** Longest run of a job on a new function, in seconds. */
export const DEFAULT_TIMEOUT_SECONDS = 60;

/** Creates or updates the function and waits until it is active. */
export async function bringZipFunction(
  client: AwsClient,
  wanted: ZipFunction,
  options: { readonly say: (line: string) => void; readonly signal: AbortSignal },
): Promise<BroughtFunction> {
  const { functionName } = wanted;
  const { say, signal } = options;
  const architecture = Deno.build.arch === "aarch64" ? "arm64" : "x86_64";
  const upload = () => uploadZip(client, wanted, say);
  const present = await getFunction(client, functionName);
  if (present === undefined) {
    const code = await upload();
    say(`Creating the function ${functionName}`);
    await createFunction(client, {
      functionName,
      role: wanted.role,
      code,
      architecture,
      memoryMb: wanted.memoryMb ?? DEFAULT_MEMORY_MB,
      timeoutSeconds: wanted.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
      ephemeralStorageMb: wanted.tmpMb ?? MIN_TMP_MB,
      environment: { LLAMA_OBJECT_STORE: wanted.store },
      description: "llama: runs commands",
    }, { signal });
    return { info: await waitUntilActive(client, functionName, { signal }), action: "created" };
  }
  if (present.packageType !== "Zip") {
    throw new LlamaError(
      "FunctionExists",
      `Cannot make the function "${functionName}" as one of that name is an image`,
      { hint: `delete it with aws lambda delete-function --function-name ${functionName}` },
    );
  }
  let action: BroughtFunction["action"] = "unchanged";
  const settings = changedSettings(present, wanted);
  if (settings !== undefined) {
    say(`Updating the settings of the function ${functionName}`);
    await updateFunctionConfiguration(client, functionName, settings, { signal });
    action = "updated";
  }
  if (present.codeSha256 !== Uint8Array.fromHex(wanted.code.sha256).toBase64()) {
    const code = await upload();
    say(`Updating the code of the function ${functionName}`);
    await updateFunctionCode(client, functionName, code, { signal, architecture });
    action = "updated";
  }
  return { info: await waitUntilActive(client, functionName, { signal }), action };
}

/** The settings to change, undefined if there are none. Variables that others set stay. */
function changedSettings(present: FunctionInfo, wanted: ZipFunction): FunctionSettings | undefined {
  const { role, store, memoryMb = present.memoryMb } = wanted;
  const { timeoutSeconds = present.timeoutSeconds } = wanted;
  const ephemeralStorageMb = wanted.tmpMb ?? Math.max(present.ephemeralStorageMb, MIN_TMP_MB);
  const same = present.role === role && present.memoryMb === memoryMb &&
    present.timeoutSeconds === timeoutSeconds &&
    present.ephemeralStorageMb === ephemeralStorageMb &&
    present.environment.get("LLAMA_OBJECT_STORE") === store;
  if (same) return undefined;
  return {
    role,
    memoryMb,
    timeoutSeconds,
    ephemeralStorageMb,
    environment: { ...Object.fromEntries(present.environment), LLAMA_OBJECT_STORE: store },
  };
}

/** Zips of more than 50 MB must come from a bucket, and a killed run need not send one again. */
async function uploadZip(
  client: AwsClient,
  { store, code }: ZipFunction,
  say: (line: string) => void,
): Promise<{ bucket: string; key: string }> {
  const { bucket, prefix } = parseStoreUrl(store);
  const placeOf = (sha256: Digest) => ({ bucket, key: `${prefix}functions/${sha256}.zip` });
  if (await headObject(client, placeOf(code.sha256)) !== undefined) return placeOf(code.sha256);
  const body = await code.bytes();
  const sha256 = await digestOf(body);
  say(`Uploading the function's code, ${(body.length / 1e6).toFixed(1)} MB`);
  await putObject(client, { ...placeOf(sha256), body, sha256, contentType: "application/zip" });
  return placeOf(sha256);
}
