/** Lambda's REST API of 2015-03-31. */
import { FormatError, LlamaError } from "../job/errors.ts";
import { asArray, asInteger, asObject, asString, type Json, parseJson } from "../job/json.ts";
import type { AwsClient } from "./client.ts";
import { AwsError } from "./error.ts";
import { sleep } from "./retry.ts";

/** Where a function's code is. */
export type FunctionCode =
  | { readonly zip: Uint8Array<ArrayBuffer> }
  | { readonly bucket: string; readonly key: string }
  | { readonly imageUri: string };

/** Settings of a function that can be changed. */
export interface FunctionSettings {
  /** ARN of the role that it runs as. */
  readonly role?: string;
  /** Memory in MiB. */
  readonly memoryMb?: number;
  /** Longest run in seconds. */
  readonly timeoutSeconds?: number;
  /** Size of /tmp in MiB. */
  readonly ephemeralStorageMb?: number;
  /** Environment; it replaces the former one. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A line for people. */
  readonly description?: string;
}

/** A function to create. */
export interface NewFunction extends FunctionSettings {
  /** Name of the function. */
  readonly functionName: string;
  /** ARN of the role that it runs as. */
  readonly role: string;
  /** Where its code is. */
  readonly code: FunctionCode;
  /** `x86_64` or `arm64`; `x86_64` unless given. */
  readonly architecture?: string;
  /** For zips, `provided.al2023` unless given. */
  readonly runtime?: string;
  /** For zips, `bootstrap` unless given. */
  readonly handler?: string;
}

/** What Lambda says of a function. */
export interface FunctionInfo {
  /** Name of the function. */
  readonly functionName: string;
  /** ARN of the function, without a qualifier. */
  readonly functionArn: string;
  /** `Zip` or `Image`. */
  readonly packageType: string;
  /** Architectures, in practice one. */
  readonly architectures: readonly string[];
  /** `Pending`, `Active`, `Inactive` or `Failed`; absent from listings. */
  readonly state?: string;
  /** What Lambda says of the state. */
  readonly stateReason?: string;
  /** `InProgress`, `Successful` or `Failed`; absent from listings. */
  readonly lastUpdateStatus?: string;
  /** What Lambda says of the last update. */
  readonly lastUpdateStatusReason?: string;
  /** When it was last changed, as ISO 8601. */
  readonly lastModified: string;
  /** Memory in MiB. */
  readonly memoryMb: number;
  /** Size of /tmp in MiB. */
  readonly ephemeralStorageMb: number;
  /** Longest run in seconds. */
  readonly timeoutSeconds: number;
  /** ARN of the role that it runs as. */
  readonly role: string;
  /** SHA-256 of the zip or the image's manifest: base64, or hexadecimal for images. */
  readonly codeSha256?: string;
  /** Size of the zip; 0 for images. */
  readonly codeBytes: number;
  /** A line for people. */
  readonly description?: string;
  /** Environment of the function. */
  readonly environment: ReadonlyMap<string, string>;
}

/** Size of /tmp of a function that does not say otherwise, in MiB (CreateFunction, EphemeralStorage). */
const USUAL_TMP_MB = 512;
const ROOT = "/2015-03-31/functions/";

function pathOf(functionName: string, rest = ""): string {
  return `${ROOT}${encodeURIComponent(functionName)}${rest}`;
}

/**
 * Creates a function. It is not ready at once: {@linkcode waitUntilActive} waits for it.
 *
 * A role that was just made is not known to Lambda for some seconds, which is waited for.
 */
export async function createFunction(
  client: AwsClient,
  created: NewFunction,
  options: WaitOptions = {},
): Promise<FunctionInfo> {
  const isImage = "imageUri" in created.code;
  const body = JSON.stringify({
    FunctionName: created.functionName,
    PackageType: isImage ? "Image" : "Zip",
    Architectures: [created.architecture ?? "x86_64"],
    Code: codeToJson(created.code),
    ...(!isImage && {
      Runtime: created.runtime ?? "provided.al2023",
      Handler: created.handler ?? "bootstrap",
    }),
    ...settingsToJson(created),
  });
  return await patiently(
    async () => functionOf(await call(client, "CreateFunction", "POST", ROOT.slice(0, -1), body)),
    (error) =>
      error.awsCode === "InvalidParameterValueException" &&
      /cannot be assumed by lambda/i.test(error.awsMessage),
    options,
  );
}

/** What Lambda says of a function, undefined if there is none. */
export async function getFunction(
  client: AwsClient,
  functionName: string,
): Promise<FunctionInfo | undefined> {
  try {
    const answer = await call(client, "GetFunction", "GET", pathOf(functionName));
    return functionOf(asObject(answer.Configuration, "answer of Lambda GetFunction.Configuration"));
  } catch (error) {
    if (error instanceof AwsError && error.awsCode === "ResourceNotFoundException") {
      return undefined;
    }
    throw error;
  }
}

/** Replaces a function's code, after an update that is under way has ended. */
export async function updateFunctionCode(
  client: AwsClient,
  functionName: string,
  code: FunctionCode,
  options: WaitOptions & {
    /** `x86_64` or `arm64`; stays as it is unless given. */
    architecture?: string;
  } = {},
): Promise<FunctionInfo> {
  const body = JSON.stringify({
    ...codeToJson(code),
    ...(options.architecture !== undefined && { Architectures: [options.architecture] }),
  });
  return await patiently(
    async () =>
      functionOf(
        await call(client, "UpdateFunctionCode", "PUT", pathOf(functionName, "/code"), body),
      ),
    isBusy,
    options,
  );
}

/** Changes a function's settings, after an update that is under way has ended. */
export async function updateFunctionConfiguration(
  client: AwsClient,
  functionName: string,
  settings: FunctionSettings,
  options: WaitOptions = {},
): Promise<FunctionInfo> {
  const path = pathOf(functionName, "/configuration");
  const body = JSON.stringify(settingsToJson(settings));
  return await patiently(
    async () => functionOf(await call(client, "UpdateFunctionConfiguration", "PUT", path, body)),
    isBusy,
    options,
  );
}

/** Lists all functions of the region. */
export async function* listFunctions(client: AwsClient): AsyncGenerator<FunctionInfo> {
  const what = "answer of Lambda ListFunctions";
  let marker: string | undefined;
  do {
    const answer = await call(
      client,
      "ListFunctions",
      "GET",
      ROOT,
      undefined,
      marker === undefined ? [] : [["Marker", marker]],
    );
    for (const item of asArray(answer.Functions, `${what}.Functions`)) {
      yield functionOf(asObject(item, `${what}.Functions`));
    }
    marker = typeof answer.NextMarker === "string" && answer.NextMarker !== ""
      ? answer.NextMarker
      : undefined;
  } while (marker !== undefined);
}

/** Deletes a function; false if there is none. */
export async function deleteFunction(client: AwsClient, functionName: string): Promise<boolean> {
  try {
    await client.send({
      service: "lambda",
      operation: "DeleteFunction",
      method: "DELETE",
      path: pathOf(functionName),
    });
    return true;
  } catch (error) {
    if (error instanceof AwsError && error.awsCode === "ResourceNotFoundException") return false;
    throw error;
  }
}

/** How long to wait for Lambda. */
export interface WaitOptions {
  /** Time until the wait is given up, 300,000 unless given. */
  timeoutMs?: number;
  /** Longest time between two questions, 1,000 unless given. */
  pollMs?: number;
  /** Gives the wait up. */
  signal?: AbortSignal;
}

/**
 * Waits until a function is active and its last update has ended.
 *
 * @throws {LlamaError} `FunctionFailed`, `FunctionNotFound` or `FunctionNotReady`, if it will not be.
 */
export async function waitUntilActive(
  client: AwsClient,
  functionName: string,
  options: WaitOptions = {},
): Promise<FunctionInfo> {
  for await (const _ of polls(options)) {
    const info = await getFunction(client, functionName);
    if (info === undefined) {
      throw new LlamaError(
        "FunctionNotFound",
        `Cannot wait for the function "${functionName}" as there is none`,
      );
    }
    const reason = info.state === "Failed"
      ? info.stateReason ?? "no reason given"
      : info.lastUpdateStatus === "Failed"
      ? info.lastUpdateStatusReason ?? "no reason given"
      : undefined;
    if (reason !== undefined) {
      throw new LlamaError(
        "FunctionFailed",
        `Cannot use the function "${functionName}" as Lambda could not set it up: ${reason}`,
      );
    }
    // Inactive functions wake up at the next invocation.
    if (info.state !== "Pending" && info.lastUpdateStatus !== "InProgress") return info;
  }
  throw new LlamaError(
    "FunctionNotReady",
    `Cannot use the function "${functionName}" as it is not ready after ` +
      `${(options.timeoutMs ?? TIMEOUT_MS) / 1000} s`,
  );
}

const TIMEOUT_MS = 300_000;

async function* polls(options: WaitOptions): AsyncGenerator<void> {
  const endMs = performance.now() + (options.timeoutMs ?? TIMEOUT_MS);
  const pollMs = options.pollMs ?? 1_000;
  for (let delayMs = Math.min(50, pollMs);; delayMs = Math.min(delayMs * 2, pollMs)) {
    options.signal?.throwIfAborted();
    yield;
    if (performance.now() + delayMs > endMs) return;
    await sleep(delayMs, options.signal);
  }
}

async function patiently<T>(
  act: () => Promise<T>,
  isPassing: (error: AwsError) => boolean,
  options: WaitOptions,
): Promise<T> {
  let last: unknown;
  for await (const _ of polls(options)) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof AwsError) || !isPassing(error)) throw error;
      last = error;
    }
  }
  throw last;
}

function isBusy(error: AwsError): boolean {
  return error.awsCode === "ResourceConflictException";
}

async function call(
  client: AwsClient,
  operation: string,
  method: string,
  path: string,
  body?: string,
  query: readonly (readonly [string, string])[] = [],
): Promise<Json> {
  const answer = await client.send({
    service: "lambda",
    operation,
    method,
    path,
    query,
    ...(body !== undefined && { body, headers: { "content-type": "application/json" } }),
  });
  const what = `answer of Lambda ${operation}`;
  return asObject(parseJson(new TextDecoder().decode(answer.body), what), what);
}

function codeToJson(code: FunctionCode): Json {
  if ("zip" in code) return { ZipFile: code.zip.toBase64() };
  if ("imageUri" in code) return { ImageUri: code.imageUri };
  return { S3Bucket: code.bucket, S3Key: code.key };
}

function settingsToJson(settings: FunctionSettings): Json {
  const { environment, ephemeralStorageMb } = settings;
  return {
    // JSON leaves out what is undefined.
    Role: settings.role,
    MemorySize: settings.memoryMb,
    Timeout: settings.timeoutSeconds,
    Description: settings.description,
    Environment: environment === undefined ? undefined : { Variables: environment },
    EphemeralStorage: ephemeralStorageMb === undefined ? undefined : { Size: ephemeralStorageMb },
  };
}

function functionOf(json: Json): FunctionInfo {
  const what = "Lambda's description of a function";
  const text = (name: string) => asString(json[name], `${what}.${name}`);
  const maybe = (name: string, as: string) => {
    const value = json[name];
    return typeof value === "string" && value !== "" ? { [as]: value } : {};
  };
  const environment = new Map<string, string>();
  if (json.Environment !== undefined && json.Environment !== null) {
    const { Variables: variables } = asObject(json.Environment, `${what}.Environment`);
    if (variables !== undefined && variables !== null) {
      for (const [name, value] of Object.entries(asObject(variables, `${what}.Environment`))) {
        environment.set(name, asString(value, `${what}.Environment.${name}`));
      }
    }
  }
  const architectures = json.Architectures === undefined
    ? ["x86_64"]
    : asArray(json.Architectures, `${what}.Architectures`)
      .map((item) => asString(item, `${what}.Architectures`));
  if (architectures.length === 0) throw new FormatError(`${what}.Architectures`, "it is empty");
  return {
    functionName: text("FunctionName"),
    functionArn: text("FunctionArn"),
    packageType: typeof json.PackageType === "string" ? json.PackageType : "Zip",
    architectures,
    lastModified: text("LastModified"),
    memoryMb: asInteger(json.MemorySize, `${what}.MemorySize`),
    ephemeralStorageMb: json.EphemeralStorage === undefined ? USUAL_TMP_MB : asInteger(
      asObject(json.EphemeralStorage, `${what}.EphemeralStorage`).Size,
      `${what}.EphemeralStorage.Size`,
    ),
    timeoutSeconds: asInteger(json.Timeout, `${what}.Timeout`),
    role: text("Role"),
    codeBytes: asInteger(json.CodeSize, `${what}.CodeSize`),
    environment,
    ...maybe("State", "state"),
    ...maybe("StateReason", "stateReason"),
    ...maybe("LastUpdateStatus", "lastUpdateStatus"),
    ...maybe("LastUpdateStatusReason", "lastUpdateStatusReason"),
    ...maybe("CodeSha256", "codeSha256"),
    ...maybe("Description", "description"),
  };
}
