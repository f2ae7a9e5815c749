/** Asks for the region where nothing names one and somebody is there to answer. */
import { describeRegions } from "../aws/ec2.ts";
import { type OpenAccount, openAccount, type SessionInputs } from "../daemon/session.ts";
import { LlamaError } from "../job/errors.ts";
import { usageError } from "./flags.ts";
import { nearest } from "./nearest.ts";
import type { Output } from "./output.ts";

/** Regions of other partitions are not listed there; their users have configured one. */
const ASKED_REGION = "us-east-1";

/**
 * Opens the account, and asks for the region if it has none.
 *
 * @throws {LlamaError} `RegionMissing` without a terminal; whatever {@linkcode openAccount} throws.
 */
export async function openWithRegion(
  inputs: SessionInputs,
  output: Pick<Output, "ask" | "interactive" | "say">,
): Promise<OpenAccount> {
  try {
    return await openAccount(inputs);
  } catch (error) {
    const isMissing = error instanceof LlamaError && error.code === "RegionMissing";
    if (!isMissing || !output.interactive) throw error;
  }
  const inRegion = (region: string) =>
    openAccount({ ...inputs, flags: { ...inputs.flags, region } });
  const regions = await describeRegions((await inRegion(ASKED_REGION)).client);
  output.say(`Regions: ${regions.join(" ")}`);
  const answer = output.ask("Which region?").trim();
  if (regions.includes(answer)) return await inRegion(answer);
  const near = nearest(answer, regions);
  throw usageError(
    `Unknown region ${JSON.stringify(answer)}`,
    near === undefined ? undefined : `did you mean ${near}?`,
  );
}
