/**
 * What a build is told once, on the stderr of one of its commands: that the cloud fails, and that many of
 * its compilations run here although they were to run elsewhere.
 *
 * LLAMACC_BUILD_ID names a build. Commands without it are of one build as long as llamacc is not silent for
 * a minute: the daemon knows nothing of the processes behind its clients.
 */

/** Keeps what has been said, build by build. */
export interface BuildNotices {
  /** Notes a compilation that ran elsewhere. */
  ranThere(buildId: string | undefined): void;
  /** Notes one that ran here, and returns the line to be said now, if there is one. */
  ranHere(buildId: string | undefined, reason: string): string | undefined;
  /** Whether this build has yet to be told that the cloud fails for `reason`; a second call says no. */
  isNews(buildId: string | undefined, reason: string): boolean;
}

/** Reasons for which a build expects its commands to run here, as no compiler wrapper would send them. */
export const EXPECTED: ReadonlySet<string> = new Set([
  "DriverMessage",
  "LLAMACC_LOCAL",
  "assembler",
  "configure-probe",
  "depend-generated",
  "depend-only",
  "link",
  "missing-value",
  "no-compilation",
  "no-source",
  "no-such-source",
  "output-is-input",
  "precompiling",
  "preprocess-only",
  "response-file",
  "several-sources",
  "special-output",
  "stdin-source",
  "unwritable-output",
  "verbose",
]);

/** So many, and at least a fifth of all, are many. */
const MANY = 10;
const MANY_OF = 5;
/** Silence that ends a build without a name. */
const SILENCE_MS = 60_000;
/** Builds that are remembered; the one that was silent longest is forgotten first. */
const MAX_BUILDS = 100;

interface Build {
  lastMs: number;
  there: number;
  /** Unexpected ones, by reason. */
  readonly here: Map<string, number>;
  hasSaid: boolean;
  readonly cloudReasons: Set<string>;
}

/** Whether a build that runs a command here for `reason` would be surprised. */
export function isUnexpected(reason: string): boolean {
  return !EXPECTED.has(reason);
}

/** Creates notices of builds that begin; `now` is a clock in milliseconds. */
export function createBuildNotices(now: () => number = Date.now): BuildNotices {
  const builds = new Map<string, Build>();

  const find = (buildId: string | undefined): Build => {
    const key = buildId === undefined ? "" : `:${buildId}`;
    const known = builds.get(key);
    const isOver = buildId === undefined && known && now() - known.lastMs > SILENCE_MS;
    const build = known && !isOver ? known : newBuild();
    build.lastMs = now();
    builds.delete(key);
    builds.set(key, build);
    const [oldest] = builds.keys();
    if (builds.size > MAX_BUILDS && oldest !== undefined) builds.delete(oldest);
    return build;
  };

  return {
    ranThere: (buildId) => {
      find(buildId).there++;
    },
    ranHere: (buildId, reason) => {
      const build = find(buildId);
      if (!isUnexpected(reason)) return undefined;
      build.here.set(reason, (build.here.get(reason) ?? 0) + 1);
      const here = build.here.values().reduce((sum, count) => sum + count, 0);
      const all = here + build.there;
      if (build.hasSaid || here < MANY || here * MANY_OF < all) return undefined;
      build.hasSaid = true;
      // What the build has been told already is no news.
      if ([...build.here.keys()].every((reason) => build.cloudReasons.has(reason))) {
        return undefined;
      }
      const [most = ""] = [...build.here].toSorted(([, a], [, b]) => b - a)[0] ?? [];
      // A name that a shell would take apart is left out.
      const isPlain = buildId !== undefined && /^[\w.:@%+,/-]+$/.test(buildId);
      const command = `llama daemon -stats${isPlain ? ` -build ${buildId}` : ""}`;
      return `${here} of ${all} compilations ran on this machine (most: ${most}); ` +
        `${command} says why`;
    },
    isNews: (buildId, reason) => {
      const { cloudReasons } = find(buildId);
      const isNews = !cloudReasons.has(reason);
      cloudReasons.add(reason);
      return isNews;
    },
  };
}

function newBuild(): Build {
  return { lastMs: 0, there: 0, here: new Map(), hasSaid: false, cloudReasons: new Set() };
}
