import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FormatError, LlamaError } from "../job/errors.ts";
import { embeddedAccount, ensureEmbedded, runningEmbedded } from "./embedded.ts";

const KEYS = { accessKeyId: "A", secretAccessKey: "s" };

async function withFolder(act: (llamaDir: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "llama-embedded-" });
  try {
    await act(`${folder}/llama`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function writeEndpoint(llamaDir: string, port: number, pid: number): void {
  const endpoint = {
    version: 1,
    pid,
    port,
    region: "us-east-1",
    accountId: "000000000000",
    ...KEYS,
  };
  Deno.mkdirSync(`${llamaDir}/cloud`, { recursive: true });
  Deno.writeTextFileSync(`${llamaDir}/cloud/new`, JSON.stringify(endpoint));
  Deno.renameSync(`${llamaDir}/cloud/new`, `${llamaDir}/cloud/endpoint.json`);
}

/** Answers for the cloud's health as the process `pid`. */
function serveHealth(pid: number): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => Response.json({ status: "ok", pid }),
  );
}

Deno.test("embeddedAccount() reads the endpoint and refuses a damaged one", async () => {
  await withFolder(async (llamaDir) => {
    assertEquals(await embeddedAccount(llamaDir), undefined);
    writeEndpoint(llamaDir, 4_566, 1);
    const account = await embeddedAccount(llamaDir);
    assertEquals(account?.kind, "embedded");
    assertEquals(account?.region, "us-east-1");
    assertEquals(account?.endpoint("lambda"), "http://127.0.0.1:4566");
    assertEquals(await account?.credentials(), KEYS);
    writeEndpoint(llamaDir, 65_536, 1);
    await assertRejects(() => embeddedAccount(llamaDir), FormatError, "port");
    assertEquals(await runningEmbedded(llamaDir), undefined);
  });
});

Deno.test("runningEmbedded() asks whether the process of the file is the one that answers", async () => {
  await withFolder(async (llamaDir) => {
    const server = serveHealth(7);
    writeEndpoint(llamaDir, server.addr.port, 8);
    assertEquals(await runningEmbedded(llamaDir), undefined);
    writeEndpoint(llamaDir, server.addr.port, 7);
    assertEquals((await runningEmbedded(llamaDir))?.kind, "embedded");
    await server.shutdown();
    assertEquals(await runningEmbedded(llamaDir), undefined);
  });
});

Deno.test("ensureEmbedded() starts one cloud for all who ask, and none when it runs", async () => {
  await withFolder(async (llamaDir) => {
    let starts = 0;
    let server: Deno.HttpServer<Deno.NetAddr> | undefined;
    const start = () => {
      starts++;
      server = serveHealth(9);
      writeEndpoint(llamaDir, server.addr.port, 9);
    };
    const ensure = () => ensureEmbedded({ llamaDir, start, timeoutMs: 10_000 });
    const accounts = await Promise.all(Array.from({ length: 20 }, ensure));
    assertEquals(new Set(accounts.map((account) => account.endpoint("s3"))).size, 1);
    await ensure();
    assertEquals(starts, 1);
    assertEquals(Deno.statSync(llamaDir).mode! & 0o777, 0o700);
    await server?.shutdown();
  });
});

Deno.test("ensureEmbedded() names the log when the cloud does not come", async () => {
  await withFolder(async (llamaDir) => {
    const late = await assertRejects(
      () => ensureEmbedded({ llamaDir, start: () => {}, timeoutMs: 50 }),
      LlamaError,
      "it did not answer within 0.05 s",
    );
    assertEquals(late.code, "CloudNotReady");
    assertStringIncludes(late.hint ?? "", `${llamaDir}/cloud/cloud.log`);
    const start = () => Promise.reject(new Error("no deno here"));
    await assertRejects(() => ensureEmbedded({ llamaDir, start }), LlamaError, "no deno here");
  });
});

Deno.test("ensureEmbedded() does not wait for ever for one who starts it", async () => {
  await withFolder(async (llamaDir) => {
    Deno.mkdirSync(`${llamaDir}/cloud`, { recursive: true });
    using lock = Deno.openSync(`${llamaDir}/cloud/start.lock`, { create: true, write: true });
    lock.lockSync(true);
    await assertRejects(
      () => ensureEmbedded({ llamaDir, start: () => {}, timeoutMs: 50 }),
      LlamaError,
      "another process is still starting it",
    );
  });
});
