/** The embedded CloudFormation: its calls; engine and template have files of their own. */
import { createEngine, type Engine } from "./cloudformation_engine.ts";
import { createChangeSetCalls } from "./cloudformation_change_sets.ts";
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
import { createResourceTypes } from "./cloudformation_resources.ts";
import { decodeStack, type Stack } from "./cloudformation_stack.ts";
import { parseTemplate, validationError } from "./cloudformation_template.ts";
import {
  describeResource,
  describeStack,
  describeTemplate,
  summary,
} from "./cloudformation_views.ts";
import type { Repository } from "./ecr_repositories.ts";
import type { Roles } from "./iam_roles.ts";
import type { Authorizer } from "./policy.ts";
import { invalidAction, queryList, queryParameters, queryResponse } from "./query_xml.ts";
import type { S3 } from "./s3.ts";
import type { CloudSettings, Service } from "./service.ts";
import { openTable, type Table } from "./state.ts";
import { element, textElement } from "./xml.ts";

const NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/** The embedded CloudFormation. */
export interface Cloudformation {
  /** Namespace of its XML. */
  readonly namespace: string;
  /** Answers verified requests. */
  readonly service: Service;
  /** Waits for operations to end. */
  close(): Promise<void>;
}

/** What stacks are made of. */
export interface CloudformationServices {
  /** Buckets. */
  readonly s3: S3;
  /** Roles. */
  readonly roles: Roles;
  /** Image repositories. */
  readonly repositories: Table<Repository>;
  /** Who may do what. */
  readonly authorizer: Authorizer;
}

/** Opens the embedded CloudFormation; an operation that a kill cut short goes on. */
export async function openCloudformation(
  settings: CloudSettings,
  { s3, roles, repositories, authorizer }: CloudformationServices,
): Promise<Cloudformation> {
  const types = createResourceTypes({ settings, s3, roles, repositories });
  const stacks = await openTable(`${settings.directory}/cloudformation`, decodeStack);
  const engine: Engine = createEngine(settings, stacks, types);
  const book: StackBook = { settings, stacks, engine, types, readObject: s3.readObject };
  for (const stack of stacks.records.values()) engine.start(stack);

  const calls: Calls = {
    ...createStackCalls(book),
    ...createChangeSetCalls(book),
  };
  return {
    namespace: NAMESPACE,
    close: () => engine.idle(),
    async service(request) {
      const parameters = queryParameters(request);
      const action = parameters.get("Action");
      const call = action === null || !Object.hasOwn(calls, action) ? undefined : calls[action];
      if (action === null || call === undefined) {
        throw invalidAction(action, parameters.get("Version"));
      }
      authorizer.check(request.principal, {
        action: `cloudformation:${action}`,
        resource: `arn:aws:cloudformation:${settings.region}:${settings.accountId}:stack/${
          parameters.get("StackName") ?? ""
        }/*`,
      });
      const result = await call(parameters);
      return queryResponse(action, NAMESPACE, request.requestId, ...result);
    },
  };
}

function createStackCalls(book: StackBook): Calls {
  const { settings, stacks, engine, types } = book;

  return {
    async CreateStack(parameters) {
      const name = stackName(parameters);
      const source = await readSource(book, parameters, undefined);
      const onFailure = parameters.get("OnFailure") ?? "ROLLBACK";
      const disabled = parameters.get("DisableRollback") === "true";
      const old = findStack(stacks.records, name);
      if (old !== undefined) {
        throw badRequest("AlreadyExistsException", `Stack [${name}] already exists`);
      }
      const stack = newStack(settings, name, source, "CREATE_IN_PROGRESS");
      const plan = createPlan(stack, source, types, settings, "unknown");
      checkCapabilities(plan.template, source.capabilities);
      stack.onFailure = disabled || onFailure === "DO_NOTHING"
        ? "DO_NOTHING"
        : onFailure === "DELETE"
        ? "DELETE"
        : "ROLLBACK";
      await engine.setStatus(stack, "CREATE_IN_PROGRESS", "User Initiated");
      engine.start(stack);
      return [textElement("StackId", stack.id)];
    },

    async UpdateStack(parameters) {
      const stack = existing(book, stackName(parameters));
      const source = await readSource(book, parameters, stack);
      const plan = createPlan(stack, source, types, settings, "unknown");
      checkCapabilities(plan.template, source.capabilities);
      checkUpdatable(stack);
      const changes = changesOf(stack, plan, types);
      if (
        changes.length === 0 && !outputsDiffer(stack, plan) && same(source.tags, stack.source.tags)
      ) {
        throw validationError("No updates are to be performed.");
      }
      stack.previous = stack.source;
      stack.source = source;
      stack.updatedMs = settings.now();
      await engine.setStatus(stack, "UPDATE_IN_PROGRESS", "User Initiated");
      engine.start(stack);
      return [textElement("StackId", stack.id)];
    },

    async DeleteStack(parameters) {
      const stack = findStack(stacks.records, stackName(parameters));
      // As on AWS, to delete what is not there succeeds.
      if (stack === undefined || stack.status === "DELETE_COMPLETE") return [];
      if (stack.status.endsWith("_IN_PROGRESS") && stack.status !== "REVIEW_IN_PROGRESS") {
        if (stack.status === "DELETE_IN_PROGRESS") return [];
        throw validationError(
          `Stack [${stack.name}] cannot be deleted while in status ${stack.status}`,
        );
      }
      const retained = queryList(parameters, "RetainResources").map((item) => item.get(""));
      for (const resource of stack.resources) {
        if (retained.includes(resource.logicalId)) resource.retain = true;
      }
      await engine.setStatus(stack, "DELETE_IN_PROGRESS", "User Initiated");
      engine.start(stack);
      return [];
    },

    DescribeStacks(parameters) {
      const name = parameters.get("StackName");
      const found = name === null
        ? [...stacks.records.values()].filter(({ status }) => status !== "DELETE_COMPLETE")
        : [existing(book, name)];
      return Promise.resolve([element("Stacks", ...found.map(describeStack))]);
    },

    ListStacks(parameters) {
      const wanted = queryList(parameters, "StackStatusFilter").map((item) => item.get(""));
      const found = [...stacks.records.values()]
        .filter(({ status }) => wanted.length === 0 || wanted.includes(status))
        .sort((a, b) => b.createdMs - a.createdMs);
      return Promise.resolve([
        element("StackSummaries", ...found.map((stack) => element("member", ...summary(stack)))),
      ]);
    },

    DescribeStackEvents(parameters) {
      const stack = existing(book, stackName(parameters));
      return Promise.resolve([
        element(
          "StackEvents",
          ...stack.events.toReversed().map((event) =>
            element(
              "member",
              textElement("EventId", event.id),
              textElement("StackId", stack.id),
              textElement("StackName", stack.name),
              textElement("LogicalResourceId", event.logicalId),
              textElement("PhysicalResourceId", event.physicalId),
              textElement("ResourceType", event.type),
              textElement("Timestamp", new Date(event.atMs).toISOString()),
              textElement("ResourceStatus", event.status),
              textElement("ResourceStatusReason", event.reason),
            )
          ),
        ),
      ]);
    },

    DescribeStackResources(parameters) {
      const stack = existing(book, stackName(parameters));
      const one = parameters.get("LogicalResourceId");
      const found = stack.resources.filter(({ logicalId }) => one === null || one === logicalId);
      return Promise.resolve([
        element(
          "StackResources",
          ...found.map((resource) =>
            element("member", ...describeResource(stack, resource, "Timestamp"))
          ),
        ),
      ]);
    },

    DescribeStackResource(parameters) {
      const stack = existing(book, stackName(parameters));
      const logicalId = parameters.get("LogicalResourceId");
      const resource = stack.resources.find((known) => known.logicalId === logicalId);
      if (resource === undefined) {
        throw validationError(`Resource ${logicalId} does not exist for stack ${stack.name}`);
      }
      return Promise.resolve([
        element(
          "StackResourceDetail",
          ...describeResource(stack, resource, "LastUpdatedTimestamp"),
        ),
      ]);
    },

    ListStackResources(parameters) {
      const stack = existing(book, stackName(parameters));
      return Promise.resolve([
        element(
          "StackResourceSummaries",
          ...stack.resources.map((resource) =>
            element("member", ...describeResource(undefined, resource, "LastUpdatedTimestamp"))
          ),
        ),
      ]);
    },

    GetTemplate(parameters) {
      const stack = existing(book, stackName(parameters));
      return Promise.resolve([
        textElement("TemplateBody", stack.source.template),
        element("StagesAvailable", textElement("member", "Original")),
      ]);
    },

    async GetTemplateSummary(parameters) {
      const name = parameters.get("StackName");
      const source = name === null
        ? await readSource(book, parameters, undefined)
        : existing(book, name).source;
      return describeTemplate(parseTemplate(source.template, new Set(types.keys())), true);
    },

    async ValidateTemplate(parameters) {
      const { template } = await readSource(book, parameters, undefined);
      return describeTemplate(parseTemplate(template, new Set(types.keys())), false);
    },
  };
}

function existing(book: StackBook, name: string): Stack {
  const stack = findStack(book.stacks.records, name);
  if (stack !== undefined) return stack;
  throw validationError(`Stack with id ${name} does not exist`);
}

/** Refuses the update of a stack whose status forbids it. */
function checkUpdatable(stack: Stack): void {
  const good = [
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
  ];
  if (good.includes(stack.status)) return;
  throw validationError(
    `Stack:${stack.id} is in ${stack.status} state and can not be updated.`,
  );
}
