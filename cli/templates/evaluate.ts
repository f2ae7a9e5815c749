/** Expands a template that has been read: its statements, and what they print. */
import { evaluatePipe } from "./evaluate_pipe.ts";
import { PLAIN } from "./format_number.ts";
import { formatArgument } from "./format_value.ts";
import type { Branch, Statement, TemplateCall, Tree } from "./nodes.ts";
import { pop, problem, setTop, setVariable, type State } from "./state.ts";
import { joined } from "./text.ts";
import {
  Byte,
  describe,
  isTrue,
  Mapping,
  Root,
  Slice,
  type TemplateData,
  type Value,
} from "./values.ts";

/**
 * How many templates and branches may be around a template that another one uses. Go stops at 100,000
 * templates, which the stack here does not hold.
 */
const MAX_DEPTH = 1000;

/** What a body asks of the range around it. */
type Signal = "break" | "continue" | undefined;

interface Run extends State {
  readonly tree: Tree;
  /** What has been written. */
  out: string;
  /** Number of templates and branches around. */
  depth: number;
}

/**
 * What a template gives for data.
 *
 * @throws {TemplateProblem} If it cannot be expanded, of the kind `execution`.
 */
export function evaluate(tree: Tree, data: TemplateData): string {
  const root = new Root(data);
  const run: Run = { tree, out: "", depth: 0, index: 0, variables: [{ name: "$", value: root }] };
  walk(run, root, tree.body);
  return joined(run.out);
}

function walk(run: Run, dot: Value, statements: readonly Statement[]): Signal {
  for (const statement of statements) {
    switch (statement.kind) {
      case "text":
        run.out += statement.text;
        break;
      case "action": {
        const value = evaluatePipe(run, dot, statement.pipe);
        if (statement.pipe.variables.length > 0) break;
        run.index = statement.pipe.index;
        run.out += printed(run, value);
        break;
      }
      case "if":
      case "with":
      case "range": {
        const signal = walkBranch(run, dot, statement);
        if (signal !== undefined) return signal;
        break;
      }
      case "template":
        walkTemplate(run, dot, statement);
        break;
      default:
        return statement.kind;
    }
  }
  return undefined;
}

function printed(run: Run, value: Value): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "<no value>";
  if (value instanceof Root) throw problem(run, "the data as a whole cannot be printed");
  return formatArgument(value, "v", PLAIN);
}

function walkBranch(run: Run, dot: Value, branch: Branch): Signal {
  const mark = run.variables.length;
  const value = evaluatePipe(run, dot, branch.pipe);
  let signal: Signal;
  run.depth++;
  if (branch.kind === "range") {
    signal = walkRange(run, dot, branch, value);
  } else if (isTrue(value)) {
    signal = walk(run, branch.kind === "with" ? value : dot, branch.body);
  } else if (branch.otherwise !== undefined) {
    signal = walk(run, dot, branch.otherwise);
  }
  run.depth--;
  pop(run, mark);
  return signal;
}

function walkRange(run: Run, dot: Value, branch: Branch, value: Value): Signal {
  const { variables, assigns } = branch.pipe;
  const mark = run.variables.length;
  let isEmpty = true;
  for (const [index, element] of elementsOf(run, value, variables.length)) {
    isEmpty = false;
    const [first = "", second] = variables;
    if (second !== undefined) {
      if (assigns) setVariable(run, first, index);
      else setTop(run, 2, index);
    }
    if (variables.length > 0) {
      if (assigns) setVariable(run, second ?? first, element);
      else setTop(run, 1, element);
    }
    const signal = walk(run, element, branch.body);
    pop(run, mark);
    if (signal === "break") break;
  }
  if (!isEmpty || branch.otherwise === undefined) return undefined;
  // In Go a break in the else of a range ends that range, and a continue is one of the range around.
  return walk(run, dot, branch.otherwise) === "continue" ? "continue" : undefined;
}

/** What a range goes over: indexes or keys, and values. */
function* elementsOf(
  run: Run,
  value: Value,
  variables: number,
): Generator<readonly [Value, Value]> {
  const end = value instanceof Byte ? value.value : value;
  if (typeof end === "bigint") {
    if (variables > 1) throw problem(run, "a range over a number sets one variable only");
    for (let element = 0n; element < end; element++) {
      yield [undefined, value instanceof Byte ? new Byte(element) : element];
    }
  } else if (value instanceof Slice) {
    let index = 0n;
    for (const item of value.items) yield [index++, item];
  } else if (value instanceof Mapping) {
    yield* value.entries;
  } else if (value !== undefined && value !== null) {
    throw problem(run, `a range cannot go over ${describe(value)}`);
  }
}

function walkTemplate(run: Run, dot: Value, { name, index, pipe }: TemplateCall): void {
  run.index = index;
  const body = run.tree.defined.get(name);
  if (body === undefined) throw problem(run, `there is no template ${JSON.stringify(name)}`);
  if (run.depth >= MAX_DEPTH) {
    throw problem(run, `templates use each other more than ${MAX_DEPTH} levels deep`);
  }
  const value = pipe === undefined ? undefined : evaluatePipe(run, dot, pipe);
  const outer = run.variables;
  run.variables = [{ name: "$", value }];
  run.depth++;
  walk(run, value, body);
  run.depth--;
  run.variables = outer;
}
