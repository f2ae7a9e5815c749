/** Values of pipelines, commands and operands. */
import { LlamaError, messageOf } from "../../job/errors.ts";
import { nearest } from "../nearest.ts";
import { type Callable, functionOf, type Parameter } from "./builtins.ts";
import { TemplateProblem } from "./error.ts";
import type { Command, Operand, Pipe } from "./nodes.ts";
import { problem, setVariable, type State, variableOf } from "./state.ts";
import { describe, isTrue, Mapping, Root, type Value, ValueError, valueOf } from "./values.ts";

/** What stands for the value of the command before where there is none. */
const NONE = Symbol("none");
const NO_ARGUMENTS: readonly Operand[] = [];
const ONE_STRING: readonly Parameter[] = ["string"];

/** The value that the command before hands on. */
type Final = Value | typeof NONE;

/**
 * The value of a pipeline, which its variables get, too.
 *
 * @throws {TemplateProblem} If there is none.
 */
export function evaluatePipe(state: State, dot: Value, pipe: Pipe): Value {
  state.index = pipe.index;
  let value: Final = NONE;
  for (const command of pipe.commands) {
    value = commandValue(state, dot, command, value) ?? undefined;
  }
  const result = value === NONE ? undefined : value;
  for (const name of pipe.variables) {
    if (pipe.assigns) setVariable(state, name, result);
    else state.variables.push({ name, value: result });
  }
  return result;
}

function commandValue(state: State, dot: Value, command: Command, final: Final): Value {
  const { first, args } = command;
  switch (first.kind) {
    case "field":
      state.index = first.index;
      return fieldsValue(state, dot, dot, first.names, args, final);
    case "chain":
    case "variable":
    case "function":
      return calledValue(state, dot, first, args, final);
    case "pipe":
      checkNoArguments(state, args, final);
      return evaluatePipe(state, dot, first);
    default:
      state.index = first.index;
      checkNoArguments(state, args, final);
      if (first.kind === "nil") throw problem(state, "nil alone is no value");
      return plainValue(state, dot, first);
  }
}

/** What a variable, fields of something, or a function gives. */
function calledValue(
  state: State,
  dot: Value,
  operand: Operand & { kind: "chain" | "variable" | "function" },
  args: readonly Operand[],
  final: Final,
): Value {
  state.index = operand.index;
  switch (operand.kind) {
    case "function": {
      const callable = functionOf(operand.name);
      if (callable === undefined) throw problem(state, `there is no function ${operand.name}`);
      return callValue(state, dot, operand.name, callable, args, final);
    }
    case "variable": {
      const { value } = variableOf(state, operand.name);
      if (operand.names.length > 0) {
        return fieldsValue(state, dot, value, operand.names, args, final);
      }
      checkNoArguments(state, args, final);
      return value;
    }
    case "chain": {
      const base = argumentValue(state, dot, "value", operand.base);
      return fieldsValue(state, dot, base, operand.names, args, final);
    }
  }
}

function plainValue(
  state: State,
  dot: Value,
  operand: Operand & { kind: "dot" | "literal" },
): Value {
  if (operand.kind === "dot") return dot;
  if (operand.value === undefined) throw problem(state, `${operand.text} is too large for an int`);
  return operand.value;
}

function checkNoArguments(state: State, args: readonly Operand[], final: Final): void {
  if (args.length === 0 && final === NONE) return;
  throw problem(state, "what is no function or method takes no arguments");
}

/** Follows names from a value; the last may be a method, which gets the arguments. */
function fieldsValue(
  state: State,
  dot: Value,
  start: Value,
  names: readonly string[],
  args: readonly Operand[],
  final: Final,
): Value {
  let value = start;
  const last = names.length - 1;
  for (let index = 0; index < last; index++) {
    value = fieldValue(state, dot, value, names[index] ?? "", NO_ARGUMENTS, NONE);
  }
  return fieldValue(state, dot, value, names[last] ?? "", args, final);
}

function fieldValue(
  state: State,
  dot: Value,
  receiver: Value,
  name: string,
  args: readonly Operand[],
  final: Final,
): Value {
  if (receiver === undefined) return undefined;
  if (receiver === null) throw problem(state, `nil has no field .${name}`);
  if (receiver instanceof Root) {
    const { fields, methods } = receiver.data;
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (method !== undefined) {
      const call = (text: Value): Value => method(String(text));
      const callable: Callable = { parameters: ONE_STRING, takesMore: false, call };
      return callValue(state, dot, `.${name}`, callable, args, final);
    }
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) throw noField(state, name, receiver);
    checkField(state, name, args, final);
    return valueOf(field);
  }
  if (receiver instanceof Mapping && receiver.key === "string") {
    checkField(state, name, args, final);
    return receiver.entries.get(name);
  }
  throw problem(state, `${describe(receiver)} has no field .${name}`);
}

function checkField(state: State, name: string, args: readonly Operand[], final: Final): void {
  if (args.length === 0 && final === NONE) return;
  throw problem(state, `.${name} is no method and takes no arguments`);
}

function noField(state: State, name: string, { data }: Root): TemplateProblem {
  const names = [...Object.keys(data.fields), ...Object.keys(data.methods)];
  const near = nearest(name, names);
  const hint = near === undefined
    ? `there are ${names.map((name) => `.${name}`).join(" ")}`
    : `did you mean .${near}?`;
  return new TemplateProblem("execution", state.index, `there is no .${name}`, { hint });
}

function callValue(
  state: State,
  dot: Value,
  name: string,
  { parameters, takesMore, decidedBy, call }: Callable,
  args: readonly Operand[],
  final: Final,
): Value {
  const place = state.index;
  const count = args.length + (final === NONE ? 0 : 1);
  if (takesMore ? count < parameters.length : count !== parameters.length) {
    const wanted = `${takesMore ? "at least " : ""}${parameters.length}`;
    const noun = parameters.length === 1 ? "argument" : "arguments";
    throw problem(state, `${name} takes ${wanted} ${noun}, not ${count}`);
  }
  const values: Value[] = [];
  for (const arg of args) {
    const value = argumentValue(state, dot, parameters[values.length] ?? "value", arg);
    if (decidedBy !== undefined && isTrue(value) === decidedBy) return value;
    values.push(value);
  }
  if (final !== NONE) values.push(checked(state, final, parameters[args.length] ?? "value"));
  try {
    return call(...values);
  } catch (error) {
    throw callProblem(place, name, error);
  }
}

/** A method is the caller's, and whatever it throws is about the arguments that the template gave. */
function callProblem(index: number, name: string, error: unknown): Error {
  if (!name.startsWith(".") && !(error instanceof ValueError)) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
  const hint = error instanceof LlamaError ? error.hint : undefined;
  return new TemplateProblem("execution", index, `${name}: ${messageOf(error)}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
  });
}

function argumentValue(state: State, dot: Value, parameter: Parameter, operand: Operand): Value {
  state.index = operand.index;
  switch (operand.kind) {
    case "dot":
      return checked(state, dot, parameter);
    case "nil":
      if (parameter === "value") return undefined;
      throw problem(state, "nil stands where a string is wanted");
    case "literal":
      return checked(state, plainValue(state, dot, operand), parameter);
    case "field":
      return checked(
        state,
        fieldsValue(state, dot, dot, operand.names, NO_ARGUMENTS, NONE),
        parameter,
      );
    case "pipe":
      return checked(state, evaluatePipe(state, dot, operand), parameter);
    default:
      return checked(state, calledValue(state, dot, operand, NO_ARGUMENTS, NONE), parameter);
  }
}

function checked(state: State, value: Value, parameter: Parameter): Value {
  if (parameter === "value" || typeof value === "string") return value;
  throw problem(state, `${describe(value)} stands where a string is wanted`);
}
