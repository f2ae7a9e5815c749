import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { BOOTSTRAP, type LambdaFixture, ROLE, withLambda, zipOf } from "./lambda_fixture.ts";

const functions = "/2015-03-31/functions";

function codeFolders({ directory }: LambdaFixture): string[] {
  return [...Deno.readDirSync(`${directory}/lambda/code`)].map(({ name }) => name);
}

/** A clock that stands until it is set. */
function standing(): { now: () => number; set(ms: number): void } {
  let nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  return { now: () => nowMs, set: (ms) => nowMs += ms };
}

Deno.test("CreateFunction answers with the function as it was asked for, and GetFunction finds it", async () => {
  const clock = standing();
  await withLambda({ now: clock.now }, async ({ create, send }) => {
    const created = await create("f", {
      Description: "text",
      Timeout: 900,
      MemorySize: 1769,
      EphemeralStorage: { Size: 1024 },
      Environment: { Variables: { A_1: "x" } },
      Architectures: ["arm64"],
      Tags: { k: "v" },
    });
    const expected = {
      FunctionName: "f",
      FunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:f",
      Runtime: "provided.al2023",
      Role: ROLE,
      Handler: "main",
      Description: "text",
      Timeout: 900,
      MemorySize: 1769,
      EphemeralStorage: { Size: 1024 },
      Environment: { Variables: { A_1: "x" } },
      Architectures: ["arm64"],
      PackageType: "Zip",
      Version: "$LATEST",
      State: "Active",
      LastUpdateStatus: "Successful",
      LastModified: "2026-01-02T03:04:05.000+0000",
    };
    assertEquals(created.status, 201);
    for (const [name, value] of Object.entries(expected)) {
      assertEquals(created.json[name], value, name);
    }
    const digest = await crypto.subtle.digest("SHA-256", Uint8Array.fromBase64(await zipOf()));
    assertEquals(created.json["CodeSha256"], new Uint8Array(digest).toBase64());
    for (const name of ["f", encodeURIComponent(expected.FunctionArn), "f?Qualifier=$LATEST"]) {
      const got = await send("GET", `${functions}/${name}`);
      assertEquals(got.json["Configuration"], created.json);
      assertEquals(got.json["Tags"], { k: "v" });
    }
    assertEquals((await send("GET", `${functions}/f/configuration`)).json, created.json);
    assertEquals((await send("GET", `${functions}/f?Qualifier=7`)).status, 404);
    assertEquals((await create("f")).error, "ResourceConflictException");
  });
});

Deno.test("CreateFunction refuses what Lambda refuses, by Lambda's name of the error", async () => {
  await withLambda({}, async (fixture) => {
    const { create, lambda } = fixture;
    const refused: [string, Record<string, unknown>, string][] = [
      ["InvalidParameterValueException", { Role: `${ROLE}s` }, "cannot be assumed by Lambda"],
      ["ValidationException", { Role: "worker" }, "at 'role'"],
      ["ValidationException", { MemorySize: 127 }, "Value '127' at 'memorySize'"],
      ["ValidationException", { MemorySize: 10241 }, "less than or equal to 10240"],
      ["ValidationException", { Timeout: 901 }, "Value '901' at 'timeout'"],
      ["ValidationException", { EphemeralStorage: { Size: 511 } }, "ephemeralStorage"],
      ["ValidationException", { FunctionName: "a b" }, "at 'functionName'"],
      ["ValidationException", { Architectures: ["riscv"] }, "architectures"],
      ["InvalidParameterValueException", { Runtime: "nodejs22.x" }, "nodejs22.x"],
      [
        "InvalidParameterValueException",
        { PackageType: "Image" },
        "don't provide Handler or Runtime",
      ],
      ["ValidationException", { PackageType: "image" }, "at 'packageType'"],
      ["InvalidParameterValueException", { Code: {} }, "provide a source"],
      ["InvalidParameterValueException", { Code: { ZipFile: btoa("no zip") } }, "Could not unzip"],
      ["InvalidParameterValueException", { Code: { S3Bucket: "b", S3Key: "k" } }, "NoSuchKey"],
      ["SerializationException", { Code: { ZipFile: "*" } }, "base64"],
      ["SerializationException", { Timeout: 3, Handler: 4 }, "Handler"],
      [
        "InvalidParameterValueException",
        { Environment: { Variables: { AWS_REGION: "x" } } },
        "Reserved keys used in this request: AWS_REGION",
      ],
      [
        "InvalidParameterValueException",
        { Environment: { Variables: { AA: "x".repeat(4096) } } },
        "exceeded the 4KB limit",
      ],
    ];
    for (const [error, parameters, message] of refused) {
      const answer = await create("f", parameters);
      assertEquals([answer.error, answer.status], [error, 400], message);
      assertStringIncludes(answer.text, message);
    }
    const large = await create("f", { Code: { ZipFile: "A".repeat(70_167_211) } });
    assertEquals([large.status, large.error], [413, "RequestEntityTooLargeException"]);
    assertEquals([lambda.status().functions, codeFolders(fixture)], [0, []]);
  });
});

Deno.test("CreateFunction takes code from S3", async () => {
  const objects = { "b/k.zip": Uint8Array.fromBase64(await zipOf()) };
  await withLambda({ objects }, async ({ create, run }) => {
    await create("f", { Code: { S3Bucket: "b", S3Key: "k.zip" } });
    assertEquals((await run("f", "echo 1")).text, "1\n");
  });
});

Deno.test("a new function is Pending and an updated one runs as before, for a moment", async () => {
  const clock = standing();
  await withLambda({ now: clock.now, pendingMs: 500 }, async ({ create, run, send }) => {
    const created = await create("f");
    assertEquals([created.json["State"], created.json["StateReasonCode"]], ["Pending", "Creating"]);
    const early = await run("f", "echo 1");
    assertEquals([early.status, early.error], [409, "ResourceConflictException"]);
    assertStringIncludes(early.text, "Pending");
    clock.set(500);
    assertEquals((await send("GET", `${functions}/f/configuration`)).json["State"], "Active");
    assertEquals((await run("f", "echo 1")).text, "1\n");

    const path = `${functions}/f/configuration`;
    const updated = await send("PUT", path, { Environment: { Variables: { NEW: "new" } } });
    assertEquals(updated.json["LastUpdateStatus"], "InProgress");
    // What AWS answers to an update, as recorded in many transcripts of its CLI.
    assertEquals(updated.json["LastUpdateStatusReason"], "The function is being created.");
    assertEquals(updated.json["LastUpdateStatusReasonCode"], "Creating");
    assertNotEquals(updated.json["RevisionId"], created.json["RevisionId"]);
    assertEquals((await run("f", "echo =$NEW")).text, "=\n");
    const second = await send("PUT", path, { Timeout: 5 });
    assertEquals([second.status, second.error], [409, "ResourceConflictException"]);
    assertStringIncludes(second.text, "An update is in progress for resource: arn:aws:lambda");
    clock.set(500);
    assertEquals((await send("GET", path)).json["LastUpdateStatus"], "Successful");
    assertEquals((await run("f", "echo =$NEW")).text, "=new\n");
  });
});

Deno.test("UpdateFunctionCode replaces workers and removes the code that nothing uses", async () => {
  await withLambda({}, async (fixture) => {
    const { create, run, send } = fixture;
    await create("f");
    await create("g");
    assertEquals(codeFolders(fixture).length, 1);
    assertEquals((await run("f", "echo $version")).text, "\n");
    const ZipFile = await zipOf(BOOTSTRAP.replace("count=0", "count=0 version=2"));
    const dry = await send("PUT", `${functions}/f/code`, { ZipFile, DryRun: true });
    const wrong = await send("PUT", `${functions}/f/code`, { ZipFile, RevisionId: "x" });
    assertEquals([wrong.status, wrong.error], [412, "PreconditionFailedException"]);
    const updated = await send("PUT", `${functions}/f/code`, { ZipFile });
    assertEquals(updated.json["CodeSha256"], dry.json["CodeSha256"]);
    assertEquals((await run("f", "echo $version")).text, "2\n");
    assertEquals(codeFolders(fixture).length, 2);
    await send("DELETE", `${functions}/g`);
    const gone = await send("GET", `${functions}/g`);
    assertEquals([gone.status, gone.error], [404, "ResourceNotFoundException"]);
    assertEquals((await send("DELETE", `${functions}/g`)).status, 404);
    await fixture.lambda.close();
    assertEquals(codeFolders(fixture).length, 1);
  });
});

Deno.test("ListFunctions gives pages in the order of names", async () => {
  await withLambda({}, async ({ create, send }) => {
    for (const name of ["c", "a", "b"]) await create(name);
    const first = await send("GET", `${functions}/?MaxItems=2`);
    assertEquals(first.json["NextMarker"], "b");
    assertMatch(first.text, /"FunctionName":"a".*"FunctionName":"b"/);
    const second = await send("GET", `${functions}?MaxItems=2&Marker=b`);
    assertEquals(second.json["NextMarker"], undefined);
    assertMatch(second.text, /^\{"Functions":\[\{"FunctionName":"c"/);
  });
});

Deno.test("functions and their code are there when the cloud opens again", async () => {
  const directory = await Deno.makeTempDir();
  try {
    let before = {};
    await withLambda({ directory }, async ({ create, send, run }) => {
      await create("f", { Tags: { k: "v" }, Environment: { Variables: { A_1: "x" } } });
      await send("PUT", "/2017-10-31/functions/f/concurrency", { ReservedConcurrentExecutions: 3 });
      assertEquals((await run("f", "echo 1")).text, "1\n");
      before = (await send("GET", `${functions}/f`)).json;
    });
    await Deno.mkdir(`${directory}/lambda/code/.tmp-killed`);
    await withLambda({ directory }, async (fixture) => {
      const { send, run } = fixture;
      assertEquals((await send("GET", `${functions}/f`)).json, before);
      assertEquals((await run("f", "echo $A_1")).text, "x\n");
      assertEquals(codeFolders(fixture).length, 1);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("GetAccountSettings tells the limits", async () => {
  await withLambda({ accountConcurrency: 10 }, async ({ create, send }) => {
    await create("f");
    await send("PUT", "/2017-10-31/functions/f/concurrency", { ReservedConcurrentExecutions: 3 });
    const { text } = await send("GET", "/2016-08-19/account-settings");
    assertStringIncludes(text, `"ConcurrentExecutions":10,"UnreservedConcurrentExecutions":7`);
    assert(/"FunctionCount":1/.test(text), text);
  });
});
