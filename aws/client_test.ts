import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createAwsClient } from "./client.ts";
import { AwsError } from "./error.ts";
import { STUB_KEYS, type StubAnswer, withStub } from "./stub_service_fixture.ts";

const NO_WAIT = { sleep: () => Promise.resolve() };
const GET = { service: "lambda", operation: "GetFunction", method: "GET", path: "/2015-03-31/x" };
const INVOKE = {
  service: "lambda",
  operation: "Invoke",
  method: "POST",
  path: "/2015-03-31/functions/llama/invocations",
  body: "{}",
  retry: "invoke",
} as const;

/** Answers in turn, the last for ever. */
function inTurn(...answers: StubAnswer[]): () => StubAnswer {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)] ?? {};
}

Deno.test("send() signs what it sends, the type, the range and the token too", async () => {
  await withStub(() => ({ body: "answer" }), async ({ account, seen }) => {
    const client = createAwsClient(account);
    const answer = await client.send({
      ...INVOKE,
      headers: { "content-type": "application/json", range: "bytes=0-1", "x-amz-meta-a": "b  c" },
      body: '{"ä":1}',
    });
    assertEquals(new TextDecoder().decode(answer.body), "answer");
    const [request] = seen;
    assertEquals(new TextDecoder().decode(request?.body), '{"ä":1}');
    assertEquals(request?.signedHeaders, [
      "content-type",
      "host",
      "range",
      "x-amz-date",
      "x-amz-meta-a",
      "x-amz-security-token",
    ]);
    assertEquals(client.counters.requests, 1);
    assertEquals(client.counters.bytesSent, 8);
    assertEquals(client.counters.bytesReceived, 6);
  });
});

Deno.test("send() signs paths and queries with characters that need care", async () => {
  await withStub(() => ({}), async ({ account, seen }) => {
    const client = createAwsClient(account);
    for (const path of ["/a%2Bb", "/a%20b/%C3%A4%2F%25", "/x/", "/it%27s%21%28%2A%29", "/a//b"]) {
      await client.send({ service: "s3", operation: "Get", method: "GET", bucket: "b", path });
    }
    for (const path of ["/functions/arn%3Aaws%3Alambda%3Ax/invocations", "/a%2Bb%20c"]) {
      await client.send({ ...GET, path });
    }
    const query = [["b", "2 +/&="], ["a", ""], ["B", "ä*'()!~"]] as const;
    await client.send({ ...GET, path: "/", query });
    assertEquals(seen.map(({ target }) => target), [
      "/b/a%2Bb",
      "/b/a%20b/%C3%A4%2F%25",
      "/b/x/",
      "/b/it%27s%21%28%2A%29",
      "/b/a//b",
      "/functions/arn%3Aaws%3Alambda%3Ax/invocations",
      "/a%2Bb%20c",
      "/?b=2%20%2B%2F%26%3D&a=&B=%C3%A4%2A%27%28%29%21~",
    ]);
  });
});

Deno.test("send() tries again when the connection breaks before or within the answer", async () => {
  await withStub(inTurn("reset", "cut off", "reset", { body: "whole" }), async ({ account }) => {
    const client = createAwsClient(account, NO_WAIT);
    assertEquals(new TextDecoder().decode((await client.send(INVOKE)).body), "whole");
    assertEquals(client.counters.requests, 4);
    assertEquals(client.counters.retries, 3);
    assertEquals(client.counters.throttles, 0);
  });
});

Deno.test("send() names the host that it cannot reach", async () => {
  await withStub(() => "reset", async ({ account, seen }) => {
    const client = createAwsClient(account, NO_WAIT);
    const error = await assertRejects(() => client.send(GET), AwsError);
    assertEquals(error.code, "ConnectionFailed");
    assertEquals(error.status, 0);
    assertStringIncludes(
      error.message,
      "Cannot get an answer to lambda GetFunction: the connection",
    );
    assertStringIncludes(error.message, "127.0.0.1:");
    assertEquals(seen.length, 8);
  });
});

Deno.test("send() waits out throttles as the answer asks", async () => {
  const throttle = {
    status: 429,
    headers: { "retry-after": "1", "x-amzn-errortype": "TooManyRequestsException" },
    body: '{"Reason":"ConcurrentInvocationLimitExceeded","message":"Rate Exceeded."}',
  };
  await withStub(inTurn(throttle, throttle, { body: "ran" }), async ({ account }) => {
    const waits: number[] = [];
    const reasons: unknown[] = [];
    const client = createAwsClient(account, {
      random: () => 0.25,
      sleep: (ms) => Promise.resolve(void waits.push(ms)),
      onRetry: ({ error }) => reasons.push(error.reason),
    });
    assertEquals(new TextDecoder().decode((await client.send(INVOKE)).body), "ran");
    assertEquals(waits, [1_000, 1_000]);
    assertEquals(client.counters.throttles, 2);
    assertEquals(reasons, Array(2).fill("ConcurrentInvocationLimitExceeded"));
  });
});

Deno.test("send() ends at its deadline while it waits for the answer", async () => {
  const never = Promise.withResolvers<StubAnswer>();
  await withStub(() => never.promise, async ({ account }) => {
    const client = createAwsClient(account, NO_WAIT);
    const error = await assertRejects(() => client.send({ ...INVOKE, deadlineMs: 30 }), AwsError);
    assertEquals(error.code, "DeadlineExceeded");
    never.resolve({});
  });
});

Deno.test("send() ends with the reason of the caller's signal", async () => {
  const never = Promise.withResolvers<StubAnswer>();
  const ended = new AbortController();
  await withStub(() => {
    ended.abort(new Error("stopped by the user"));
    return never.promise;
  }, async ({ account }) => {
    const client = createAwsClient(account);
    const send = () => client.send({ ...INVOKE, signal: ended.signal });
    await assertRejects(send, Error, "stopped by the user");
    await assertRejects(send, Error, "stopped by the user");
    never.resolve({});
    assertEquals(client.counters.requests, 1);
  });
});

Deno.test("send() uses credentials that were renewed after a refusal", async () => {
  const refuse = { status: 400, body: '{"__type":"ExpiredTokenException","message":"expired"}' };
  await withStub(
    ({ headers }) => headers.get("x-amz-security-token") === "fresh" ? { body: "in" } : refuse,
    async ({ account }) => {
      let sessionToken = "stale";
      const client = createAwsClient({
        ...account,
        credentials: () => Promise.resolve({ ...STUB_KEYS, sessionToken }),
        renewCredentials: () => sessionToken = "fresh",
      });
      assertEquals(new TextDecoder().decode((await client.send(GET)).body), "in");

      const stuck = createAwsClient({ ...account, renewCredentials: () => {} });
      const error = await assertRejects(() => stuck.send(GET), AwsError);
      assertStringIncludes(error.hint ?? "", "Sign in again");
      assertEquals(stuck.counters.requests, 1);
    },
  );
});

Deno.test("send() corrects a wrong clock by the answer's date", async () => {
  const nowMs = Date.parse("2026-03-01T12:00:00Z");
  await withStub(({ headers }) => {
    const good = headers.get("x-amz-date") === "20260301T120000Z";
    const date = { date: new Date(nowMs).toUTCString() };
    return good ? {} : {
      status: 403,
      headers: date,
      body: "<Error><Code>RequestTimeTooSkewed</Code><Message>clock</Message></Error>",
    };
  }, async ({ account }) => {
    const client = createAwsClient(account, { now: () => nowMs + 3_600_000 });
    await client.send(GET);
    await client.send(GET);
    assertEquals(client.counters.requests, 3);

    const wrong = {
      ...account,
      credentials: () => Promise.resolve({ ...STUB_KEYS, secretAccessKey: "x" }),
    };
    const refused = createAwsClient(wrong, { now: () => nowMs });
    const error = await assertRejects(() => refused.send(GET), AwsError);
    assertEquals(error.code, "SignatureDoesNotMatch");
  });
});

Deno.test("send() does not follow redirects", async () => {
  const moved = { status: 301, headers: { location: "http://127.0.0.1:1/" } };
  await withStub(() => moved, async ({ account }) => {
    const error = await assertRejects(() => createAwsClient(account).send(GET), AwsError);
    assertEquals(error.code, "PermanentRedirect");
  });
});

Deno.test("send() masks secrets in what it tells of requests", async () => {
  await withStub(() => ({ body: "secret answer" }), async ({ account }) => {
    const lines: string[] = [];
    await createAwsClient(account, { debug: (line) => lines.push(line) }).send(INVOKE);
    const [sent = "", received = ""] = lines;
    assertStringIncludes(sent, "> Invoke: POST http://127.0.0.1:");
    assertStringIncludes(sent, "Credential=AKIDSTUB/");
    assertStringIncludes(sent, "Signature=***");
    assertStringIncludes(received, "< Invoke: 200 in ");
    for (const line of lines) {
      assert(!line.includes(STUB_KEYS.sessionToken) && !/[0-9a-f]{64}/.test(line), line);
      assert(!line.includes("secret answer"), line);
    }
  });
});

Deno.test("send() keeps the connections of a burst for the next", async () => {
  await withStub(() => ({ body: "x" }), async ({ account, connections }) => {
    const client = createAwsClient(account);
    const burst = () => Promise.all(Array.from({ length: 20 }, () => client.send(INVOKE)));
    await burst();
    const opened = connections();
    await burst();
    await burst();
    assert(opened <= 20, `${opened}`);
    assertEquals(connections(), opened);
  });
});

Deno.test("onExchange hears of each attempt, with its bytes", async () => {
  await withStub(inTurn({ status: 500, body: "no" }, { body: "answer" }), async ({ account }) => {
    const heard: unknown[] = [];
    const client = createAwsClient(account, {
      ...NO_WAIT,
      onExchange: (event) => heard.push(Object.values(event)),
    });
    await client.send({ ...INVOKE, body: "{}" });
    assertEquals(heard, [["lambda", "Invoke", 500, 2, 2], ["lambda", "Invoke", 200, 2, 6]]);
  });
});
