/** The wire form of S3: REST with XML bodies. Source: Amazon S3 API Reference, "Error responses". */
import type { ServiceError } from "./service.ts";
import type { SignatureError } from "./signature.ts";
import { element, textElement, XML_DECLARATION } from "./xml.ts";
import { ServiceError as Failure } from "./service.ts";

/** S3's namespace. */
export const S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/";

/** An XML answer of status 200. */
export function xmlResponse(body: string): Response {
  return new Response(body, { headers: { "content-type": "application/xml" } });
}

/** An error as S3 writes it; the answer to HEAD has no body. */
export function renderRestXmlError(
  error: ServiceError,
  requestId: string,
  method: string,
): Response {
  const headers = new Headers({ ...error.headers, "content-type": "application/xml" });
  if (method === "HEAD" || error.status === 304) {
    headers.delete("content-type");
    return new Response(null, { status: error.status, headers });
  }
  const fields = Object.entries(error.fields).map(([name, value]) => textElement(name, value));
  const body = XML_DECLARATION + element(
    "Error",
    textElement("Code", error.code),
    textElement("Message", error.message),
    ...fields,
    textElement("RequestId", requestId),
    textElement("HostId", requestId),
  );
  return new Response(body, { status: error.status, headers });
}

/** S3's name for a request that is not let in. */
export function restXmlAuthError(error: SignatureError): ServiceError {
  switch (error.problem) {
    case "missing":
      return new Failure(403, "AccessDenied", "Access Denied", { cause: error });
    case "malformed":
      return new Failure(400, "AuthorizationHeaderMalformed", error.message, { cause: error });
    case "wrongRegion":
      return new Failure(400, "AuthorizationHeaderMalformed", error.message, { cause: error });
    case "unknownKey":
      return new Failure(403, "InvalidAccessKeyId", error.message, { cause: error });
    case "badToken":
      return new Failure(400, "InvalidToken", error.message, { cause: error });
    case "expiredToken":
      return new Failure(400, "ExpiredToken", error.message, { cause: error });
    case "skew":
      return new Failure(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
        { cause: error },
      );
    case "expiredUrl":
      return new Failure(403, "AccessDenied", error.message, { cause: error });
    case "mismatch":
      return new Failure(403, "SignatureDoesNotMatch", error.message, { cause: error });
    case "bodyMismatch":
      return new Failure(400, "XAmzContentSHA256Mismatch", error.message, { cause: error });
  }
}
