/**
 * Identity policies, as far as roles of the embedded cloud need them: Allow and Deny, Action and
 * NotAction, Resource, wildcards, and the conditions StringEquals and StringLike. Source: IAM User
 * Guide, "Policy evaluation logic". A condition that is not known never allows and always denies.
 */
import { asArray, asObject, asString, asTexts } from "../job/json.ts";
import { type Principal, ServiceError } from "./service.ts";

/** One statement of a policy. */
export interface Statement {
  /** Whether it allows; else it denies. */
  readonly allow: boolean;
  /** Patterns of actions, such as `s3:Get*`. */
  readonly actions: readonly string[];
  /** Whether the statement is for all actions but those. */
  readonly exceptActions: boolean;
  /** Patterns of ARNs. */
  readonly resources: readonly string[];
  /** Operator, context key, and the values of which one must match. */
  readonly conditions: readonly (readonly [string, string, readonly string[]])[];
}

/** What a request wants to do. */
export interface Wish {
  /** Action, such as `s3:GetObject`. */
  readonly action: string;
  /** ARN of the resource. */
  readonly resource: string;
  /** Context keys, such as `s3:prefix`. */
  readonly context?: Readonly<Record<string, string>>;
}

/** Lets a caller do something, or throws. */
export interface Authorizer {
  /** Whether the caller may. */
  allows(principal: Principal, wish: Wish): boolean;
  /**
   * Returns if the caller may.
   *
   * @throws {ServiceError} `AccessDenied`
   */
  check(principal: Principal, wish: Wish): void;
}

/** Reads a policy document. */
export function parsePolicy(document: unknown, what: string): Statement[] {
  const statements = asObject(document, what)["Statement"];
  const list = Array.isArray(statements) ? asArray(statements, what) : [statements];
  return list.map((item, index) => {
    const where = `${what}.Statement[${index}]`;
    const json = asObject(item, where);
    const effect = asString(json["Effect"], `${where}.Effect`);
    const except = json["NotAction"] !== undefined;
    const conditions: [string, string, readonly string[]][] = [];
    for (const [operator, keys] of Object.entries(asObject(json["Condition"] ?? {}, where))) {
      for (const [key, values] of Object.entries(asObject(keys, where))) {
        conditions.push([operator, key, textsOf(values, where)]);
      }
    }
    return {
      allow: effect === "Allow",
      actions: textsOf(json[except ? "NotAction" : "Action"], `${where}.Action`),
      exceptActions: except,
      resources: textsOf(json["Resource"] ?? "*", `${where}.Resource`),
      conditions,
    };
  });
}

function textsOf(value: unknown, what: string): readonly string[] {
  return typeof value === "string" ? [value] : asTexts(value, what);
}

/** The condition operators that are known; a statement with another one only ever denies. */
const OPERATORS: ReadonlySet<string> = new Set(["StringEquals", "StringLike"]);

/** Whether the statements allow the wish: one must allow it, and none may deny it. */
export function evaluate(statements: readonly Statement[], wish: Wish): boolean {
  const matching = statements.filter((statement) => matches(statement, wish));
  return matching.some(({ allow }) => allow) && matching.every(({ allow }) => allow);
}

function matches(statement: Statement, wish: Wish): boolean {
  const action = wish.action.toLowerCase();
  const named = statement.actions.some((pattern) => like(action, pattern.toLowerCase()));
  if (named === statement.exceptActions) return false;
  if (!statement.resources.some((pattern) => like(wish.resource, pattern))) return false;
  return statement.conditions.every(([operator, key, values]) => {
    const actual = Object.entries(wish.context ?? {})
      .find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1];
    // "If the key is not present, evaluate the element as true": IAM User Guide, "Condition operators".
    const base = operator.replace(/IfExists$/, "");
    if (base !== operator && actual === undefined && OPERATORS.has(base)) return true;
    switch (base) {
      case "StringEquals":
        return actual !== undefined && values.includes(actual);
      case "StringLike":
        return actual !== undefined && values.some((pattern) => like(actual, pattern));
      default:
        return !statement.allow;
    }
  });
}

/** Whether text matches a pattern in which `*` is any run of letters and `?` any one. */
export function like(text: string, pattern: string): boolean {
  // The usual greedy match with one step back: no pattern takes more than text × pattern steps.
  let at = 0;
  let p = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (pattern[p] === "*") {
      star = p++;
      resume = at;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[at])) {
      p++;
      at++;
    } else if (star >= 0) {
      p = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

/** Makes the authorizer over the statements that each role has now. */
export function createAuthorizer(
  statementsOf: (roleName: string) => readonly Statement[],
): Authorizer {
  function allows(principal: Principal, wish: Wish): boolean {
    if (principal.root) return true;
    if (principal.roleName === undefined) return false;
    return evaluate(statementsOf(principal.roleName), wish);
  }
  return {
    allows,
    check(principal, wish) {
      if (allows(principal, wish)) return;
      throw new ServiceError(
        403,
        "AccessDenied",
        `User: ${principal.arn} is not authorized to perform: ${wish.action} on resource: "${wish.resource}" because no identity-based policy allows the ${wish.action} action`,
      );
    },
  };
}
