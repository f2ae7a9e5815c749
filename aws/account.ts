/** The AWS account, region and endpoints in force, and where each of them was found. */
import { LlamaError } from "../job/errors.ts";
import { type AwsCredentials, cacheCredentials, findCredentials } from "./credentials.ts";
import {
  checkProfileExists,
  chooseProfile,
  type ProfileInputs,
  profileServiceEndpoint,
  profileSetting,
  readSharedFiles,
  variable,
} from "./profile.ts";

export type { AwsCredentials } from "./credentials.ts";

/** An account that requests can be sent to. */
export interface AwsAccount {
  /** Whether it is Amazon's (or what an endpoint stands for) or the embedded cloud. */
  readonly kind: "aws" | "embedded";
  /** Region, such as `us-east-1`. */
  readonly region: string;
  /** Keys to sign with, renewed before they end. */
  readonly credentials: () => Promise<AwsCredentials>;
  /** Lets the next call of `credentials` get them afresh; nothing where they cannot change. */
  readonly renewCredentials?: () => void;
  /** URL that stands in for the service's own, for a service as signatures call it. */
  readonly endpoint: (service: string) => string | undefined;
  /** Where each came from, for people. */
  readonly source: AccountSource;
}

/** Where an account's parts came from, for people. */
export interface AccountSource {
  /** Source of the region. */
  readonly region: string;
  /** Source of the keys. */
  readonly credentials: string;
  /** Sources of all endpoints in force. */
  readonly endpoint: string;
}

/** What an account is found from. */
export interface AccountInputs extends ProfileInputs {
  /** The flag `-region`. */
  readonly region?: string;
  /** The flag `-profile`. */
  readonly profile?: string;
  /** The flag `-endpoint-url`. */
  readonly endpointUrl?: string;
  /** Milliseconds since 1970; the system's clock unless given. */
  readonly now?: () => number;
}

/** How variables and profiles spell services whose name in signatures differs. */
const SERVICE_IDS: Readonly<Record<string, string | undefined>> = { logs: "cloudwatch_logs" };

/** Services that an endpoint is checked for at once, so that a bad URL is an early error. */
const SERVICES = ["s3", "lambda", "cloudformation", "sts", "ecr", "ec2", "logs"];

/**
 * Finds the account in force, undefined if none is configured at all.
 *
 * @throws {LlamaError} If credentials exist but are incomplete or of a kind that is not supported, if
 *   a profile or an endpoint is named but there are no credentials, or if there is no region.
 */
export function resolveAccount(inputs: AccountInputs): Promise<AwsAccount | undefined> {
  return Promise.resolve().then(() => resolve(inputs));
}

/**
 * The account that the environment alone describes, as that of a worker does.
 *
 * @throws {LlamaError} `CredentialsMissing`, if it holds no keys.
 */
export function accountFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): AwsAccount {
  const account = resolve({ env, home: undefined, readTextFile: () => undefined });
  if (account !== undefined) return account;
  throw new LlamaError(
    "CredentialsMissing",
    "Cannot use AWS as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
  );
}

function resolve(inputs: AccountInputs): AwsAccount | undefined {
  const files = readSharedFiles(inputs);
  const profile = chooseProfile(inputs, inputs.profile);
  checkProfileExists(files, profile);
  const found = findCredentials(inputs, files, profile);
  const endpointFlag = inputs.endpointUrl === "" ? undefined : inputs.endpointUrl;
  if (found === undefined) {
    const named = profile.chosenBy !== undefined
      ? `the profile "${profile.name}" of ${profile.chosenBy}`
      : endpointFlag !== undefined
      ? "-endpoint-url"
      : variable(inputs, "AWS_ENDPOINT_URL") !== undefined
      ? "AWS_ENDPOINT_URL"
      : undefined;
    if (named === undefined) return undefined;
    throw new LlamaError("CredentialsMissing", `Cannot use ${named} as there are no credentials`, {
      hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`",
    });
  }
  const cached = cacheCredentials(found.load, inputs.now ?? Date.now);

  const regionOf: readonly (readonly [string, string | undefined])[] = [
    ["-region", inputs.region === "" ? undefined : inputs.region],
    ["AWS_REGION", variable(inputs, "AWS_REGION")],
    ["AWS_DEFAULT_REGION", variable(inputs, "AWS_DEFAULT_REGION")],
    [`profile "${profile.name}"`, profileSetting(files, profile.name, "region")],
  ];
  const [regionSource, region] = regionOf.find(([, value]) => value !== undefined) ??
    ["", undefined];
  if (region === undefined) {
    throw new LlamaError("RegionMissing", "Cannot choose a region as none is configured", {
      hint: "Give -region, or set AWS_REGION, or run `aws configure set region REGION`",
    });
  }
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(region)) {
    throw new LlamaError("BadRegion", `Cannot use the region "${region}" of ${regionSource}`, {
      hint: "A region looks like us-east-1",
    });
  }

  const ignored = variable(inputs, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") ??
    profileSetting(files, profile.name, "ignore_configured_endpoint_urls");
  const endpointOf = (service: string): readonly [string, string] | undefined => {
    if (endpointFlag !== undefined) return ["-endpoint-url", endpointFlag];
    if (ignored?.toLowerCase() === "true") return undefined;
    const id = SERVICE_IDS[service] ?? service;
    for (const name of [`AWS_ENDPOINT_URL_${id.toUpperCase()}`, "AWS_ENDPOINT_URL"]) {
      const url = variable(inputs, name);
      if (url !== undefined) return [name, url];
    }
    const own = profileServiceEndpoint(files, profile.name, id);
    if (own !== undefined) return [`services of profile "${profile.name}"`, own];
    const all = profileSetting(files, profile.name, "endpoint_url");
    return all === undefined ? undefined : [`profile "${profile.name}"`, all];
  };
  const endpoints = SERVICES.map(endpointOf).filter((found) => found !== undefined);
  for (const [source, url] of endpoints) checkEndpoint(url, source);
  return {
    kind: "aws",
    region,
    credentials: cached.get,
    renewCredentials: cached.renew,
    endpoint: (service) => endpointOf(service)?.[1].replace(/\/+$/, ""),
    source: {
      region: regionSource,
      credentials: found.description,
      endpoint: [...new Set(endpoints.map(([source]) => source))].join(", ") || "AWS",
    },
  };
}

function checkEndpoint(url: string, source: string): void {
  const parsed = URL.parse(url);
  const good = parsed !== null && /^https?:$/.test(parsed.protocol) && parsed.search === "" &&
    parsed.hash === "" && parsed.username === "";
  if (good) return;
  throw new LlamaError("BadEndpoint", `Cannot use the endpoint "${url}" of ${source}`, {
    hint: "It must be an http or https URL, such as http://127.0.0.1:4566",
  });
}
