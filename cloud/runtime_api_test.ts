import { assertEquals } from "@std/assert";
import { type Invocation, type RuntimeApi, startRuntimeApi } from "./runtime_api.ts";
import { MAX_RESPONSE_BYTES } from "./runtime_response.ts";

const invocation: Invocation = {
  requestId: "id-1",
  deadlineMs: 1234,
  functionArn: "arn:aws:lambda:us-east-1:000000000000:function:f",
  traceId: "Root=1-2-3",
  payload: new TextEncoder().encode(`{"a":1}`),
};

async function withApi(
  act: (
    api: RuntimeApi,
    call: (path: string, body?: BodyInit) => Promise<Response>,
  ) => Promise<void>,
): Promise<void> {
  const api = await startRuntimeApi();
  try {
    await act(api, (path, body) =>
      fetch(`http://${api.address}/2018-06-01/runtime/${path}`, {
        ...(body === undefined ? {} : { method: "POST", body }),
      }));
  } finally {
    await api.close();
  }
}

async function statusOf(response: Promise<Response>): Promise<number> {
  const { status, body } = await response;
  await body?.cancel();
  return status;
}

Deno.test("startRuntimeApi() hands work to next and its response to the caller", async () => {
  await withApi(async (api, call) => {
    const next = call("invocation/next");
    assertEquals((await api.ready()).kind, "ready");
    const outcome = api.run(invocation);
    const work = await next;
    assertEquals(await work.json(), { a: 1 });
    assertEquals(work.headers.get("lambda-runtime-aws-request-id"), "id-1");
    assertEquals(work.headers.get("lambda-runtime-deadline-ms"), "1234");
    assertEquals(work.headers.get("lambda-runtime-trace-id"), "Root=1-2-3");
    assertEquals(
      work.headers.get("lambda-runtime-invoked-function-arn"),
      invocation.functionArn,
    );
    const answer = await call("invocation/id-1/response", "[2]");
    assertEquals([answer.status, await answer.json()], [202, { status: "OK" }]);
    assertEquals(await outcome, { kind: "response", payload: new TextEncoder().encode("[2]") });
  });
});

Deno.test("startRuntimeApi() answers 403 to what comes out of turn and 400 to a wrong id", async () => {
  await withApi(async (api, call) => {
    assertEquals(await statusOf(call("invocation/id-1/response", "1")), 403);
    const next = call("invocation/next");
    await api.ready();
    assertEquals(await statusOf(call("init/error", "{}")), 403);
    const outcome = api.run(invocation);
    await (await next).body?.cancel();
    assertEquals(await statusOf(call("invocation/next")), 403);
    assertEquals(await statusOf(call("invocation/id-2/response", "1")), 400);
    assertEquals(await statusOf(call("invocation/id-1/error", "{}")), 202);
    assertEquals(await statusOf(call("invocation/id-1/response", "1")), 403);
    assertEquals((await outcome).kind, "error");
    assertEquals(await statusOf(call("nothing", "1")), 404);
  });
});

Deno.test("startRuntimeApi() takes a response of 6291556 bytes and not one byte more", async () => {
  await withApi(async (api, call) => {
    for (const [size, status, kind] of [[0, 202, "response"], [1, 413, "oversize"]] as const) {
      const next = call("invocation/next");
      await api.ready();
      const outcome = api.run(invocation);
      await (await next).body?.cancel();
      const body = new Uint8Array(MAX_RESPONSE_BYTES + size);
      assertEquals(await statusOf(call("invocation/id-1/response", body)), status);
      assertEquals((await outcome).kind, kind);
    }
  });
});

Deno.test("startRuntimeApi() tells of a runtime that cannot start", async () => {
  await withApi(async (api, call) => {
    assertEquals(await statusOf(call("init/error", `{"errorType":"X"}`)), 202);
    const payload = new TextEncoder().encode(`{"errorType":"X"}`);
    assertEquals(await api.ready(), { kind: "initError", payload });
    assertEquals(await statusOf(call("invocation/next")), 403);
  });
});

Deno.test("startRuntimeApi() passes a streamed response on, part by part, or keeps it where nobody takes it", async () => {
  await withApi(async (api) => {
    const answer = (parts: readonly string[], gate?: Promise<void>) =>
      fetch(`http://${api.address}/2018-06-01/runtime/invocation/id-1/response`, {
        method: "POST",
        headers: { "lambda-runtime-function-response-mode": "streaming" },
        body: ReadableStream.from((async function* () {
          for (const part of parts) {
            yield new TextEncoder().encode(part);
            await gate;
          }
        })()),
      });
    const next = `http://${api.address}/2018-06-01/runtime/invocation/next`;
    const work = fetch(next);
    await api.ready();
    const taken: string[] = [];
    const first = Promise.withResolvers<void>();
    const outcome = api.run(invocation, (chunk) => {
      taken.push(new TextDecoder().decode(chunk));
      first.resolve();
      return Promise.resolve();
    });
    await (await work).body?.cancel();
    // The second part goes out when the first one has been taken.
    const answered = answer(["one", "two"], first.promise);
    assertEquals(await statusOf(answered), 202);
    assertEquals(await outcome, { kind: "streamed" });
    assertEquals(taken, ["one", "two"]);

    const more = fetch(next);
    await api.ready();
    const kept = api.run(invocation);
    await (await more).body?.cancel();
    assertEquals(await statusOf(answer(["one", "two"])), 202);
    const payload = new TextEncoder().encode("onetwo");
    assertEquals(await kept, { kind: "response", payload });
  });
});

/** Sends `text` as a streamed response by the letter, and gives the first line of what comes back. */
async function streamRaw(
  api: RuntimeApi,
  text: string,
  breaksAfter?: Promise<void>,
): Promise<string> {
  const [hostname = "", port = ""] = api.address.split(":");
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const head = [
    "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1",
    `Host: ${api.address}`,
    "Lambda-Runtime-Function-Response-Mode: streaming",
    "Transfer-Encoding: chunked",
    "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
    "Connection: close",
  ];
  const bytes = new TextEncoder().encode(head.join("\r\n") + "\r\n\r\n" + text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  if (breaksAfter !== undefined) {
    await breaksAfter;
    return "";
  }
  const answer = new Uint8Array(1000);
  const length = await connection.read(answer) ?? 0;
  return new TextDecoder().decode(answer.subarray(0, length)).split("\r\n", 1)[0] ?? "";
}

Deno.test("startRuntimeApi() takes errors in the middle of a streamed response from its trailers", async () => {
  const json = '{"errorType":"T","errorMessage":"mé"}';
  const base64 = new TextEncoder().encode(json).toBase64();
  const broken =
    '{"errorType":"Runtime.TruncatedResponse","errorMessage":"The response broke off"}';
  const name = "Lambda-Runtime-Function-Error";
  const cases = [
    ["3\r\none\r\n0\r\n\r\n", undefined, "one"],
    [`3\r\none\r\n0\r\n${name}-Type: T\r\n${name}-Body: ${base64}\r\n\r\n`, "T", json],
    [`3\r\none\r\n0\r\n${name}-Body: no base64!\r\n\r\n`, "Unhandled", "no base64!"],
    [
      `3\r\none\r\n0\r\n${name}-Type: A.B\r\n\r\n`,
      "A.B",
      '{"errorType":"A.B","errorMessage":"The response broke off"}',
    ],
    ["3\r\none\r\n", "Runtime.TruncatedResponse", broken],
  ] as const;
  await withApi(async (api, call) => {
    for (const [text, type, expected] of cases) {
      for (const isTaken of [true, false]) {
        const next = call("invocation/next");
        await api.ready();
        const taken: string[] = [];
        const first = Promise.withResolvers<void>();
        const take = (chunk: Uint8Array) => {
          first.resolve();
          return Promise.resolve(void taken.push(new TextDecoder().decode(chunk)));
        };
        const outcome = api.run(invocation, isTaken ? take : undefined);
        await (await next).body?.cancel();
        const breaks = type === "Runtime.TruncatedResponse";
        if (!isTaken) first.resolve();
        assertEquals(
          await streamRaw(api, text, breaks ? first.promise : undefined),
          breaks ? "" : "HTTP/1.1 202 Accepted",
        );
        const payload = new TextEncoder().encode(expected);
        assertEquals(
          await outcome,
          !isTaken
            ? { kind: type === undefined ? "response" : "error", payload }
            : type === undefined
            ? { kind: "streamed" }
            : { kind: "streamed", error: { type, details: payload } },
        );
        if (isTaken) assertEquals(taken, ["one"]);
      }
    }
  });
});

Deno.test("startRuntimeApi() keeps of a streamed response that nobody takes what it keeps of any other", async () => {
  await withApi(async (api, call) => {
    const next = call("invocation/next");
    await api.ready();
    const outcome = api.run(invocation);
    await (await next).body?.cancel();
    const size = MAX_RESPONSE_BYTES + 1;
    const text = `${size.toString(16)}\r\n${"x".repeat(size)}\r\n0\r\n\r\n`;
    assertEquals(await streamRaw(api, text), "HTTP/1.1 413 Payload Too Large");
    assertEquals(await outcome, { kind: "oversize", maxBytes: MAX_RESPONSE_BYTES });
  });
});
