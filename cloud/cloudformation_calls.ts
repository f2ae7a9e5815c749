/** What the calls on stacks and those on change sets share: finding a stack, reading what it is made from. */
import type { Engine } from "./cloudformation_engine.ts";
import type { ResourceType } from "./cloudformation_resources.ts";
import type { Stack, StackSource } from "./cloudformation_stack.ts";
import { capabilitiesOf, type Template, validationError } from "./cloudformation_template.ts";
import { queryList } from "./query_xml.ts";
import { type CloudSettings, ServiceError } from "./service.ts";
import type { Table } from "./state.ts";
import { splitTarget } from "./request_target.ts";
import { decodeUri } from "./uri.ts";

/** Largest template in a call itself, and through S3, in bytes. */
const MAX_TEMPLATE_BODY_BYTES = 51_200;
const MAX_TEMPLATE_OBJECT_BYTES = 1_000_000;

/** A call: takes its parameters and gives the members of its result. */
export type Call = (parameters: URLSearchParams) => Promise<string[]>;

/** Calls by name. */
export type Calls = Readonly<Record<string, Call>>;

/** All that the calls work on. */
export interface StackBook {
  /** What all services share. */
  readonly settings: CloudSettings;
  /** Stacks by ARN. */
  readonly stacks: Table<Stack>;
  /** Runs operations. */
  readonly engine: Engine;
  /** Resource types by name. */
  readonly types: ReadonlyMap<string, ResourceType>;
  /** Reads a template from S3. */
  readonly readObject: (bucket: string, key: string) => Promise<Uint8Array | undefined>;
}

/** An error of status 400. */
export function badRequest(code: string, message: string): ServiceError {
  return new ServiceError(400, code, message);
}

/** The parameter StackName. @throws {ServiceError} `ValidationError` */
export function stackName(parameters: URLSearchParams): string {
  const name = parameters.get("StackName");
  if (name === null || name === "") {
    throw validationError(
      "1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null",
    );
  }
  return name;
}

/** The stack of that name or ARN; one that is deleted only by its ARN. */
export function findStack(stacks: ReadonlyMap<string, Stack>, name: string): Stack | undefined {
  if (name.startsWith("arn:")) return stacks.get(name);
  for (const stack of stacks.values()) {
    if (stack.name === name && stack.status !== "DELETE_COMPLETE") return stack;
  }
  return undefined;
}

/** A stack of which nothing is made yet. */
export function newStack(
  settings: CloudSettings,
  name: string,
  source: StackSource,
  status: string,
): Stack {
  if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(name)) {
    throw validationError(
      `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
    );
  }
  const { region, accountId } = settings;
  return {
    id: `arn:aws:cloudformation:${region}:${accountId}:stack/${name}/${crypto.randomUUID()}`,
    name,
    status,
    reason: undefined,
    createdMs: settings.now(),
    updatedMs: undefined,
    deletedMs: undefined,
    source,
    previous: undefined,
    onFailure: "ROLLBACK",
    resources: [],
    leftovers: [],
    outputs: [],
    events: [],
    changeSets: [],
  };
}

/** The source that a call gives; what it leaves out is taken from the stack as it is. */
export async function readSource(
  book: StackBook,
  parameters: URLSearchParams,
  stack: Stack | undefined,
): Promise<StackSource> {
  const given: Record<string, string> = {};
  for (const item of queryList(parameters, "Parameters")) {
    const key = item.get("ParameterKey") ?? "";
    const value = item.get("UsePreviousValue") === "true"
      ? stack?.source.parameters[key]
      : item.get("ParameterValue");
    if (value !== undefined) given[key] = value;
  }
  const tags: Record<string, string> = {};
  const tagged = queryList(parameters, "Tags");
  for (const item of tagged) tags[item.get("Key") ?? ""] = item.get("Value") ?? "";
  return {
    template: await readTemplate(book, parameters, stack),
    parameters: given,
    capabilities: queryList(parameters, "Capabilities").map((item) => item.get("") ?? ""),
    tags: tagged.length === 0 && stack !== undefined ? stack.source.tags : tags,
  };
}

async function readTemplate(
  book: StackBook,
  parameters: URLSearchParams,
  stack: Stack | undefined,
): Promise<string> {
  const body = parameters.get("TemplateBody");
  const url = parameters.get("TemplateURL");
  if (body !== null) {
    if (new TextEncoder().encode(body).length > MAX_TEMPLATE_BODY_BYTES) {
      throw validationError(
        `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${MAX_TEMPLATE_BODY_BYTES}`,
      );
    }
    return body;
  }
  if (url !== null) {
    // Our own S3 by path, or AWS's names for it: the bucket is one of ours either way.
    const host = /^https:\/\/([a-z0-9.-]+)\.s3[a-z0-9.-]*\.amazonaws\.com\//.exec(url)?.[1];
    const path = splitTarget(url).path.slice(1);
    const slash = path.indexOf("/");
    const bucket = host ?? path.slice(0, slash);
    const key = decodeUri(host === undefined ? path.slice(slash + 1) : path) ?? "";
    const bytes = await book.readObject(bucket, key);
    if (bytes === undefined || bytes.length > MAX_TEMPLATE_OBJECT_BYTES) {
      throw validationError("S3 error: The specified key does not exist.");
    }
    return new TextDecoder().decode(bytes);
  }
  if (parameters.get("UsePreviousTemplate") === "true" && stack !== undefined) {
    return stack.source.template;
  }
  throw validationError("Either Template URL or Template Body must be specified.");
}

/** Refuses a template that needs a capability which the caller did not acknowledge. */
export function checkCapabilities(template: Template, given: readonly string[]): void {
  const needed = capabilitiesOf(template);
  if (needed === undefined || given.includes(needed)) return;
  if (given.includes("CAPABILITY_NAMED_IAM")) return;
  throw badRequest("InsufficientCapabilitiesException", `Requires capabilities : [${needed}]`);
}
