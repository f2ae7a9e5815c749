/** What is kept of a stack: enough to go on with an operation that a kill cut short. */
import {
  asArray,
  asBoolean,
  asInteger,
  asObject,
  asString,
  asTexts,
  type Json,
} from "../job/json.ts";

/** One resource of a stack. */
export interface StackResource {
  /** Name in the template. */
  readonly logicalId: string;
  /** Type, such as `AWS::S3::Bucket`. */
  readonly type: string;
  /** Name in its own service; empty until one is chosen. */
  physicalId: string;
  /** Status, such as `CREATE_COMPLETE`. */
  status: string;
  /** Why it has that status, when that needs saying. */
  reason: string | undefined;
  /** When the status changed, milliseconds since the epoch. */
  changedMs: number;
  /** Properties that it has, with all functions evaluated. */
  properties: Json;
  /** Values for Fn::GetAtt. */
  attributes: Record<string, string>;
  /** Whether it outlives its stack (DeletionPolicy Retain). */
  retain: boolean;
}

/** One line of a stack's history. */
export interface StackEvent {
  /** Unique id. */
  readonly id: string;
  /** When, milliseconds since the epoch. */
  readonly atMs: number;
  /** Resource's name in the template; the stack's name for the stack itself. */
  readonly logicalId: string;
  /** Resource's name in its service. */
  readonly physicalId: string;
  /** Type of the resource. */
  readonly type: string;
  /** New status. */
  readonly status: string;
  /** Why. */
  readonly reason?: string;
}

/** A value that a stack tells. */
export interface StackOutput {
  /** Its name. */
  readonly key: string;
  /** Its value. */
  readonly value: string;
  /** What it is, if the template says. */
  readonly description?: string;
  /** Name under which it is exported. */
  readonly exportName?: string;
}

/** What a stack is made from. */
export interface StackSource {
  /** Template, as it was given. */
  readonly template: string;
  /** Value of each parameter that was given one. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Capabilities that the caller acknowledged. */
  readonly capabilities: readonly string[];
  /** Tags. */
  readonly tags: Readonly<Record<string, string>>;
}

/** What to do when the creation of a stack fails. */
export type OnFailure = "ROLLBACK" | "DELETE" | "DO_NOTHING";

/** A change set: what an update would do, to look at before it is done. */
export interface ChangeSet {
  /** ARN. */
  readonly id: string;
  /** Name, unique in its stack. */
  readonly name: string;
  /** When it was made, milliseconds since the epoch. */
  readonly createdMs: number;
  /** Whether there is anything to do; else it is FAILED. */
  readonly changes: readonly ResourceChange[];
  /** Whether outputs change though no resource does. */
  readonly executable: boolean;
  /** What the stack would be made from. */
  readonly source: StackSource;
}

/** What a change set would do to one resource. */
export interface ResourceChange {
  /** Add, Modify or Remove. */
  readonly action: "Add" | "Modify" | "Remove";
  /** Name in the template. */
  readonly logicalId: string;
  /** Name in its service; empty for one that is to be made. */
  readonly physicalId: string;
  /** Type of the resource. */
  readonly type: string;
  /** Whether another one takes its place. */
  readonly replacement: boolean;
  /** Names of the properties that change. */
  readonly properties: readonly string[];
}

/** A stack. */
export interface Stack {
  /** ARN. */
  readonly id: string;
  /** Name, unique among the stacks that are not deleted. */
  readonly name: string;
  /** Status, such as `CREATE_IN_PROGRESS`. */
  status: string;
  /** Why it has that status. */
  reason: string | undefined;
  /** When it was made, milliseconds since the epoch. */
  readonly createdMs: number;
  /** When its last update began. */
  updatedMs: number | undefined;
  /** When it was deleted. */
  deletedMs: number | undefined;
  /** What it is made from. */
  source: StackSource;
  /** What it was made from before the update that is under way. */
  previous: StackSource | undefined;
  /** What to do when its creation fails. */
  onFailure: OnFailure;
  /** Resources in the order in which they were begun. */
  resources: StackResource[];
  /** Resources that an update has replaced or removed, to be deleted when it has succeeded. */
  leftovers: StackResource[];
  /** What it tells. */
  outputs: StackOutput[];
  /** Its history, oldest first. */
  events: StackEvent[];
  /** Its change sets. */
  changeSets: ChangeSet[];
}

function optional<T>(value: unknown, decode: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : decode(value);
}

function decodeTexts(value: unknown, what: string): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, text] of Object.entries(asObject(value, what))) {
    texts[name] = asString(text, `${what}.${name}`);
  }
  return texts;
}

function decodeSource(value: unknown): StackSource {
  const json = asObject(value, "source");
  return {
    template: asString(json["template"], "template"),
    parameters: decodeTexts(json["parameters"], "parameters"),
    capabilities: asTexts(json["capabilities"], "capabilities"),
    tags: decodeTexts(json["tags"], "tags"),
  };
}

function decodeResource(value: unknown): StackResource {
  const json = asObject(value, "resource");
  return {
    logicalId: asString(json["logicalId"], "logicalId"),
    type: asString(json["type"], "type"),
    physicalId: asString(json["physicalId"], "physicalId"),
    status: asString(json["status"], "status"),
    reason: optional(json["reason"], (text) => asString(text, "reason")),
    changedMs: asInteger(json["changedMs"], "changedMs"),
    properties: asObject(json["properties"], "properties"),
    attributes: decodeTexts(json["attributes"], "attributes"),
    retain: asBoolean(json["retain"], "retain"),
  };
}

function decodeEvent(value: unknown): StackEvent {
  const json = asObject(value, "event");
  const reason = optional(json["reason"], (text) => asString(text, "reason"));
  return {
    id: asString(json["id"], "id"),
    atMs: asInteger(json["atMs"], "atMs"),
    logicalId: asString(json["logicalId"], "logicalId"),
    physicalId: asString(json["physicalId"], "physicalId"),
    type: asString(json["type"], "type"),
    status: asString(json["status"], "status"),
    ...(reason !== undefined && { reason }),
  };
}

function decodeOutput(value: unknown): StackOutput {
  const json = asObject(value, "output");
  const description = optional(json["description"], (text) => asString(text, "description"));
  const exportName = optional(json["exportName"], (text) => asString(text, "exportName"));
  return {
    key: asString(json["key"], "key"),
    value: asString(json["value"], "value"),
    ...(description !== undefined && { description }),
    ...(exportName !== undefined && { exportName }),
  };
}

function decodeChange(value: unknown): ResourceChange {
  const json = asObject(value, "change");
  const action = asString(json["action"], "action");
  return {
    action: action === "Add" || action === "Remove" ? action : "Modify",
    logicalId: asString(json["logicalId"], "logicalId"),
    physicalId: asString(json["physicalId"], "physicalId"),
    type: asString(json["type"], "type"),
    replacement: asBoolean(json["replacement"], "replacement"),
    properties: asTexts(json["properties"], "properties"),
  };
}

function decodeChangeSet(value: unknown): ChangeSet {
  const json = asObject(value, "changeSet");
  return {
    id: asString(json["id"], "id"),
    name: asString(json["name"], "name"),
    createdMs: asInteger(json["createdMs"], "createdMs"),
    changes: asArray(json["changes"], "changes").map(decodeChange),
    executable: asBoolean(json["executable"], "executable"),
    source: decodeSource(json["source"]),
  };
}

/** Reads the record of a stack. */
export function decodeStack(value: unknown, what: string): Stack {
  const json = asObject(value, what);
  const onFailure = asString(json["onFailure"], "onFailure");
  return {
    id: asString(json["id"], "id"),
    name: asString(json["name"], "name"),
    status: asString(json["status"], "status"),
    reason: optional(json["reason"], (text) => asString(text, "reason")),
    createdMs: asInteger(json["createdMs"], "createdMs"),
    updatedMs: optional(json["updatedMs"], (ms) => asInteger(ms, "updatedMs")),
    deletedMs: optional(json["deletedMs"], (ms) => asInteger(ms, "deletedMs")),
    source: decodeSource(json["source"]),
    previous: optional(json["previous"], decodeSource),
    onFailure: onFailure === "DELETE" || onFailure === "DO_NOTHING" ? onFailure : "ROLLBACK",
    resources: asArray(json["resources"], "resources").map(decodeResource),
    leftovers: asArray(json["leftovers"], "leftovers").map(decodeResource),
    outputs: asArray(json["outputs"], "outputs").map(decodeOutput),
    events: asArray(json["events"], "events").map(decodeEvent),
    changeSets: asArray(json["changeSets"], "changeSets").map(decodeChangeSet),
  };
}
