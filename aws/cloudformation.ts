/** CloudFormation's query API of 2010-05-15. */
import { LlamaError } from "../job/errors.ts";
import type { AwsClient } from "./client.ts";
import { AwsError } from "./error.ts";
import { query } from "./query.ts";
import { sleep } from "./retry.ts";
import type { XmlElement } from "./xml.ts";

/** A stack as it is to be. */
export interface StackInput {
  /** Name of the stack. */
  readonly stackName: string;
  /** The template, JSON or YAML, at most 51,200 bytes. */
  readonly templateBody: string;
  /** Parameters of the template. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** What the template may do, such as `CAPABILITY_NAMED_IAM`. */
  readonly capabilities?: readonly string[];
  /** Tags of the stack and its resources. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** A stack as it is. */
export interface StackInfo {
  /** Name of the stack. */
  readonly stackName: string;
  /** ARN of the stack. */
  readonly stackId: string;
  /** Such as `CREATE_COMPLETE`. */
  readonly status: string;
  /** What CloudFormation says of the status. */
  readonly statusReason?: string;
  /** Outputs of the template. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Parameters of the template. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Something that happened to a resource of a stack. */
export interface StackEvent {
  /** Unique name of the event. */
  readonly eventId: string;
  /** Name of the resource in the template, or of the stack itself. */
  readonly logicalId: string;
  /** Name of what was made, empty if nothing was yet. */
  readonly physicalId: string;
  /** Such as `AWS::S3::Bucket`. */
  readonly resourceType: string;
  /** Such as `CREATE_FAILED`. */
  readonly status: string;
  /** What CloudFormation says of the status. */
  readonly statusReason?: string;
  /** When, as ISO 8601. */
  readonly timestamp: string;
}

/** A change that was begun. */
export interface StackOperation {
  /** ARN of the stack. */
  readonly stackId: string;
  /** The last event from before the change. */
  readonly lastEventId?: string;
}

/** What a change set would do to a resource. */
export interface StackChange {
  /** `Add`, `Modify`, `Remove`, `Import` or `Dynamic`. */
  readonly action: string;
  /** Name of the resource in the template. */
  readonly logicalId: string;
  /** Such as `AWS::S3::Bucket`. */
  readonly resourceType: string;
  /** `True`, `False` or `Conditional`; empty if the resource is new or goes. */
  readonly replacement: string;
}

function call(
  client: AwsClient,
  action: string,
  parameters: Readonly<Record<string, string | undefined>>,
): Promise<XmlElement> {
  return query(client, { service: "cloudformation", version: "2010-05-15", action, parameters });
}

function inputParameters(input: StackInput): Record<string, string> {
  const parameters: Record<string, string> = {
    StackName: input.stackName,
    TemplateBody: input.templateBody,
  };
  for (const [index, [name, value]] of Object.entries(input.parameters ?? {}).entries()) {
    parameters[`Parameters.member.${index + 1}.ParameterKey`] = name;
    parameters[`Parameters.member.${index + 1}.ParameterValue`] = value;
  }
  for (const [index, name] of (input.capabilities ?? []).entries()) {
    parameters[`Capabilities.member.${index + 1}`] = name;
  }
  for (const [index, [name, value]] of Object.entries(input.tags ?? {}).entries()) {
    parameters[`Tags.member.${index + 1}.Key`] = name;
    parameters[`Tags.member.${index + 1}.Value`] = value;
  }
  return parameters;
}

/** Begins to create a stack. */
export async function createStack(client: AwsClient, input: StackInput): Promise<StackOperation> {
  const result = await call(client, "CreateStack", inputParameters(input));
  return { stackId: result.text("StackId") ?? input.stackName };
}

/** Begins to update a stack; false if it is as it is to be already. */
export async function updateStack(
  client: AwsClient,
  input: StackInput,
): Promise<StackOperation | false> {
  const last = await lastEventOf(client, input.stackName);
  try {
    const result = await call(client, "UpdateStack", inputParameters(input));
    return { stackId: result.text("StackId") ?? input.stackName, ...last };
  } catch (error) {
    if (error instanceof AwsError && /no updates are to be performed/i.test(error.awsMessage)) {
      return false;
    }
    throw error;
  }
}

/** Begins to delete a stack; false if there is none. */
export async function deleteStack(
  client: AwsClient,
  stackName: string,
): Promise<StackOperation | false> {
  const stack = await describeStack(client, stackName);
  if (stack === undefined || stack.status === "DELETE_COMPLETE") return false;
  const last = await lastEventOf(client, stack.stackId);
  await call(client, "DeleteStack", { StackName: stackName });
  return { stackId: stack.stackId, ...last };
}

async function lastEventOf(
  client: AwsClient,
  stackName: string,
): Promise<{ lastEventId?: string }> {
  for await (const { eventId } of stackEvents(client, stackName)) return { lastEventId: eventId };
  return {};
}

/** A stack by name or ARN, undefined if there is none. */
export async function describeStack(
  client: AwsClient,
  stackName: string,
): Promise<StackInfo | undefined> {
  try {
    const result = await call(client, "DescribeStacks", { StackName: stackName });
    const stack = result.members("Stacks")[0];
    return stack === undefined ? undefined : stackOf(stack);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof AwsError && error.awsCode === "ValidationError" &&
    /does not exist/.test(error.awsMessage);
}

function stackOf(stack: XmlElement): StackInfo {
  const pairs = (list: string, key: string, value: string): ReadonlyMap<string, string> =>
    new Map(stack.members(list).map((item) => [item.text(key) ?? "", item.text(value) ?? ""]));
  const statusReason = stack.text("StackStatusReason");
  return {
    stackName: stack.text("StackName") ?? "",
    stackId: stack.text("StackId") ?? "",
    status: stack.text("StackStatus") ?? "",
    outputs: pairs("Outputs", "OutputKey", "OutputValue"),
    parameters: pairs("Parameters", "ParameterKey", "ParameterValue"),
    ...(statusReason !== undefined && { statusReason }),
  };
}

/** The events of a stack, the newest first. */
export async function* stackEvents(
  client: AwsClient,
  stackName: string,
): AsyncGenerator<StackEvent> {
  let token: string | undefined;
  do {
    const result = await call(client, "DescribeStackEvents", {
      StackName: stackName,
      NextToken: token,
    });
    for (const event of result.members("StackEvents")) {
      const statusReason = event.text("ResourceStatusReason");
      yield {
        eventId: event.text("EventId") ?? "",
        logicalId: event.text("LogicalResourceId") ?? "",
        physicalId: event.text("PhysicalResourceId") ?? "",
        resourceType: event.text("ResourceType") ?? "",
        status: event.text("ResourceStatus") ?? "",
        timestamp: event.text("Timestamp") ?? "",
        ...(statusReason !== undefined && { statusReason }),
      };
    }
    token = result.text("NextToken");
  } while (token !== undefined && token !== "");
}

/** How to wait for a stack. */
export interface StackWaitOptions {
  /** Hears of each event of the change, the oldest first. */
  onEvent?: (event: StackEvent) => void;
  /** Time until the wait is given up, 1,800,000 unless given. */
  timeoutMs?: number;
  /** Longest time between two questions, 3,000 unless given. */
  pollMs?: number;
  /** Gives the wait up. */
  signal?: AbortSignal;
}

/**
 * Waits until a change has ended.
 *
 * @returns The stack, undefined if it was deleted.
 * @throws {LlamaError} `StackFailed` with the first failed event's reason, if it did not end well.
 */
export async function waitForStack(
  client: AwsClient,
  operation: StackOperation,
  options: StackWaitOptions = {},
): Promise<StackInfo | undefined> {
  const { stackId } = operation;
  const timeoutMs = options.timeoutMs ?? 1_800_000;
  const endMs = performance.now() + timeoutMs;
  const pollMs = options.pollMs ?? 3_000;
  let lastEventId = operation.lastEventId;
  let firstFailure: StackEvent | undefined;
  for (let delayMs = Math.min(100, pollMs);; delayMs = Math.min(delayMs * 2, pollMs)) {
    // Asked before the events, so that none is missed when the change has ended.
    const stack = await describeStack(client, stackId);
    const news: StackEvent[] = [];
    try {
      for await (const event of stackEvents(client, stackId)) {
        if (event.eventId === lastEventId) break;
        news.push(event);
      }
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
    lastEventId = news[0]?.eventId ?? lastEventId;
    for (const event of news.reverse()) {
      // What was given up because of another failure says nothing.
      const isCause = event.status.endsWith("_FAILED") &&
        !/cancelled/i.test(event.statusReason ?? "");
      if (isCause) firstFailure ??= event;
      options.onEvent?.(event);
    }
    if (stack === undefined || stack.status === "DELETE_COMPLETE") return undefined;
    if (/^(?:CREATE|UPDATE|IMPORT)_COMPLETE$/.test(stack.status)) return stack;
    if (/_(?:FAILED|COMPLETE)$/.test(stack.status)) throw failure(stack, firstFailure);
    // Only old resources are being removed: the update itself has succeeded.
    if (stack.status === "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") return stack;
    if (performance.now() + delayMs > endMs) {
      throw new LlamaError(
        "StackNotReady",
        `Cannot wait longer for the stack "${stack.stackName}" as ${timeoutMs / 1000} s have ` +
          `passed: it is in ${stack.status}`,
      );
    }
    await sleep(delayMs, options.signal);
  }
}

function failure(stack: StackInfo, first: StackEvent | undefined): LlamaError {
  const reason = first === undefined
    ? stack.statusReason ?? "no reason given"
    : `${first.resourceType} "${first.logicalId}": ${first.statusReason ?? first.status}`;
  return new LlamaError(
    "StackFailed",
    `Cannot change the stack "${stack.stackName}", which ended in ${stack.status}, as of ${
      reason.replace(/\.$/, "")
    }`,
  );
}

/**
 * What would change if the stack were created or updated so; nothing is changed. A stack that is not
 * there yet is gone afterwards, too.
 */
export async function previewStack(
  client: AwsClient,
  input: StackInput,
  options: StackWaitOptions = {},
): Promise<StackChange[]> {
  const before = await describeStack(client, input.stackName);
  const isNew = before === undefined || before.status === "REVIEW_IN_PROGRESS";
  const result = await call(client, "CreateChangeSet", {
    ...inputParameters(input),
    ChangeSetName: `llama-${crypto.randomUUID()}`,
    ChangeSetType: isNew ? "CREATE" : "UPDATE",
  });
  const changeSet = result.text("Id");
  try {
    return await changesOf(client, changeSet, options);
  } finally {
    await call(client, "DeleteChangeSet", { ChangeSetName: changeSet });
    if (isNew) await call(client, "DeleteStack", { StackName: input.stackName });
  }
}

async function changesOf(
  client: AwsClient,
  changeSet: string | undefined,
  options: StackWaitOptions,
): Promise<StackChange[]> {
  const endMs = performance.now() + (options.timeoutMs ?? 300_000);
  const pollMs = options.pollMs ?? 3_000;
  const changes: StackChange[] = [];
  let token: string | undefined;
  for (let delayMs = Math.min(100, pollMs);; delayMs = Math.min(delayMs * 2, pollMs)) {
    const result = await call(client, "DescribeChangeSet", {
      ChangeSetName: changeSet,
      NextToken: token,
    });
    const status = result.text("Status") ?? "";
    const reason = result.text("StatusReason") ?? "no reason given";
    if (status === "FAILED") {
      if (/didn't contain changes|no updates are to be performed/i.test(reason)) return [];
      throw new LlamaError("ChangeSetFailed", `Cannot preview the stack as of ${reason}`);
    }
    if (status === "CREATE_COMPLETE") {
      for (const change of result.members("Changes")) {
        const resource = change.child("ResourceChange");
        changes.push({
          action: resource?.text("Action") ?? "",
          logicalId: resource?.text("LogicalResourceId") ?? "",
          resourceType: resource?.text("ResourceType") ?? "",
          replacement: resource?.text("Replacement") ?? "",
        });
      }
      token = result.text("NextToken");
      if (token === undefined || token === "") return changes;
      continue;
    }
    if (performance.now() + delayMs > endMs) {
      throw new LlamaError("ChangeSetFailed", `Cannot preview the stack as it is in ${status}`);
    }
    await sleep(delayMs, options.signal);
  }
}
