import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { AwsError } from "./error.ts";
import {
  INVOKE_RETRY,
  NO_RETRY,
  retryDelayMs,
  type RetryEvent,
  retryKindOf,
  type RetryPolicy,
  sleep,
  STANDARD_RETRY,
  withRetries,
} from "./retry.ts";

function fault(status: number, awsCode = "", retryAfterMs?: number): AwsError {
  const request = { service: "lambda", operation: "Invoke", awsMessage: "" };
  return new AwsError({ ...request, status, awsCode, retryAfterMs });
}

/** Runs `outcomes` in turn on a clock that only waiting moves. */
async function run(outcomes: readonly (AwsError | "ok")[], policy: RetryPolicy, chance = 0.5) {
  const waits: number[] = [];
  const events: RetryEvent[] = [];
  let nowMs = 0;
  let attempts = 0;
  const result = await withRetries(
    () => {
      const outcome = outcomes[Math.min(attempts++, outcomes.length - 1)];
      return outcome instanceof AwsError ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
    policy,
    {
      random: () => chance,
      now: () => nowMs,
      sleep: (ms) => {
        waits.push(ms);
        nowMs += ms;
        return Promise.resolve();
      },
      onRetry: (event) => events.push(event),
    },
  ).catch((error: unknown) => error);
  return { result, waits, events, attempts, nowMs };
}

Deno.test("retryKindOf() knows what is worth another attempt", () => {
  const kinds: [number, string, string | undefined][] = [
    [429, "TooManyRequestsException", "throttle"],
    [429, "", "throttle"],
    [400, "ThrottlingException", "throttle"],
    [400, "RequestLimitExceeded", "throttle"],
    [503, "SlowDown", "throttle"],
    [502, "EC2ThrottledException", "throttle"],
    [502, "ResourceNotReadyException", "transient"],
    [409, "CodeArtifactUserPendingException", "transient"],
    [409, "ConditionalRequestConflict", "transient"],
    [409, "ResourceConflictException", undefined],
    [500, "ServiceException", "transient"],
    [503, "ServiceUnavailable", "transient"],
    [504, "", "transient"],
    [501, "NotImplemented", undefined],
    [400, "RequestTimeout", "transient"],
    [0, "ConnectionFailed", "transient"],
    [0, "DeadlineExceeded", undefined],
    [403, "AccessDenied", undefined],
    [404, "NoSuchKey", undefined],
    [412, "PreconditionFailed", undefined],
    [413, "RequestTooLargeException", undefined],
  ];
  for (const [status, code, kind] of kinds) {
    assertEquals(retryKindOf(fault(status, code)), kind, `${status} ${code}`);
  }
  assertEquals(retryKindOf(new TypeError("a defect")), undefined);
});

Deno.test("retryDelayMs() doubles from 50 ms for faults and from 1 s for throttles, up to a cap", () => {
  assertEquals([1, 2, 3, 12].map((n) => retryDelayMs("transient", n, 1)), [50, 100, 200, 20_000]);
  assertEquals([1, 2, 3, 12].map((n) => retryDelayMs("throttle", n, 1)), [
    1_000,
    2_000,
    4_000,
    20_000,
  ]);
  assertEquals(retryDelayMs("throttle", 12, 0.5, { maxThrottleDelayMs: 4_000 }), 2_000);
  assertEquals(retryDelayMs("transient", 3, 0), 0);
});

Deno.test("retryDelayMs() keeps what the answer asks for, between its own delay and 5 s more", () => {
  assertEquals(retryDelayMs("transient", 1, 0.5, { retryAfterMs: 700 }), 700);
  assertEquals(retryDelayMs("throttle", 2, 0.5, { retryAfterMs: 10 }), 1_000);
  assertEquals(retryDelayMs("throttle", 1, 0.5, { retryAfterMs: 86_400_000 }), 5_500);
});

Deno.test("withRetries() tries again after lost connections, and tells of each delay", async () => {
  const lost = fault(0, "ConnectionFailed");
  const { result, waits, events } = await run([lost, lost, "ok"], STANDARD_RETRY);
  assertEquals(result, "ok");
  assertEquals(waits, [25, 50]);
  assertEquals(events.map(({ kind, attempts, delayMs }) => [kind, attempts, delayMs]), [
    ["transient", 1, 25],
    ["transient", 2, 50],
  ]);
});

Deno.test("withRetries() counts throttles and faults apart", async () => {
  const outcomes = [fault(429), fault(500), fault(429), fault(500), "ok" as const];
  const { waits } = await run(outcomes, STANDARD_RETRY);
  assertEquals(waits, [500, 25, 1_000, 50]);
});

Deno.test("withRetries() gives up after eight faults with the last of them", async () => {
  const last = fault(503, "ServiceUnavailable");
  const { result, attempts } = await run([last], STANDARD_RETRY);
  assertStrictEquals(result, last);
  assertEquals(attempts, 8);
});

Deno.test("withRetries() goes on with throttles of Invoke until the deadline", async () => {
  const throttle = fault(429, "TooManyRequestsException");
  const policy = { ...INVOKE_RETRY, deadlineMs: 60_000 };
  const { result, attempts, nowMs } = await run([throttle], policy);
  assertStrictEquals(result, throttle);
  assertEquals(attempts, 32);
  assertEquals(nowMs, 59_500);
  const many = [...Array.from({ length: 25 }, () => throttle), "ok" as const];
  assertEquals((await run(many, policy)).result, "ok");
});

Deno.test("withRetries() does not wait beyond the deadline", async () => {
  const { result, waits } = await run([fault(429, "", 4_000), "ok"], {
    ...INVOKE_RETRY,
    deadlineMs: 3_000,
  });
  assertEquals(result instanceof AwsError, true);
  assertEquals(waits, []);
});

Deno.test("withRetries() makes one attempt where told so, or where another is no use", async () => {
  assertEquals((await run([fault(500), "ok"], NO_RETRY)).attempts, 1);
  assertEquals((await run([fault(403, "AccessDenied"), "ok"], INVOKE_RETRY)).attempts, 1);
});

Deno.test("sleep() ends with the signal's reason", async () => {
  const ended = new AbortController();
  const waiting = sleep(60_000, ended.signal);
  ended.abort(new Error("enough"));
  await assertRejects(() => waiting, Error, "enough");
  await assertRejects(() => sleep(60_000, ended.signal), Error, "enough");
});
