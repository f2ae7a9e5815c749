/**
 * CloudFormation templates in JSON: their parts, and the order of their resources. Source: AWS
 * CloudFormation User Guide, "Template anatomy".
 */
import { asArray, asObject, asString, type Json } from "../job/json.ts";
import { ServiceError } from "./service.ts";

/** One parameter of a template. */
export interface TemplateParameter {
  /** Type: String, Number, CommaDelimitedList. */
  readonly type: string;
  /** Value when none is given. */
  readonly default: string | undefined;
  /** What it is for. */
  readonly description: string | undefined;
  /** Whether it must not be shown. */
  readonly noEcho: boolean;
  /** The values that it may have; undefined for any. */
  readonly allowedValues: readonly string[] | undefined;
  /** The pattern that the whole value must match. */
  readonly allowedPattern: string | undefined;
}

/** One resource of a template. */
export interface TemplateResource {
  /** Name in the template. */
  readonly logicalId: string;
  /** Type, such as `AWS::S3::Bucket`. */
  readonly type: string;
  /** Properties with functions in them. */
  readonly properties: Json;
  /** Name of the condition under which it exists. */
  readonly condition: string | undefined;
  /** Whether it outlives its stack. */
  readonly retain: boolean;
  /** Names of the resources that must be there before it. */
  readonly dependsOn: readonly string[];
}

/** A template, taken apart. */
export interface Template {
  /** What the template is for. */
  readonly description: string | undefined;
  /** Parameters by name. */
  readonly parameters: ReadonlyMap<string, TemplateParameter>;
  /** Resources, each after those that it depends on. */
  readonly resources: readonly TemplateResource[];
  /** Conditions by name, not evaluated. */
  readonly conditions: Json;
  /** Mappings. */
  readonly mappings: Json;
  /** Outputs by name, not evaluated. */
  readonly outputs: ReadonlyMap<string, Json>;
}

/** The error for a template or a call that cannot be. */
export function validationError(message: string, cause?: unknown): ServiceError {
  return new ServiceError(400, "ValidationError", message, { cause });
}

const SECTIONS: ReadonlySet<string> = new Set([
  "AWSTemplateFormatVersion",
  "Conditions",
  "Description",
  "Mappings",
  "Metadata",
  "Outputs",
  "Parameters",
  "Resources",
]);

/**
 * Takes a template apart and checks what can be checked before anything is made.
 *
 * @throws {ServiceError} `ValidationError`
 */
export function parseTemplate(body: string, knownTypes: ReadonlySet<string>): Template {
  let root: Json;
  try {
    root = asObject(JSON.parse(body), "template");
  } catch (cause) {
    const yaml = !body.trimStart().startsWith("{");
    throw validationError(
      yaml
        ? "Template format error: only JSON templates are supported here, not YAML"
        : "Template format error: JSON not well-formed.",
      cause,
    );
  }
  const strange = Object.keys(root).filter((name) => !SECTIONS.has(name));
  if (strange.length > 0) {
    throw validationError(`Invalid template property or properties [${strange.join(", ")}]`);
  }
  const parameters = new Map<string, TemplateParameter>();
  for (const [name, value] of entriesOf(root, "Parameters")) {
    parameters.set(name, parseParameter(name, value));
  }
  const resources = entriesOf(root, "Resources").map(([name, value]) => parseResource(name, value));
  if (resources.length === 0) {
    throw validationError(
      "Template format error: At least one Resources member must be defined.",
    );
  }
  const unknown = new Set(
    resources.map(({ type }) => type).filter((type) => !knownTypes.has(type)),
  );
  if (unknown.size > 0) {
    throw validationError(
      `Template format error: Unrecognized resource types: [${[...unknown].join(", ")}]`,
    );
  }
  const outputs = new Map(
    entriesOf(root, "Outputs").map(([name, value]) => {
      if (value["Value"] === undefined) {
        throw validationError(
          `Template format error: Every Outputs member must contain a Value object`,
        );
      }
      return [name, value];
    }),
  );
  const names = new Set(resources.map(({ logicalId }) => logicalId));
  for (const [where, value] of [["Outputs", Object.fromEntries(outputs)]] as const) {
    const missing = [...referencesOf(value)]
      .filter((name) => !names.has(name) && !parameters.has(name) && !name.startsWith("AWS::"));
    if (missing.length > 0) throw unresolved(missing, where);
  }
  return {
    description: typeof root["Description"] === "string" ? root["Description"] : undefined,
    parameters,
    resources: inOrder(resources, parameters),
    conditions: asObject(root["Conditions"] ?? {}, "Conditions"),
    mappings: asObject(root["Mappings"] ?? {}, "Mappings"),
    outputs,
  };
}

function unresolved(names: readonly string[], section: string): ServiceError {
  return validationError(
    `Template format error: Unresolved resource dependencies [${
      names.join(", ")
    }] in the ${section} block of the template`,
  );
}

function entriesOf(root: Json, section: string): [string, Json][] {
  return Object.entries(asObject(root[section] ?? {}, `Template section ${section}`))
    .map(([name, value]) => [name, asObject(value, `${section}.${name}`)]);
}

function parseParameter(name: string, json: Json): TemplateParameter {
  const text = (key: string): string | undefined => {
    const value = json[key];
    return value === undefined ? undefined : String(value);
  };
  const allowed = json["AllowedValues"];
  return {
    type: asString(json["Type"], `Parameters.${name}.Type`),
    default: text("Default"),
    description: text("Description"),
    noEcho: text("NoEcho") === "true",
    allowedValues: Array.isArray(allowed) ? allowed.map(String) : undefined,
    allowedPattern: text("AllowedPattern"),
  };
}

const ATTRIBUTES: ReadonlySet<string> = new Set([
  "Condition",
  "DeletionPolicy",
  "DependsOn",
  "Metadata",
  "Properties",
  "Type",
  "UpdateReplacePolicy",
]);

function parseResource(logicalId: string, json: Json): TemplateResource {
  if (!/^[A-Za-z0-9]+$/.test(logicalId)) {
    throw validationError(
      `Template format error: Resource name ${logicalId} is non alphanumeric.`,
    );
  }
  for (const name of Object.keys(json)) {
    if (ATTRIBUTES.has(name)) continue;
    throw validationError(
      `Invalid template resource property '${name}'`,
    );
  }
  const dependsOn = json["DependsOn"];
  const condition = json["Condition"];
  const type = json["Type"];
  if (typeof type !== "string") {
    throw validationError(
      `Template format error: [/Resources/${logicalId}] Every Resources object must contain a Type member.`,
    );
  }
  const policy = json["DeletionPolicy"] ?? "Delete";
  return {
    logicalId,
    type,
    properties: asObject(json["Properties"] ?? {}, `Resources.${logicalId}.Properties`),
    condition: condition === undefined ? undefined : asString(condition, "Condition"),
    retain: policy === "Retain",
    dependsOn: dependsOn === undefined
      ? []
      : Array.isArray(dependsOn)
      ? dependsOn.map((name) => asString(name, "DependsOn"))
      : [asString(dependsOn, "DependsOn")],
  };
}

/** The names that Ref, Fn::GetAtt and Fn::Sub anywhere in a value refer to. */
export function referencesOf(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (Array.isArray(value)) {
    for (const item of asArray(value, "template")) referencesOf(item, found);
    return found;
  }
  if (typeof value !== "object" || value === null) return found;
  for (const [name, argument] of Object.entries(asObject(value, "template"))) {
    const first = Array.isArray(argument) ? asArray(argument, name)[0] : argument;
    if (name === "Ref" && typeof argument === "string") found.add(argument);
    if (name === "Fn::GetAtt") found.add(asString(first, name).split(".")[0] ?? "");
    if (name === "Fn::Sub") {
      const own = Array.isArray(argument) ? asObject(asArray(argument, name)[1] ?? {}, name) : {};
      for (const [, word = ""] of asString(first, name).matchAll(/\$\{([^!}][^}]*)\}/g)) {
        if (!Object.hasOwn(own, word)) found.add(word.split(".")[0] ?? "");
      }
    }
    referencesOf(argument, found);
  }
  return found;
}

function inOrder(
  resources: readonly TemplateResource[],
  parameters: ReadonlyMap<string, unknown>,
): TemplateResource[] {
  const byName = new Map(resources.map((resource) => [resource.logicalId, resource]));
  const missing = new Set<string>();
  const waiting = new Map<string, Set<string>>();
  for (const { logicalId, properties, dependsOn } of resources) {
    const needs = new Set<string>();
    for (const name of [...referencesOf(properties), ...dependsOn]) {
      if (byName.has(name)) needs.add(name);
      else if (!parameters.has(name) && !name.startsWith("AWS::")) missing.add(name);
    }
    waiting.set(logicalId, needs);
  }
  if (missing.size > 0) throw unresolved([...missing], "Resources");
  const ordered: TemplateResource[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].find(([, needs]) => needs.size === 0)?.[0];
    const resource = ready === undefined ? undefined : byName.get(ready);
    if (ready === undefined || resource === undefined) {
      throw validationError(
        `Circular dependency between resources: [${[...waiting.keys()].join(", ")}]`,
      );
    }
    waiting.delete(ready);
    for (const needs of waiting.values()) needs.delete(ready);
    ordered.push(resource);
  }
  return ordered;
}

/** The capabilities that a template needs: roles with names of their own need the greater one. */
export function capabilitiesOf(
  template: Template,
): "CAPABILITY_IAM" | "CAPABILITY_NAMED_IAM" | undefined {
  const iam = template.resources.filter(({ type }) => type.startsWith("AWS::IAM::"));
  if (iam.length === 0) return undefined;
  return iam.some(({ properties }) => properties["RoleName"] !== undefined)
    ? "CAPABILITY_NAMED_IAM"
    : "CAPABILITY_IAM";
}

/**
 * The value of each parameter: the one given, or the default.
 *
 * @throws {ServiceError} `ValidationError`
 */
export function resolveParameters(
  template: Template,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const strange = Object.keys(given).filter((name) => !template.parameters.has(name));
  if (strange.length > 0) {
    throw validationError(`Parameters: [${strange.join(", ")}] do not exist in the template`);
  }
  const values: Record<string, string> = {};
  const missing: string[] = [];
  for (const [name, parameter] of template.parameters) {
    const value = given[name] ?? parameter.default;
    if (value === undefined) {
      missing.push(name);
      continue;
    }
    if (parameter.allowedValues && !parameter.allowedValues.includes(value)) {
      throw validationError(
        `Parameter '${name}' must be one of AllowedValues`,
      );
    }
    const { allowedPattern } = parameter;
    if (allowedPattern !== undefined && !new RegExp(`^(?:${allowedPattern})$`).test(value)) {
      throw validationError(`Parameter '${name}' must match pattern ${allowedPattern}`);
    }
    if (parameter.type === "Number" && !/^-?\d+(?:\.\d+)?$/.test(value)) {
      throw validationError(`Parameter '${name}' must be a number`);
    }
    values[name] = value;
  }
  if (missing.length > 0) {
    throw validationError(`Parameters: [${missing.join(", ")}] must have values`);
  }
  return values;
}
