import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type RunningCloud, serveCloud } from "../cloud/serve.ts";
import { LlamaError } from "../job/errors.ts";
import { type LlamaConfig, removeConfig, writeConfig } from "./config.ts";
import { openAccount, openSession, type SessionInputs, sessionKey } from "./session.ts";

/** Runs a test in a LLAMA_DIR whose embedded cloud lives in this process once it is started. */
async function inLlamaDir(
  test: (open: (more?: Partial<SessionInputs>) => SessionInputs, said: string[]) => Promise<void>,
): Promise<void> {
  const llamaDir = await Deno.makeTempDir({ prefix: "llama-session-" });
  const said: string[] = [];
  let cloud: RunningCloud | undefined;
  const inputs: SessionInputs = {
    env: {},
    llamaDir,
    startCloud: async () => {
      cloud = await serveCloud({ directory: `${llamaDir}/cloud` });
    },
    say: (line) => said.push(line),
  };
  try {
    await test((more = {}) => ({ ...inputs, ...more }), said);
  } finally {
    await cloud?.close();
    await Deno.remove(llamaDir, { recursive: true });
  }
}

const CONFIG: LlamaConfig = {
  cloud: "embedded",
  region: "us-east-1",
  store: "s3://bucket",
  functionName: "f",
  stack: "s",
  role: "r",
};

async function refusal(inputs: SessionInputs): Promise<LlamaError> {
  return await assertRejects(() => openSession(inputs), LlamaError);
}

// One embedded cloud serves all steps, as it takes a second or two to start.
Deno.test("a session is opened from flags, environment and llama.json", async (t) => {
  await inLlamaDir(async (open, said) => {
    await t.step(
      "openAccount() starts the embedded cloud where nothing is configured, and says so",
      async () => {
        await removeConfig(open().llamaDir);
        const { account, cloud } = await openAccount(open());
        assertEquals([account.kind, cloud], ["embedded", "embedded"]);
        assertEquals(said.length, 1);
        await writeConfig(open().llamaDir, CONFIG);
        await openAccount(open());
        assertEquals(said.length, 1, "llama.json says which cloud it is");
      },
    );

    await t.step(
      "openAccount() refuses a region that the embedded cloud does not have",
      async () => {
        await removeConfig(open().llamaDir);
        const error = await assertRejects(
          () => openAccount(open({ flags: { region: "eu-west-1" } })),
          LlamaError,
        );
        assertStringIncludes(error.message, "no AWS account is configured");
      },
    );

    await t.step("openSession() needs a bootstrap of the cloud in use", async () => {
      await removeConfig(open().llamaDir);
      assertEquals((await refusal(open())).code, "NotBootstrapped");
      const { llamaDir } = open();
      await writeConfig(llamaDir, CONFIG);
      const session = await openSession(open());
      assertEquals([session.store.url, session.functionName], ["s3://bucket", "f"]);

      const env = { AWS_ACCESS_KEY_ID: "k", AWS_SECRET_ACCESS_KEY: "s", AWS_REGION: "us-east-1" };
      const other = await refusal(open({ env }));
      assertEquals([other.code, other.hint], ["NotBootstrapped", "run llama bootstrap"]);
      assertStringIncludes(other.message, "is about the embedded cloud, and AWS is in use");

      await writeConfig(llamaDir, { ...CONFIG, cloud: "aws" });
      assertEquals((await openSession(open({ env }))).account.kind, "aws");
      assertEquals((await refusal(open())).code, "CredentialsMissing");
      const elsewhere = { ...env, AWS_ENDPOINT_URL: "http://127.0.0.1:9" };
      assertStringIncludes(
        (await refusal(open({ env: elsewhere }))).message,
        "127.0.0.1:9 is in use",
      );
    });

    await t.step(
      "openSession() takes the embedded cloud's own keys for the embedded cloud",
      async () => {
        await removeConfig(open().llamaDir);
        const { account } = await openAccount(open());
        await writeConfig(open().llamaDir, CONFIG);
        const { accessKeyId, secretAccessKey } = await account.credentials();
        const env = {
          AWS_ACCESS_KEY_ID: accessKeyId,
          AWS_SECRET_ACCESS_KEY: secretAccessKey,
          AWS_REGION: account.region,
          AWS_ENDPOINT_URL: account.endpoint("s3"),
        };
        assertEquals((await openSession(open({ env }))).config.cloud, "embedded");
      },
    );

    await t.step(
      "openSession() prefers the store of the flag, then that of the environment",
      async () => {
        await removeConfig(open().llamaDir);
        const env = { LLAMA_OBJECT_STORE: "s3://from-env" };
        const flags = { store: "s3://from-flag" };
        assertEquals((await openSession(open({ env, flags }))).store.url, "s3://from-flag");
        assertEquals((await openSession(open({ env }))).store.url, "s3://from-env");
        assertEquals((await openSession(open({ env }))).functionName, "llama");
      },
    );
  });
});

Deno.test("sessionKey() tells environments apart by what decides the session, and no more", () => {
  const env = { AWS_PROFILE: "a", HOME: "/h", PATH: "/bin" };
  assertEquals(sessionKey(env), sessionKey({ PATH: "/other", HOME: "/h", AWS_PROFILE: "a" }));
  assertEquals(sessionKey(env), sessionKey({ ...env, AWS_REGION: "", LLAMACC_VERBOSE: "1" }));
  assertNotEquals(sessionKey(env), sessionKey({ ...env, AWS_PROFILE: "b" }));
  assertNotEquals(sessionKey(env), sessionKey({ ...env, LLAMA_OBJECT_STORE: "s3://x" }));
  assertNotEquals(sessionKey(env), sessionKey({ ...env, HOME: "/other" }));
});
