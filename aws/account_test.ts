import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { accountFromEnvironment, type AccountInputs, resolveAccount } from "./account.ts";

const CREDENTIALS = "/home/u/.aws/credentials";
const CONFIG = "/home/u/.aws/config";
const ENV_KEYS = { AWS_ACCESS_KEY_ID: "ENV", AWS_SECRET_ACCESS_KEY: "es" };

interface Given extends Partial<AccountInputs> {
  readonly credentials?: string;
  readonly config?: string;
  readonly files?: Readonly<Record<string, string>>;
}

function inputs({ credentials, config, files, ...rest }: Given): AccountInputs {
  const texts: Record<string, string | undefined> = {
    ...files,
    [CREDENTIALS]: credentials,
    [CONFIG]: config,
  };
  return { env: {}, home: "/home/u", readTextFile: (path) => texts[path], ...rest };
}

/** The access key, the region and what stands in for S3 and for Lambda. */
async function summary(given: Given): Promise<unknown[] | undefined> {
  const account = await resolveAccount(inputs(given));
  if (account === undefined) return undefined;
  const { accessKeyId, sessionToken } = await account.credentials();
  const key = sessionToken === undefined ? accessKeyId : `${accessKeyId}/${sessionToken}`;
  const endpoints = [account.endpoint("s3"), account.endpoint("lambda")];
  return [key, account.region, ...endpoints];
}

async function codeOf(given: Given): Promise<string> {
  const error = await assertRejects(() => resolveAccount(inputs(given)), LlamaError);
  return error.code;
}

function keys(section: string, id: string, more = ""): string {
  return `[${section}]\naws_access_key_id = ${id}\naws_secret_access_key = s-${id}\n${more}\n`;
}

Deno.test("resolveAccount() finds no account where none is configured", async () => {
  assertEquals(await summary({}), undefined);
  assertEquals(await summary({ region: "eu-west-1" }), undefined);
  assertEquals(await summary({ config: "[default]\nregion = eu-west-1\n" }), undefined);
  assertEquals(await summary({ credentials: keys("other", "OTHER") }), undefined);
  assertEquals(await summary({ env: { AWS_PROFILE: "", AWS_ACCESS_KEY_ID: "" } }), undefined);
  assertEquals(await summary({ home: undefined, credentials: keys("default", "A") }), undefined);
});

Deno.test("resolveAccount() takes credentials in the order of the AWS CLI", async () => {
  const region = "eu-west-1";
  const credentials = keys("default", "CRED-DEFAULT") + keys("work", "CRED-WORK");
  const config = keys("default", "CONF-DEFAULT") + keys("profile work", "CONF-WORK") +
    keys("profile only", "CONF-ONLY");
  const all = { region, credentials, config };
  const cases: [Given, string][] = [
    [{ ...all, env: { ...ENV_KEYS, AWS_SESSION_TOKEN: "t", AWS_PROFILE: "work" } }, "ENV/t"],
    [{ ...all, env: ENV_KEYS, profile: "work" }, "CRED-WORK"],
    [{ ...all, env: { AWS_PROFILE: "work" } }, "CRED-WORK"],
    [{ ...all, env: { AWS_PROFILE: "only", AWS_DEFAULT_PROFILE: "work" } }, "CRED-WORK"],
    [{ ...all, env: { AWS_PROFILE: "only" } }, "CONF-ONLY"],
    [all, "CRED-DEFAULT"],
    [{ region, config }, "CONF-DEFAULT"],
    [{ region, credentials: keys("default", "A", "aws_session_token = x") }, "A/x"],
  ];
  for (const [given, key] of cases) assertEquals((await summary(given))?.[0], key, key);
});

Deno.test("resolveAccount() reads the files that the environment names", async () => {
  const given = {
    region: "r-1",
    files: { "/home/u/c": keys("default", "NAMED"), "/abs": "[default]\nregion = r-2\n" },
    credentials: keys("default", "USUAL"),
    env: { AWS_SHARED_CREDENTIALS_FILE: "~/c", AWS_CONFIG_FILE: "/abs" },
  };
  assertEquals((await summary(given))?.slice(0, 2), ["NAMED", "r-1"]);
  assertEquals((await summary({ ...given, region: "" }))?.slice(0, 2), ["NAMED", "r-2"]);
});

Deno.test("resolveAccount() takes the region from flag, environment and profile, in this order", async () => {
  const config = "[default]\nregion = r-profile\n[profile work]\nregion = r-work\n";
  const env = { ...ENV_KEYS, AWS_REGION: "r-env", AWS_DEFAULT_REGION: "r-default" };
  const regionOf = async (given: Given) => (await summary(given))?.[1];
  assertEquals(await regionOf({ region: "r-flag", env, config }), "r-flag");
  assertEquals(await regionOf({ env, config }), "r-env");
  assertEquals(await regionOf({ env: { ...env, AWS_REGION: "" }, config }), "r-default");
  assertEquals(await regionOf({ env: ENV_KEYS, config }), "r-profile");
  assertEquals(await regionOf({ env: { ...ENV_KEYS, AWS_PROFILE: "work" }, config }), "r-work");
  assertEquals(await codeOf({ env: ENV_KEYS }), "RegionMissing");
  assertEquals(await codeOf({ env: ENV_KEYS, region: "evil.host/" }), "BadRegion");
});

Deno.test("resolveAccount() takes endpoints from flag, environment and profile, in this order", async () => {
  const config = "[default]\nregion = r-1\nendpoint_url = http://profile\nservices = local\n" +
    "[services local]\ns3 =\n  endpoint_url = http://profile-s3/\n";
  const variables = { AWS_ENDPOINT_URL: "http://env", AWS_ENDPOINT_URL_S3: "http://env-s3" };
  const of = async (given: Given) => (await summary({ config, ...given }))?.slice(2);
  const env = { ...ENV_KEYS, ...variables };
  assertEquals(await of({ env, endpointUrl: "http://flag/" }), ["http://flag", "http://flag"]);
  assertEquals(await of({ env }), ["http://env-s3", "http://env"]);
  assertEquals(await of({ env: { ...ENV_KEYS, AWS_ENDPOINT_URL: "http://env" } }), [
    "http://env",
    "http://env",
  ]);
  assertEquals(await of({ env: ENV_KEYS }), ["http://profile-s3", "http://profile"]);
  const ignore = { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" };
  assertEquals(await of({ env: { ...env, ...ignore } }), [undefined, undefined]);
  assertEquals(await of({ env: { ...env, ...ignore }, endpointUrl: "http://flag" }), [
    "http://flag",
    "http://flag",
  ]);
  assertEquals(await codeOf({ env, endpointUrl: "ftp://x", region: "r-1" }), "BadEndpoint");
  assertEquals(await codeOf({ env: { ...env, AWS_ENDPOINT_URL_S3: "x" }, config }), "BadEndpoint");
  const broken = config.replace("[services local]", "[services other]");
  assertEquals(await codeOf({ env: ENV_KEYS, config: broken }), "BadProfile");
});

Deno.test("resolveAccount() says where each part came from", async () => {
  const account = await resolveAccount(inputs({
    env: { AWS_REGION: "r-1", AWS_ENDPOINT_URL_S3: "http://s3" },
    credentials: keys("work", "A"),
    profile: "work",
  }));
  assertEquals(account?.source, {
    region: "AWS_REGION",
    credentials: 'profile "work" (credentials file)',
    endpoint: "AWS_ENDPOINT_URL_S3",
  });
});

Deno.test("resolveAccount() refuses half of a pair of keys", async () => {
  const region = "r-1";
  const half = "[default]\naws_access_key_id = A\n";
  assertEquals(await codeOf({ region, env: { AWS_ACCESS_KEY_ID: "A" } }), "CredentialsIncomplete");
  assertEquals(
    await codeOf({ region, env: { AWS_SECRET_ACCESS_KEY: "s" } }),
    "CredentialsIncomplete",
  );
  assertEquals(await codeOf({ region, credentials: half }), "CredentialsIncomplete");
  assertEquals(await codeOf({ region, config: half }), "CredentialsIncomplete");
});

Deno.test("resolveAccount() refuses a profile or an endpoint without credentials", async () => {
  const region = "r-1";
  const config = "[profile empty]\nregion = r-1\n";
  assertEquals(await codeOf({ region, profile: "gone" }), "ProfileNotFound");
  assertEquals(
    await codeOf({ region, env: { ...ENV_KEYS, AWS_PROFILE: "gone" } }),
    "ProfileNotFound",
  );
  assertEquals(await codeOf({ region, config, profile: "empty" }), "CredentialsMissing");
  assertEquals(
    await codeOf({ region, config, profile: "empty", env: ENV_KEYS }),
    "CredentialsMissing",
  );
  assertEquals(await codeOf({ region, endpointUrl: "http://x" }), "CredentialsMissing");
  assertEquals(
    await codeOf({ region, env: { AWS_ENDPOINT_URL: "http://x" } }),
    "CredentialsMissing",
  );
});

Deno.test("resolveAccount() names credentials of a kind that it cannot get", async () => {
  const region = "r-1";
  const sso = "[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n";
  const role = "[profile r]\nrole_arn = arn\nsource_profile = default\n";
  const cases: [Given, string][] = [
    [{ config: sso }, "SSO"],
    [{ config: role, profile: "r" }, "a role"],
    [{ config: `${role}web_identity_token_file = /t\n`, profile: "r" }, "a web identity"],
    [{ config: "[default]\nlogin_session = arn\n" }, "a login session"],
    [{ env: { AWS_WEB_IDENTITY_TOKEN_FILE: "/t", AWS_ROLE_ARN: "arn" } }, "a web identity"],
    [{ env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/x" } }, "this container"],
  ];
  for (const [given, kind] of cases) {
    const error = await assertRejects(
      () => resolveAccount(inputs({ region, ...given })),
      LlamaError,
      kind,
    );
    assertEquals(error.code, "CredentialsUnsupported", kind);
    assertStringIncludes(error.hint ?? "", "aws configure export-credentials");
  }
  assertEquals((await summary({ region, config: sso, env: ENV_KEYS }))?.[0], "ENV");
});

Deno.test("resolveAccount() reads the credentials file again when they are renewed", async () => {
  let credentials = keys("default", "OLD");
  const account = await resolveAccount({
    ...inputs({ region: "r-1" }),
    readTextFile: (path) => path === CREDENTIALS ? credentials : undefined,
  });
  assertEquals((await account?.credentials())?.accessKeyId, "OLD");
  credentials = keys("default", "NEW");
  assertEquals((await account?.credentials())?.accessKeyId, "OLD");
  account?.renewCredentials?.();
  assertEquals((await account?.credentials())?.accessKeyId, "NEW");
});

Deno.test("accountFromEnvironment() is a worker's account", async () => {
  const env = { ...ENV_KEYS, AWS_REGION: "r-1", AWS_ENDPOINT_URL: "http://127.0.0.1:9" };
  const account = accountFromEnvironment(env);
  assertEquals(account.endpoint("s3"), "http://127.0.0.1:9");
  assertEquals(await account.credentials(), { accessKeyId: "ENV", secretAccessKey: "es" });
  const error = assertThrows(() => accountFromEnvironment({ AWS_REGION: "r-1" }), LlamaError);
  assertEquals(error.code, "CredentialsMissing");
});
