/** `llama config`: the settings in force, and where each of them comes from. */
import { configPath } from "../daemon/config.ts";
import { type OpenAccount, openAccount } from "../daemon/session.ts";
import type { Command, CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
import { sessionInputs } from "./session_inputs.ts";
import { shellQuote } from "./shell_quote.ts";

const USAGE = `print the settings in force and where they come from

usage: llama config [-shell] [-json]

  -shell  print them as exports for eval; the AWS CLI and SDKs then use the same
          cloud and account. They hold keys: do not put them into a log
          (with the embedded cloud also a function aws, for a CLI before 2.13)

exit status: 0 done, 1 failed, 2 wrong call, 130 interrupted

examples:
  llama config
  eval "$(llama config -shell)"; aws s3 ls
`;

/** Prints the settings in force. */
export const config: Command = {
  usage: USAGE,
  flags: [{ name: "shell", kind: "switch" }],
  run,
};

/** A value and where it comes from. */
interface Setting {
  readonly name: string;
  readonly value: string;
  readonly source: string;
}

async function run(context: CommandContext): Promise<number> {
  const { flags, operands, output } = context;
  if (operands.length > 0) throw usageError(`Unknown argument ${JSON.stringify(operands[0])}`);
  const opened = await openAccount(sessionInputs(context));
  if (flags.has("shell")) {
    const exports = await exportsOf(opened);
    const lines = Object.entries(exports).map(([name, value]) =>
      `export ${name}=${shellQuote(value)}`
    );
    // A token of another account would go with these keys.
    if (exports.AWS_SESSION_TOKEN === undefined) lines.push("unset AWS_SESSION_TOKEN");
    if (exports.AWS_ENDPOINT_URL !== undefined) lines.push(AWS_FUNCTION);
    await output.result(exports, lines.join("\n"));
    return 0;
  }
  const settings = settingsOf(context, opened);
  const width = Math.max(...settings.map(({ name }) => name.length));
  await output.result(
    Object.fromEntries(settings.map(({ name, value, source }) => [name, { value, source }])),
    settings.map(({ name, value, source }) => `${name.padEnd(width)}  ${value}  (${source})`)
      .join("\n"),
  );
  return 0;
}

/**
 * The AWS CLI reads AWS_ENDPOINT_URL since 2.13; an older one, such as that of Debian 12, would send its
 * requests to AWS.
 */
const AWS_FUNCTION = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }';

async function exportsOf({ account }: OpenAccount): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = await account.credentials();
  const endpointUrl = account.endpoint("s3");
  return {
    ...(endpointUrl !== undefined && { AWS_ENDPOINT_URL: endpointUrl }),
    AWS_REGION: account.region,
    AWS_DEFAULT_REGION: account.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken !== undefined && { AWS_SESSION_TOKEN: sessionToken }),
  };
}

function settingsOf(
  { env, flags, llamaDir }: CommandContext,
  { account, cloud, config }: OpenAccount,
): Setting[] {
  const file = configPath(llamaDir);
  const kept = (value: string | undefined) => ({
    value: value ?? "none",
    source: value === undefined ? "llama bootstrap makes it" : file,
  });
  const store = flags.value("store");
  const storeSetting = store !== undefined
    ? { value: store, source: "-store" }
    : env.LLAMA_OBJECT_STORE
    ? { value: env.LLAMA_OBJECT_STORE, source: "LLAMA_OBJECT_STORE" }
    : kept(config?.store);
  return [
    { name: "folder", value: llamaDir, source: env.LLAMA_DIR ? "LLAMA_DIR" : "default" },
    {
      name: "cloud",
      value: cloud,
      source: account.kind === "embedded" ? "no AWS account is configured" : "credentials",
    },
    { name: "region", value: account.region, source: account.source.region },
    {
      name: "endpoint",
      value: account.endpoint("s3") ?? "AWS",
      source: account.source.endpoint,
    },
    { name: "credentials", value: account.source.credentials, source: "see llama config -shell" },
    { name: "store", ...storeSetting },
    { name: "function", ...kept(config?.functionName) },
    { name: "stack", ...kept(config?.stack) },
    { name: "role", ...kept(config?.role) },
    { name: "repository", ...kept(config?.repository) },
  ];
}
