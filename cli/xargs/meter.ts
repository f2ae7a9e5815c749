/** What `xargs` has done so far, and what it cost. */
import type { ExchangeEvent } from "../../aws/client.ts";
import { type FunctionSize, invocationUsd, s3Class, s3Usd } from "../../aws/prices.ts";
import type { RetryEvent } from "../../aws/retry.ts";

/** Counters of one run. */
export interface Meter {
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Jobs that ran in an earlier call and were passed over. */
  readonly skipped: number;
  /** Attempts that ended in a throttle. */
  readonly throttles: number;
  /** Milliseconds that functions ran. */
  readonly remoteMs: number;
  /** US dollars, of invocations and of requests to the store. */
  readonly usd: number;
  /** Listeners of a session. */
  readonly onExchange: (event: ExchangeEvent) => void;
  readonly onRetry: (event: RetryEvent) => void;
  /** An invocation is over. */
  invoked(billedMs: number): void;
  started(): void;
  ended(how: "succeeded" | "failed" | "given up"): void;
  skip(): void;
}

/** Creates a meter of functions of the size that `size` says. */
export function createMeter(size: () => FunctionSize): Meter {
  const counts = { running: 0, succeeded: 0, failed: 0, skipped: 0, throttles: 0 };
  let remoteMs = 0;
  let invocations = 0;
  const requests = { puts: 0, gets: 0 };
  return {
    get running() {
      return counts.running;
    },
    get succeeded() {
      return counts.succeeded;
    },
    get failed() {
      return counts.failed;
    },
    get skipped() {
      return counts.skipped;
    },
    get throttles() {
      return counts.throttles;
    },
    get remoteMs() {
      return remoteMs;
    },
    get usd() {
      // A price is linear in time, but for the price of each invocation.
      const timeUsd = invocationUsd(size(), remoteMs) - invocationUsd(size(), 0);
      return timeUsd + invocations * invocationUsd(size(), 0) + s3Usd(requests);
    },
    onExchange: ({ service, operation }) => {
      if (service !== "s3") return;
      const kind = s3Class(operation);
      if (kind === "put") requests.puts++;
      if (kind === "get") requests.gets++;
    },
    onRetry: ({ kind }) => {
      if (kind === "throttle") counts.throttles++;
    },
    invoked: (billedMs) => {
      invocations++;
      remoteMs += billedMs;
    },
    started: () => {
      counts.running++;
    },
    ended: (how) => {
      counts.running--;
      if (how !== "given up") counts[how]++;
    },
    skip: () => {
      counts.skipped++;
    },
  };
}
