/** Fails where the fuzzer finds a difference, or does not test what it should. */
import { assert, assertEquals } from "@std/assert";
import type { BuildCloud } from "../build_cloud.ts";
import { fuzz, type FuzzOptions, summaryOf } from "./fuzzer.ts";

/** Part of the cases that must have compiled remotely. A fuzzer of the local way would prove nothing. */
const MIN_REMOTE = 0.4;
/** A run with fewer cases repeats a failure, and its share says nothing. */
const MIN_CASES = 30;

/** Runs the cases, prints a summary, and fails if one differs. */
export async function checkCases(cloud: BuildCloud, options: FuzzOptions): Promise<void> {
  const report = await fuzz(cloud, options);
  const summary = summaryOf(report);
  await Deno.stderr.write(new TextEncoder().encode(`${summary}\n`));
  assertEquals(report.failures.length, 0, `\n${[...report.failures, summary].join("\n")}`);
  assert(options.cases < MIN_CASES || report.stats.remote > MIN_REMOTE * report.ran, summary);
}
