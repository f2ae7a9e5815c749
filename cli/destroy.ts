/** `llama destroy`: removes all that `llama bootstrap` made. */
import { deleteStack, describeStack, waitForStack } from "../aws/cloudformation.ts";
import type { AwsClient } from "../aws/client.ts";
import { AwsError } from "../aws/error.ts";
import { deleteFunction } from "../aws/lambda.ts";
import { deleteObjects, listObjects } from "../aws/s3.ts";
import { configPath, removeConfig } from "../daemon/config.ts";
import { DEFAULT_NAME, openAccount } from "../daemon/session.ts";
import { LlamaError } from "../job/errors.ts";
import { parseStoreUrl } from "../store/url.ts";
import type { Command, CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
import { sessionInputs } from "./session_inputs.ts";
import { OUTPUTS } from "./stack_template.ts";

const USAGE = `remove all that bootstrap made

usage: llama destroy [-yes] [-stack NAME]

Deletes the default function, all objects, the stack with its bucket, image
repository and role, and llama.json. Other functions stay, and the embedded
cloud's own folder (see llama cloud -reset).

  -y, -yes     do not ask
  -stack NAME  name of the stack, that of llama.json unless given

exit status: 0 done, 1 failed, 2 wrong call, 130 interrupted

examples:
  llama destroy
  llama -profile work destroy -yes
`;

/** Removes all that bootstrap made. */
export const destroy: Command = {
  usage: USAGE,
  flags: [
    { name: "yes", kind: "switch", aliases: ["y"] },
    { name: "stack", kind: "value", takes: "NAME" },
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { flags, operands, output, signal, llamaDir } = context;
  if (operands.length > 0) throw usageError(`Unknown argument ${JSON.stringify(operands[0])}`);
  const { client, account, cloud, config: kept } = await openAccount(sessionInputs(context));
  const config = kept?.cloud === cloud && kept.region === account.region ? kept : undefined;
  const stackName = flags.value("stack") ?? config?.stack ?? DEFAULT_NAME;
  const functionName = config?.functionName ?? DEFAULT_NAME;
  const stack = await describeStack(client, stackName);
  const store = stack?.outputs.get(OUTPUTS.store) ??
    (config?.stack === stackName ? config.store : undefined);
  const place = cloud === "embedded" ? "the embedded cloud" : `AWS, ${account.region}`;
  const question = `Delete the stack ${stackName}, the function ${functionName} and all objects ` +
    `in ${place}?`;
  if (!flags.has("yes") && !output.confirm(question)) {
    throw new LlamaError("NotConfirmed", "Cannot destroy anything without a yes", {
      hint: "give -yes",
    });
  }
  const hadFunction = await deleteFunction(client, functionName);
  if (hadFunction) output.say(`Deleted the function ${functionName}`);
  const objects = store === undefined ? 0 : await emptyBucket(client, store, signal);
  if (objects > 0) output.say(`Deleted ${objects} objects`);
  const operation = stack === undefined ? false : await deleteStack(client, stackName);
  if (operation !== false) {
    await waitForStack(client, operation, {
      signal,
      onEvent: ({ status, resourceType, logicalId }) =>
        output.progress(`  ${status.padEnd(24)} ${resourceType} ${logicalId}`),
    });
    output.say(`Deleted the stack ${stackName}`);
  }
  if (config?.stack === stackName) {
    await removeConfig(llamaDir);
    output.say(`Deleted ${configPath(llamaDir)}`);
  }
  output.say(`Left: the logs of functions, and ${llamaDir}`);
  await output.result(
    { function: hadFunction, objects, stack: operation !== false },
    "",
  );
  return 0;
}

/** Keys of one request to delete. */
const BATCH = 1000;

/** Deletes all objects of the store's bucket, which is the stack's own; returns how many. */
async function emptyBucket(client: AwsClient, store: string, signal: AbortSignal): Promise<number> {
  const { bucket } = parseStoreUrl(store);
  let count = 0;
  let keys: string[] = [];
  const flush = async () => {
    signal.throwIfAborted();
    if (keys.length > 0) await deleteObjects(client, bucket, keys);
    count += keys.length;
    keys = [];
  };
  try {
    for await (const { key } of listObjects(client, bucket)) {
      keys.push(key);
      if (keys.length === BATCH) await flush();
    }
    await flush();
  } catch (error) {
    if (!(error instanceof AwsError && error.awsCode === "NoSuchBucket")) throw error;
  }
  return count;
}
