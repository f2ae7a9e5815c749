/** Stand-in for the part of `@std/assert` that the project's tests use. */
import nodeAssert from "node:assert";
import { equal } from "./equal.ts";

/** What a failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

const fail = (problem: string, message?: string): never => {
  throw new AssertionError(message === undefined ? `${problem}.` : `${problem}: ${message}`);
};

const differenceOf = (actual: unknown, expected: unknown): string => {
  try {
    nodeAssert.deepStrictEqual(actual, expected);
  } catch (error) {
    if (error instanceof Error) return error.message;
  }
  return `Values are not equal: ${Deno.inspect(actual)} and ${Deno.inspect(expected)}`;
};

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Asserts that both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) fail(differenceOf(actual, expected), msg);
}

/** Asserts that both are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) {
    fail(`Expected actual: ${Deno.inspect(actual)} not to be: ${Deno.inspect(expected)}`, msg);
  }
}

/** Asserts that both are the same value, as `Object.is()` has it. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    fail(`Values are not strictly equal: ${Deno.inspect(actual)}, ${Deno.inspect(expected)}`, msg);
  }
}

/** Asserts that `actual` is neither null nor undefined. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    fail(`Expected actual: "${actual}" to not be null or undefined`, msg);
  }
}

/** Asserts that `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    fail(`Expected actual: "${actual}" to contain: "${expected}"`, msg);
  }
}

/** Asserts that `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) fail(`Expected actual: "${actual}" to match: "${expected}"`, msg);
}

// deno-lint-ignore no-explicit-any
type ErrorConstructor<E extends Error> = abstract new (...args: any[]) => E;

const check = (
  error: unknown,
  classOrMsg: ErrorConstructor<Error> | string | undefined,
  msgIncludes: string | undefined,
  msg: string | undefined,
): void => {
  if (typeof classOrMsg !== "function") return;
  if (!(error instanceof Error)) return fail("A non-Error object was thrown", msg);
  const { name, message } = error;
  if (!(error instanceof classOrMsg)) {
    fail(
      `Expected error to be instance of "${classOrMsg.name}", but was "${name}": ${message}`,
      msg,
    );
  }
  if (msgIncludes && !message.includes(msgIncludes)) {
    fail(`Expected error message to include "${msgIncludes}", but got "${message}"`, msg);
  }
};

/** Asserts that `fn` throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that `fn` throws an error of a class, with a text in its message, and returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: ErrorConstructor<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const message = typeof classOrMsg === "string" ? classOrMsg : msg;
  try {
    fn();
  } catch (error) {
    check(error, classOrMsg, msgIncludes, message);
    return error;
  }
  return fail("Expected function to throw", message);
}

/** Asserts that the promise of `fn` is rejected, and resolves to what it was rejected with. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Asserts that the promise of `fn` is rejected with an error of a class, and resolves to it. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: ErrorConstructor<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const message = typeof classOrMsg === "string" ? classOrMsg : msg;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch {
    return fail("Function throws when expected to reject", message);
  }
  if (typeof promise?.then !== "function") {
    return fail("Function throws when expected to reject", message);
  }
  try {
    await promise;
  } catch (error) {
    check(error, classOrMsg, msgIncludes, message);
    return error;
  }
  return fail("Expected function to reject", message);
}
