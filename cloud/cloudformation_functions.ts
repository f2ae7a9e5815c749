/**
 * Evaluates the intrinsic functions of a template. Source: AWS CloudFormation User Guide, "Intrinsic
 * function reference". Fn::ImportValue, Fn::GetAZs, Fn::Transform and the like are refused.
 */
import { asArray, asObject, asString, asTexts, type Json } from "../job/json.ts";
import { validationError } from "./cloudformation_template.ts";

/** Where names get their values from. */
export interface Scope {
  /** Value of Ref; undefined if there is no such name. */
  ref(name: string): string | readonly string[] | undefined;
  /** Value of Fn::GetAtt; undefined if there is no such attribute. */
  getAtt(logicalId: string, attribute: string): string | undefined;
  /** The template's mappings. */
  readonly mappings: Json;
  /** The template's conditions, not evaluated. */
  readonly conditions: Json;
}

/** Stands for a property that is to be left out, `AWS::NoValue`. */
const NO_VALUE: unique symbol = Symbol("AWS::NoValue");

/** The value with all functions in it evaluated; undefined for `AWS::NoValue`. */
export function evaluateValue(value: unknown, scope: Scope): unknown {
  const result = evaluate(value, scope);
  return result === NO_VALUE ? undefined : result;
}

/** The value as one text. @throws {ServiceError} `ValidationError` if it is a list or a map. */
export function evaluateText(value: unknown, scope: Scope, what: string): string {
  const result = evaluate(value, scope);
  if (typeof result === "string" || typeof result === "number" || typeof result === "boolean") {
    return String(result);
  }
  throw validationError(`Template error: ${what} must be a string`);
}

function evaluate(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) {
    return value.map((item) => evaluate(item, scope)).filter((item) => item !== NO_VALUE);
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(asObject(value, "template"));
  const [first] = entries;
  if (entries.length === 1 && first !== undefined) {
    const [name, argument] = first;
    if (name === "Ref" || name.startsWith("Fn::")) return callFunction(name, argument, scope);
  }
  const result: Record<string, unknown> = {};
  for (const [name, member] of entries) {
    const evaluated = evaluate(member, scope);
    if (evaluated !== NO_VALUE) result[name] = evaluated;
  }
  return result;
}

function callFunction(name: string, argument: unknown, scope: Scope): unknown {
  switch (name) {
    case "Ref": {
      const target = asString(argument, "Ref");
      if (target === "AWS::NoValue") return NO_VALUE;
      return ref(target, scope);
    }
    case "Fn::GetAtt": {
      const parts = typeof argument === "string" ? dotted(argument) : asArray(argument, name);
      return getAtt(asString(parts[0], name), evaluateText(parts[1], scope, name), scope);
    }
    case "Fn::Sub":
      return substitute(argument, scope);
    case "Fn::Join": {
      const [delimiter, list] = asArray(argument, name);
      return asTexts(evaluate(list, scope), name).join(asString(delimiter, name));
    }
    case "Fn::Select": {
      const [index, list] = asArray(argument, name);
      const item = asArray(evaluate(list, scope), name)[Number(evaluate(index, scope))];
      if (item === undefined) {
        throw validationError("Template error: Fn::Select cannot select nonexistent value");
      }
      return item;
    }
    case "Fn::Split": {
      const [delimiter, text] = asArray(argument, name);
      return evaluateText(text, scope, name).split(asString(delimiter, name));
    }
    case "Fn::Base64":
      return new TextEncoder().encode(evaluateText(argument, scope, name)).toBase64();
    case "Fn::FindInMap": {
      const [map, top, second] = asArray(argument, name)
        .map((item) => evaluateText(item, scope, name));
      const found = lookUp(lookUp(scope.mappings[map ?? ""], top), second);
      if (found === undefined) {
        throw validationError(
          `Template error: Unable to get mapping for ${map}::${top}::${second}`,
        );
      }
      return found;
    }
    case "Fn::If": {
      const [condition, yes, no] = asArray(argument, name);
      return evaluate(holds(asString(condition, name), scope) ? yes : no, scope);
    }
    case "Fn::Equals":
    case "Fn::And":
    case "Fn::Or":
    case "Fn::Not":
      return decide({ [name]: argument }, scope);
    default:
      throw validationError(`Template error: the function ${name} is not supported here`);
  }
}

function lookUp(map: unknown, key: string | undefined): unknown {
  return map === undefined || key === undefined ? undefined : asObject(map, "mapping")[key];
}

function dotted(text: string): [string, string] {
  const dot = text.indexOf(".");
  return dot < 0 ? [text, ""] : [text.slice(0, dot), text.slice(dot + 1)];
}

function ref(name: string, scope: Scope): string | readonly string[] {
  const value = scope.ref(name);
  if (value !== undefined) return value;
  throw validationError(`Template error: Unresolved reference to '${name}'`);
}

function getAtt(logicalId: string, attribute: string, scope: Scope): string {
  const value = scope.getAtt(logicalId, attribute);
  if (value !== undefined) return value;
  throw validationError(
    `Template error: resource ${logicalId} does not support attribute type ${attribute} in Fn::GetAtt`,
  );
}

function substitute(argument: unknown, scope: Scope): string {
  const [text, own] = Array.isArray(argument) ? asArray(argument, "Fn::Sub") : [argument, {}];
  const values = asObject(own, "Fn::Sub");
  return asString(text, "Fn::Sub").replaceAll(/\$\{([^}]*)\}/g, (_whole, word: string) => {
    // `${!Literal}` stands for `${Literal}` itself.
    if (word.startsWith("!")) return `\${${word.slice(1)}}`;
    if (Object.hasOwn(values, word)) return evaluateText(values[word], scope, word);
    const [name, attribute] = dotted(word);
    return attribute === ""
      ? evaluateText(ref(name, scope), scope, word)
      : getAtt(name, attribute, scope);
  });
}

/** Whether a condition of the template holds. */
export function holds(name: string, scope: Scope): boolean {
  const condition = scope.conditions[name];
  if (condition === undefined) {
    throw validationError(`Template format error: Unresolved condition ${name}`);
  }
  return decide(condition, scope);
}

function decide(condition: unknown, scope: Scope): boolean {
  const [entry] = Object.entries(asObject(condition, "condition"));
  const [name, argument] = entry ?? ["", undefined];
  switch (name) {
    case "Condition":
      return holds(asString(argument, name), scope);
    case "Fn::Equals": {
      const [one, other] = asArray(argument, name);
      return evaluateText(one, scope, name) === evaluateText(other, scope, name);
    }
    case "Fn::And":
      return asArray(argument, name).every((item) => decide(item, scope));
    case "Fn::Or":
      return asArray(argument, name).some((item) => decide(item, scope));
    case "Fn::Not":
      return !decide(asArray(argument, name)[0], scope);
    default:
      throw validationError(`Template error: ${name} is no condition function`);
  }
}
