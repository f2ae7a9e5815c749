import { assert, assertEquals, assertRejects } from "@std/assert";
import { BOOTSTRAP, withLambda, zipOf } from "./lambda_fixture.ts";
import { encodeEvent, streamAnswer } from "./response_stream.ts";
import { ServiceError } from "./service.ts";
import type { PoolResult } from "./worker_pool.ts";

const encoder = new TextEncoder();
const STREAMING = "/2021-11-15/functions/f/response-streaming-invocations";

function resultOf(text: string, failed = false): PoolResult {
  const payload = encoder.encode(text);
  return { payload, failed, log: new Uint8Array(), durationMs: 1, memoryBytes: 0 };
}

/** Type and payload of each event. */
function eventsIn(bytes: Uint8Array): string[][] {
  const found = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 0; at < bytes.length;) {
    const [size, headers] = [view.getUint32(at), view.getUint32(at + 4)];
    const decode = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
    const type = /:event-type\W{3}(\w+)/s.exec(decode(at + 12, at + 12 + headers))?.[1] ?? "";
    found.push([type, decode(at + 12 + headers, at + size - 4)]);
    at += size;
  }
  return found;
}

async function readAll(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string[][]> {
  return eventsIn(await new Response(stream).bytes());
}

const nobody = () => undefined;

Deno.test("streamAnswer() streams what comes, then what is left, the log and the end", async () => {
  const stream = await streamAnswer(
    async (take) => {
      await take(encoder.encode("one"));
      await take(encoder.encode("two"));
      return resultOf("");
    },
    () => "bG9n",
    nobody,
  );
  assertEquals(await readAll(stream), [
    ["PayloadChunk", "one"],
    ["PayloadChunk", "two"],
    ["InvokeComplete", '{"LogResult":"bG9n"}'],
  ]);
  const whole = await streamAnswer(() => Promise.resolve(resultOf("whole")), nobody, nobody);
  assertEquals(await readAll(whole), [["PayloadChunk", "whole"], ["InvokeComplete", "{}"]]);
});

Deno.test("streamAnswer() tells of a failure at the end, and of a refusal before anything", async () => {
  const error = '{"errorType":"Sandbox.Timedout","errorMessage":"m"}';
  const stream = await streamAnswer(
    async (take) => {
      await take(encoder.encode("part"));
      return resultOf(error, true);
    },
    nobody,
    nobody,
  );
  assertEquals(await readAll(stream), [
    ["PayloadChunk", "part"],
    ["InvokeComplete", JSON.stringify({ ErrorCode: "Sandbox.Timedout", ErrorDetails: error })],
  ]);
  const refused = () =>
    streamAnswer(() => Promise.reject(new ServiceError(429, "x", "y")), nobody, nobody);
  await assertRejects(refused, ServiceError);
});

Deno.test("streamAnswer() has the runtime wait for the reader, and go on when that is gone", async () => {
  let taken = 0;
  const ended = Promise.withResolvers<void>();
  const stream = await streamAnswer(
    async (take) => {
      for (; taken < 5; taken++) await take(encoder.encode("x"));
      ended.resolve();
      return resultOf("");
    },
    nobody,
    nobody,
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert(taken < 4, `${taken}`);
  await stream.cancel();
  await ended.promise;
});

Deno.test("InvokeWithResponseStream streams what a runtime does not, and says how it failed", async () => {
  await withLambda({}, async ({ create, send }) => {
    await create("f");
    const ended = await send("POST", STREAMING, '"echo hi"');
    assertEquals(ended.headers.get("content-type"), "application/vnd.amazon.eventstream");
    assert(ended.text.includes("hi\n") && ended.text.includes("InvokeComplete"), ended.text);
    const failed = await send("POST", STREAMING, '"kind=error; echo {}"');
    assert(failed.text.includes('{"ErrorCode":"Unhandled","ErrorDetails":"{}\\n"}'), failed.text);
    const died = await send("POST", STREAMING, '"exit 3"', {
      headers: { "x-amz-log-type": "Tail" },
    });
    assert(died.text.includes('"ErrorCode":"Runtime.ExitError"'), died.text);
    assert(died.text.includes('"LogResult":"'), died.text);
    const event = await send("POST", STREAMING, '"x"', {
      headers: { "x-amz-invocation-type": "Event" },
    });
    assertEquals([event.status, event.error], [400, "InvalidParameterValueException"]);
    const dry = await send("POST", STREAMING, '"x"', {
      headers: { "x-amz-invocation-type": "DryRun" },
    });
    assertEquals(dry.status, 204);
    assertEquals((await send("POST", STREAMING.replace("/f/", "/g/"), '""')).status, 404);
  });
});

/** A runtime that streams "one" and fails then, as its trailers say. */
const FAILING = BOOTSTRAP.replace(
  'call POST "invocation/$request/$kind" "$out"',
  `exec 3<>"/dev/tcp/\${api[0]}/\${api[1]}"
  printf 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\\r\\nHost: worker\\r\\n' "$request" >&3
  printf 'Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n' >&3
  printf 'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\\r\\n' >&3
  printf 'Connection: close\\r\\n\\r\\n3\\r\\none\\r\\n0\\r\\n' >&3
  printf 'Lambda-Runtime-Function-Error-Type: T.X\\r\\nLambda-Runtime-Function-Error-Body: e30=\\r\\n\\r\\n' >&3
  cat <&3 >/dev/null
  exec 3>&-`,
);

Deno.test("an error in the middle of a stream is told at its end, and to Invoke in place of it", async () => {
  await withLambda({}, async ({ create, send, run }) => {
    await create("f", { Code: { ZipFile: await zipOf(FAILING) } });
    const { text } = await send("POST", STREAMING, '"true"');
    assert(text.includes("one"), text);
    assert(text.includes('{"ErrorCode":"T.X","ErrorDetails":"{}"}'), text);
    const kept = await run("f", "true");
    assertEquals([kept.headers.get("x-amz-function-error"), kept.text], ["Unhandled", "{}"]);
    // The worker goes on as after any other answer.
    assertEquals((await run("f", "true")).text, "{}");
  });
});

/** Reads events with botocore, which the AWS CLI brings along, and prints them. */
const BOTOCORE = `import json, sys
from botocore.eventstream import EventStreamBuffer
buffer = EventStreamBuffer()
buffer.add_data(sys.stdin.buffer.read())
print(json.dumps([[event.headers, event.payload.decode()] for event in buffer]))
`;

async function botocore(bytes: Uint8Array): Promise<string | undefined> {
  const child = new Deno.Command("python3", {
    args: ["-c", BOTOCORE],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  // Without the module it ends before it reads.
  await writer.write(bytes).then(() => writer.close()).catch(nobody);
  const { success, stdout } = await child.output();
  return success ? new TextDecoder().decode(stdout) : undefined;
}

const hasBotocore = await botocore(new Uint8Array()) !== undefined;

(hasBotocore ? Deno.test : Deno.test.ignore)("botocore reads the same events", async () => {
  const bytes = Uint8Array.from([
    ...encodeEvent("PayloadChunk", "application/octet-stream", encoder.encode("é\n")),
    ...encodeEvent("InvokeComplete", "application/json", encoder.encode("{}")),
  ]);
  const headers = (type: string, content: string) => ({
    ":event-type": type,
    ":content-type": content,
    ":message-type": "event",
  });
  assertEquals(JSON.parse(await botocore(bytes) ?? ""), [
    [headers("PayloadChunk", "application/octet-stream"), "é\n"],
    [headers("InvokeComplete", "application/json"), "{}"],
  ]);
});
