/** Brings a CloudFormation stack into the state that its template says, from whatever state it is in. */
import type { AwsClient } from "../aws/client.ts";
import {
  createStack,
  deleteStack,
  describeStack,
  type StackEvent,
  stackEvents,
  type StackInfo,
  type StackInput,
  updateStack,
  waitForStack,
} from "../aws/cloudformation.ts";
import { LlamaError } from "../job/errors.ts";

/** What {@linkcode bringStack} asks and tells. */
export interface BringStackOptions {
  /** Asks whether a stack that is beyond repair may be deleted, for `reason`. */
  readonly mayDelete: (reason: string) => boolean;
  /** Takes a line on what is being done. */
  readonly say: (line: string) => void;
  /** Hears of each event. */
  readonly onEvent: (event: StackEvent) => void;
  readonly signal: AbortSignal;
}

/** A stack that is as it is to be. */
export interface BroughtStack {
  readonly stack: StackInfo;
  /** What had to be done. */
  readonly action: "created" | "updated" | "unchanged";
}

/** States after which a stack can only be deleted (CloudFormation User Guide, stack status codes). */
const DEAD: ReadonlySet<string> = new Set([
  "CREATE_FAILED",
  "DELETE_FAILED",
  "ROLLBACK_COMPLETE",
  "ROLLBACK_FAILED",
]);

/** Each round leaves a state behind, and there are few. */
const MAX_ROUNDS = 8;

/**
 * Creates or updates the stack, after what an earlier run has left underway has ended.
 *
 * @throws {LlamaError} `StackFailed` with the first failed event's reason; `StackDead` if it must be
 * deleted first and may not be.
 */
export async function bringStack(
  client: AwsClient,
  input: StackInput,
  { mayDelete, say, onEvent, signal }: BringStackOptions,
): Promise<BroughtStack> {
  const name = input.stackName;
  const wait = { onEvent, signal };
  for (let round = 0; round < MAX_ROUNDS; round++) {
    signal.throwIfAborted();
    const stack = await describeStack(client, name);
    if (stack === undefined || stack.status === "DELETE_COMPLETE") {
      say(`Creating the stack ${name}`);
      const made = await explained(
        input,
        async () => await waitForStack(client, await createStack(client, input), wait),
      );
      if (made !== undefined) return { stack: made, action: "created" };
    } else if (stack.status === "REVIEW_IN_PROGRESS") {
      // A preview was interrupted; such a stack has no resources.
      await remove(client, name, wait);
    } else if (stack.status.endsWith("_IN_PROGRESS")) {
      say(`Waiting for the stack ${name}, which is in ${stack.status}`);
      await settled(client, stack, wait);
    } else if (DEAD.has(stack.status)) {
      const reason = await firstFailure(client, stack);
      if (!mayDelete(reason)) throw deadStack(stack, reason);
      say(`Deleting the stack ${name}`);
      await remove(client, name, wait);
    } else if (stack.status === "UPDATE_ROLLBACK_FAILED") {
      throw new LlamaError(
        "StackDead",
        `Cannot update the stack "${name}" as it is in ${stack.status}: ` +
          await firstFailure(client, stack),
        { hint: `run aws cloudformation continue-update-rollback --stack-name ${name}` },
      );
    } else {
      const operation = await updateStack(client, input);
      if (operation === false) return { stack, action: "unchanged" };
      say(`Updating the stack ${name}`);
      const made = await explained(input, () => waitForStack(client, operation, wait));
      if (made !== undefined) return { stack: made, action: "updated" };
    }
  }
  throw new LlamaError("StackFailed", `Cannot bring the stack "${name}" to rest`, {
    hint: "another program may be changing it",
  });
}

type Wait = Pick<BringStackOptions, "onEvent" | "signal">;

async function remove(client: AwsClient, name: string, wait: Wait): Promise<void> {
  const operation = await deleteStack(client, name);
  if (operation !== false) await waitForStack(client, operation, wait);
}

/** Waits for what is underway; how it ends shows in the next round. */
async function settled(client: AwsClient, stack: StackInfo, wait: Wait): Promise<void> {
  try {
    await waitForStack(client, { stackId: stack.stackId }, { signal: wait.signal });
  } catch (error) {
    if (!(error instanceof LlamaError && error.code === "StackFailed")) throw error;
  }
}

/** Adds to a failed change what can be done about it. */
async function explained<T>({ stackName }: StackInput, change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (!(error instanceof LlamaError && error.code === "StackFailed")) throw error;
    throw new LlamaError(error.code, error.message, {
      cause: error,
      hint: /already exists/i.test(error.message)
        ? "an earlier stack left it: delete it, then run llama bootstrap -yes"
        : `mend that, then run llama bootstrap -yes` +
          (stackName === "llama" ? "" : ` -stack ${stackName}`),
    });
  }
}

async function firstFailure(client: AwsClient, stack: StackInfo): Promise<string> {
  let first = stack.statusReason ?? "no reason given";
  for await (const event of stackEvents(client, stack.stackId)) {
    const reason = event.statusReason;
    if (!event.status.endsWith("_FAILED") || reason === undefined) continue;
    if (!/cancelled/i.test(reason)) first = `${event.resourceType} ${event.logicalId}: ${reason}`;
  }
  return first;
}

function deadStack(stack: StackInfo, reason: string): LlamaError {
  return new LlamaError(
    "StackDead",
    `Cannot use the stack "${stack.stackName}", which is in ${stack.status}, as of ${reason}`,
    { hint: "run llama bootstrap -yes, which deletes it and makes it again" },
  );
}
