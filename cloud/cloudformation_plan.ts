/** What a stack is to become: its template with all that is known filled in, and how that differs. */
import { asObject, type Json } from "../job/json.ts";
import { evaluateText, evaluateValue, holds, type Scope } from "./cloudformation_functions.ts";
import type { ResourceType } from "./cloudformation_resources.ts";
import type {
  ResourceChange,
  Stack,
  StackOutput,
  StackResource,
  StackSource,
} from "./cloudformation_stack.ts";
import {
  parseTemplate,
  resolveParameters,
  type Template,
  type TemplateResource,
  validationError,
} from "./cloudformation_template.ts";

/** A stack's template with its parameters and the resources that its conditions let exist. */
export interface Plan {
  /** The template. */
  readonly template: Template;
  /** Resources to have, each after those that it depends on. */
  readonly resources: readonly TemplateResource[];
  /** The resource's properties, by what the stack's resources are now. */
  propertiesOf(resource: TemplateResource): Json;
  /** The outputs, by what the stack's resources are now. */
  outputs(): StackOutput[];
}

/** Where a stack is, for the pseudo parameters. */
export interface StackPlace {
  /** The account, 12 digits. */
  readonly accountId: string;
  /** The region. */
  readonly region: string;
}

/**
 * Makes the plan of a stack from a source.
 *
 * @param unknown what stands for a value that only a resource to be made will have; undefined if
 * there may be none
 * @throws {ServiceError} `ValidationError`
 */
export function createPlan(
  stack: Pick<Stack, "id" | "name" | "resources">,
  source: StackSource,
  types: ReadonlyMap<string, ResourceType>,
  place: StackPlace,
  unknown?: string,
): Plan {
  const template = parseTemplate(source.template, new Set(types.keys()));
  const parameters = resolveParameters(template, source.parameters);
  const pseudo: Readonly<Record<string, string>> = {
    "AWS::AccountId": place.accountId,
    "AWS::Partition": "aws",
    "AWS::Region": place.region,
    "AWS::StackId": stack.id,
    "AWS::StackName": stack.name,
    "AWS::URLSuffix": "amazonaws.com",
  };
  const names = new Set(template.resources.map(({ logicalId }) => logicalId));
  const found = (logicalId: string): StackResource | undefined =>
    stack.resources.find((resource) => resource.logicalId === logicalId);
  const scope: Scope = {
    mappings: template.mappings,
    conditions: template.conditions,
    ref(name) {
      const parameter = parameters[name];
      if (parameter !== undefined) {
        const list = template.parameters.get(name)?.type === "CommaDelimitedList";
        return list ? parameter.split(",").map((item) => item.trim()) : parameter;
      }
      return pseudo[name] ?? found(name)?.physicalId ?? (names.has(name) ? unknown : undefined);
    },
    getAtt(logicalId, attribute) {
      const resource = found(logicalId);
      return resource === undefined
        ? names.has(logicalId) ? unknown : undefined
        : resource.attributes[attribute];
    },
  };
  return {
    template,
    resources: template.resources
      .filter(({ condition }) => condition === undefined || holds(condition, scope)),
    propertiesOf: ({ properties }) => asObject(evaluateValue(properties, scope), "Properties"),
    outputs() {
      const outputs: StackOutput[] = [];
      for (const [key, output] of template.outputs) {
        const condition = output["Condition"];
        if (typeof condition === "string" && !holds(condition, scope)) continue;
        const { Description: description, Export: exported } = output;
        outputs.push({
          key,
          value: evaluateText(output["Value"], scope, `output ${key}`),
          ...(typeof description === "string" && { description }),
          ...(exported !== undefined && {
            exportName: evaluateText(asObject(exported, "Export")["Name"], scope, "Export Name"),
          }),
        });
      }
      return outputs;
    },
  };
}

/** What the plan would do to the stack's resources. */
export function changesOf(
  stack: Stack,
  plan: Plan,
  types: ReadonlyMap<string, ResourceType>,
): ResourceChange[] {
  const changes: ResourceChange[] = [];
  for (const wanted of plan.resources) {
    const { logicalId, type } = wanted;
    const present = stack.resources.find((resource) => resource.logicalId === logicalId);
    if (present === undefined) {
      changes.push({
        action: "Add",
        logicalId,
        physicalId: "",
        type,
        replacement: false,
        properties: [],
      });
      continue;
    }
    if (present.type !== type) {
      throw validationError(
        `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${logicalId}]`,
      );
    }
    const properties = differing(present.properties, plan.propertiesOf(wanted));
    if (properties.length === 0) continue;
    const immutable = types.get(type)?.immutable ?? [];
    changes.push({
      action: "Modify",
      logicalId,
      physicalId: present.physicalId,
      type,
      replacement: properties.some((name) => immutable.includes(name)),
      properties,
    });
  }
  for (const { logicalId, physicalId, type } of stack.resources) {
    if (plan.resources.some((wanted) => wanted.logicalId === logicalId)) continue;
    changes.push({
      action: "Remove",
      logicalId,
      physicalId,
      type,
      replacement: false,
      properties: [],
    });
  }
  return changes;
}

/** Whether the plan would change what the stack tells or is called, resources aside. */
export function outputsDiffer(stack: Stack, plan: Plan): boolean {
  return !same(plan.outputs(), stack.outputs);
}

/** Names of the members in which two property maps differ. */
export function differing(one: Json, other: Json): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((name) => !same(one[name], other[name])).sort();
}

/** Whether two JSON values are the same, whatever the order of their members. */
export function same(one: unknown, other: unknown): boolean {
  return sorted(one) === sorted(other);
}

function sorted(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => {
    if (typeof member !== "object" || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(
      Object.entries(asObject(member, "value")).sort(([a], [b]) => a < b ? -1 : 1),
    );
  }) ?? "";
}
