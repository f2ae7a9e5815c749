import { assert, assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { createAwsClient } from "./client.ts";
import { AwsError } from "./error.ts";
import * as s3 from "./s3.ts";
import { type StubAnswer, withStub } from "./stub_service_fixture.ts";

const NO_WAIT = { sleep: () => Promise.resolve() };

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

function xmlError(status: number, code: string): StubAnswer {
  return { status, body: `<Error><Code>${code}</Code><Message>m</Message></Error>` };
}

Deno.test("putObject() writes where the key is free, with type, metadata and hash", async () => {
  await withStub(() => ({}), async ({ account, seen }) => {
    const body = new TextEncoder().encode("bytes");
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", body)).toHex();
    const answer = await s3.putObject(createAwsClient(account), {
      bucket: "b",
      key: "a key/+é",
      body,
      ifAbsent: true,
      metadata: { "llama-encoding": "zstd" },
      contentType: "text/plain",
      sha256,
    });
    assertEquals(answer, { created: true });
    const [request] = seen;
    assertEquals(request?.method, "PUT");
    assertEquals(request?.target, "/b/a%20key/%2B%C3%A9");
    assertEquals(text(request?.body), "bytes");
    assertEquals(
      ["if-none-match", "x-amz-meta-llama-encoding", "content-type", "x-amz-content-sha256"]
        .map((name) => request?.headers.get(name)),
      ["*", "zstd", "text/plain", sha256],
    );
  });
});

Deno.test("putObject() says that the key was taken, after conflicts too", async () => {
  const answers = [
    xmlError(409, "ConditionalRequestConflict"),
    xmlError(412, "PreconditionFailed"),
  ];
  await withStub(() => answers.shift() ?? {}, async ({ account }) => {
    const client = createAwsClient(account, NO_WAIT);
    const object = { bucket: "b", key: "k", body: new Uint8Array(0), ifAbsent: true };
    assertEquals(await s3.putObject(client, object), { created: false });
    assertEquals(client.counters.requests, 2);
  });
  await withStub(() => xmlError(412, "PreconditionFailed"), async ({ account }) => {
    const object = { bucket: "b", key: "k", body: new Uint8Array(0) };
    await assertRejects(() => s3.putObject(createAwsClient(account), object), AwsError);
  });
});

Deno.test("getObject() and headObject() give the metadata back", async () => {
  const headers = { "x-amz-meta-llama-encoding": "zstd", "content-length": "5" };
  await withStub(() => ({ headers, body: "bytes" }), async ({ account }) => {
    const client = createAwsClient(account);
    const read = await s3.getObject(client, { bucket: "b", key: "k" });
    assertEquals(text(read.body), "bytes");
    assertEquals([...read.metadata], [["llama-encoding", "zstd"]]);
    const head = await s3.headObject(client, { bucket: "b", key: "k" });
    assertEquals(head?.size, 5);
    assertEquals([...head?.metadata ?? []], [["llama-encoding", "zstd"]]);
  });
});

Deno.test("getObject() throws where there is no object; headObject() and headBucket() say so", async () => {
  const handle = ({ method }: { method: string }): StubAnswer =>
    method === "HEAD" ? { status: 404 } : xmlError(404, "NoSuchKey");
  await withStub(handle, async ({ account }) => {
    const client = createAwsClient(account);
    const get = () => s3.getObject(client, { bucket: "b", key: "k" });
    assertEquals((await assertRejects(get, AwsError)).code, "NoSuchKey");
    assertEquals(await s3.headObject(client, { bucket: "b", key: "k" }), undefined);
    assertEquals(await s3.headBucket(client, "b"), false);
  });
});

Deno.test("createBucket() names the region and takes its own bucket as there", async () => {
  const answers = [
    {},
    xmlError(409, "BucketAlreadyOwnedByYou"),
    xmlError(409, "BucketAlreadyExists"),
  ];
  await withStub(() => answers.shift() ?? {}, async ({ account, seen }) => {
    const client = createAwsClient(account);
    assertEquals(await s3.createBucket(client, "b-1"), { created: true });
    assertEquals(await s3.createBucket(client, "b-1"), { created: false });
    await assertRejects(() => s3.createBucket(client, "b-1"), AwsError);
    assertEquals(seen[0]?.target, "/b-1/");
    assert(text(seen[0]?.body).includes("<LocationConstraint>eu-west-1</LocationConstraint>"));
    await s3.createBucket(createAwsClient({ ...account, region: "us-east-1" }), "b-1");
    assertEquals(seen[3]?.body.length, 0);
  });
});

Deno.test("listObjects() follows the pages and decodes the keys", async () => {
  const page = (keys: readonly string[], next: string) =>
    `<?xml version="1.0"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
    keys.map((key) =>
      `<Contents><Key>${key}</Key><LastModified>2026-03-01T12:00:00.000Z</LastModified>` +
      `<ETag>&quot;e&quot;</ETag><Size>7</Size></Contents>`
    ).join("") +
    `<IsTruncated>${next !== ""}</IsTruncated>` +
    (next === "" ? "" : `<NextContinuationToken>${next}</NextContinuationToken>`) +
    "</ListBucketResult>";
  const pages = [page(["obj/a+b", "obj/%2B%C3%A9%0A"], "1/+&amp;="), page(["obj/c"], "")];
  await withStub(() => ({ body: pages.shift() ?? page([], "") }), async ({ account, seen }) => {
    const client = createAwsClient(account);
    const listed = await Array.fromAsync(s3.listObjects(client, "b", "obj/"));
    assertEquals(listed.map(({ key }) => key), ["obj/a b", "obj/+é\n", "obj/c"]);
    assertEquals(listed[0], { key: "obj/a b", size: 7, modifiedMs: Date.UTC(2026, 2, 1, 12) });
    assertEquals(seen.map(({ target }) => target), [
      "/b/?list-type=2&encoding-type=url&prefix=obj%2F",
      "/b/?list-type=2&encoding-type=url&prefix=obj%2F&continuation-token=1%2F%2B%26%3D",
    ]);
    assertEquals(await Array.fromAsync(s3.listObjects(client, "b")), []);
  });
});

Deno.test("deleteObjects() sends a thousand keys at a time and names the one that failed", async () => {
  const done = { body: "<DeleteResult/>" };
  await withStub(() => done, async ({ account, seen }) => {
    const keys = Array.from({ length: 1_001 }, (_, index) => `k<${index}>&`);
    await s3.deleteObjects(createAwsClient(account), "b", keys);
    assertEquals(seen.map(({ target }) => target), ["/b/?delete=", "/b/?delete="]);
    assert(text(seen[0]?.body).includes("<Key>k&lt;999&gt;&amp;</Key>"));
    assert(text(seen[1]?.body).includes("<Key>k&lt;1000&gt;&amp;</Key>"));
    await s3.deleteObject(createAwsClient(account), { bucket: "b", key: "k" });
    assertEquals(seen[2]?.method, "DELETE");
  });
  const failed = "<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code><Message>no</Message>" +
    "</Error></DeleteResult>";
  await withStub(() => ({ body: failed }), async ({ account }) => {
    const act = () => s3.deleteObjects(createAwsClient(account), "b", ["k"]);
    await assertRejects(
      act,
      LlamaError,
      'Cannot delete "s3://b/k" as S3 answered AccessDenied: no',
    );
  });
});
