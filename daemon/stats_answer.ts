/** What the daemon answers when it is asked for its statistics, with their price. */
import { invocationUsd, s3Usd } from "../aws/prices.ts";
import { LlamaError } from "../job/errors.ts";
import type { Json } from "../job/json.ts";
import type { FunctionSizes } from "./function_sizes.ts";
import type { CompileStats, StatsKeeper } from "./stats.ts";

/** A snapshot of the counters, with `costUsd`, about what AWS charges for them. */
export interface CountersAnswer extends CompileStats {
  /** About the price of invocations and requests, in US dollars, without storage and cold starts. */
  readonly costUsd: number;
}

/** Takes a snapshot of `counters`. */
export function countersAnswer(counters: CompileStats, sizes: FunctionSizes): CountersAnswer {
  const { functions, s3Puts, s3Gets } = counters;
  let costUsd = s3Usd({ puts: s3Puts, gets: s3Gets });
  for (const [name, { invocations, billedMs }] of Object.entries(functions)) {
    const size = sizes.of(name);
    costUsd += invocationUsd(size, billedMs) + (invocations - 1) * invocationUsd(size, 0);
  }
  return { ...structuredClone(counters), costUsd };
}

/**
 * Answers a request for statistics, and resets what it told if `zero` says so. With `build` it is about
 * that build alone.
 *
 * @throws {LlamaError} `NoSuchBuild` if none of that name is known.
 */
export function statsAnswer(
  stats: StatsKeeper,
  sizes: FunctionSizes,
  request: { readonly build?: string; readonly zero: boolean },
): Json {
  const { build, zero } = request;
  if (build === undefined) {
    const { current, builds, droppedBuilds } = stats;
    const answer = { ...countersAnswer(current, sizes), builds, droppedBuilds };
    if (zero) stats.reset();
    return answer;
  }
  const counters = stats.build(build);
  if (counters === undefined) throw noSuchBuild(build, stats);
  const answer = { build, ...countersAnswer(counters, sizes) };
  if (zero) stats.reset(build);
  return answer;
}

function noSuchBuild(build: string, { builds, droppedBuilds }: StatsKeeper): LlamaError {
  const known = builds.length === 0 ? "none" : builds.slice(-5).map((id) => `"${id}"`).join(", ");
  const dropped = droppedBuilds === 0
    ? ""
    : `; ${droppedBuilds} builds used longest ago have been dropped`;
  return new LlamaError(
    "NoSuchBuild",
    `Cannot tell about the build ${JSON.stringify(build)} as the daemon knows none of that name: ` +
      `it knows ${known}${dropped}`,
    { hint: "set LLAMACC_BUILD_ID for a build to be counted apart" },
  );
}
