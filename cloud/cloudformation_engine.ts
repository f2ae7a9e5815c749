/**
 * Makes, changes and removes what stacks are made of, one step after the other. Each step is on disk
 * before the next one begins, with the resource's name chosen before it is made: so what a kill cut
 * short is taken up again where it was.
 */
import { messageOf } from "../job/errors.ts";
import type { Json } from "../job/json.ts";
import { createPlan, differing, type Plan } from "./cloudformation_plan.ts";
import { randomLetters, type ResourceType } from "./cloudformation_resources.ts";
import type { Stack, StackResource } from "./cloudformation_stack.ts";
import type { TemplateResource } from "./cloudformation_template.ts";
import { type CloudSettings, ServiceError } from "./service.ts";
import type { Table } from "./state.ts";

/** Runs the operations of stacks in the background. */
export interface Engine {
  /** Begins what the stack's status says is in progress. */
  start(stack: Stack): void;
  /** Notes a new status of the stack, with an event, and makes it durable. */
  setStatus(stack: Stack, status: string, reason?: string): Promise<void>;
  /** Waits for all operations to end. */
  idle(): Promise<void>;
}

class StepFailed extends Error {
  override readonly name = "StepFailed";
}

/** Makes the engine over the stacks of a table. */
export function createEngine(
  settings: CloudSettings,
  stacks: Table<Stack>,
  types: ReadonlyMap<string, ResourceType>,
): Engine {
  const running = new Map<string, Promise<void>>();

  function save(stack: Stack): Promise<void> {
    return stacks.put(stack.id, stack);
  }

  async function setStatus(stack: Stack, status: string, reason?: string): Promise<void> {
    stack.status = status;
    stack.reason = reason;
    stack.events.push({
      id: crypto.randomUUID(),
      atMs: settings.now(),
      logicalId: stack.name,
      physicalId: stack.id,
      type: "AWS::CloudFormation::Stack",
      status,
      ...(reason !== undefined && { reason }),
    });
    await save(stack);
  }

  async function mark(
    stack: Stack,
    resource: StackResource,
    status: string,
    reason?: string,
  ): Promise<void> {
    resource.status = status;
    resource.reason = reason;
    resource.changedMs = settings.now();
    stack.events.push({
      id: `${resource.logicalId}-${status}-${crypto.randomUUID()}`,
      atMs: resource.changedMs,
      logicalId: resource.logicalId,
      physicalId: resource.physicalId,
      type: resource.type,
      status,
      ...(reason !== undefined && { reason }),
    });
    await save(stack);
  }

  function typeOf(name: string): ResourceType {
    const type = types.get(name);
    if (type === undefined) throw new TypeError(`No resource type '${name}'`);
    return type;
  }

  function madeUpName(stack: Stack, logicalId: string, type: string): string {
    const random = randomLetters(12);
    const name = `${stack.name}-${logicalId}-${random}`;
    if (type === "AWS::IAM::Role") {
      return `${stack.name.slice(0, 24)}-${logicalId.slice(0, 24)}-${random}`;
    }
    const short = `${stack.name.slice(0, 24)}-${logicalId.slice(0, 24)}-${random}`;
    return (name.length > 63 ? short : name).toLowerCase();
  }

  /** Makes a resource, or takes up the making of one. */
  async function create(stack: Stack, wanted: TemplateResource, properties: Json): Promise<void> {
    const { logicalId, retain } = wanted;
    const type = typeOf(wanted.type);
    let resource = stack.resources.find((known) => known.logicalId === logicalId);
    if (resource === undefined) {
      resource = {
        logicalId,
        type: wanted.type,
        physicalId: "",
        status: "",
        reason: undefined,
        changedMs: 0,
        properties,
        attributes: {},
        retain,
      };
      stack.resources.push(resource);
      await mark(stack, resource, "CREATE_IN_PROGRESS");
    }
    try {
      if (resource.physicalId === "") {
        const strange = Object.keys(properties).find((name) => !type.properties.includes(name));
        if (strange !== undefined) {
          throw new Error(`The property '${strange}' of ${wanted.type} is not supported here`);
        }
        const name = type.nameOf(properties) ?? madeUpName(stack, logicalId, wanted.type);
        const taken = type.taken(name);
        if (taken !== undefined) throw new Error(taken);
        resource.physicalId = name;
        await mark(stack, resource, "CREATE_IN_PROGRESS", "Resource creation Initiated");
      }
      resource.attributes = await type.put(resource.physicalId, properties);
    } catch (error) {
      await mark(stack, resource, "CREATE_FAILED", reasonOf(error, wanted.type));
      throw new StepFailed(logicalId, { cause: error });
    }
    await mark(stack, resource, "CREATE_COMPLETE");
  }

  /** Brings a resource to new properties, in place if it can. */
  async function update(
    stack: Stack,
    resource: StackResource,
    wanted: TemplateResource,
    properties: Json,
  ): Promise<void> {
    const type = typeOf(wanted.type);
    const changed = differing(resource.properties, properties);
    resource.retain = wanted.retain;
    if (changed.length === 0) return;
    if (changed.some((name) => type.immutable.includes(name))) {
      // The old one goes when the whole update has succeeded.
      stack.resources = stack.resources.filter((known) => known !== resource);
      stack.leftovers.push(resource);
      await create(stack, wanted, properties);
      return;
    }
    await mark(stack, resource, "UPDATE_IN_PROGRESS");
    try {
      const strange = Object.keys(properties).find((name) => !type.properties.includes(name));
      if (strange !== undefined) {
        throw new Error(`The property '${strange}' of ${wanted.type} is not supported here`);
      }
      resource.attributes = await type.put(resource.physicalId, properties);
    } catch (error) {
      await mark(stack, resource, "UPDATE_FAILED", reasonOf(error, wanted.type));
      throw new StepFailed(resource.logicalId, { cause: error });
    }
    resource.properties = properties;
    await mark(stack, resource, "UPDATE_COMPLETE");
  }

  async function remove(stack: Stack, resource: StackResource): Promise<boolean> {
    if (resource.status === "DELETE_COMPLETE") return true;
    if (resource.retain && resource.status !== "CREATE_FAILED") {
      await mark(stack, resource, "DELETE_SKIPPED");
      return true;
    }
    await mark(stack, resource, "DELETE_IN_PROGRESS");
    try {
      if (resource.physicalId !== "") {
        await typeOf(resource.type).remove(resource.physicalId, resource.properties);
      }
    } catch (error) {
      await mark(stack, resource, "DELETE_FAILED", reasonOf(error, resource.type));
      return false;
    }
    await mark(stack, resource, "DELETE_COMPLETE");
    return true;
  }

  /** Removes all resources, last made first; gives the names of those that stay. */
  async function removeAll(stack: Stack): Promise<string[]> {
    const failed: string[] = [];
    for (const resource of [...stack.leftovers, ...stack.resources.toReversed()]) {
      if (!await remove(stack, resource)) failed.push(resource.logicalId);
    }
    stack.leftovers = [];
    return failed;
  }

  /** Brings the stack's resources to the plan of its source; outputs too. */
  async function apply(stack: Stack): Promise<void> {
    const plan: Plan = createPlan(stack, stack.source, types, settings);
    for (const wanted of plan.resources) {
      const properties = plan.propertiesOf(wanted);
      const present = stack.resources.find(({ logicalId }) => logicalId === wanted.logicalId);
      const made = present !== undefined && /^(CREATE|UPDATE)_COMPLETE$/.test(present.status);
      if (present === undefined || (!made && present.status.startsWith("CREATE_"))) {
        await create(stack, wanted, properties);
      } else await update(stack, present, wanted, properties);
    }
    for (const resource of stack.resources) {
      if (plan.resources.some(({ logicalId }) => logicalId === resource.logicalId)) continue;
      stack.leftovers.push(resource);
    }
    stack.resources = stack.resources.filter((known) => !stack.leftovers.includes(known));
    stack.outputs = plan.outputs();
  }

  async function runCreate(stack: Stack): Promise<void> {
    try {
      await apply(stack);
    } catch (error) {
      const reason = failureOf(error, "create");
      stack.outputs = [];
      if (stack.onFailure === "DO_NOTHING") {
        await setStatus(stack, "CREATE_FAILED", reason);
        return;
      }
      await setStatus(
        stack,
        stack.onFailure === "DELETE" ? "DELETE_IN_PROGRESS" : "ROLLBACK_IN_PROGRESS",
        `${reason} ${stack.onFailure === "DELETE" ? "Delete" : "Rollback"} requested by user.`,
      );
      if (stack.onFailure === "DELETE") await runDelete(stack);
      else await runRollback(stack);
      return;
    }
    await setStatus(stack, "CREATE_COMPLETE");
  }

  async function runRollback(stack: Stack): Promise<void> {
    const failed = await removeAll(stack);
    if (failed.length > 0) {
      const reason = `The following resource(s) failed to delete: [${failed.join(", ")}]. `;
      await setStatus(stack, "ROLLBACK_FAILED", reason);
    } else await setStatus(stack, "ROLLBACK_COMPLETE");
  }

  async function runDelete(stack: Stack): Promise<void> {
    const failed = await removeAll(stack);
    if (failed.length > 0) {
      const reason = `The following resource(s) failed to delete: [${failed.join(", ")}]. `;
      await setStatus(stack, "DELETE_FAILED", reason);
      return;
    }
    stack.deletedMs = settings.now();
    await setStatus(stack, "DELETE_COMPLETE");
  }

  async function runUpdate(stack: Stack): Promise<void> {
    try {
      await apply(stack);
    } catch (error) {
      await setStatus(stack, "UPDATE_ROLLBACK_IN_PROGRESS", failureOf(error, "update"));
      await runUpdateRollback(stack);
      return;
    }
    await setStatus(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
    await runCleanup(stack, "UPDATE_COMPLETE");
  }

  async function runUpdateRollback(stack: Stack): Promise<void> {
    if (stack.previous !== undefined) stack.source = stack.previous;
    try {
      // What was replaced is there still: it takes the place of what replaced it.
      for (const old of stack.leftovers) {
        const fresh = stack.resources.find(({ logicalId }) => logicalId === old.logicalId);
        if (fresh !== undefined && fresh.physicalId !== old.physicalId) {
          await remove(stack, fresh);
        }
        stack.resources = stack.resources.filter((known) => known !== fresh);
        stack.resources.push(old);
      }
      stack.leftovers = [];
      const failed = stack.resources.filter(({ status }) => status === "CREATE_FAILED");
      for (const resource of failed) await remove(stack, resource);
      stack.resources = stack.resources.filter((known) => !failed.includes(known));
      for (const resource of stack.resources) {
        if (resource.status !== "UPDATE_FAILED") continue;
        // A failed step may have done half its work: the old properties are put once more.
        resource.attributes = await typeOf(resource.type)
          .put(resource.physicalId, resource.properties);
        await mark(stack, resource, "UPDATE_COMPLETE");
      }
      await apply(stack);
    } catch (error) {
      await setStatus(stack, "UPDATE_ROLLBACK_FAILED", failureOf(error, "update"));
      return;
    }
    await setStatus(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
    await runCleanup(stack, "UPDATE_ROLLBACK_COMPLETE");
  }

  async function runCleanup(stack: Stack, status: string): Promise<void> {
    // As on AWS, what cannot be removed here is left behind, and its event says so.
    for (const resource of stack.leftovers.toReversed()) await remove(stack, resource);
    stack.leftovers = [];
    stack.previous = undefined;
    await setStatus(stack, status);
  }

  function operationOf(stack: Stack): (() => Promise<void>) | undefined {
    switch (stack.status) {
      case "CREATE_IN_PROGRESS":
        return () => runCreate(stack);
      case "ROLLBACK_IN_PROGRESS":
        return () => runRollback(stack);
      case "DELETE_IN_PROGRESS":
        return () => runDelete(stack);
      case "UPDATE_IN_PROGRESS":
        return () => runUpdate(stack);
      case "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
        return () => runCleanup(stack, "UPDATE_COMPLETE");
      case "UPDATE_ROLLBACK_IN_PROGRESS":
        return () => runUpdateRollback(stack);
      case "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS":
        return () => runCleanup(stack, "UPDATE_ROLLBACK_COMPLETE");
      default:
        return undefined;
    }
  }

  return {
    setStatus,
    start(stack) {
      const operation = operationOf(stack);
      if (operation === undefined) return;
      const done = operation().catch((error: unknown) => {
        // The status stays in progress, and the next start takes it up again.
        settings.log(`The operation on the stack '${stack.name}' failed: ${messageOf(error)}`);
      }).finally(() => running.delete(stack.id));
      running.set(stack.id, done);
    },
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

function reasonOf(error: unknown, type: string): string {
  if (!(error instanceof ServiceError)) return messageOf(error);
  const service = type.split("::")[1] ?? type;
  return `${error.message} (Service: ${service}, Status Code: ${error.status}, Error Code: ${error.code})`;
}

function failureOf(error: unknown, verb: string): string {
  return error instanceof StepFailed
    ? `The following resource(s) failed to ${verb}: [${error.message}].`
    : messageOf(error);
}
