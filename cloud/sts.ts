/** The embedded STS: who am I. */
import { invalidAction, queryParameters, queryResponse } from "./query_xml.ts";
import type { Service } from "./service.ts";
import { textElement } from "./xml.ts";

/** STS's namespace. */
export const STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

/** Answers GetCallerIdentity, which needs no permission. */
export const sts: Service = (request) => {
  const parameters = queryParameters(request);
  const action = parameters.get("Action");
  if (action !== "GetCallerIdentity") {
    return Promise.reject(invalidAction(action, parameters.get("Version")));
  }
  const { principal, requestId } = request;
  const userId = principal.root
    ? principal.accountId
    : `AROA${(principal.roleName ?? "").toUpperCase()}:${principal.arn.split("/").at(-1)}`;
  return Promise.resolve(queryResponse(
    action,
    STS_NAMESPACE,
    requestId,
    textElement("Arn", principal.arn),
    textElement("UserId", userId),
    textElement("Account", principal.accountId),
  ));
};
