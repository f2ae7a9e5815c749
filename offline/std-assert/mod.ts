import assertModule from "node:assert";
import { isDeepStrictEqual } from "node:util";

export class AssertionError extends Error {
  override name = "AssertionError";
}

const fail = (standard: string, message?: string): never => {
  throw new AssertionError(message === undefined ? standard : `${standard}: ${message}`);
};

export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  try {
    assertModule.deepStrictEqual(actual, expected);
  } catch (error) {
    if (error instanceof Error) fail(error.message, msg);
  }
  fail("Values are not equal", msg);
}

export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (isDeepStrictEqual(actual, expected)) fail(`Expected actual not to be: ${expected}`, msg);
}

export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    fail(
      `Values are not strictly equal: ${Deno.inspect(actual)} and ${Deno.inspect(expected)}`,
      msg,
    );
  }
}

export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) fail("Expected actual to exist", msg);
}

export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) fail(`Expected "${actual}" to contain "${expected}"`, msg);
}

export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) fail(`Expected "${actual}" to match ${expected}`, msg);
}

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

const checkError = <E extends Error>(
  error: unknown,
  type?: ErrorClass<E>,
  includes?: string,
): E => {
  if (!(error instanceof Error)) return fail("A non-Error object was thrown");
  if (type && !(error instanceof type)) {
    fail(
      `Expected error to be instance of "${type.name}", but was "${error.name}: ${error.message}"`,
    );
  }
  if (includes !== undefined && !error.message.includes(includes)) {
    fail(`Expected error message to include "${includes}", but got "${error.message}"`);
  }
  return error as E;
};

export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string,
): E {
  try {
    fn();
  } catch (error) {
    return checkError(error, ErrorClass, msgIncludes);
  }
  return fail("Expected function to throw");
}

export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return checkError(error, ErrorClass, msgIncludes);
  }
  return fail("Expected function to reject");
}
