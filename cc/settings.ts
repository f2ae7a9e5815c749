/** The LLAMACC_ variables of a build. */

/** What a build's environment asks of llamacc. */
export interface Settings {
  readonly verbose: boolean;
  readonly local: boolean;
  readonly remoteAssemble: boolean;
  /** Function to use in place of the default one. */
  readonly functionName: string | undefined;
  readonly localCc: string;
  readonly localCxx: string;
  readonly localPreprocess: boolean;
  readonly fullPreprocess: boolean;
  readonly buildId: string | undefined;
  /** Names of warnings to take out of the command, without -W. */
  readonly filteredWarnings: ReadonlySet<string>;
  /** Whether a compilation that fails elsewhere is run here. */
  readonly localFallback: boolean;
  /** Part of the compilations that also run here and are compared, from 0 to 1. */
  readonly verifyRate: number;
  /** For tests: only the source is sent, and there is no limit of rounds. */
  readonly guess: boolean;
  /** Variables that begin with LLAMACC_ and mean nothing. */
  readonly unknown: readonly string[];
  /** Sentences about values that mean nothing. */
  readonly complaints: readonly string[];
}

const KNOWN = new Set([
  "LLAMACC_VERBOSE",
  "LLAMACC_LOCAL",
  "LLAMACC_REMOTE_ASSEMBLE",
  "LLAMACC_FUNCTION",
  "LLAMACC_LOCAL_CC",
  "LLAMACC_LOCAL_CXX",
  "LLAMACC_LOCAL_PREPROCESS",
  "LLAMACC_FULL_PREPROCESS",
  "LLAMACC_BUILD_ID",
  "LLAMACC_FILTER_WARNINGS",
  "LLAMACC_LOCAL_FALLBACK",
  "LLAMACC_VERIFY",
  "LLAMACC_TEST_NO_GUESS",
  // These two are for llamacc itself: see daemon/compiler_lookup.ts.
  "LLAMACC_ARGV0",
  "LLAMACC_NESTED",
]);

/** Reads the settings; a switch is on unless it is empty or `0`. */
export function readSettings(env: Readonly<Record<string, string>>): Settings {
  const on = (name: string, standard = false) => {
    const value = env[name];
    return value === undefined || value === "" ? standard : value !== "0";
  };
  const verifyRate = rateOf(env.LLAMACC_VERIFY ?? "");
  return {
    verbose: on("LLAMACC_VERBOSE"),
    local: on("LLAMACC_LOCAL"),
    remoteAssemble: on("LLAMACC_REMOTE_ASSEMBLE"),
    functionName: env.LLAMACC_FUNCTION || undefined,
    localCc: env.LLAMACC_LOCAL_CC || "cc",
    localCxx: env.LLAMACC_LOCAL_CXX || "c++",
    localPreprocess: on("LLAMACC_LOCAL_PREPROCESS"),
    fullPreprocess: on("LLAMACC_FULL_PREPROCESS"),
    buildId: env.LLAMACC_BUILD_ID || undefined,
    filteredWarnings: new Set((env.LLAMACC_FILTER_WARNINGS ?? "").split(",").filter(Boolean)),
    localFallback: on("LLAMACC_LOCAL_FALLBACK", true),
    verifyRate: verifyRate ?? 0,
    guess: !on("LLAMACC_TEST_NO_GUESS"),
    unknown: Object.keys(env).filter((name) => name.startsWith("LLAMACC_") && !KNOWN.has(name)),
    complaints: verifyRate !== undefined ? [] : [
      `LLAMACC_VERIFY must be a number from 0 to 1, such as 0.05, not "${env.LLAMACC_VERIFY}"; ` +
      "nothing is verified",
    ],
  };
}

/** A number from 0 to 1, which is 0 if it is not set; undefined if it is none. */
function rateOf(text: string): number | undefined {
  if (text === "") return 0;
  const rate = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  return rate <= 1 ? rate : undefined;
}

/** Takes the filtered warnings out of a command's arguments. */
export function filterWarnings(
  args: readonly string[],
  filtered: ReadonlySet<string>,
): readonly string[] {
  if (filtered.size === 0) return args;
  return args.filter((arg) => {
    const name = /^-W(?:error=)?(.+)$/.exec(arg)?.[1];
    return name === undefined || !filtered.has(name);
  });
}
