/** Lambda's error answers, in the words of the Lambda API Reference, "Common errors" and each action's. */
import { ServiceError } from "./service.ts";

/** A parameter whose value cannot be used. */
export function invalidParameter(message: string): ServiceError {
  return new ServiceError(400, "InvalidParameterValueException", message);
}

/** A parameter that breaks a constraint of the API's model. */
export function invalidValue(value: unknown, name: string, constraint: string): ServiceError {
  const text = value === undefined ? "null" : String(value);
  return new ServiceError(
    400,
    "ValidationException",
    `1 validation error detected: Value '${text}' at '${name}' failed to satisfy constraint: ` +
      `Member must ${constraint}`,
  );
}

/** There is no such function. */
export function functionNotFound(arn: string): ServiceError {
  return new ServiceError(404, "ResourceNotFoundException", `Function not found: ${arn}`);
}

/** The function is not in the state for that. */
export function conflict(message: string): ServiceError {
  return new ServiceError(409, "ResourceConflictException", message);
}

/** A body that is larger than allowed. */
export function tooLarge(code: string, message: string): ServiceError {
  return new ServiceError(413, code, message);
}

/** A limit of AWS's own is reached; the reason is one of ThrottleReason in the API Reference. */
export function throttled(reason: string): ServiceError {
  return new ServiceError(429, "TooManyRequestsException", "Rate Exceeded.", {
    fields: { Reason: reason },
    headers: { "retry-after": "1" },
  });
}
