import { assertEquals, assertRejects } from "@std/assert";
import { FormatError, LlamaError } from "../job/errors.ts";
import { createAwsClient } from "./client.ts";
import { AwsError } from "./error.ts";
import * as lambda from "./lambda.ts";
import { type StubAnswer, type StubRequest, withStub } from "./stub_service_fixture.ts";

const QUICK = { pollMs: 1 };

function configuration(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    FunctionName: "f",
    FunctionArn: "arn:aws:lambda:eu-west-1:000000000000:function:f",
    Role: "arn:role",
    CodeSize: 10,
    MemorySize: 1_769,
    Timeout: 60,
    LastModified: "2026-03-01T12:00:00.000+0000",
    Architectures: ["arm64"],
    Environment: { Variables: { A: "1" } },
    State: "Active",
    LastUpdateStatus: "Successful",
    ...more,
  };
}

function json(value: unknown, status = 200): StubAnswer {
  return { status, body: JSON.stringify(value) };
}

function refusal(status: number, code: string, message = "m"): StubAnswer {
  return { status, headers: { "x-amzn-errortype": `${code}:` }, body: JSON.stringify({ message }) };
}

function sent(request: StubRequest | undefined): unknown {
  return JSON.parse(new TextDecoder().decode(request?.body));
}

Deno.test("createFunction() sends a zip, waits until its role is known, and reads the answer", async () => {
  const unknown = refusal(
    400,
    "InvalidParameterValueException",
    "The role defined for the function cannot be assumed by Lambda.",
  );
  const pending = { State: "Pending", Description: "d", EphemeralStorage: { Size: 2_048 } };
  const answers = [unknown, json(configuration(pending), 201)];
  await withStub(() => answers.shift() ?? {}, async ({ account, seen }) => {
    const created = await lambda.createFunction(createAwsClient(account), {
      functionName: "f",
      role: "arn:role",
      code: { zip: new Uint8Array([1, 2, 3]) },
      memoryMb: 1_769,
      timeoutSeconds: 60,
      architecture: "arm64",
      environment: { A: "1" },
      ephemeralStorageMb: 2_048,
    }, QUICK);
    assertEquals(created.state, "Pending");
    assertEquals(created.memoryMb, 1_769);
    assertEquals(created.ephemeralStorageMb, 2_048);
    assertEquals(created.description, "d");
    assertEquals(created.architectures, ["arm64"]);
    assertEquals([...created.environment], [["A", "1"]]);
    assertEquals(seen[1]?.target, "/2015-03-31/functions");
    assertEquals(sent(seen[1]), {
      FunctionName: "f",
      PackageType: "Zip",
      Architectures: ["arm64"],
      Code: { ZipFile: "AQID" },
      Runtime: "provided.al2023",
      Handler: "bootstrap",
      Role: "arn:role",
      MemorySize: 1_769,
      Timeout: 60,
      Environment: { Variables: { A: "1" } },
      EphemeralStorage: { Size: 2_048 },
    });
  });
});

Deno.test("createFunction() sends an image without runtime and handler", async () => {
  await withStub(() => json(configuration({ PackageType: "Image" })), async ({ account, seen }) => {
    const created = await lambda.createFunction(createAwsClient(account), {
      functionName: "f",
      role: "arn:role",
      code: { imageUri: "repo@sha256:0" },
    });
    assertEquals(created.packageType, "Image");
    assertEquals(sent(seen[0]), {
      FunctionName: "f",
      PackageType: "Image",
      Architectures: ["x86_64"],
      Code: { ImageUri: "repo@sha256:0" },
      Role: "arn:role",
    });
  });
});

Deno.test("getFunction() is undefined where there is none, deleteFunction() false", async () => {
  const answers = [
    json({ Configuration: configuration() }),
    refusal(404, "ResourceNotFoundException"),
    { status: 204 },
    refusal(404, "ResourceNotFoundException"),
    json({ Configuration: { FunctionName: 1 } }),
  ];
  await withStub(() => answers.shift() ?? {}, async ({ account }) => {
    const client = createAwsClient(account);
    assertEquals((await lambda.getFunction(client, "f"))?.timeoutSeconds, 60);
    assertEquals(await lambda.getFunction(client, "f"), undefined);
    assertEquals(await lambda.deleteFunction(client, "f"), true);
    assertEquals(await lambda.deleteFunction(client, "f"), false);
    await assertRejects(() => lambda.getFunction(client, "f"), FormatError);
  });
});

Deno.test("updateFunctionCode() and -Configuration() wait for an update that is under way", async () => {
  const busy = refusal(409, "ResourceConflictException", "An update is in progress");
  const answers = [busy, busy, json(configuration()), busy, json(configuration())];
  await withStub(() => answers.shift() ?? {}, async ({ account, seen }) => {
    const client = createAwsClient(account);
    await lambda.updateFunctionCode(client, "f", { bucket: "b", key: "k" }, {
      ...QUICK,
      architecture: "arm64",
    });
    await lambda.updateFunctionConfiguration(client, "f", { memoryMb: 512 }, QUICK);
    assertEquals(seen[2]?.target, "/2015-03-31/functions/f/code");
    assertEquals(sent(seen[2]), { S3Bucket: "b", S3Key: "k", Architectures: ["arm64"] });
    assertEquals(seen[4]?.target, "/2015-03-31/functions/f/configuration");
    assertEquals(sent(seen[4]), { MemorySize: 512 });
  });
  await withStub(() => busy, async ({ account }) => {
    const update = () =>
      lambda.updateFunctionConfiguration(createAwsClient(account), "f", {}, {
        ...QUICK,
        timeoutMs: 20,
      });
    assertEquals((await assertRejects(update, AwsError)).code, "ResourceConflictException");
  });
});

Deno.test("listFunctions() follows the marker", async () => {
  const answers = [
    json({ Functions: [configuration({ FunctionName: "a" })], NextMarker: "m/1" }),
    json({ Functions: [configuration({ FunctionName: "b", Environment: undefined })] }),
  ];
  await withStub(() => answers.shift() ?? {}, async ({ account, seen }) => {
    const listed = await Array.fromAsync(lambda.listFunctions(createAwsClient(account)));
    assertEquals(listed.map(({ functionName }) => functionName), ["a", "b"]);
    assertEquals(seen[1]?.target, "/2015-03-31/functions/?Marker=m%2F1");
  });
});

Deno.test("waitUntilActive() waits for state and update, and names what went wrong", async () => {
  const states = (...states: Record<string, unknown>[]) => {
    const answers = states.map((state) => json({ Configuration: configuration(state) }));
    return () => answers.length > 1 ? answers.shift() ?? {} : answers[0] ?? {};
  };
  const wait = (account: Parameters<typeof createAwsClient>[0], timeoutMs = 5_000) =>
    lambda.waitUntilActive(createAwsClient(account), "f", { ...QUICK, timeoutMs });
  await withStub(
    states({ State: "Pending" }, { LastUpdateStatus: "InProgress" }, {}),
    async ({ account, seen }) => {
      assertEquals((await wait(account)).state, "Active");
      assertEquals(seen.length, 3);
    },
  );
  const failures: [Record<string, unknown>, string][] = [
    [{ State: "Failed", StateReason: "no image" }, "no image"],
    [{ LastUpdateStatus: "Failed", LastUpdateStatusReason: "bad layer" }, "bad layer"],
  ];
  for (const [state, reason] of failures) {
    await withStub(states(state), async ({ account }) => {
      const error = await assertRejects(() => wait(account), LlamaError, reason);
      assertEquals(error.code, "FunctionFailed");
    });
  }
  await withStub(states({ State: "Pending" }), async ({ account }) => {
    assertEquals(
      (await assertRejects(() => wait(account, 20), LlamaError)).code,
      "FunctionNotReady",
    );
  });
  await withStub(() => refusal(404, "ResourceNotFoundException"), async ({ account }) => {
    assertEquals((await assertRejects(() => wait(account), LlamaError)).code, "FunctionNotFound");
  });
});
