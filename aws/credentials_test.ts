import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FormatError, LlamaError } from "../job/errors.ts";
import { type AwsCredentials, cacheCredentials, runCredentialProcess } from "./credentials.ts";

async function withScript(script: string, act: (command: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "llama credentials " });
  try {
    await Deno.writeTextFile(`${folder}/get`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await act(`"${folder}/get" --profile 'a b'`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const ENV = { PATH: "/usr/bin:/bin", MARK: "m" };

Deno.test("runCredentialProcess() passes the words and the environment, and reads the keys", async () => {
  const script = `printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"s",` +
    `"SessionToken":"%s","Expiration":"2026-03-01T12:00:00Z"}' "$2" "$MARK"`;
  await withScript(script, async (command) => {
    assertEquals(await runCredentialProcess(command, ENV), {
      accessKeyId: "a b",
      secretAccessKey: "s",
      sessionToken: "m",
      expiresAtMs: Date.UTC(2026, 2, 1, 12),
    });
  });
});

Deno.test("runCredentialProcess() leaves out what the answer leaves out", async () => {
  const script = `echo '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s"}'`;
  await withScript(script, async (command) => {
    assertEquals(await runCredentialProcess(command, ENV), {
      accessKeyId: "A",
      secretAccessKey: "s",
    });
  });
});

Deno.test("runCredentialProcess() repeats what a failed process says", async () => {
  await withScript("echo 'not signed in' >&2; exit 3", async (command) => {
    const error = await assertRejects(() => runCredentialProcess(command, ENV), LlamaError);
    assertEquals(error.code, "CredentialProcessFailed");
    assertStringIncludes(error.message, "status 3: not signed in");
  });
  const error = await assertRejects(() => runCredentialProcess("/nowhere/get", ENV), LlamaError);
  assertStringIncludes(error.message, "it cannot be run");
});

Deno.test("runCredentialProcess() refuses answers that are not credentials", async () => {
  for (
    const answer of [
      "nothing",
      '{"Version":2,"AccessKeyId":"A","SecretAccessKey":"s"}',
      '{"Version":1,"AccessKeyId":"A"}',
      '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"soon"}',
    ]
  ) {
    await withScript(`echo '${answer}'`, async (command) => {
      await assertRejects(() => runCredentialProcess(command, ENV), FormatError, undefined, answer);
    });
  }
});

Deno.test("cacheCredentials() gets credentials once until five minutes before their end", async () => {
  let nowMs = 0;
  let loads = 0;
  const cached = cacheCredentials(() => {
    loads++;
    return Promise.resolve(keysUntil(nowMs + 3_600_000));
  }, () => nowMs);
  await Promise.all([cached.get(), cached.get(), cached.get()]);
  nowMs = 3_299_999;
  await cached.get();
  assertEquals(loads, 1);
  nowMs = 3_300_000;
  assertEquals((await cached.get()).expiresAtMs, 6_900_000);
  assertEquals(loads, 2);
  cached.renew();
  await cached.get();
  assertEquals(loads, 3);
});

Deno.test("cacheCredentials() uses what it has until the end when it cannot be renewed", async () => {
  let nowMs = 0;
  let loads = 0;
  const cached = cacheCredentials(() => {
    loads++;
    return nowMs === 0
      ? Promise.resolve(keysUntil(600_000))
      : Promise.reject(new LlamaError("Offline", "Cannot sign in"));
  }, () => nowMs);
  await cached.get();
  nowMs = 400_000;
  assertEquals((await cached.get()).expiresAtMs, 600_000);
  await cached.get();
  assertEquals(loads, 2);
  nowMs = 600_000;
  await assertRejects(() => cached.get(), LlamaError, "Cannot sign in");
});

Deno.test("cacheCredentials() refuses credentials that have ended already", async () => {
  const cached = cacheCredentials(() => Promise.resolve(keysUntil(1)), () => 2);
  const error = await assertRejects(() => cached.get(), LlamaError);
  assertEquals(error.code, "CredentialsExpired");
});

function keysUntil(expiresAtMs: number): AwsCredentials {
  return { accessKeyId: "A", secretAccessKey: "s", expiresAtMs };
}
