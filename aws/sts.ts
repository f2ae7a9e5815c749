/** STS's query API of 2011-06-15. */
import type { AwsClient } from "./client.ts";
import { query } from "./query.ts";

/** Who signs the requests. */
export interface CallerIdentity {
  /** Account, 12 digits. */
  readonly accountId: string;
  /** ARN of the user or the role's session. */
  readonly arn: string;
  /** Unique name of the user or the role's session. */
  readonly userId: string;
}

/** Asks who signs the requests; any valid credentials may. */
export async function getCallerIdentity(client: AwsClient): Promise<CallerIdentity> {
  const result = await query(client, {
    service: "sts",
    version: "2011-06-15",
    action: "GetCallerIdentity",
  });
  return {
    accountId: result.text("Account") ?? "",
    arn: result.text("Arn") ?? "",
    userId: result.text("UserId") ?? "",
  };
}
