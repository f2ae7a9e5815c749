/** `llama bootstrap`: makes or updates all that llama needs in the cloud, and writes llama.json. */
import { previewStack } from "../aws/cloudformation.ts";
import { getFunction } from "../aws/lambda.ts";
import { type CallerIdentity, getCallerIdentity } from "../aws/sts.ts";
import { readConfig, writeConfig } from "../daemon/config.ts";
import { DEFAULT_NAME, type OpenAccount } from "../daemon/session.ts";
import { LlamaError } from "../job/errors.ts";
import { openWithRegion } from "./choose_region.ts";
import type { Command, CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
import { functionCode } from "./function_code.ts";
import { sessionInputs } from "./session_inputs.ts";
import { bringStack } from "./stack.ts";
import { OUTPUTS, stackTemplate } from "./stack_template.ts";
import { bringZipFunction, DEFAULT_MEMORY_MB, DEFAULT_TIMEOUT_SECONDS } from "./zip_function.ts";

const USAGE = `make or update everything that llama needs

usage: llama bootstrap [flags]

Makes the CloudFormation stack "llama" (a bucket, an image repository and a
role), the function "llama", which can run any program, and llama.json in
LLAMA_DIR. With no AWS account configured it does so in the embedded cloud on
this machine. Run again, it changes only what differs; interrupted, it goes on
where it was.

  -n, -dry-run        print what would be done, and do nothing
  -show-template      print the stack's template, and do nothing
  -stack NAME         name of the stack (llama)
  -function NAME      name of the function (llama)
  -memory MB          memory of the function (1769, which is one core)
  -tmp MB             room for a job's files (2048); all that it is sent and
                      makes lies there
  -timeout DURATION   longest run of a job (60s)
  -object-days N      delete objects after N days (30); they are sent again
  -y, -yes            delete a stack that failed before, without asking

exit status: 0 done, 1 failed, 2 wrong call, 130 interrupted

examples:
  llama bootstrap
  llama -profile work -region eu-west-1 bootstrap -dry-run
`;

/** Days after which objects are deleted, unless -object-days says otherwise. */
const OBJECT_DAYS = 30;

/** Makes or updates everything. */
export const bootstrap: Command = {
  usage: USAGE,
  flags: [
    { name: "dry-run", kind: "switch", aliases: ["n"] },
    { name: "show-template", kind: "switch" },
    { name: "stack", kind: "value", takes: "NAME" },
    { name: "function", kind: "value", takes: "NAME" },
    { name: "memory", kind: "integer", takes: "MB", min: 128, max: 10_240 },
    { name: "tmp", kind: "integer", takes: "MB", min: 512, max: 10_240 },
    { name: "timeout", kind: "duration", takes: "DURATION" },
    { name: "object-days", kind: "integer", takes: "N", min: 1, max: 3650 },
    { name: "yes", kind: "switch", aliases: ["y"] },
  ],
  run,
};

/** What the command line asks for. */
interface Wishes {
  readonly stackName: string;
  readonly functionName: string;
  readonly memoryMb: number | undefined;
  readonly tmpMb: number | undefined;
  readonly timeoutSeconds: number | undefined;
  /** Of llama.json, to be kept. */
  readonly ccConcurrency: number | undefined;
  readonly objectDays: number;
}

async function run(context: CommandContext): Promise<number> {
  const { flags, operands, output } = context;
  if (operands.length > 0) throw usageError(`Unknown argument ${JSON.stringify(operands[0])}`);
  const wishes = await wishesOf(context);
  const template = stackTemplate({ objectDays: wishes.objectDays });
  if (flags.has("show-template")) {
    await output.result(template, JSON.stringify(template, null, 2));
    return 0;
  }
  const opened = await openWithRegion(sessionInputs(context), output);
  const identity = await getCallerIdentity(opened.client);
  output.say(
    `${opened.cloud === "embedded" ? "The embedded cloud" : "AWS"}, account ` +
      `${identity.accountId} in ${opened.account.region}, as ${identity.arn}`,
  );
  const stack = {
    stackName: wishes.stackName,
    templateBody: JSON.stringify(template),
    capabilities: ["CAPABILITY_IAM"],
    tags: { llama: wishes.stackName },
  };
  if (flags.has("dry-run")) return await preview(context, opened, wishes, stack);
  return await make(context, opened, identity, wishes, stack);
}

async function wishesOf({ flags, llamaDir }: CommandContext): Promise<Wishes> {
  const config = await readConfig(llamaDir);
  const stackName = flags.value("stack") ?? config?.stack ?? DEFAULT_NAME;
  const functionName = flags.value("function") ?? config?.functionName ?? DEFAULT_NAME;
  // CloudFormation API Reference, CreateStack, StackName.
  if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(stackName)) {
    throw usageError(
      `The name ${JSON.stringify(stackName)} cannot be a stack's`,
      "it must begin with a letter and hold letters, digits and hyphens",
    );
  }
  // Lambda API Reference, CreateFunction, FunctionName.
  if (!/^[a-zA-Z0-9-_]{1,64}$/.test(functionName)) {
    throw usageError(
      `The name ${JSON.stringify(functionName)} cannot be a function's`,
      "it must hold up to 64 letters, digits, hyphens and underscores",
    );
  }
  const timeoutMs = flags.duration("timeout");
  if (timeoutMs !== undefined && (timeoutMs % 1000 !== 0 || timeoutMs > 900_000)) {
    throw usageError("The flag -timeout takes whole seconds up to 15m, as Lambda does");
  }
  return {
    stackName,
    functionName,
    memoryMb: flags.integer("memory"),
    tmpMb: flags.integer("tmp"),
    timeoutSeconds: timeoutMs === undefined ? undefined : timeoutMs / 1000,
    ccConcurrency: config?.ccConcurrency,
    objectDays: flags.integer("object-days") ?? OBJECT_DAYS,
  };
}

type Stack = Parameters<typeof previewStack>[1];

async function preview(
  { output, signal }: CommandContext,
  { client }: OpenAccount,
  wishes: Wishes,
  stack: Stack,
): Promise<number> {
  const changes = await previewStack(client, stack, { signal });
  const present = await getFunction(client, wishes.functionName);
  const { memoryMb, timeoutSeconds } = wishes;
  const functionLine = present === undefined
    ? `Add     AWS::Lambda::Function ${wishes.functionName} ` +
      `(${memoryMb ?? DEFAULT_MEMORY_MB} MB, ${timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS} s)`
    : `Modify  AWS::Lambda::Function ${wishes.functionName}, if its code or settings differ`;
  const lines = changes.map(({ action, resourceType, logicalId, replacement }) =>
    `${action.padEnd(7)} ${resourceType} ${logicalId}` +
    (replacement === "True" ? " (replaced)" : "")
  );
  if (lines.length === 0) lines.push(`Keep    the stack ${stack.stackName}`);
  await output.result(
    {
      stack: stack.stackName,
      changes,
      function: { name: wishes.functionName, action: present === undefined ? "Add" : "Modify" },
    },
    [...lines, functionLine].join("\n"),
  );
  return 0;
}

async function make(
  { flags, output, signal, env, llamaDir }: CommandContext,
  { client, account, cloud }: OpenAccount,
  identity: CallerIdentity,
  wishes: Wishes,
  input: Stack,
): Promise<number> {
  // The zip takes seconds of one core, and the stack takes its time elsewhere.
  const code = functionCode(env, llamaDir);
  // If the stack fails first, its error is the one to tell.
  code.catch(() => undefined);
  const { stack, action: stackAction } = await bringStack(client, input, {
    signal,
    say: output.say,
    onEvent: ({ status, resourceType, logicalId, statusReason }) =>
      output.progress(
        `  ${status.padEnd(24)} ${resourceType} ${logicalId}` +
          (statusReason === undefined ? "" : `: ${statusReason}`),
      ),
    mayDelete: (reason) =>
      flags.has("yes") ||
      output.confirm(
        `The stack ${input.stackName} failed before (${reason}). Delete it and make it again?`,
      ),
  });
  const value = (name: string) => {
    const found = stack.outputs.get(name);
    if (found !== undefined && found !== "") return found;
    throw new LlamaError(
      "StackFailed",
      `Cannot use the stack "${input.stackName}" as it has no output "${name}"`,
      { hint: "choose another name with -stack, as this stack is not llama's" },
    );
  };
  const store = value(OUTPUTS.store);
  const role = value(OUTPUTS.role);
  const repository = value(OUTPUTS.repository);
  const { info, action: functionAction } = await bringZipFunction(client, {
    functionName: wishes.functionName,
    role,
    store,
    code: await code,
    ...(wishes.memoryMb !== undefined && { memoryMb: wishes.memoryMb }),
    ...(wishes.tmpMb !== undefined && { tmpMb: wishes.tmpMb }),
    ...(wishes.timeoutSeconds !== undefined && { timeoutSeconds: wishes.timeoutSeconds }),
  }, { say: output.say, signal });
  const endpointUrl = cloud === "aws" ? account.endpoint("lambda") : undefined;
  await writeConfig(llamaDir, {
    cloud,
    region: account.region,
    ...(endpointUrl !== undefined && { endpointUrl }),
    store,
    functionName: wishes.functionName,
    stack: input.stackName,
    role,
    repository,
    ...(wishes.ccConcurrency !== undefined && { ccConcurrency: wishes.ccConcurrency }),
  });
  output.say(
    `The stack ${input.stackName} is ${stackAction}, ` +
      `the function ${info.functionName} is ${functionAction}. For a build:\n`,
  );
  await output.result(
    {
      cloud,
      account: identity.accountId,
      region: account.region,
      stack: { name: input.stackName, action: stackAction },
      function: {
        name: info.functionName,
        action: functionAction,
        memoryMb: info.memoryMb,
        tmpMb: info.ephemeralStorageMb,
        timeoutSeconds: info.timeoutSeconds,
      },
      store,
      role,
      repository,
    },
    "export CC=llamacc CXX=llamac++\nmake -j100",
  );
  return 0;
}
