/** The calls on change sets, as far as `aws cloudformation deploy` and a dry run need them. */
import {
  badRequest,
  type Calls,
  checkCapabilities,
  findStack,
  newStack,
  readSource,
  type StackBook,
  stackName,
} from "./cloudformation_calls.ts";
import { changesOf, createPlan, outputsDiffer, same } from "./cloudformation_plan.ts";
import type { ChangeSet, ResourceChange, Stack } from "./cloudformation_stack.ts";
import { validationError } from "./cloudformation_template.ts";
import type { ServiceError } from "./service.ts";
import { element, textElement } from "./xml.ts";

/** What a change set says that would change nothing; clients look for this text. */
const NO_CHANGES =
  "The submitted information didn't contain changes. Submit different information to create a change set.";
/** What stands for a value that is not known before the resource is made. */
const KNOWN_LATER = "{{changeSet:KNOWN_AFTER_APPLY}}";

/** Makes the calls on change sets. */
export function createChangeSetCalls(book: StackBook): Calls {
  const { settings, stacks, engine, types } = book;

  function find(parameters: URLSearchParams): { stack: Stack; changeSet: ChangeSet } {
    const name = parameters.get("ChangeSetName") ?? "";
    const within = parameters.get("StackName");
    const candidates = within === null
      ? [...stacks.records.values()]
      : [findStack(stacks.records, within)];
    for (const stack of candidates) {
      const changeSet = stack?.changeSets.find((known) => known.id === name || known.name === name);
      if (stack !== undefined && changeSet !== undefined) return { stack, changeSet };
    }
    throw notFound(name);
  }

  return {
    async CreateChangeSet(parameters) {
      const name = stackName(parameters);
      const changeSetName = parameters.get("ChangeSetName") ?? "";
      const type = parameters.get("ChangeSetType") ?? "UPDATE";
      let stack = findStack(stacks.records, name);
      const fresh = stack === undefined || stack.status === "REVIEW_IN_PROGRESS";
      if (type === "CREATE" && !fresh) {
        throw validationError(
          `Stack [${name}] already exists and cannot be created again with the changeSet [${changeSetName}].`,
        );
      }
      if (type === "UPDATE" && fresh) throw validationError(`Stack [${name}] does not exist`);
      if (stack?.changeSets.some((known) => known.name === changeSetName)) {
        throw badRequest(
          "AlreadyExistsException",
          `ChangeSet ${changeSetName} cannot be created due to a mismatch with existing attribute`,
        );
      }
      const source = await readSource(book, parameters, stack);
      stack ??= newStack(settings, name, source, "REVIEW_IN_PROGRESS");
      const plan = createPlan(stack, source, types, settings, KNOWN_LATER);
      checkCapabilities(plan.template, source.capabilities);
      const changes = changesOf(stack, plan, types);
      const { region, accountId } = settings;
      const changeSet: ChangeSet = {
        id:
          `arn:aws:cloudformation:${region}:${accountId}:changeSet/${changeSetName}/${crypto.randomUUID()}`,
        name: changeSetName,
        createdMs: settings.now(),
        changes,
        executable: changes.length > 0 || outputsDiffer(stack, plan) ||
          !same(source.tags, stack.source.tags),
        source,
      };
      stack.changeSets.push(changeSet);
      if (stack.events.length === 0) {
        await engine.setStatus(stack, "REVIEW_IN_PROGRESS", "User Initiated");
      } else await stacks.put(stack.id, stack);
      return [textElement("Id", changeSet.id), textElement("StackId", stack.id)];
    },

    DescribeChangeSet(parameters) {
      const { stack, changeSet } = find(parameters);
      const { source, executable } = changeSet;
      return Promise.resolve([
        ...summary(stack, changeSet),
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
        element("Changes", ...executable ? changeSet.changes.map(describeChange) : []),
      ]);
    },

    ListChangeSets(parameters) {
      const name = stackName(parameters);
      const stack = findStack(stacks.records, name);
      if (stack === undefined) throw validationError(`Stack [${name}] does not exist`);
      const members = stack.changeSets
        .map((changeSet) => element("member", ...summary(stack, changeSet)));
      return Promise.resolve([element("Summaries", ...members)]);
    },

    async ExecuteChangeSet(parameters) {
      const { stack, changeSet } = find(parameters);
      const good = /^(REVIEW_IN_PROGRESS|(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE)$/;
      if (!changeSet.executable || !good.test(stack.status)) {
        throw badRequest(
          "InvalidChangeSetStatus",
          `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${
            changeSet.executable ? stack.status : "FAILED"
          }]`,
        );
      }
      const creates = stack.status === "REVIEW_IN_PROGRESS";
      if (!creates) stack.previous = stack.source;
      stack.source = changeSet.source;
      stack.updatedMs = settings.now();
      // The others were made against what the stack is no longer.
      stack.changeSets = [];
      await engine.setStatus(
        stack,
        creates ? "CREATE_IN_PROGRESS" : "UPDATE_IN_PROGRESS",
        "User Initiated",
      );
      engine.start(stack);
      return [];
    },

    async DeleteChangeSet(parameters) {
      const { stack, changeSet } = find(parameters);
      stack.changeSets = stack.changeSets.filter((known) => known !== changeSet);
      await stacks.put(stack.id, stack);
      return [];
    },
  };
}

function notFound(name: string): ServiceError {
  return badRequest("ChangeSetNotFound", `ChangeSet [${name}] does not exist`);
}

function summary(stack: Stack, changeSet: ChangeSet): string[] {
  const { executable } = changeSet;
  return [
    textElement("ChangeSetId", changeSet.id),
    textElement("ChangeSetName", changeSet.name),
    textElement("StackId", stack.id),
    textElement("StackName", stack.name),
    textElement("CreationTime", new Date(changeSet.createdMs).toISOString()),
    textElement("Status", executable ? "CREATE_COMPLETE" : "FAILED"),
    textElement("StatusReason", executable ? undefined : NO_CHANGES),
    textElement("ExecutionStatus", executable ? "AVAILABLE" : "UNAVAILABLE"),
    textElement("IncludeNestedStacks", false),
  ];
}

function describeChange(change: ResourceChange): string {
  const details = change.properties.map((name) =>
    element(
      "member",
      element(
        "Target",
        textElement("Attribute", "Properties"),
        textElement("Name", name),
        textElement("RequiresRecreation", change.replacement ? "Conditionally" : "Never"),
      ),
      textElement("Evaluation", "Static"),
      textElement("ChangeSource", "DirectModification"),
    )
  );
  return element(
    "member",
    textElement("Type", "Resource"),
    element(
      "ResourceChange",
      textElement("Action", change.action),
      textElement("LogicalResourceId", change.logicalId),
      textElement("PhysicalResourceId", change.physicalId || undefined),
      textElement("ResourceType", change.type),
      change.action === "Modify"
        ? textElement("Replacement", change.replacement ? "True" : "False")
        : "",
      element("Scope", ...change.action === "Modify" ? [textElement("member", "Properties")] : []),
      element("Details", ...details),
    ),
  );
}
