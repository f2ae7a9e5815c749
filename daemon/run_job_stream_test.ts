/** Jobs whose output comes while they run, over a real connection to a function that is written by hand. */
import { assertEquals, assertRejects } from "@std/assert";
import { createAwsClient } from "../aws/client.ts";
import { AwsError } from "../aws/error.ts";
import { event, stream } from "../aws/event_stream_fixture.ts";
import { type StubAnswer, withStub } from "../aws/stub_service_fixture.ts";
import { LlamaError } from "../job/errors.ts";
import { encodeFrame, type Frame } from "../job/output_stream.ts";
import { answerToJson, type JobAnswer } from "../job/result.ts";
import { type JobSpec, specFromJson } from "../job/spec.ts";
import { doneWith, memoryStore } from "./fake_function_fixture.ts";
import { runJob } from "./run_job.ts";
import { openUploads } from "./uploads.ts";

const PLAIN: JobSpec = {
  args: ["true"],
  env: {},
  cwd: "",
  manifests: [],
  packs: [],
  inputs: [],
  wanted: [],
};
const HINT = "a part of what it prints had come, so it was not run again";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const chunk = (frame: Frame) => event("PayloadChunk", encodeFrame(frame));
const stdout = (text: string) => chunk({ kind: "stdout", bytes: bytesOf(text) });
const stderr = (text: string) => chunk({ kind: "stderr", bytes: bytesOf(text) });
const jsonOf = (answer: JobAnswer) => bytesOf(JSON.stringify(answerToJson(answer)));
const answer = (answer: JobAnswer) => chunk({ kind: "answer", bytes: jsonOf(answer) });
const unframed = (answer: JobAnswer) => event("PayloadChunk", jsonOf(answer));
const end = (complete: unknown = {}) => event("InvokeComplete", JSON.stringify(complete));
const died = end({
  ErrorCode: "Runtime.ExitError",
  ErrorDetails: '{"errorType":"Runtime.ExitError"}',
});

/** An answer of these events. */
const said = (...events: readonly Uint8Array[]): StubAnswer => ({ body: stream(...events) });

/** Runs a job on a function that gives `answers`, one to each invocation. */
async function runOn(...answers: readonly StubAnswer[]) {
  const folder = await Deno.makeTempDir();
  const heard: string[] = [];
  const jobs: JobSpec[] = [];
  try {
    const queue = answers.values();
    const handle = ({ body }: { readonly body: Uint8Array }): StubAnswer => {
      jobs.push(specFromJson(JSON.parse(new TextDecoder().decode(body))));
      return queue.next().value ?? "reset";
    };
    let ran: Awaited<ReturnType<typeof runJob>> | undefined;
    let error: unknown;
    await withStub(handle, async ({ account }) => {
      const store = memoryStore();
      const client = createAwsClient(account, { sleep: () => Promise.resolve() });
      try {
        ran = await runJob(PLAIN, {
          session: { client, store, uploads: await openUploads(store, folder) },
          functionName: "fn",
          read: () => Promise.resolve(undefined),
          onOutput: (name, bytes) => {
            heard.push(`${name}: ${new TextDecoder().decode(bytes)}`);
            return Promise.resolve();
          },
        });
      } catch (thrown) {
        error = thrown;
      }
    });
    return { ran, error, heard, jobs };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("runJob() passes output on as it comes and returns what did not come so", async () => {
  const rest = doneWith({ stdout: { bytes: bytesOf("rest") } });
  const { ran, error, heard, jobs } = await runOn(
    said(stdout("a"), stderr("b"), stdout("c"), answer(rest), end({ LogResult: btoa("log") })),
  );
  assertEquals(error, undefined);
  assertEquals(heard, ["stdout: a", "stderr: b", "stdout: c"]);
  assertEquals([ran?.result, ran?.invocations, ran?.logTail], [rest, 1, "log"]);
  assertEquals(jobs[0]?.stream, true);
});

Deno.test("runJob() takes an answer without frames, as of a function that does not stream", async () => {
  const whole = doneWith({ stdout: { bytes: bytesOf("all") } });
  const { ran, heard } = await runOn(said(unframed(whole), end()));
  assertEquals([ran?.result, heard], [whole, []]);
});

Deno.test("runJob() asks again for a job of which nothing was printed", async () => {
  const throttle = { status: 429, headers: { "x-amzn-errortype": "TooManyRequestsException" } };
  const failures: readonly StubAnswer[] = [
    "reset",
    throttle,
    "cut off",
    said(event("ServiceException", "down", "exception")),
    said(died),
    said(end({ ErrorCode: "Sandbox.Failure" })),
    said(event("PayloadChunk", new Uint8Array([1, 0])), died),
  ];
  for (const failure of failures) {
    const { ran, error, heard } = await runOn(
      failure,
      said(stdout("x"), answer(doneWith()), end()),
    );
    assertEquals([error, ran?.result, heard], [undefined, doneWith(), ["stdout: x"]]);
  }
});

Deno.test("runJob() does not ask again once something was printed, and says so", async () => {
  const cases: readonly (readonly [readonly Uint8Array[], string, string])[] = [
    [[stdout("x"), died], "WorkerCrashed", 'A worker of "fn" died: '],
    [[stdout("x"), end({ ErrorCode: "Sandbox.Failure" })], "WorkerCrashed", "Sandbox.Failure"],
    [[stdout("x"), end({ ErrorCode: "Sandbox.Timedout" })], "TimedOut", "Sandbox.Timedout"],
    [[stdout("x"), event("ServiceException", "down", "exception")], "AnswerBroken", "down"],
    [[stdout("x")], "BadAnswer", "it ends without the event InvokeComplete"],
    [[stdout("x"), end()], "BadAnswer", "Cannot read"],
    [[stdout("x"), chunk({ kind: "answer", bytes: bytesOf("[") }), end()], "BadAnswer", "Cannot"],
    [
      [stdout("x"), event("PayloadChunk", "{later}"), end()],
      "BadAnswer",
      "a frame is of the kind 123",
    ],
    [
      [stdout("x"), answer({ kind: "missing", digests: [] }), end()],
      "BadAnswer",
      "it says that nothing has run, and a part was printed",
    ],
  ];
  for (const [events, code, message] of cases) {
    const { error, heard, jobs } = await runOn(said(...events));
    await assertRejects(() => Promise.reject(error), LlamaError, message);
    if (!(error instanceof LlamaError)) throw error;
    assertEquals([error.code, error.hint, heard, jobs.length], [code, HINT, ["stdout: x"], 1]);
  }
});

Deno.test("runJob() gives a runtime's own error that comes as the payload", async () => {
  const json = '{"errorType":"Runtime.Defect","errorMessage":"why"}';
  const { error } = await runOn(
    said(event("PayloadChunk", json), end({ ErrorCode: "Unhandled" })),
  );
  assertEquals(
    error instanceof LlamaError && [error.code, error.message],
    ["FunctionFailed", 'The function "fn" failed: Runtime.Defect: why'],
  );
});

Deno.test("runJob() lets AWS's refusal of a streamed invocation through", async () => {
  const refusal = { status: 404, headers: { "x-amzn-errortype": "ResourceNotFoundException" } };
  const { error, heard } = await runOn(refusal);
  assertEquals(error instanceof AwsError && error.awsCode, "ResourceNotFoundException");
  assertEquals(heard, []);
});
