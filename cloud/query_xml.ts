/**
 * The wire form of STS and CloudFormation: a form with `Action` in, XML out. Source: smithy.io,
 * "AWS query protocol".
 */
import { ServiceError, type ServiceRequest } from "./service.ts";
import type { SignatureError } from "./signature.ts";
import { document, element, textElement } from "./xml.ts";

/** The parameters of a call, from its form and its query. */
export function queryParameters(request: ServiceRequest): URLSearchParams {
  const all = new URLSearchParams(request.query);
  if (request.body.byteLength > 0) {
    for (const [name, value] of new URLSearchParams(new TextDecoder().decode(request.body))) {
      all.set(name, value);
    }
  }
  return all;
}

/** The items of a list, `NAME.member.1` and so on, each with its members by name. */
export function queryList(parameters: URLSearchParams, name: string): Map<string, string>[] {
  const items = new Map<number, Map<string, string>>();
  const prefix = `${name}.member.`;
  for (const [key, value] of parameters) {
    if (!key.startsWith(prefix)) continue;
    const rest = key.slice(prefix.length);
    const dot = rest.indexOf(".");
    const number = Number(dot < 0 ? rest : rest.slice(0, dot));
    let item = items.get(number);
    if (item === undefined) items.set(number, item = new Map());
    // The item itself, when it is a text and no structure, goes by the empty name.
    item.set(dot < 0 ? "" : rest.slice(dot + 1), value);
  }
  return [...items].sort(([a], [b]) => a - b).map(([, item]) => item);
}

/** An answer: `<ActionResponse><ActionResult>…</ActionResult><ResponseMetadata/></ActionResponse>`. */
export function queryResponse(
  action: string,
  namespace: string,
  requestId: string,
  ...result: readonly string[]
): Response {
  const body = document(
    `${action}Response`,
    namespace,
    element(`${action}Result`, ...result),
    element("ResponseMetadata", textElement("RequestId", requestId)),
  );
  return new Response(body, { headers: { "content-type": "text/xml" } });
}

/** An error as query services write it. */
export function renderQueryXmlError(
  error: ServiceError,
  requestId: string,
  namespace: string,
): Response {
  const body = document(
    "ErrorResponse",
    namespace,
    element(
      "Error",
      textElement("Type", error.status < 500 ? "Sender" : "Receiver"),
      textElement("Code", error.code),
      textElement("Message", error.message),
    ),
    textElement("RequestId", requestId),
  );
  return new Response(body, {
    status: error.status,
    headers: { ...error.headers, "content-type": "text/xml" },
  });
}

/** The query services' name for a request that is not let in. */
export function queryXmlAuthError(error: SignatureError): ServiceError {
  const cause = { cause: error };
  switch (error.problem) {
    case "missing":
      return new ServiceError(403, "MissingAuthenticationToken", error.message, cause);
    case "malformed":
      return new ServiceError(400, "IncompleteSignature", error.message, cause);
    case "unknownKey":
    case "badToken":
      return new ServiceError(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        cause,
      );
    case "expiredToken":
      return new ServiceError(
        403,
        "ExpiredToken",
        "The security token included in the request is expired",
        cause,
      );
    case "wrongRegion":
    case "skew":
    case "expiredUrl":
    case "mismatch":
    case "bodyMismatch":
      return new ServiceError(403, "SignatureDoesNotMatch", error.message, cause);
  }
}

/** The error for a call that the service does not know. */
export function invalidAction(action: string | null, version: string | null): ServiceError {
  return action === null
    ? new ServiceError(400, "MissingAction", "Missing Action or Version parameter")
    : new ServiceError(
      400,
      "InvalidAction",
      `Could not find operation ${action} for version ${version ?? "NO_VERSION_SPECIFIED"}`,
    );
}
