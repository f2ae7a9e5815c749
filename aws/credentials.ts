/**
 * Where an account's keys come from, in the AWS CLI's order: the flag `-profile`, the environment's
 * keys, the profile that the environment names, the profile `default`. Within a profile: a role, web
 * identity and SSO, then keys in the credentials file, a login session, `credential_process`, and keys
 * in the config file. No address is ever asked for credentials.
 */
import { FormatError, LlamaError, messageOf } from "../job/errors.ts";
import { asObject, asString, parseJson } from "../job/json.ts";
import { type IniSection, splitWords } from "./ini.ts";
import {
  type ChosenProfile,
  type ProfileInputs,
  profileSetting,
  readSharedFiles,
  type SharedFiles,
  variable,
} from "./profile.ts";

/** Keys that requests are signed with. */
export interface AwsCredentials {
  /** Name of the key, which is no secret. */
  readonly accessKeyId: string;
  /** The secret. */
  readonly secretAccessKey: string;
  /** Token of temporary credentials. */
  readonly sessionToken?: string;
  /** When they end, in milliseconds since 1970. */
  readonly expiresAtMs?: number;
}

/** A place that has credentials. */
export interface CredentialSource {
  /** The place, for people. */
  readonly description: string;
  /** Gets the credentials afresh. */
  readonly load: () => Promise<AwsCredentials>;
}

/**
 * Finds the first place that has credentials, undefined if none has.
 *
 * @throws {LlamaError} `CredentialsIncomplete`, if half of a pair of keys is missing.
 * @throws {LlamaError} `CredentialsUnsupported`, if they would have to be fetched in a way that llama
 *   does not know.
 */
export function findCredentials(
  inputs: ProfileInputs,
  files: SharedFiles,
  profile: ChosenProfile,
): CredentialSource | undefined {
  const explicit = profile.chosenBy === "-profile";
  return (explicit ? undefined : fromEnvironment(inputs)) ??
    fromProfile(inputs, files, profile) ??
    (explicit ? undefined : refuseContainer(inputs));
}

function fromEnvironment(inputs: ProfileInputs): CredentialSource | undefined {
  const accessKeyId = variable(inputs, "AWS_ACCESS_KEY_ID");
  const secretAccessKey = variable(inputs, "AWS_SECRET_ACCESS_KEY");
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw incomplete(
      "the environment",
      accessKeyId === undefined ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
    );
  }
  const sessionToken = variable(inputs, "AWS_SECURITY_TOKEN") ??
    variable(inputs, "AWS_SESSION_TOKEN");
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  return { description: "environment", load: () => Promise.resolve(credentials) };
}

function fromProfile(
  inputs: ProfileInputs,
  files: SharedFiles,
  profile: ChosenProfile,
): CredentialSource | undefined {
  const { name } = profile;
  const has = (setting: string) => profileSetting(files, name, setting) !== undefined;
  if (has("role_arn")) {
    throw unsupported(name, has("web_identity_token_file") ? "a web identity" : "a role");
  }
  if (
    profile.chosenBy !== "-profile" && variable(inputs, "AWS_WEB_IDENTITY_TOKEN_FILE") !== undefined
  ) {
    throw unsupported(name, "a web identity");
  }
  if (has("sso_account_id") || has("sso_role_name")) throw unsupported(name, "SSO");
  if (files.credentials.get(name)?.has("aws_access_key_id")) {
    return fromFile(inputs, name, "credentials");
  }
  if (has("login_session")) throw unsupported(name, "a login session");
  const command = profileSetting(files, name, "credential_process");
  if (command !== undefined) {
    return {
      description: `credential_process of profile "${name}"`,
      load: () => runCredentialProcess(command, inputs.env),
    };
  }
  if (files.config.get(name)?.has("aws_access_key_id")) return fromFile(inputs, name, "config");
  return undefined;
}

function fromFile(
  inputs: ProfileInputs,
  name: string,
  file: "config" | "credentials",
): CredentialSource {
  // Other programs write fresh temporary keys into the file while a daemon lives.
  const load = (): AwsCredentials => {
    const files = readSharedFiles(inputs);
    const path = file === "config" ? files.configPath : files.credentialsPath;
    return staticKeys(files[file].get(name), `the profile "${name}" in "${path}"`);
  };
  load();
  return {
    description: `profile "${name}" (${file} file)`,
    load: () => Promise.resolve().then(load),
  };
}

function staticKeys(section: IniSection | undefined, what: string): AwsCredentials {
  const text = (name: string): string | undefined => {
    const value = section?.get(name);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const accessKeyId = text("aws_access_key_id");
  const secretAccessKey = text("aws_secret_access_key");
  if (accessKeyId === undefined) throw incomplete(what, "aws_access_key_id");
  if (secretAccessKey === undefined) throw incomplete(what, "aws_secret_access_key");
  const sessionToken = text("aws_security_token") ?? text("aws_session_token");
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/**
 * Runs a `credential_process` command and reads its answer, version 1 of
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html.
 *
 * @throws {LlamaError} `CredentialProcessFailed`, if it cannot be run or fails.
 * @throws {FormatError} If the answer is not such credentials.
 */
export async function runCredentialProcess(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<AwsCredentials> {
  const [program, ...args] = splitWords(command, "credential_process");
  if (program === undefined) throw new FormatError("credential_process", "it is empty");
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) defined[name] = value;
  const failed = (problem: string, cause?: unknown) =>
    new LlamaError(
      "CredentialProcessFailed",
      `Cannot get credentials from "${program}" as ${problem}`,
      { cause, hint: "Run the profile's credential_process by hand to see what it says" },
    );
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(program, {
      args,
      env: defined,
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
  } catch (cause) {
    throw failed(`it cannot be run: ${messageOf(cause)}`, cause);
  }
  const decoder = new TextDecoder();
  if (!output.success) {
    const said = decoder.decode(output.stderr).trim().slice(0, 500);
    throw failed(`it ended with status ${output.code}${said === "" ? "" : `: ${said}`}`);
  }
  const what = "the answer of credential_process";
  const json = asObject(parseJson(decoder.decode(output.stdout), what), what);
  if (json.Version !== 1) throw new FormatError(what, `its Version is ${json.Version}, not 1`);
  const { SessionToken: token, Expiration: end } = json;
  const expiresAtMs = end === undefined || end === null
    ? undefined
    : Date.parse(asString(end, `${what}.Expiration`));
  if (Number.isNaN(expiresAtMs)) throw new FormatError(`${what}.Expiration`, "it is not a date");
  return {
    accessKeyId: asString(json.AccessKeyId, `${what}.AccessKeyId`),
    secretAccessKey: asString(json.SecretAccessKey, `${what}.SecretAccessKey`),
    ...(typeof token === "string" && token !== "" && { sessionToken: token }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  };
}

/** Credentials that are kept until shortly before they end. */
export interface CachedCredentials {
  /** The credentials, got afresh where they end within five minutes. */
  readonly get: () => Promise<AwsCredentials>;
  /** Lets the next {@linkcode CachedCredentials.get} get them afresh. */
  readonly renew: () => void;
}

const RENEW_BEFORE_MS = 5 * 60_000;
const RENEW_AGAIN_MS = 60_000;

/**
 * Keeps what `load` gives. Credentials that cannot be renewed are used until they end.
 *
 * @param now Milliseconds since 1970.
 */
export function cacheCredentials(
  load: () => Promise<AwsCredentials>,
  now: () => number,
): CachedCredentials {
  let current: AwsCredentials | undefined;
  let pending: Promise<AwsCredentials> | undefined;
  let nextTryMs = 0;
  const valid = (): boolean => current !== undefined && now() < (current.expiresAtMs ?? Infinity);
  const fresh = (): boolean =>
    valid() && (now() < nextTryMs || now() < (current?.expiresAtMs ?? Infinity) - RENEW_BEFORE_MS);
  const fetch = async (): Promise<AwsCredentials> => {
    try {
      current = await load();
    } catch (error) {
      if (current === undefined || !valid()) throw error;
    } finally {
      nextTryMs = now() + RENEW_AGAIN_MS;
      pending = undefined;
    }
    if (!valid()) {
      throw new LlamaError(
        "CredentialsExpired",
        `Cannot use the credentials as they ended at ${
          new Date(current.expiresAtMs ?? 0).toISOString()
        }`,
        { hint: "Sign in again, or renew the credentials of this profile" },
      );
    }
    return current;
  };
  return {
    get: () => current !== undefined && fresh() ? Promise.resolve(current) : pending ??= fetch(),
    renew: () => {
      current = undefined;
    },
  };
}

function refuseContainer(inputs: ProfileInputs): undefined {
  for (
    const name of [
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ]
  ) {
    if (variable(inputs, name) === undefined) continue;
    throw new LlamaError(
      "CredentialsUnsupported",
      `Cannot use the credentials of this container, which ${name} points to`,
      { hint: 'Run `eval "$(aws configure export-credentials --format env)"` first' },
    );
  }
  return undefined;
}

function unsupported(profile: string, kind: string): LlamaError {
  return new LlamaError(
    "CredentialsUnsupported",
    `Cannot use the profile "${profile}" as its credentials come from ${kind}`,
    {
      hint: "Choose with -profile one that has the setting `credential_process = " +
        `aws configure export-credentials --profile ${profile}\``,
    },
  );
}

function incomplete(what: string, missing: string): LlamaError {
  return new LlamaError(
    "CredentialsIncomplete",
    `Cannot use the credentials of ${what} as ${missing} is missing`,
    { hint: `Set ${missing}, or remove the other half` },
  );
}
