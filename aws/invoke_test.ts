import { assertEquals, assertRejects } from "@std/assert";
import { FormatError } from "../job/errors.ts";
import { createAwsClient } from "./client.ts";
import { AwsError } from "./error.ts";
import { event, stream } from "./event_stream_fixture.ts";
import { type AnswerTaker, invoke, invokeDetached, invokeStreaming } from "./invoke.ts";
import { type StubAnswer, withStub } from "./stub_service_fixture.ts";

Deno.test("invoke() gives the answer, the log's tail and who ran it", async () => {
  const headers = {
    "x-amzn-requestid": "r-1",
    "x-amz-log-result": new TextEncoder().encode("a läne\n").toBase64(),
    "x-amz-executed-version": "$LATEST",
  };
  await withStub(() => ({ headers, body: '{"x":1}' }), async ({ account, seen }) => {
    const client = createAwsClient(account);
    const answer = await invoke(client, {
      functionName: "f:1",
      payload: "{}",
      logTail: true,
    });
    assertEquals(new TextDecoder().decode(answer.payload), '{"x":1}');
    assertEquals(
      [answer.requestId, answer.logTail, answer.executedVersion, answer.functionError],
      ["r-1", "a läne\n", "$LATEST", undefined],
    );
    assertEquals(seen[0]?.target, "/2015-03-31/functions/f%3A1/invocations");
    assertEquals(seen[0]?.headers.get("x-amz-invocation-type"), "RequestResponse");
    assertEquals(seen[0]?.headers.get("x-amz-log-type"), "Tail");
    await invoke(client, { functionName: "f", payload: new Uint8Array([0x7b, 0x7d]) });
    assertEquals(seen[1]?.headers.get("x-amz-log-type"), null);
    assertEquals(new TextDecoder().decode(seen[1]?.body), "{}");
  });
});

Deno.test("invoke() gives a function's failure as an answer, and a refusal as an error", async () => {
  const answers: StubAnswer[] = [
    {
      headers: { "x-amz-function-error": "Unhandled" },
      body: '{"errorType":"Sandbox.Timedout"}',
    },
    { status: 413, headers: { "x-amzn-errortype": "RequestTooLargeException:" }, body: "{}" },
  ];
  await withStub(() => answers.shift() ?? {}, async ({ account }) => {
    const client = createAwsClient(account);
    const failed = await invoke(client, { functionName: "f", payload: "{}" });
    assertEquals(failed.functionError, "Unhandled");
    const act = () => invoke(client, { functionName: "f", payload: "{}" });
    assertEquals((await assertRejects(act, AwsError)).code, "RequestTooLargeException");
  });
});

Deno.test("invokeDetached() hands an event over", async () => {
  const accepted = { status: 202, headers: { "x-amzn-requestid": "r-2" } };
  await withStub(() => accepted, async ({ account, seen }) => {
    const client = createAwsClient(account);
    const answer = await invokeDetached(client, { functionName: "f", payload: "{}" });
    assertEquals(answer, { requestId: "r-2" });
    assertEquals(seen[0]?.headers.get("x-amz-invocation-type"), "Event");
  });
});

function taker(): AnswerTaker & { text: string } {
  return {
    text: "",
    begin() {
      this.text = "";
    },
    take(bytes) {
      this.text += new TextDecoder().decode(bytes);
      return Promise.resolve();
    },
    isTaken() {
      return this.text !== "";
    },
  };
}

const FUNCTION = { functionName: "f:1", payload: "{}" };

Deno.test("invokeStreaming() passes chunks on and gives the end of the log", async () => {
  const log = new TextEncoder().encode("a läne\n").toBase64();
  const body = stream(
    event("PayloadChunk", "one "),
    event("PayloadChunk", "two"),
    event("Unknown", "x"),
    event("InvokeComplete", JSON.stringify({ LogResult: log })),
  );
  const headers = { "x-amzn-requestid": "r-1", "x-amz-executed-version": "$LATEST" };
  await withStub(() => ({ headers, body }), async ({ account, seen }) => {
    const took = taker();
    const answer = await invokeStreaming(
      createAwsClient(account),
      { ...FUNCTION, logTail: true },
      took,
    );
    assertEquals(took.text, "one two");
    assertEquals([answer.requestId, answer.logTail, answer.executedVersion, answer.functionError], [
      "r-1",
      "a läne\n",
      "$LATEST",
      undefined,
    ]);
    assertEquals(seen[0]?.target, "/2021-11-15/functions/f%3A1/response-streaming-invocations");
    assertEquals(seen[0]?.headers.get("x-amz-log-type"), "Tail");
  });
});

Deno.test("invokeStreaming() gives a function's failure in the form that invoke() has", async () => {
  const json = '{"errorType":"Sandbox.Timedout","errorMessage":"m"}';
  const cases = [
    [{ ErrorCode: "Sandbox.Timedout", ErrorDetails: json }, json],
    [
      { ErrorCode: "Runtime.ExitError", ErrorDetails: "gone" },
      '{"errorType":"Runtime.ExitError","errorMessage":"gone"}',
    ],
    [{ ErrorCode: "Unhandled" }, '{"errorType":"Unhandled","errorMessage":""}'],
    [{ ErrorCode: "A", ErrorDetails: null }, '{"errorType":"A","errorMessage":""}'],
  ] as const;
  for (const [complete, expected] of cases) {
    const body = stream(event("InvokeComplete", JSON.stringify(complete)));
    await withStub(() => ({ body }), async ({ account }) => {
      const answer = await invokeStreaming(createAwsClient(account), FUNCTION, taker());
      assertEquals(answer.functionError, "Unhandled");
      assertEquals(new TextDecoder().decode(answer.payload), expected);
    });
  }
});

Deno.test("invokeStreaming() takes an end whose error is null or empty for none", async () => {
  for (const code of [null, ""]) {
    const end = { ErrorCode: code, ErrorDetails: code, LogResult: code };
    const body = stream(event("PayloadChunk", "x"), event("InvokeComplete", JSON.stringify(end)));
    await withStub(() => ({ body }), async ({ account }) => {
      const took = taker();
      const answer = await invokeStreaming(createAwsClient(account), FUNCTION, took);
      assertEquals([took.text, answer.functionError, answer.payload.length], ["x", undefined, 0]);
      assertEquals(answer.logTail, undefined);
    });
  }
});

Deno.test("invokeStreaming() tries again until something was taken, and then no more", async () => {
  const whole = stream(event("PayloadChunk", "again"), event("InvokeComplete", "{}"));
  const early: StubAnswer[] = [
    "reset",
    { body: stream(event("ServiceException", "busy", "exception")) },
    { status: 429, headers: { "x-amzn-errortype": "TooManyRequestsException" } },
    { body: whole },
  ];
  const quick = { sleep: () => Promise.resolve() };
  await withStub(() => early.shift() ?? "reset", async ({ account, seen }) => {
    const took = taker();
    await invokeStreaming(createAwsClient(account, quick), FUNCTION, took);
    assertEquals([took.text, seen.length], ["again", 4]);
  });
  const late = stream(
    event("PayloadChunk", "part"),
    event("ServiceException", "busy", "exception"),
  );
  await withStub(() => ({ body: late }), async ({ account, seen }) => {
    const took = taker();
    const act = () => invokeStreaming(createAwsClient(account, quick), FUNCTION, took);
    assertEquals((await assertRejects(act, AwsError)).awsCode, "AnswerBroken");
    assertEquals([took.text, seen.length], ["part", 1]);
  });
});

Deno.test("invokeStreaming() hands on what the taker throws, and refuses what is no such stream", async () => {
  const body = stream(event("PayloadChunk", "x"), event("InvokeComplete", "{}"));
  await withStub(() => ({ body }), async ({ account, seen }) => {
    const broken = { ...taker(), take: () => Promise.reject(new Deno.errors.BrokenPipe("gone")) };
    const act = () => invokeStreaming(createAwsClient(account), FUNCTION, broken);
    await assertRejects(act, Deno.errors.BrokenPipe);
    assertEquals(seen.length, 1);
  });
  for (
    const bytes of [
      stream(event("PayloadChunk", "x")),
      new Uint8Array(40).fill(65),
      new Uint8Array(),
    ]
  ) {
    await withStub(() => ({ body: bytes }), async ({ account }) => {
      const act = () => invokeStreaming(createAwsClient(account), FUNCTION, taker());
      await assertRejects(act, FormatError);
    });
  }
});
