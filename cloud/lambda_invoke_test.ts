import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  BOOTSTRAP,
  type LambdaFixture,
  processesWith,
  withLambda,
  zipOf,
} from "./lambda_fixture.ts";

const tail = { headers: { "x-amz-log-type": "Tail" } };

Deno.test("Lambda opens before it knows how to seal workers, and the first invocation waits for it", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await withLambda({ directory }, async ({ create, run, lambda }) => {
      assertEquals(lambda.status().sealed, "unknown");
      await create("f");
      assertEquals((await run("f", "echo $count")).text, "0\n");
      assertMatch(lambda.status().sealed, /^(bubblewrap|unshare|no)$/);
    });
    await withLambda({ directory }, async ({ lambda }) => {
      assertEquals(lambda.status().sealed, "unknown");
      // With functions it is found out at once, and closing waits for that.
      await lambda.close();
      assertMatch(lambda.status().sealed, /^(bubblewrap|unshare|no)$/);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Lambda ends what plain workers of a cloud that was killed left behind", async () => {
  const directory = await Deno.makeTempDir();
  const args = ["-c", "echo begun; read line; :"];
  const start = (folder: string) =>
    new Deno.Command("/bin/sh", { args, env: { TMPDIR: folder }, stdin: "piped", stdout: "piped" })
      .spawn();
  const left = start(`${directory}/lambda/scratch/0123abcd/w.tmp`);
  const other = start(`${directory}/lambda/scratch2`);
  try {
    // Their environments are theirs only when they have been executed.
    const outputs = [left, other].map(({ stdout }) => stdout.getReader());
    for (const output of outputs) await output.read();
    await withLambda({ directory }, () => Promise.resolve());
    // Who lives ends now.
    await Promise.allSettled([left, other].map(({ stdin }) => stdin.close()));
    assertEquals([(await left.status).signal, (await other.status).signal], ["SIGKILL", null]);
    for (const output of outputs) await output.cancel();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

for (const [sealed, ways] of [["sealed", undefined], ["plain", []]] as const) {
  const options = ways === undefined ? {} : { ways };

  Deno.test(`Invoke runs a function in a ${sealed} worker that keeps its state`, async () => {
    await withLambda(options, async ({ create, run, lambda }) => {
      assertEquals((await create("f")).status, 201);
      const first = await run("f", "count=$((count + 1)); echo $count");
      assertEquals([first.status, first.text], [200, "1\n"]);
      assertEquals(first.headers.get("x-amz-executed-version"), "$LATEST");
      assertEquals((await run("f", "count=$((count + 1)); echo $count")).text, "2\n");
      assertEquals(lambda.status().workers, 1);
    });
  });

  Deno.test(`Invoke kills a ${sealed} worker and what it started when its time is up`, async () => {
    await withLambda(options, async ({ create, run, lambda }) => {
      await create("f", { Timeout: 1 });
      const marker = `${Date.now()}`;
      const late = await run(
        "f",
        `sleep 98765${marker} & echo started >&2; sleep 98765${marker}`,
        tail,
      );
      assertEquals(late.headers.get("x-amz-function-error"), "Unhandled");
      assertEquals(late.json["errorType"], "Sandbox.Timedout");
      assertMatch(late.text, /RequestId: \S+ Error: Task timed out after 1\.00 seconds/);
      const log = logOf(late);
      assertStringIncludes(log, "started\n");
      assertStringIncludes(log, "\tStatus: timeout");
      assertEquals(processesWith(`98765${marker}`), []);
      assertEquals(lambda.status().workers, 0);
      assertEquals((await run("f", "echo $count")).text, "0\n");
    });
  });

  Deno.test(`Invoke reports the end of a ${sealed} worker and starts another`, async () => {
    await withLambda(options, async ({ create, run }) => {
      await create("f");
      const one = await run("f", "exit 1");
      assertEquals(one.status, 200);
      assertEquals(one.json["errorType"], "Runtime.ExitError");
      assertMatch(one.text, /RequestId: \S+ Error: Runtime exited with error: exit status 1"/);
      assertMatch(
        (await run("f", "kill -9 $$")).text,
        /Runtime exited with error: signal: killed"/,
      );
      assertMatch((await run("f", "exit 0")).text, /Runtime exited without providing a reason"/);
      assertEquals((await run("f", "echo $count")).text, "0\n");
    });
  });
}

function logOf({ headers }: { headers: Headers }): string {
  return new TextDecoder().decode(
    Uint8Array.fromBase64(headers.get("x-amz-log-result") ?? ""),
  );
}

Deno.test("Invoke gives the end of the log with what the invocation cost", async () => {
  await withLambda({}, async ({ create, run }) => {
    await create("f", { MemorySize: 256 });
    const cold = logOf(await run("f", "echo working >&2; echo 1", tail));
    assertMatch(cold, /^START RequestId: (\S+) Version: \$LATEST\nworking\nEND RequestId: \1\n/);
    assertMatch(
      cold,
      /REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\tMax Memory Used: [1-9]\d* MB\tInit Duration: [\d.]+ ms\t\n$/,
    );
    const warm = logOf(await run("f", "echo again >&2", tail));
    assert(!warm.includes("Init Duration") && !warm.includes("working"), warm);
    assertEquals((await run("f", "echo 1")).headers.get("x-amz-log-result"), null);
    const long = logOf(await run("f", "printf %05000d 1 >&2", tail));
    assertEquals(new TextEncoder().encode(long).length, 4096);
  });
});

Deno.test("Invoke gives a worker the environment of Lambda and nothing of this process's", async () => {
  await withLambda({}, async ({ create, run }) => {
    await create("f", { Environment: { Variables: { LLAMA_OBJECT_STORE: "s3://b/p" } } });
    const { text } = await run("f", "env");
    const lines = text.trim().split("\n").sort();
    for (
      const line of [
        "AWS_ACCESS_KEY_ID=ASIA28800",
        "AWS_ENDPOINT_URL=http://127.0.0.1:1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
        "AWS_SESSION_TOKEN=arn:aws:iam::000000000000:role/worker",
        "LAMBDA_TASK_ROOT=/var/task",
        "LLAMA_OBJECT_STORE=s3://b/p",
        "PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
        "TZ=:UTC",
      ]
    ) assert(lines.includes(line), `${line} in ${text}`);
    // What is not there is the point: bash itself makes the ones that are left out here.
    // LLAMA_PRIVATE_TMP stands for what in Lambda is known without it.
    const names = lines.map((line) => line.split("=")[0] ?? "");
    assertEquals(names.filter((name) => !["OLDPWD", "PWD", "SHLVL", "_"].includes(name)), [
      "AWS_ACCESS_KEY_ID",
      "AWS_DEFAULT_REGION",
      "AWS_ENDPOINT_URL",
      "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
      "AWS_LAMBDA_FUNCTION_NAME",
      "AWS_LAMBDA_FUNCTION_VERSION",
      "AWS_LAMBDA_INITIALIZATION_TYPE",
      "AWS_LAMBDA_LOG_GROUP_NAME",
      "AWS_LAMBDA_LOG_STREAM_NAME",
      "AWS_LAMBDA_RUNTIME_API",
      "AWS_REGION",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
      "LAMBDA_RUNTIME_DIR",
      "LAMBDA_TASK_ROOT",
      "LANG",
      "LLAMA_OBJECT_STORE",
      "LLAMA_PRIVATE_TMP",
      "PATH",
      "TZ",
      "_HANDLER",
    ]);
  });
});

Deno.test("Invoke passes a runtime's error on and refuses a response that is too large", async () => {
  await withLambda({}, async ({ create, run }) => {
    await create("f");
    const error = await run("f", "kind=error; echo {}");
    assertEquals([error.status, error.text], [200, "{}\n"]);
    assertEquals(error.headers.get("x-amz-function-error"), "Unhandled");
    const large = await run("f", "head -c 6291557 /dev/zero");
    assertEquals(large.headers.get("x-amz-function-error"), "Unhandled");
    assertEquals(large.json, {
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    });
    const just = await run("f", "head -c 6291556 /dev/zero | tr -c x x");
    assertEquals([just.text.length, just.headers.get("x-amz-function-error")], [6291556, null]);
  });
});

Deno.test("Invoke names a function without a program and one that ends before it is ready", async () => {
  await withLambda({}, async ({ create, run }) => {
    await create("none", { Code: { ZipFile: await zipOf(BOOTSTRAP, 0o644) } });
    const none = await run("none", "");
    assertEquals(none.json["errorType"], "Runtime.InvalidEntrypoint");
    await create("ends", { Code: { ZipFile: await zipOf("#!/bin/bash\necho no >&2; exit 3\n") } });
    const ends = await run("ends", "", tail);
    assertEquals(ends.json["errorType"], "Runtime.ExitError");
    assertStringIncludes(ends.text, "exit status 3");
    assertStringIncludes(logOf(ends), "no\n");
  });
});

Deno.test("Invoke checks the payload before anything runs", async () => {
  await withLambda({}, async ({ create, send, lambda }) => {
    await create("f");
    const path = "/2015-03-31/functions/f/invocations";
    assertEquals((await send("POST", path, "{no")).error, "InvalidRequestContentException");
    const large = await send("POST", path, `"${"x".repeat(6291455)}"`);
    assertEquals([large.status, large.error], [413, "RequestTooLargeException"]);
    const unknown = await send("POST", "/2015-03-31/functions/g/invocations", "{}");
    assertEquals([unknown.status, unknown.error], [404, "ResourceNotFoundException"]);
    assertEquals(
      unknown.text,
      "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g",
    );
    const denied = await send("POST", path, "{}", { asRole: true });
    assertEquals([denied.status, denied.error], [403, "AccessDeniedException"]);
    const dry = await send("POST", path, "{}", { headers: { "x-amz-invocation-type": "DryRun" } });
    assertEquals(dry.status, 204);
    assertEquals(lambda.status().workers, 0);
  });
});

/** A door that scripts wait at: each opens a connection and gets a line when it is let through. */
async function withDoor(
  act: (door: { script: string; arrived(): Promise<Deno.TcpConn> }) => Promise<void>,
): Promise<void> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await act({
    script:
      `exec 4<>/dev/tcp/127.0.0.1/${listener.addr.port}; read -r line <&4; exec 4>&-; echo $line`,
    arrived: () => listener.accept(),
  });
}

async function open(connection: Deno.TcpConn, line: string): Promise<void> {
  await connection.write(new TextEncoder().encode(`${line}\n`));
  connection.close();
}

Deno.test("Invoke lets 20 invocations wait in line for 2 places", async () => {
  await withLambda({ concurrency: 2 }, async ({ create, run, lambda }) => {
    await create("f");
    await withDoor(async ({ script, arrived }) => {
      const answers = Array.from({ length: 20 }, () => run("f", script));
      let left = 20;
      for (let pair = 0; pair < 10; pair++) {
        const inside = [await arrived(), await arrived()];
        assertEquals(lambda.status().running, 2);
        assertEquals(lambda.status().waiting, left - 2);
        for (const connection of inside) await open(connection, "through");
        left -= 2;
      }
      for (const answer of await Promise.all(answers)) assertEquals(answer.text, "through\n");
      assert(lambda.status().workers <= 2);
    });
  });
});

Deno.test("Invoke answers 429 when one of AWS's own limits is set and reached", async () => {
  await withLambda({ concurrency: 1, accountConcurrency: 2 }, async (fixture) => {
    const { create, run, send } = fixture;
    await create("f");
    await withDoor(async ({ script, arrived }) => {
      const first = run("f", script);
      const connection = await arrived();
      const second = run("f", "echo 2");
      const third = await run("f", "echo 3");
      assertEquals([third.status, third.error], [429, "TooManyRequestsException"]);
      assertEquals(third.json, {
        Reason: "ConcurrentInvocationLimitExceeded",
        message: "Rate Exceeded.",
      });
      assertEquals(third.headers.get("retry-after"), "1");
      await open(connection, "1");
      assertEquals([(await first).text, (await second).text], ["1\n", "2\n"]);
    });
    const path = "/2017-10-31/functions/f/concurrency";
    await send("PUT", path, { ReservedConcurrentExecutions: 0 });
    assertEquals(
      (await run("f", "echo 4")).json["Reason"],
      "ReservedFunctionConcurrentInvocationLimitExceeded",
    );
    assertEquals((await send("DELETE", path)).status, 204);
    assertEquals((await run("f", "echo 5")).text, "5\n");
  });
});

Deno.test("Invoke forgets who waits in line when the client goes, and finishes what runs", async () => {
  await withLambda({ concurrency: 1 }, async ({ create, run, lambda }) => {
    await create("f");
    await withDoor(async ({ script, arrived }) => {
      const gone = new AbortController();
      const running = run("f", script, { signal: gone.signal });
      const connection = await arrived();
      const waiting = run("f", "echo 2", { signal: gone.signal });
      const refused = waiting.then(() => "answered", () => "dropped");
      assertEquals(lambda.status().waiting, 1);
      gone.abort();
      assertEquals(await refused, "dropped");
      assertEquals(lambda.status().waiting, 0);
      await open(connection, "1");
      assertEquals((await running).text, "1\n");
    });
  });
});

Deno.test("Invoke takes an event and runs it later", async () => {
  await withLambda({}, async ({ create, run }: LambdaFixture) => {
    await create("f");
    await withDoor(async ({ script, arrived }) => {
      const answer = await run("f", script, { headers: { "x-amz-invocation-type": "Event" } });
      assertEquals([answer.status, answer.text], [202, ""]);
      await open(await arrived(), "1");
    });
  });
});
