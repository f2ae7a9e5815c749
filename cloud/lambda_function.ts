/**
 * A function's record: what is kept of it, how requests set it and how answers show it.
 *
 * A function becomes Active, and an update Successful, a moment after the answer, as in Lambda; until
 * then a new function cannot be invoked and an updated one runs as it was. The moment is a time in
 * the record and no timer, so that it passes while the cloud is down, too.
 */
import {
  asArray,
  asBoolean,
  asInteger,
  asObject,
  asString,
  asTexts,
  type Json,
} from "../job/json.ts";
import { decodeImage, type FunctionImage, imageConfigOf } from "./function_image.ts";
import { conflict, invalidParameter, invalidValue } from "./lambda_errors.ts";
import type { CloudSettings } from "./service.ts";

/** Code and configuration of one revision. */
export interface FunctionVersion {
  /** Name of its runtime, such as `provided.al2023`; none for an image. */
  readonly runtime?: string;
  /** What `_HANDLER` is set to; none for an image. */
  readonly handler?: string;
  /** Its image, where it is none of a zip. */
  readonly image?: FunctionImage;
  /** ARN of its role. */
  readonly role: string;
  /** Free text. */
  readonly description: string;
  /** Longest time of an invocation in seconds. */
  readonly timeoutSeconds: number;
  /** Memory in MiB. */
  readonly memoryMb: number;
  /** Size of /tmp in MiB. */
  readonly tmpMb: number;
  /** The function's own variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** `x86_64` or `arm64`. */
  readonly architecture: string;
  /** SHA-256 of the zip or of the image's manifest in hexadecimal digits, which names a folder. */
  readonly codeDigest: string;
  /** Bytes of the zip, 0 for an image. */
  readonly codeSize: number;
  /** New with every change. */
  readonly revisionId: string;
  /** Time of the change in milliseconds since the epoch. */
  readonly modifiedMs: number;
}

/** What is kept of a function. */
export interface FunctionRecord {
  /** Its name. */
  readonly name: string;
  /** As it is, or will be at `readyMs`. */
  readonly current: FunctionVersion;
  /** As it is before `readyMs`; nothing for a new function. */
  readonly previous?: FunctionVersion;
  /** When the last change takes effect, in milliseconds since the epoch. */
  readonly readyMs: number;
  /** Tags. */
  readonly tags: Readonly<Record<string, string>>;
  /** Reserved concurrency, if it has one. */
  readonly reserved?: number;
}

/** Reads a record from its file. */
export function decodeFunction(value: unknown, what: string): FunctionRecord {
  const json = asObject(value, what);
  return {
    name: asString(json["name"], `${what}.name`),
    current: decodeVersion(json["current"], `${what}.current`),
    ...(json["previous"] === undefined
      ? {}
      : { previous: decodeVersion(json["previous"], `${what}.previous`) }),
    readyMs: asInteger(json["readyMs"], `${what}.readyMs`),
    tags: decodeTexts(json["tags"], `${what}.tags`),
    ...(json["reserved"] === undefined
      ? {}
      : { reserved: asInteger(json["reserved"], `${what}.reserved`) }),
  };
}

function decodeVersion(value: unknown, what: string): FunctionVersion {
  const json = asObject(value, what);
  const text = (name: string) => asString(json[name], `${what}.${name}`);
  const integer = (name: string) => asInteger(json[name], `${what}.${name}`);
  return {
    ...(json["image"] === undefined
      ? { runtime: text("runtime"), handler: text("handler") }
      : { image: decodeImage(json["image"], `${what}.image`) }),
    role: text("role"),
    description: text("description"),
    timeoutSeconds: integer("timeoutSeconds"),
    memoryMb: integer("memoryMb"),
    tmpMb: integer("tmpMb"),
    environment: decodeTexts(json["environment"], `${what}.environment`),
    architecture: text("architecture"),
    codeDigest: text("codeDigest"),
    codeSize: integer("codeSize"),
    revisionId: text("revisionId"),
    modifiedMs: integer("modifiedMs"),
  };
}

function decodeTexts(value: unknown, what: string): Record<string, string> {
  const entries = Object.entries(asObject(value, what));
  return Object.fromEntries(entries.map(([name, text]) => [name, asString(text, what)]));
}

/** The version that runs now; undefined while a new function is Pending. */
export function activeVersion(record: FunctionRecord, nowMs: number): FunctionVersion | undefined {
  return nowMs >= record.readyMs ? record.current : record.previous;
}

/** ARN of a function. */
export function functionArn(name: string, settings: CloudSettings): string {
  return `arn:aws:lambda:${settings.region}:${settings.accountId}:function:${name}`;
}

/**
 * The name in a FunctionName, which may be a name, an ARN or the end of one, and its qualifier.
 *
 * @throws {ServiceError} `ValidationException` if it is none of them.
 */
export function parseFunctionName(text: string): { name: string; qualifier?: string } {
  const pattern =
    /^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:[a-z]{2}(?:-[a-z]+)+-\d:)?(?:\d{12}:)?(?:function:)?([a-zA-Z0-9-_]{1,64})(?::(\$LATEST|[a-zA-Z0-9-_]+))?$/;
  const [, name, qualifier] = pattern.exec(text) ?? [];
  if (name === undefined) {
    const model = "satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?" +
      "((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?" +
      "([a-zA-Z0-9-_\\.]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";
    throw invalidValue(text, "functionName", model);
  }
  return qualifier === undefined ? { name } : { name, qualifier };
}

/** What a request sets of a version's configuration: all members may be missing. */
export type Settable = Omit<
  FunctionVersion,
  "image" | "architecture" | "codeDigest" | "codeSize" | "revisionId" | "modifiedMs"
>;

const RUNTIMES = ["provided.al2023", "provided.al2", "provided"];

/** Lambda's own variables, which a function cannot set (Developer Guide, "Defined runtime environment variables"). */
const RESERVED_NAMES = new Set(
  ("_HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV " +
    "AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION " +
    "AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME " +
    "AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN " +
    "AWS_LAMBDA_RUNTIME_API LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR").split(" "),
);

/**
 * Reads what a CreateFunction or UpdateFunctionConfiguration sets, checked as Lambda checks it.
 *
 * @throws {ServiceError} `ValidationException` or `InvalidParameterValueException`
 */
export function readSettable(
  body: Json,
  roleExists: (arn: string) => boolean,
): Partial<Settable> {
  const set: { -readonly [K in keyof Settable]?: Settable[K] } = {};
  if (body["Runtime"] !== undefined) {
    set.runtime = asString(body["Runtime"], "Runtime");
    if (!RUNTIMES.includes(set.runtime)) {
      throw invalidParameter(
        `Value ${set.runtime} at 'runtime' failed to satisfy constraint: the embedded cloud runs ` +
          `functions of these runtimes: [${RUNTIMES.join(", ")}]`,
      );
    }
  }
  if (body["Handler"] !== undefined) {
    set.handler = asString(body["Handler"], "Handler");
    if (!/^[^\s]{1,128}$/.test(set.handler)) {
      throw invalidValue(set.handler, "handler", "satisfy regular expression pattern: [^\\s]+");
    }
  }
  if (body["Role"] !== undefined) {
    set.role = asString(body["Role"], "Role");
    const pattern = /^arn:aws[a-zA-Z-]*:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/;
    if (!pattern.test(set.role)) {
      const model = "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";
      throw invalidValue(set.role, "role", `satisfy regular expression pattern: ${model}`);
    }
    if (!roleExists(set.role)) {
      throw invalidParameter(
        "The role defined for the function cannot be assumed by Lambda.",
      );
    }
  }
  if (body["Description"] !== undefined) {
    set.description = asString(body["Description"], "Description");
  }
  if (body["Timeout"] !== undefined) {
    set.timeoutSeconds = readInteger(body["Timeout"], "timeout", 1, 900);
  }
  if (body["MemorySize"] !== undefined) {
    set.memoryMb = readInteger(body["MemorySize"], "memorySize", 128, 10_240);
  }
  if (body["EphemeralStorage"] !== undefined) {
    const size = asObject(body["EphemeralStorage"], "EphemeralStorage")["Size"];
    set.tmpMb = readInteger(size, "ephemeralStorage.size", 512, 10_240);
  }
  if (body["Environment"] !== undefined) {
    const variables = asObject(body["Environment"], "Environment")["Variables"] ?? {};
    set.environment = readEnvironment(decodeTexts(variables, "Environment.Variables"));
  }
  return set;
}

function readInteger(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min) {
    throw invalidValue(value, name, `have value greater than or equal to ${min}`);
  }
  if (value > max) throw invalidValue(value, name, `have value less than or equal to ${max}`);
  return value;
}

function readEnvironment(variables: Record<string, string>): Record<string, string> {
  const problem = "Lambda was unable to configure your environment variables because the " +
    "environment variables you have provided ";
  const names = Object.keys(variables);
  const reserved = names.filter((name) => RESERVED_NAMES.has(name));
  if (reserved.length > 0) {
    throw invalidParameter(
      `${problem}contains reserved keys that are currently not supported for modification. ` +
        `Reserved keys used in this request: ${reserved.join(", ")}`,
    );
  }
  for (const name of names) {
    if (!/^[a-zA-Z][a-zA-Z0-9_]+$/.test(name)) {
      throw invalidValue(
        JSON.stringify(variables),
        "environment.variables",
        "satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
      );
    }
  }
  const text = JSON.stringify(variables);
  if (new TextEncoder().encode(text).length > 4096) {
    throw invalidParameter(`${problem}exceeded the 4KB limit. String measured: ${text}`);
  }
  return variables;
}

/**
 * Reads the architecture of a function, `x86_64` unless given.
 *
 * @throws {ServiceError} `ValidationException`
 */
export function readArchitecture(value: unknown): string {
  const list = value === undefined ? ["x86_64"] : asTexts(value, "Architectures");
  const [architecture = "", ...more] = list;
  if (more.length > 0 || !["x86_64", "arm64"].includes(architecture)) {
    throw invalidValue(
      `[${list.join(", ")}]`,
      "architectures",
      "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]]",
    );
  }
  return architecture;
}

/**
 * Reads what the code of a function is, `Zip` unless given.
 *
 * @throws {ServiceError} `ValidationException`
 */
export function readPackageType(value: unknown): "Zip" | "Image" {
  if (value === undefined || value === "Zip") return "Zip";
  if (value === "Image") return "Image";
  throw invalidValue(
    value,
    "packageType",
    "satisfy constraint: [Member must satisfy enum value set: [Zip, Image]]",
  );
}

/** Reads tags of a request. */
export function readTags(value: unknown): Record<string, string> {
  return decodeTexts(value ?? {}, "Tags");
}

/** Reads a flag of a request, false unless given. */
export function readFlag(value: unknown, name: string): boolean {
  return value === undefined || value === null ? false : asBoolean(value, name);
}

/**
 * Refuses what the embedded cloud does not do, so that nobody takes it for done.
 *
 * @throws {ServiceError} `InvalidParameterValueException`
 */
export function refuseUnknown(body: Json): void {
  if (body["Layers"] !== undefined && asArray(body["Layers"], "Layers").length > 0) {
    throw invalidParameter("The embedded cloud has no layers: put all files in the .zip file");
  }
}

/**
 * Checks that a function can be changed now.
 *
 * @throws {ServiceError} `ResourceConflictException` while it is Pending or an update is in progress.
 */
export function checkChangeable(record: FunctionRecord, arn: string, nowMs: number): void {
  if (nowMs >= record.readyMs) return;
  throw conflict(
    record.previous === undefined
      ? "The operation cannot be performed at this time. The function is currently in the " +
        "following state: Pending"
      : "The operation cannot be performed at this time. An update is in progress for resource: " +
        arn,
  );
}

/** A function's configuration as the API shows it. */
export function configurationOf(
  record: FunctionRecord,
  settings: CloudSettings,
): Record<string, unknown> {
  const { current } = record;
  const { image } = current;
  const ready = settings.now() >= record.readyMs;
  const created = ready || record.previous !== undefined;
  // AWS gives this reason for an update, too, and no other.
  const reason = "The function is being created.";
  return {
    FunctionName: record.name,
    FunctionArn: functionArn(record.name, settings),
    ...(image === undefined && { Runtime: current.runtime, Handler: current.handler }),
    Role: current.role,
    CodeSize: current.codeSize,
    Description: current.description,
    Timeout: current.timeoutSeconds,
    MemorySize: current.memoryMb,
    LastModified: new Date(current.modifiedMs).toISOString().replace("Z", "+0000"),
    CodeSha256: image === undefined
      ? Uint8Array.fromHex(current.codeDigest).toBase64()
      : current.codeDigest,
    Version: "$LATEST",
    ...(Object.keys(current.environment).length === 0
      ? {}
      : { Environment: { Variables: current.environment } }),
    TracingConfig: { Mode: "PassThrough" },
    RevisionId: current.revisionId,
    ...(created
      ? { State: "Active" }
      : { State: "Pending", StateReason: reason, StateReasonCode: "Creating" }),
    ...(ready ? { LastUpdateStatus: "Successful" } : created
      ? {
        LastUpdateStatus: "InProgress",
        LastUpdateStatusReason: reason,
        LastUpdateStatusReasonCode: "Creating",
      }
      : {}),
    PackageType: image === undefined ? "Zip" : "Image",
    ...imageConfigOf(image),
    Architectures: [current.architecture],
    EphemeralStorage: { Size: current.tmpMb },
    SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
    LoggingConfig: { LogFormat: "Text", LogGroup: `/aws/lambda/${record.name}` },
  };
}
