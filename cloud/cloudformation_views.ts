/** How CloudFormation writes stacks, resources and templates in XML. */
import type { Stack, StackResource } from "./cloudformation_stack.ts";
import { capabilitiesOf, type Template } from "./cloudformation_template.ts";
import { element, textElement } from "./xml.ts";

/** What a stack's summary and its description share. */
export function summary(stack: Stack): string[] {
  const time = (name: string, ms: number | undefined): string =>
    textElement(name, ms === undefined ? undefined : new Date(ms).toISOString());
  return [
    textElement("StackId", stack.id),
    textElement("StackName", stack.name),
    time("CreationTime", stack.createdMs),
    time("LastUpdatedTime", stack.updatedMs),
    time("DeletionTime", stack.deletedMs),
    textElement("StackStatus", stack.status),
    textElement("StackStatusReason", stack.reason),
    element("DriftInformation", textElement("StackDriftStatus", "NOT_CHECKED")),
  ];
}

/** The description of a stack, a member of a list. */
export function describeStack(stack: Stack): string {
  const { source } = stack;
  return element(
    "member",
    ...summary(stack),
    textElement("DisableRollback", stack.onFailure === "DO_NOTHING"),
    textElement("EnableTerminationProtection", false),
    element("NotificationARNs"),
    element("RollbackConfiguration"),
    element("Capabilities", ...source.capabilities.map((name) => textElement("member", name))),
    element(
      "Parameters",
      ...Object.entries(source.parameters).map(([key, value]) =>
        element(
          "member",
          textElement("ParameterKey", key),
          textElement("ParameterValue", value),
        )
      ),
    ),
    element(
      "Tags",
      ...Object.entries(source.tags).map(([key, value]) =>
        element("member", textElement("Key", key), textElement("Value", value))
      ),
    ),
    element(
      "Outputs",
      ...stack.outputs.map((output) =>
        element(
          "member",
          textElement("OutputKey", output.key),
          textElement("OutputValue", output.value),
          textElement("Description", output.description),
          textElement("ExportName", output.exportName),
        )
      ),
    ),
  );
}

/** The description of a resource; with its stack's name and id if the stack is given. */
export function describeResource(
  stack: Stack | undefined,
  resource: StackResource,
  timeName: string,
): string[] {
  return [
    ...(stack === undefined
      ? []
      : [textElement("StackId", stack.id), textElement("StackName", stack.name)]),
    textElement("LogicalResourceId", resource.logicalId),
    textElement("PhysicalResourceId", resource.physicalId || undefined),
    textElement("ResourceType", resource.type),
    textElement(timeName, new Date(resource.changedMs).toISOString()),
    textElement("ResourceStatus", resource.status),
    textElement("ResourceStatusReason", resource.reason),
    element("DriftInformation", textElement("StackResourceDriftStatus", "NOT_CHECKED")),
  ];
}

/** The description of a template, for ValidateTemplate, or for GetTemplateSummary with more. */
export function describeTemplate(template: Template, summarise: boolean): string[] {
  const capability = capabilitiesOf(template);
  const iam = template.resources.map(({ type }) => type)
    .filter((type) => type.startsWith("AWS::IAM::"));
  const parts = [
    textElement("Description", template.description),
    element(
      "Parameters",
      ...[...template.parameters].map(([name, parameter]) =>
        element(
          "member",
          textElement("ParameterKey", name),
          textElement("DefaultValue", parameter.default),
          summarise ? textElement("ParameterType", parameter.type) : "",
          textElement("NoEcho", parameter.noEcho),
          textElement("Description", parameter.description),
          summarise ? element("ParameterConstraints") : "",
        )
      ),
    ),
  ];
  if (capability !== undefined) {
    parts.push(
      element("Capabilities", textElement("member", capability)),
      textElement(
        "CapabilitiesReason",
        `The following resource(s) require capabilities: [${[...new Set(iam)].join(", ")}]`,
      ),
    );
  }
  if (summarise) {
    const types = new Set(template.resources.map(({ type }) => type));
    parts.push(
      element("ResourceTypes", ...[...types].map((type) => textElement("member", type))),
      textElement("Version", "2010-09-09"),
      element("DeclaredTransforms"),
    );
  }
  return parts;
}
