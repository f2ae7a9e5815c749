/**
 * The one retry policy for all of AWS.
 *
 * It follows the SDKs' standard mode of 2026: full jitter over 50 ms × 2ⁿ for passing faults and
 * 1,000 ms × 2ⁿ for throttles, at most 20 s, and what the answer asks for is kept between the jittered
 * delay and 5 s more. Two things differ, as a build with 10 % lost connections must end: there are
 * eight attempts where the SDKs have three, and throttles of `Invoke` go on until the deadline.
 */
import { AwsError } from "./error.ts";

/** Why an error is worth another attempt. */
export type RetryKind = "throttle" | "transient";

/** How often and how long to try. */
export interface RetryPolicy {
  /** Most attempts that may end in something other than a throttle. */
  readonly maxTransientAttempts: number;
  /** Most attempts that may end in a throttle. */
  readonly maxThrottledAttempts: number;
  /** Longest delay after a throttle, before what the answer asks for. */
  readonly maxThrottleDelayMs: number;
  /** Time for all attempts and the waits between them. */
  readonly deadlineMs: number;
}

/** A delay about to begin. */
export interface RetryEvent {
  /** Why there is another attempt. */
  readonly kind: RetryKind;
  /** What the last attempt ended in. */
  readonly error: AwsError;
  /** Number of attempts so far. */
  readonly attempts: number;
  /** Time until the next attempt. */
  readonly delayMs: number;
}

/** The clock, chance and listeners of {@linkcode withRetries}. */
export interface RetrySeams {
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  /** Milliseconds since any fixed moment. */
  readonly now: () => number;
  /** Waits; rejects with the signal's reason when it is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Hears of each delay. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
  /** Ends the waits. */
  readonly signal?: AbortSignal | undefined;
}

const TRANSIENT_BASE_MS = 50;
const THROTTLE_BASE_MS = 1_000;
const MAX_DELAY_MS = 20_000;
const MAX_BEYOND_JITTER_MS = 5_000;

/** For everything but running functions: five minutes. */
export const STANDARD_RETRY: RetryPolicy = {
  maxTransientAttempts: 8,
  maxThrottledAttempts: 8,
  maxThrottleDelayMs: MAX_DELAY_MS,
  deadlineMs: 300_000,
};

/** For running functions: throttles are tried again until the deadline, 15 minutes unless given. */
export const INVOKE_RETRY: RetryPolicy = {
  maxTransientAttempts: 8,
  maxThrottledAttempts: Number.POSITIVE_INFINITY,
  maxThrottleDelayMs: 4_000,
  deadlineMs: 900_000,
};

/** One attempt, five minutes. */
export const NO_RETRY: RetryPolicy = {
  ...STANDARD_RETRY,
  maxTransientAttempts: 1,
  maxThrottledAttempts: 1,
};

const THROTTLE_CODES: ReadonlySet<string> = new Set([
  "BandwidthLimitExceeded",
  "EC2ThrottledException",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "SlowDown",
  "ThrottledException",
  "Throttling",
  "ThrottlingException",
  "TooManyRequestsException",
]);

const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  // Lambda, before the function ran.
  "CodeArtifactUserPendingException",
  // S3: another conditional write of the same key was under way.
  "ConditionalRequestConflict",
  "ConnectionFailed",
  "OperationAborted",
  "PriorRequestNotComplete",
  "RequestTimeout",
  "RequestTimeoutException",
  "ResourceNotReadyException",
]);

const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** Why `error` is worth another attempt, undefined if it is not. */
export function retryKindOf(error: unknown): RetryKind | undefined {
  if (!(error instanceof AwsError)) return undefined;
  if (error.status === 429 || THROTTLE_CODES.has(error.awsCode)) return "throttle";
  if (TRANSIENT_STATUSES.has(error.status) || TRANSIENT_CODES.has(error.awsCode)) {
    return "transient";
  }
  return undefined;
}

/**
 * The delay after the attempt number `attempts`, from 1, which ended in `kind`.
 *
 * @param chance A number from 0 up to, not including, 1.
 */
export function retryDelayMs(
  kind: RetryKind,
  attempts: number,
  chance: number,
  options: {
    /** Longest delay after a throttle. */
    maxThrottleDelayMs?: number;
    /** What the answer asks for. */
    retryAfterMs?: number | undefined;
  } = {},
): number {
  const base = kind === "throttle" ? THROTTLE_BASE_MS : TRANSIENT_BASE_MS;
  const cap = kind === "throttle" ? options.maxThrottleDelayMs ?? MAX_DELAY_MS : MAX_DELAY_MS;
  const jittered = chance * Math.min(base * 2 ** (attempts - 1), cap);
  if (options.retryAfterMs === undefined) return jittered;
  return Math.max(jittered, Math.min(options.retryAfterMs, jittered + MAX_BEYOND_JITTER_MS));
}

/**
 * Does `attempt` until it succeeds, or fails in a way that `policy` does not forgive.
 *
 * @throws What the last attempt threw, or the signal's reason.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  policy: RetryPolicy,
  seams: RetrySeams,
): Promise<T> {
  const endMs = seams.now() + policy.deadlineMs;
  let throttled = 0;
  let transient = 0;
  for (;;) {
    seams.signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      const kind = retryKindOf(error);
      if (kind === undefined || !(error instanceof AwsError)) throw error;
      const count = kind === "throttle" ? ++throttled : ++transient;
      const most = kind === "throttle" ? policy.maxThrottledAttempts : policy.maxTransientAttempts;
      if (count >= most) throw error;
      const delayMs = retryDelayMs(kind, count, seams.random(), {
        maxThrottleDelayMs: policy.maxThrottleDelayMs,
        retryAfterMs: error.retryAfterMs,
      });
      if (seams.now() + delayMs >= endMs) throw error;
      seams.onRetry?.({ kind, error, attempts: throttled + transient, delayMs });
      await seams.sleep(delayMs, seams.signal);
    }
  }
}

/** Waits for `ms` milliseconds, or rejects with the signal's reason when it is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
