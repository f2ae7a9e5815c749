import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import {
  type FixtureRequest,
  readAnswer,
  readEndpoint,
  speakTo,
  UNSEALED,
  withCloud,
} from "./cloud_fixture.ts";
import { loadKeys, openCredentials } from "./credentials.ts";
import { serveCloud } from "./serve.ts";
import { amzDateOf } from "./signature.ts";

async function withFolder(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("serveCloud() keeps port and keys over a restart", async () => {
  await withFolder(async (directory) => {
    const first = await serveCloud({ directory, ...UNSEALED });
    const before = await readEndpoint(directory);
    assertEquals(((await Deno.stat(`${directory}/endpoint.json`)).mode ?? 0) & 0o777, 0o600);
    assertEquals(((await Deno.stat(`${directory}/keys.json`)).mode ?? 0) & 0o777, 0o600);
    await first.close();
    await assertRejects(() => Deno.stat(`${directory}/endpoint.json`), Deno.errors.NotFound);
    const second = await serveCloud({ directory, ...UNSEALED });
    assertEquals(await readEndpoint(directory), before);
    await second.close();

    const squatter = Deno.listen({ hostname: "127.0.0.1", port: before.port });
    const third = await serveCloud({ directory, ...UNSEALED });
    squatter.close();
    const after = await readEndpoint(directory);
    assertNotEquals(after.port, before.port);
    assertEquals({ ...after, port: before.port }, before);
    await third.close();
  });
});

Deno.test("serveCloud() is the only one on its folder", async () => {
  await withFolder(async (directory) => {
    const first = await serveCloud({ directory, ...UNSEALED });
    const error = await assertRejects(() => serveCloud({ directory, ...UNSEALED }), LlamaError);
    assertEquals(error instanceof LlamaError && error.code, "CloudRunning");
    const answer = await fetch(`${first.endpoint}/_llama/health`);
    assertEquals(await answer.json(), { status: "ok", pid: Deno.pid });
    await first.close();
  });
});

Deno.test("serveCloud() ends when root asks for it, and for nobody else", async () => {
  await withFolder(async (directory) => {
    const cloud = await serveCloud({ directory, ...UNSEALED });
    const { send, endpoint } = speakTo(directory, await readEndpoint(directory));
    const shutdown = { method: "POST" };
    const unsigned = await fetch(`${cloud.endpoint}/_llama/shutdown`, shutdown);
    assertEquals((await readAnswer(unsigned)).status, 403);
    const keys = { ...endpoint, secretAccessKey: "wrong" };
    assertEquals((await send("llama", "/_llama/shutdown", { ...shutdown, keys })).status, 403);
    const { issueRoleCredentials } = openCredentials(
      await loadKeys(`${directory}/keys.json`),
      endpoint.accountId,
      Date.now,
    );
    const role = issueRoleCredentials("arn:aws:iam::000000000000:role/worker", 60);
    assertEquals(
      (await send("llama", "/_llama/shutdown", { ...shutdown, keys: role })).status,
      403,
    );
    assertEquals((await send("llama", "/_llama/status")).status, 200);
    assertEquals((await send("llama", "/_llama/shutdown", shutdown)).status, 200);
    await cloud.finished;
  });
});

Deno.test("serveCloud() ends when it has been idle", async () => {
  await withFolder(async (directory) => {
    const cloud = await serveCloud({ directory, idleMs: 20, ...UNSEALED });
    await cloud.finished;
    await assertRejects(() => fetch(`${cloud.endpoint}/_llama/health`));
  });
});

Deno.test("the front names what is wrong with a signature as each service does", async () => {
  await withCloud(async ({ send, endpoint }) => {
    const form = {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "Action=GetCallerIdentity&Version=2011-06-15",
    };
    const services: [service: string, target: string, request: FixtureRequest][] = [
      ["s3", "/", {}],
      ["sts", "/", form],
      ["lambda", "/2015-03-31/functions/", {}],
    ];
    const unknown = { accessKeyId: "LKIAUNKNOWN", secretAccessKey: "x" };
    const wrong = { ...endpoint, secretAccessKey: "wrong" };
    const badToken = { ...endpoint, sessionToken: "x.y" };
    const late = amzDateOf(Date.now() - 16 * 60_000);
    const problems: [FixtureRequest, expected: string[]][] = [
      [{ keys: unknown }, [
        "403 InvalidAccessKeyId",
        "403 InvalidClientTokenId",
        "403 UnrecognizedClientException",
      ]],
      [{ keys: wrong }, [
        "403 SignatureDoesNotMatch",
        "403 SignatureDoesNotMatch",
        "403 InvalidSignatureException",
      ]],
      [{ keys: badToken }, [
        "400 InvalidToken",
        "403 InvalidClientTokenId",
        "403 UnrecognizedClientException",
      ]],
      [{ datetime: late }, [
        "403 RequestTimeTooSkewed",
        "403 SignatureDoesNotMatch",
        "403 InvalidSignatureException",
      ]],
      [{ region: "eu-west-1" }, [
        "400 AuthorizationHeaderMalformed",
        "403 SignatureDoesNotMatch",
        "403 InvalidSignatureException",
      ]],
      [{}, ["200 undefined", "200 undefined", "200 undefined"]],
    ];
    for (const [problem, expected] of problems) {
      const found = [];
      for (const [service, target, request] of services) {
        const answer = await send(service, target, { ...request, ...problem });
        found.push(`${answer.status} ${answer.code}`);
      }
      assertEquals(found, expected);
    }
    const unsigned = [];
    for (const [, target, request] of services) {
      const { method = "GET", headers = {}, body = null } = request;
      const url = `http://127.0.0.1:${endpoint.port}${target}`;
      const answer = await readAnswer(await fetch(url, { method, headers, body }));
      unsigned.push(`${answer.status} ${answer.code}`);
    }
    assertEquals(unsigned, [
      "403 AccessDenied",
      "403 MissingAuthenticationToken",
      "403 MissingAuthenticationTokenException",
    ]);
  });
});

Deno.test("the front gives every answer an id and writes one line without secrets for it", async () => {
  const lines: string[] = [];
  await withCloud(async ({ s3, query }) => {
    lines.length = 0;
    const listed = await s3("/");
    const identity = await query("sts", "GetCallerIdentity", { Version: "2011-06-15" });
    assertEquals(identity.all("Arn"), ["arn:aws:iam::000000000000:root"]);
    const unknown = await query("sts", "GetNothing", { Version: "2011-06-15" });
    assertEquals([unknown.status, unknown.code], [400, "InvalidAction"]);
    const missing = await s3("/nobody?X-Amz-Signature=secret");
    assertEquals(lines.length, 4);
    const id = listed.headers.get("x-amz-request-id") ?? "";
    assert(lines[0]?.includes(`GET / 200 `) && lines[0].includes(id) && id.length > 8, lines[0]);
    assert(lines[1]?.includes(identity.headers.get("x-amzn-requestid") ?? "none"), lines[1]);
    assert(lines[3]?.includes(`/nobody ${missing.status} `), lines[3]);
    assert(!lines.join("\n").includes("secret"));
  }, { log: (line) => lines.push(line) });
});
