/** Fails where an object is that of no state, or where the cases do not test what they should. */
import { assert, assertEquals } from "@std/assert";
import type { BuildCloud } from "../build_cloud.ts";
import type { FuzzOptions } from "../fuzz/fuzzer.ts";
import { race } from "./race.ts";

/** Part of the compilations that must have been trusted, and part in which the tree must have changed. */
const MIN_TRUSTED = 0.5;
const MIN_RACED = 0.2;
/** A run with fewer cases repeats a failure, and its shares say nothing. */
const MIN_CASES = 30;

/** Runs the cases, prints a summary, and fails if one ended as it should not. */
export async function checkRaces(cloud: BuildCloud, options: FuzzOptions): Promise<void> {
  const { failures, ...counts } = await race(cloud, options);
  const summary = JSON.stringify(counts);
  await Deno.stderr.write(new TextEncoder().encode(`${summary}\n`));
  assertEquals(failures.length, 0, `\n${failures.join("\n")}\n${summary}`);
  if (options.cases < MIN_CASES) return;
  assert(counts.here < (1 - MIN_TRUSTED) * counts.compilations, summary);
  assert(counts.raced > MIN_RACED * counts.compilations, summary);
}
