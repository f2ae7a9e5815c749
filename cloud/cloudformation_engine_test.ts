import { assert, assertEquals } from "@std/assert";
import { createEngine } from "./cloudformation_engine.ts";
import type { ResourceType } from "./cloudformation_resources.ts";
import { decodeStack, type Stack, type StackSource } from "./cloudformation_stack.ts";
import type { CloudSettings } from "./service.ts";
import type { Table } from "./state.ts";

const SETTINGS: CloudSettings = {
  directory: "/nowhere",
  region: "us-east-1",
  accountId: "000000000000",
  endpoint: () => "",
  now: () => 0,
  log: (line) => {
    throw new Error(line);
  },
  concurrency: 1,
};

/** What exists outside of the stack, by name, with the value of the property `Value`. */
type World = Map<string, unknown>;

/** A type whose resources are entries of a map; the property `Value` may say `fail`. */
function typesIn(world: World): ReadonlyMap<string, ResourceType> {
  const type: ResourceType = {
    properties: ["Name", "Value", "Needs"],
    immutable: ["Name"],
    nameOf: ({ Name: name }) => String(name),
    taken: (name) => world.has(name) ? `${name} already exists` : undefined,
    put(name, properties) {
      // What fails may have done half of its work.
      world.set(name, properties["Value"]);
      if (properties["Value"] === "fail") return Promise.reject(new Error("It failed"));
      return Promise.resolve({ Arn: `arn:${name}` });
    },
    remove(name) {
      if (world.get(name) === "stuck") return Promise.reject(new Error("It is stuck"));
      world.delete(name);
      return Promise.resolve();
    },
  };
  return new Map([["T", type]]);
}

type Sketch = Record<string, { Name: string; Value: string; Needs?: unknown }>;

function sourceOf(sketch: Sketch): StackSource {
  const resources = Object.entries(sketch)
    .map(([id, properties]) => [id, { Type: "T", Properties: properties }]);
  const template = JSON.stringify({ Resources: Object.fromEntries(resources) });
  return { template, parameters: {}, capabilities: [], tags: {} };
}

/** A table that stops the world at its `crashAt`-th write, before or after the write is done. */
function crashingTable(stored: { text: string }, crashAt: number, afterWrite: boolean): {
  table: Table<Stack>;
  crashed: Promise<void>;
} {
  const crash = Promise.withResolvers<void>();
  let writes = 0;
  const table: Table<Stack> = {
    records: new Map(),
    put(_id, record) {
      const last = writes++ === crashAt;
      // What runs on after a crash must leave no trace.
      if (writes <= crashAt || (last && afterWrite)) stored.text = JSON.stringify(record);
      if (!last) return Promise.resolve();
      crash.resolve();
      return new Promise(() => {});
    },
    remove: () => Promise.resolve(),
  };
  return { table, crashed: crash.promise };
}

async function run(
  stored: { text: string },
  world: World,
  crashAt: number,
  afterWrite: boolean,
): Promise<"ended" | "crashed"> {
  const { table, crashed } = crashingTable(stored, crashAt, afterWrite);
  const engine = createEngine(SETTINGS, table, typesIn(world));
  engine.start(decodeStack(JSON.parse(stored.text), "stack"));
  return await Promise.race([
    engine.idle().then(() => "ended" as const),
    crashed.then(() => "crashed" as const),
  ]);
}

interface Case {
  name: string;
  before?: Sketch;
  status: string;
  wanted: Sketch;
  world?: Record<string, string>;
  ends: string;
  leaves: Record<string, string>;
}

const ONE_TWO: Sketch = {
  One: { Name: "one", Value: "1" },
  Two: { Name: "two", Value: "2", Needs: { Ref: "One" } },
};

const CASES: Case[] = [
  {
    name: "a creation",
    status: "CREATE_IN_PROGRESS",
    wanted: ONE_TWO,
    ends: "CREATE_COMPLETE",
    leaves: { one: "1", two: "2" },
  },
  {
    name: "a creation that fails",
    status: "CREATE_IN_PROGRESS",
    wanted: { ...ONE_TWO, Bad: { Name: "bad", Value: "fail", Needs: { Ref: "Two" } } },
    ends: "ROLLBACK_COMPLETE",
    leaves: {},
  },
  {
    name: "a creation whose name is taken",
    status: "CREATE_IN_PROGRESS",
    wanted: { ...ONE_TWO, Bad: { Name: "other", Value: "3", Needs: { Ref: "Two" } } },
    world: { other: "theirs" },
    ends: "ROLLBACK_COMPLETE",
    leaves: { other: "theirs" },
  },
  {
    name: "an update in place, with one more and one less",
    status: "UPDATE_IN_PROGRESS",
    before: ONE_TWO,
    wanted: { One: { Name: "one", Value: "new" }, Three: { Name: "three", Value: "3" } },
    ends: "UPDATE_COMPLETE",
    leaves: { one: "new", three: "3" },
  },
  {
    name: "an update that replaces",
    status: "UPDATE_IN_PROGRESS",
    before: ONE_TWO,
    wanted: { ...ONE_TWO, One: { Name: "uno", Value: "1" } },
    ends: "UPDATE_COMPLETE",
    leaves: { uno: "1", two: "2" },
  },
  {
    name: "an update that fails after it has changed, replaced and added",
    status: "UPDATE_IN_PROGRESS",
    before: { ...ONE_TWO, Kept: { Name: "kept", Value: "k" } },
    wanted: {
      One: { Name: "uno", Value: "1" },
      Two: { Name: "two", Value: "changed" },
      Added: { Name: "added", Value: "a" },
      Bad: {
        Name: "bad",
        Value: "fail",
        Needs: [{ Ref: "One" }, { Ref: "Two" }, { Ref: "Added" }],
      },
    },
    ends: "UPDATE_ROLLBACK_COMPLETE",
    leaves: { one: "1", two: "2", kept: "k" },
  },
  {
    name: "an update that fails in a resource that was there",
    status: "UPDATE_IN_PROGRESS",
    before: ONE_TWO,
    wanted: { ...ONE_TWO, One: { Name: "one", Value: "fail" } },
    ends: "UPDATE_ROLLBACK_COMPLETE",
    leaves: { one: "1", two: "2" },
  },
  {
    name: "a deletion",
    status: "DELETE_IN_PROGRESS",
    before: ONE_TWO,
    wanted: ONE_TWO,
    ends: "DELETE_COMPLETE",
    leaves: {},
  },
];

function stackOf(status: string, source: StackSource): Stack {
  return {
    id: "arn",
    name: "llama",
    status,
    reason: undefined,
    createdMs: 0,
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

async function startOf({ before, status, wanted, world = {} }: Case): Promise<[string, World]> {
  const outside: World = new Map(Object.entries(world));
  if (before === undefined) return [JSON.stringify(stackOf(status, sourceOf(wanted))), outside];
  const stored = { text: JSON.stringify(stackOf("CREATE_IN_PROGRESS", sourceOf(before))) };
  assertEquals(await run(stored, outside, Infinity, true), "ended");
  const stack = decodeStack(JSON.parse(stored.text), "stack");
  assertEquals(stack.status, "CREATE_COMPLETE");
  stack.previous = stack.source;
  stack.source = sourceOf(wanted);
  stack.status = status;
  return [JSON.stringify(stack), outside];
}

for (const example of CASES) {
  Deno.test(`the engine ends ${example.name} as it should, wherever it was killed`, async () => {
    for (const afterWrite of [true, false]) {
      for (let crashAt = 0;; crashAt++) {
        const [text, world] = await startOf(example);
        const stored = { text };
        const outcome = await run(stored, world, crashAt, afterWrite);
        if (outcome === "crashed") {
          assertEquals(await run(stored, world, Infinity, true), "ended");
        }
        const stack = decodeStack(JSON.parse(stored.text), "stack");
        assertEquals(
          { crashAt, afterWrite, status: stack.status, world: Object.fromEntries(world) },
          { crashAt, afterWrite, status: example.ends, world: example.leaves },
        );
        assertEquals(stack.leftovers, []);
        if (outcome === "ended") {
          assert(crashAt > 3, "It was never killed");
          break;
        }
      }
    }
  });
}

Deno.test("the engine leaves alone what an earlier deletion has removed", async () => {
  const before = { One: { Name: "one", Value: "stuck" }, Two: { Name: "two", Value: "2" } };
  const [text, world] = await startOf({
    name: "",
    before,
    status: "DELETE_IN_PROGRESS",
    wanted: before,
    ends: "",
    leaves: {},
  });
  const stored = { text };
  await run(stored, world, Infinity, true);
  const stack = decodeStack(JSON.parse(stored.text), "stack");
  assertEquals([stack.status, stack.reason], [
    "DELETE_FAILED",
    "The following resource(s) failed to delete: [One]. ",
  ]);
  world.set("one", "free");
  world.set("two", "of somebody else now");
  stored.text = JSON.stringify({ ...stack, status: "DELETE_IN_PROGRESS" });
  await run(stored, world, Infinity, true);
  assertEquals(decodeStack(JSON.parse(stored.text), "stack").status, "DELETE_COMPLETE");
  assertEquals(Object.fromEntries(world), { two: "of somebody else now" });
});
