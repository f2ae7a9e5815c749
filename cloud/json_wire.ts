/**
 * The wire forms with JSON bodies: AWS JSON 1.1 (ECR, by `X-Amz-Target`) and REST with JSON (Lambda).
 * Source: smithy.io, "AWS JSON 1.1 protocol" and "AWS restJson1 protocol", and the Lambda API
 * Reference for where an error says `message` and where `Message`.
 */
import { ServiceError } from "./service.ts";
import type { SignatureError } from "./signature.ts";

/** Lambda's errors whose message goes by a name in lower case; all others write `Message`. */
const LOWER_CASE_MESSAGE: ReadonlySet<string> = new Set([
  "CodeStorageExceededException",
  "InvalidParameterValueException",
  "InvalidRequestContentException",
  "PolicyLengthExceededException",
  "PreconditionFailedException",
  "ProvisionedConcurrencyConfigNotFoundException",
  "RequestTooLargeException",
  "ResourceConflictException",
  "ResourceNotReadyException",
  "TooManyRequestsException",
  "UnsupportedMediaTypeException",
  // From the front that checks signatures, which knows nothing of Lambda's shapes.
  "AccessDeniedException",
  "ExpiredTokenException",
  "IncompleteSignatureException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "UnrecognizedClientException",
]);

/** An error as Lambda writes it: `x-amzn-errortype` names it. */
export function renderRestJsonError(error: ServiceError): Response {
  const name = LOWER_CASE_MESSAGE.has(error.code) ? "message" : "Message";
  const signature = error.cause instanceof Error && error.cause.name === "SignatureError";
  const body = JSON.stringify({
    ...error.fields,
    ...(signature ? {} : { Type: error.status < 500 ? "User" : "Service" }),
    [name]: error.message,
  });
  return new Response(body, {
    status: error.status,
    headers: {
      ...error.headers,
      "content-type": "application/json",
      "x-amzn-errortype": error.code,
    },
  });
}

/** An error as services of AWS JSON 1.1 write it: `__type` names it, and the status is 400 or 500. */
export function renderJsonError(error: ServiceError): Response {
  const body = JSON.stringify({ __type: error.code, ...error.fields, message: error.message });
  return new Response(body, {
    status: error.status < 500 ? 400 : error.status,
    headers: {
      ...error.headers,
      "content-type": "application/x-amz-json-1.1",
      "x-amzn-errortype": error.code,
    },
  });
}

/** The JSON services' name for a request that is not let in. */
export function jsonAuthError(error: SignatureError): ServiceError {
  const cause = { cause: error };
  switch (error.problem) {
    case "missing":
      return new ServiceError(
        403,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
        cause,
      );
    case "malformed":
      return new ServiceError(403, "IncompleteSignatureException", error.message, cause);
    case "unknownKey":
    case "badToken":
      return new ServiceError(
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        cause,
      );
    case "expiredToken":
      return new ServiceError(
        403,
        "ExpiredTokenException",
        "The security token included in the request is expired",
        cause,
      );
    case "wrongRegion":
    case "skew":
    case "expiredUrl":
    case "mismatch":
    case "bodyMismatch":
      return new ServiceError(403, "InvalidSignatureException", error.message, cause);
  }
}
