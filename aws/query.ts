/** The AWS query protocol: a form goes out, XML comes back. */
import { FormatError } from "../job/errors.ts";
import type { AwsClient } from "./client.ts";
import { parseXml, type XmlElement } from "./xml.ts";

/** A call of a query service. */
export interface QueryCall {
  /** Service as signatures call it. */
  readonly service: string;
  /** Version of the API, a date. */
  readonly version: string;
  /** Operation. */
  readonly action: string;
  /** Parameters; undefined ones are left out. Lists are `Name.member.1` and so on. */
  readonly parameters?: Readonly<Record<string, string | undefined>>;
  /** Gives the request up. */
  readonly signal?: AbortSignal;
}

/**
 * Makes a call and returns the element `ActionResult` of the answer.
 *
 * @throws {FormatError} If the answer has none.
 */
export async function query(client: AwsClient, call: QueryCall): Promise<XmlElement> {
  const form = new URLSearchParams({ Action: call.action, Version: call.version });
  for (const [name, value] of Object.entries(call.parameters ?? {})) {
    if (value !== undefined) form.set(name, value);
  }
  const { body } = await client.send({
    service: call.service,
    operation: call.action,
    method: "POST",
    path: "/",
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: form.toString(),
    ...(call.signal && { signal: call.signal }),
  });
  const what = `answer of ${call.service} ${call.action}`;
  const answer = await parseXml(new TextDecoder().decode(body), `${call.action}Response`, what);
  const result = answer.child(`${call.action}Result`);
  // Operations without a result, such as DeleteStack, answer with metadata only.
  if (result === undefined && answer.child("ResponseMetadata") === undefined) {
    throw new FormatError(what, `it has no element "${call.action}Result"`);
  }
  return result ?? answer;
}
