import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { asObject, type Json, parseJson } from "../job/json.ts";
import { createFrameReader } from "../job/output_stream.ts";
import { answerFromJson, type JobAnswer } from "../job/result.ts";
import { type JobSpec, specToJson } from "../job/spec.ts";
import { runtimeApi } from "./api.ts";
import { serveOne } from "./serve.ts";
import { testWorker, textOf } from "./worker_fixture.ts";

const job = (spec: Partial<JobSpec>): string =>
  JSON.stringify(
    specToJson({
      args: ["true"],
      env: {},
      cwd: "",
      manifests: [],
      packs: [],
      inputs: [],
      wanted: [],
      ...spec,
    }),
  );

/** What a runtime posted. */
interface Posted {
  readonly path: string;
  /** The answer, or the error. */
  readonly body: Json;
  readonly errorType: string | null;
  /** What was streamed before the answer; undefined if it was not streamed. */
  readonly streamed?: readonly string[];
}

/** A Runtime API that hands out `payloads`, then never answers again. */
function fakeApi(
  payloads: readonly string[],
  maxBytes = 1e6,
  onFrame?: (text: string) => void,
) {
  const posted: Posted[] = [];
  const queue = payloads.values();
  let count = 0;
  const { promise: drained, resolve } = Promise.withResolvers<void>();
  const { promise: never, resolve: end } = Promise.withResolvers<Response>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = new URL(request.url).pathname.replace("/2018-06-01/runtime", "");
    if (path === "/invocation/next") {
      const payload = queue.next();
      if (payload.done) {
        resolve();
        return await never;
      }
      return new Response(payload.value, {
        headers: {
          "Lambda-Runtime-Aws-Request-Id": `id-${++count}`,
          "Lambda-Runtime-Deadline-Ms": `${Date.now() + 30_000}`,
        },
      });
    }
    const errorType = request.headers.get("lambda-runtime-function-error-type");
    if (request.headers.get("lambda-runtime-function-response-mode") === "streaming") {
      const reader = createFrameReader();
      const streamed: string[] = [];
      let answer = "";
      for await (const bytes of request.body ?? []) {
        for (const frame of reader.add(bytes)) {
          const text = new TextDecoder().decode(frame.bytes);
          if (frame.kind === "answer") answer = text;
          else streamed.push(`${frame.kind}: ${text}`);
          onFrame?.(text);
        }
      }
      const body = asObject(parseJson(answer, "answer"), "answer");
      posted.push({ path, body, errorType, streamed });
      return new Response('{"status":"OK"}', { status: 202 });
    }
    const text = await request.text();
    if (text.length > maxBytes) return new Response("{}", { status: 413 });
    posted.push({
      path,
      body: asObject(parseJson(text, "body"), "body"),
      errorType,
    });
    return new Response('{"status":"OK"}', { status: 202 });
  });
  return {
    host: `127.0.0.1:${server.addr.port}`,
    posted,
    drained,
    async [Symbol.asyncDispose]() {
      end(new Response("", { status: 500 }));
      await server.shutdown();
    },
  };
}

const answerOf = ({ body }: Posted): JobAnswer => answerFromJson(body, { wanted: [] });
const stdoutOf = (posted: Posted | undefined): string => {
  assert(posted);
  const answer = answerOf(posted);
  return answer.kind === "done" ? textOf(answer.stdout) : JSON.stringify(answer);
};

Deno.test("serveOne() answers each invocation under its own id", async () => {
  await using server = fakeApi([job({ args: ["echo", "a"] }), job({ args: ["echo", "b"] })]);
  using test = testWorker();
  const api = runtimeApi(server.host);
  await serveOne(api, test.worker);
  await serveOne(api, test.worker);
  assertEquals(server.posted.map(({ path }) => path), [
    "/invocation/id-1/response",
    "/invocation/id-2/response",
  ]);
  assertEquals(server.posted.map(stdoutOf), ["a\n", "b\n"]);
  // The answer is on its way before the root is removed, and then it is.
  assertEquals([...Deno.readDirSync(test.worker.folder)].map(({ name }) => name), ["cache"]);
});

Deno.test("serveOne() answers BadJob to another version and to what is no job", async () => {
  const other = job({}).replace('"version":2', '"version":1');
  await using server = fakeApi([
    other,
    "no json",
    "[]",
    job({}).replace('"cwd":""', '"cwd":"../x"'),
  ]);
  using test = testWorker();
  for (let count = 0; count < 4; count++) await serveOne(runtimeApi(server.host), test.worker);
  for (const posted of server.posted) {
    const answer = answerOf(posted);
    assertEquals([answer.kind, answer.kind === "failed" && answer.code], ["failed", "BadJob"]);
  }
});

Deno.test("serveOne() reports an answer that is too large, and a defect, as errors", async () => {
  await using server = fakeApi(
    [job({ args: ["head", "-c", "9000", "/dev/urandom"] }), job({})],
    4000,
  );
  using test = testWorker();
  await serveOne(runtimeApi(server.host), test.worker);
  const broken = {
    ...test.worker,
    beginJob() {
      throw new TypeError("broken");
    },
  };
  await serveOne(runtimeApi(server.host), broken);
  assertEquals(server.posted.map(({ path, errorType }) => [path, errorType]), [
    ["/invocation/id-1/error", "Function.ResponseSizeTooLarge"],
    ["/invocation/id-2/error", "Runtime.Defect"],
  ]);
  assertEquals(server.posted[1]?.body.errorMessage, "broken");
});

Deno.test("serveOne() streams what a command prints while it runs, then the answer", async () => {
  using test = testWorker();
  const go = `${test.folder}/go`;
  // Each line waits until the one before has been passed on, which none is without a stream.
  const script = `echo one; until [ -e ${go} ]; do sleep 0.01; done; echo two >&2; ` +
    `until [ -e ${go}2 ]; do sleep 0.01; done; exit 3`;
  const onFrame = (text: string) => {
    if (text === "one\n") Deno.writeTextFileSync(go, "");
    if (text === "two\n") Deno.writeTextFileSync(`${go}2`, "");
  };
  const args = ["sh", "-c", script];
  await using server = fakeApi([job({ args, stream: true, timeoutMs: 20_000 })], 1e6, onFrame);
  await serveOne(runtimeApi(server.host), test.worker);
  const [posted] = server.posted;
  assertEquals(posted?.streamed, ["stdout: one\n", "stderr: two\n"]);
  const answer = posted && answerOf(posted);
  assert(answer?.kind === "done");
  assertEquals(answer.status, { kind: "exit", code: 3 });
  assertEquals([textOf(answer.stdout), textOf(answer.stderr)], ["", ""]);
});

Deno.test("serveOne() streams nothing of a job that ends at once, or that does not ask for it", async () => {
  using test = testWorker();
  const slow = { args: ["sh", "-c", "echo a; sleep 0.1; echo b"] };
  await using server = fakeApi([
    job({ args: ["echo", "a"], stream: true }),
    job(slow),
    job({ args: ["no-such-command"], stream: true }),
  ]);
  for (let count = 0; count < 3; count++) await serveOne(runtimeApi(server.host), test.worker);
  assertEquals(server.posted.map(({ streamed }) => streamed), [undefined, undefined, undefined]);
  assertEquals(server.posted.slice(0, 2).map(stdoutOf), ["a\n", "a\nb\n"]);
  const missing = server.posted[2] && answerOf(server.posted[2]);
  assertEquals(missing?.kind === "failed" && missing.code, "CommandNotFound");
});

Deno.test("serveOne() tells at the end of a stream that time was up, and of a defect", async () => {
  using test = testWorker();
  const late = job({ args: ["sh", "-c", "echo a; sleep 20"], stream: true, timeoutMs: 300 });
  const broken = job({
    args: ["sh", "-c", "echo a; head -c 9000 /dev/urandom >out; sleep 0.1"],
    wanted: [{ match: "exact", path: "out" }],
    stream: true,
  });
  await using server = fakeApi([late, broken]);
  const api = runtimeApi(server.host);
  await serveOne(api, test.worker);
  const put = () => Promise.reject(new TypeError("no store"));
  await serveOne(api, {
    ...test.worker,
    limits: { ...test.worker.limits, maxAnswerBytes: 4000 },
    objects: { ...test.objects, put },
  });
  assertEquals(server.posted.map(({ streamed }) => streamed), [["stdout: a\n"], ["stdout: a\n"]]);
  const codes = server.posted.map(answerOf).map((answer) =>
    answer.kind === "failed" && [answer.code, answer.message]
  );
  assertEquals(codes[0] && codes[0][0], "TimedOut");
  assertEquals(codes[1], ["Runtime.Defect", "no store"]);
});

/** Runs the executable itself until `server` has no more invocations. */
async function runMain(
  server: Awaited<ReturnType<typeof fakeApi>>,
  args: readonly string[],
  env: Record<string, string>,
): Promise<string> {
  const main = new URL("main.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--cached-only", ...configArgs(), main, ...args],
    env: { AWS_LAMBDA_RUNTIME_API: server.host, ...env },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  await Promise.race([server.drained, child.status]);
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  await child.status;
  return await errors;
}

/** The executable must load with the imports that this test was loaded with. */
function configArgs(): string[] {
  const offline = import.meta.resolve("@std/assert").includes("/offline/");
  return offline ? ["--config", new URL("../deno.offline.json", import.meta.url).pathname] : [];
}

Deno.test("the runtime serves jobs as a process, with its arguments as ENTRYPOINT", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    await using server = fakeApi([job({ args: ["x"] }), job({ args: ["y"] })]);
    const errors = await runMain(server, ["echo", "-n"], {
      LLAMA_WORKER_FOLDER: `${folder}/w`,
      AWS_SECRET_ACCESS_KEY: "hidden",
    });
    assertEquals(errors, "");
    assertEquals(server.posted.map(stdoutOf), ["x", "y"]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the runtime says that it cannot start if its folder cannot be made", async () => {
  await using server = fakeApi([]);
  const errors = await runMain(server, [], { LLAMA_WORKER_FOLDER: "/proc/none" });
  assertStringIncludes(errors, "/proc/none");
  assertEquals(server.posted.map(({ path }) => path), ["/init/error"]);
});
