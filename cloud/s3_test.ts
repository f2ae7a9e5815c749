import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  type CloudFixture,
  type FixtureKeys,
  readEndpoint,
  speakTo,
  UNSEALED,
  withCloud,
} from "./cloud_fixture.ts";
import { loadKeys, openCredentials } from "./credentials.ts";
import { writeDurably } from "./state.ts";
import { fileNameOf } from "./file_name.ts";
import { hmacHex, sha256Hex } from "./digests.ts";
import { ALGORITHM, amzDateOf } from "./signature.ts";
import { canonicalRequest, signingKey } from "./sigv4.ts";
import { serveCloud } from "./serve.ts";

function withBucket(test: (cloud: CloudFixture) => Promise<void>): Promise<void> {
  return withCloud(async (cloud) => {
    assertEquals((await cloud.s3("/bkt", { method: "PUT" })).status, 200);
    await test(cloud);
  });
}

async function md5(text: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  return createHash("md5").update(text).digest("hex");
}

Deno.test("S3 gives back an object with its type and metadata", async () => {
  await withBucket(async ({ s3 }) => {
    const headers = { "content-type": "text/x-c", "x-amz-meta-llama-encoding": "zstd" };
    const put = await s3("/bkt/obj/a", { method: "PUT", body: "hello", headers });
    assertEquals(put.headers.get("etag"), `"${await md5("hello")}"`);
    for (const method of ["GET", "HEAD"]) {
      const got = await s3("/bkt/obj/a", { method });
      assertEquals([got.status, got.text], [200, method === "GET" ? "hello" : ""]);
      assertEquals(got.headers.get("content-length"), "5");
      assertEquals(got.headers.get("content-type"), "text/x-c");
      assertEquals(got.headers.get("x-amz-meta-llama-encoding"), "zstd");
      assertEquals(got.headers.get("etag"), put.headers.get("etag"));
    }
    const empty = await s3("/bkt/empty", { method: "PUT", body: "" });
    assertEquals(empty.status, 200);
    const got = await s3("/bkt/empty");
    assertEquals([got.status, got.text, got.headers.get("content-length")], [200, "", "0"]);
  });
});

Deno.test("S3 keeps keys of every kind apart, and gives them back in the order of bytes", async () => {
  await withBucket(async ({ s3 }) => {
    const keys = [
      "a",
      "a/",
      "a/b",
      "a//b",
      "A",
      "a b",
      "a+b",
      "a%2Fb",
      "é",
      "\uffee",
      "\u{1f999}",
      "~",
      "=",
      "&<>\"'",
      "x".repeat(1024),
      "x".repeat(200),
      "x".repeat(199),
      ".tmp-a",
      "\u0001",
    ];
    const target = (key: string) => `/bkt/${key.split("/").map(encodeURIComponent).join("/")}`;
    for (const key of keys) {
      assertEquals((await s3(target(key), { method: "PUT", body: `<${key}>` })).status, 200);
    }
    for (const key of keys) assertEquals((await s3(target(key))).text, `<${key}>`);
    const listed = await s3("/bkt?list-type=2&encoding-type=url");
    const found = listed.all("Key").map((key) => decodeURIComponent(key.replaceAll("+", "%20")));
    const bytes = (key: string) => new TextEncoder().encode(key).toHex();
    assertEquals(found, keys.toSorted((a, b) => bytes(a) < bytes(b) ? -1 : 1));
    const long = await s3(`/bkt/${"x".repeat(1025)}`, { method: "PUT", body: "" });
    assertEquals([long.status, long.code], [400, "KeyTooLongError"]);
    for (const key of keys) {
      assertEquals((await s3(target(key), { method: "DELETE" })).status, 204);
    }
    assertEquals((await s3("/bkt?list-type=2")).all("KeyCount"), ["0"]);
  });
});

/** Sends a request whose path no URL would leave as it is; gives the whole answer as text. */
async function sendRaw(
  { endpoint }: CloudFixture,
  method: string,
  path: string,
  body: string,
): Promise<string> {
  const amzDate = amzDateOf(Date.now());
  const day = amzDate.slice(0, 8);
  const headers: (readonly [string, string])[] = [
    ["host", `127.0.0.1:${endpoint.port}`],
    ["x-amz-content-sha256", sha256Hex(body)],
    ["x-amz-date", amzDate],
  ];
  const signed = headers.map(([name]) => name);
  const canonical = canonicalRequest(
    { method, path, query: "", headers },
    signed,
    sha256Hex(body),
    path,
  );
  const scope = `${day}/${endpoint.region}/s3/aws4_request`;
  const key = signingKey(endpoint.secretAccessKey, day, endpoint.region, "s3");
  const toSign = `${ALGORITHM}\n${amzDate}\n${scope}\n${sha256Hex(canonical)}`;
  const authorization = `${ALGORITHM} Credential=${endpoint.accessKeyId}/${scope},` +
    `SignedHeaders=${signed.join(";")},Signature=${hmacHex(key, toSign)}`;
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...[...headers, ["authorization", authorization]].map(([name, value]) => `${name}: ${value}`),
    `content-length: ${body.length}`,
    "connection: close",
  ];
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: endpoint.port });
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n${body}`));
  let answer = "";
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(4096);
  for (let count; (count = await connection.read(bytes)) !== null;) {
    answer += decoder.decode(bytes.subarray(0, count));
  }
  return answer;
}

Deno.test("S3 takes a path as it was sent, with dots and slashes, and stays in its folder", async () => {
  await withBucket(async (cloud) => {
    const paths = ["/bkt/../../up", "/bkt/./a", "/bkt/%2E%2E/b", "/bkt//c"];
    for (const path of paths) {
      assertStringIncludes(await sendRaw(cloud, "PUT", path, path), "HTTP/1.1 200 ");
    }
    for (const path of paths) {
      assertEquals((await sendRaw(cloud, "GET", path, "")).endsWith(`\r\n\r\n${path}`), true);
    }
    const listed = await cloud.s3("/bkt?list-type=2");
    assertEquals(listed.all("Key"), ["../../up", "../b", "./a", "/c"]);
    const names = [...Deno.readDirSync(`${cloud.directory}/s3/objects/bkt`)];
    assertEquals(names.length, 4);
    assertStringIncludes(await sendRaw(cloud, "GET", "/bkt/%ff", ""), "<Code>InvalidURI</Code>");
  });
});

Deno.test("S3 lets one of many writers have a key that must be new", async () => {
  await withBucket(async ({ s3 }) => {
    const put = (body: string) =>
      s3("/bkt/k", { method: "PUT", body, headers: { "if-none-match": "*" } });
    const bodies = Array.from({ length: 8 }, (_, index) => `writer ${index}`);
    const answers = await Promise.all(bodies.map(put));
    assertEquals(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 412, 412, 412, 412, 412, 412, 412],
    );
    const winner = bodies[answers.findIndex(({ status }) => status === 200)];
    assertEquals((await s3("/bkt/k")).text, winner);
    assertEquals((await put("again")).code, "PreconditionFailed");
  });
});

Deno.test("S3 answers ranges", async () => {
  await withBucket(async ({ s3 }) => {
    const body = "0123456789";
    await s3("/bkt/k", { method: "PUT", body });
    const cases: [range: string, status: number, text: string, contentRange: string | null][] = [
      ["bytes=2-4", 206, "234", "bytes 2-4/10"],
      ["bytes=7-", 206, "789", "bytes 7-9/10"],
      ["bytes=-3", 206, "789", "bytes 7-9/10"],
      ["bytes=-30", 206, body, "bytes 0-9/10"],
      ["bytes=8-100", 206, "89", "bytes 8-9/10"],
      ["bytes=4-2", 200, body, null],
      ["bytes=0-1,3-4", 200, body, null],
      ["lines=1-2", 200, body, null],
    ];
    for (const [range, status, text, contentRange] of cases) {
      const got = await s3("/bkt/k", { headers: { range } });
      assertEquals(
        [range, got.status, got.text, got.headers.get("content-range")],
        [range, status, text, contentRange],
      );
    }
    for (const range of ["bytes=10-", "bytes=-0"]) {
      const got = await s3("/bkt/k", { headers: { range } });
      assertEquals([got.status, got.code], [416, "InvalidRange"]);
      assertEquals(got.headers.get("content-range"), "bytes */10");
    }
  });
});

Deno.test("S3 answers conditions", async () => {
  await withBucket(async ({ s3 }) => {
    await s3("/bkt/k", { method: "PUT", body: "hello" });
    const etag = `"${await md5("hello")}"`;
    const future = new Date(Date.now() + 3_600_000).toUTCString();
    const past = new Date(Date.now() - 3_600_000).toUTCString();
    const cases: [headers: Record<string, string>, status: number][] = [
      [{ "if-none-match": etag }, 304],
      [{ "if-none-match": '"x"' }, 200],
      [{ "if-match": etag }, 200],
      [{ "if-match": '"x"' }, 412],
      [{ "if-modified-since": future }, 304],
      [{ "if-modified-since": past }, 200],
      [{ "if-unmodified-since": past }, 412],
      [{ "if-unmodified-since": future }, 200],
      [{ "if-match": etag, "if-unmodified-since": past }, 200],
      [{ "if-none-match": '"x"', "if-modified-since": future }, 200],
    ];
    for (const [headers, status] of cases) {
      const got = await s3("/bkt/k", { headers });
      assertEquals([headers, got.status], [headers, status]);
    }
    const stale = { method: "PUT", body: "x", headers: { "if-match": '"x"' } };
    assertEquals((await s3("/bkt/k", stale)).status, 412);
    assertEquals((await s3("/bkt/none", stale)).code, "NoSuchKey");
  });
});

Deno.test("S3 lets a reader have all of the old object while it is overwritten", async () => {
  await withBucket(async ({ s3, endpoint }) => {
    const { AwsClient } = await import("aws4fetch");
    const size = 8 * 1024 * 1024;
    const put = (byte: number) =>
      s3("/bkt/k", { method: "PUT", body: new Uint8Array(size).fill(byte) });
    await put(1);
    const client = new AwsClient({ ...endpoint, service: "s3", retries: 0 });
    const response = await client.fetch(`http://127.0.0.1:${endpoint.port}/bkt/k`);
    await put(2);
    const old = await response.bytes();
    assertEquals([old.length, old.every((byte) => byte === 1)], [size, true]);
    const whole = await client.fetch(`http://127.0.0.1:${endpoint.port}/bkt/k`);
    const fresh = await whole.bytes();
    assertEquals([fresh.length, fresh.every((byte) => byte === 2)], [size, true]);
  });
});

Deno.test("S3 keeps nothing of an upload that does not have its digest", async () => {
  await withBucket(async ({ s3, directory }) => {
    await s3("/bkt/k", { method: "PUT", body: "old" });
    const headers = { "content-md5": "XUFAKrxLKna5cZ2REBfFkg==" };
    const bad = await s3("/bkt/k", { method: "PUT", body: "new", headers });
    assertEquals([bad.status, bad.code], [400, "BadDigest"]);
    assertEquals((await s3("/bkt/k")).text, "old");
    const names = [...Deno.readDirSync(`${directory}/s3/objects/bkt`)].map(({ name }) => name);
    assertEquals(names, ["k="]);
  });
});

Deno.test("S3 names what is not there", async () => {
  await withBucket(async ({ s3 }) => {
    const cases: [method: string, target: string, status: number, code: string | undefined][] = [
      ["GET", "/bkt/none", 404, "NoSuchKey"],
      ["HEAD", "/bkt/none", 404, undefined],
      ["DELETE", "/bkt/none", 204, undefined],
      ["GET", "/nobucket/k", 404, "NoSuchBucket"],
      ["PUT", "/nobucket/k", 404, "NoSuchBucket"],
      ["GET", "/nobucket?list-type=2", 404, "NoSuchBucket"],
      ["HEAD", "/nobucket", 404, undefined],
      ["HEAD", "/bkt", 200, undefined],
      ["PUT", "/bkt", 200, undefined],
      ["PUT", "/B", 400, "InvalidBucketName"],
      ["GET", "/bkt?policy", 404, "NoSuchBucketPolicy"],
      ["GET", "/bkt?website", 501, "NotImplemented"],
      ["GET", "/bkt/k?acl", 501, "NotImplemented"],
      ["POST", "/bkt/k", 405, "MethodNotAllowed"],
      ["GET", "/bkt/k?uploadId=..%2F..", 404, "NoSuchUpload"],
    ];
    for (const [method, target, status, code] of cases) {
      const answer = await s3(target, { method });
      assertEquals([method, target, answer.status, answer.code], [method, target, status, code]);
    }
  });
});

Deno.test("S3 removes a bucket only when it is empty", async () => {
  await withBucket(async ({ s3 }) => {
    for (const key of ["a", "b", "c/d"]) await s3(`/bkt/${key}`, { method: "PUT", body: key });
    const full = await s3("/bkt", { method: "DELETE" });
    assertEquals([full.status, full.code], [409, "BucketNotEmpty"]);
    const body = "<Delete><Object><Key>a</Key></Object><Object><Key>none</Key></Object>" +
      "<Object><Key>b</Key></Object><Object><Key>c/d</Key></Object></Delete>";
    const deleted = await s3("/bkt?delete", { method: "POST", body });
    assertEquals(deleted.all("Key"), ["a", "none", "b", "c/d"]);
    const wrong = await s3("/bkt?delete", { method: "POST", body: "<Delete><Obj" });
    assertEquals(wrong.code, "MalformedXML");
    assertEquals((await s3("/bkt", { method: "DELETE" })).status, 204);
    assertEquals((await s3("/")).all("Name"), []);
    assertEquals((await s3("/bkt", { method: "PUT" })).status, 200);
    assertEquals((await s3("/bkt?list-type=2")).all("KeyCount"), ["0"]);
  });
});

Deno.test("S3 deletes objects by any key that they can have", async () => {
  await withBucket(async ({ s3 }) => {
    const keys = [
      " lead",
      "trail ",
      " ",
      "a\nb",
      "a\r\nb",
      "a&amp;b",
      "<&>",
      "&#10;",
      "\t",
      "é\u{1f600}",
    ];
    for (const key of keys) {
      const put = await s3(`/bkt/${encodeURIComponent(key)}`, { method: "PUT", body: key });
      assertEquals([key, put.status], [key, 200]);
    }
    const listed = await s3("/bkt?list-type=2");
    assertEquals(listed.all("KeyCount"), [String(keys.length)]);
    // Each letter as a number reference, as some clients write what they do not want to think about.
    const numbers = (key: string) =>
      [...key].map((letter) => `&#${letter.codePointAt(0)};`).join("");
    const plain = (key: string) => key.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    const body = `<Delete>\n  <Quiet> true </Quiet>\n${
      keys.map((key, index) => {
        const text = index % 2 === 0 && !key.includes("\r") ? plain(key) : numbers(key);
        return `  <Object>\n    <Key>${text}</Key>\n  </Object>\n`;
      }).join("")
    }</Delete>`;
    const deleted = await s3("/bkt?delete", { method: "POST", body });
    assertEquals([deleted.status, deleted.all("Deleted")], [200, []]);
    assertEquals((await s3("/bkt?list-type=2")).all("KeyCount"), ["0"]);
  });
});

Deno.test("S3 joins the parts of a multipart upload", async () => {
  await withBucket(async ({ s3, directory }) => {
    const part = "x".repeat(5 * 1024 * 1024);
    const headers = { "content-type": "text/plain" };
    const [id = ""] = (await s3("/bkt/k?uploads", { method: "POST", headers })).all("UploadId");
    const etags = [];
    for (const [index, body] of [part, "end"].entries()) {
      const target = `/bkt/k?partNumber=${index + 1}&uploadId=${id}`;
      etags.push((await s3(target, { method: "PUT", body })).headers.get("etag"));
    }
    assertEquals((await s3("/bkt?uploads")).all("UploadId"), [id]);
    assertEquals((await s3(`/bkt/k?uploadId=${id}`)).all("PartNumber"), ["1", "2"]);
    const complete = (parts: [number, string | null | undefined][]) =>
      s3(`/bkt/k?uploadId=${id}`, {
        method: "POST",
        body: `<CompleteMultipartUpload>${
          parts.map(([number, etag]) =>
            `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`
          ).join("")
        }</CompleteMultipartUpload>`,
      });
    assertEquals((await complete([[1, '"0"'], [2, etags[1]]])).code, "InvalidPart");
    assertEquals((await complete([[2, etags[1]], [1, etags[0]]])).code, "InvalidPartOrder");
    const done = await complete([[1, etags[0]], [2, etags[1]]]);
    assertEquals(done.status, 200);
    const got = await s3("/bkt/k");
    assertEquals(got.text, `${part}end`);
    assertEquals(got.headers.get("content-type"), "text/plain");
    assertEquals(got.headers.get("etag")?.endsWith('-2"'), true);
    assertEquals([...Deno.readDirSync(`${directory}/s3/uploads`)], []);

    const [other = ""] = (await s3("/bkt/k?uploads", { method: "POST" })).all("UploadId");
    assertEquals((await s3(`/bkt/k?uploadId=${other}`, { method: "DELETE" })).status, 204);
    const late = await s3(`/bkt/k?partNumber=1&uploadId=${other}`, { method: "PUT", body: "x" });
    assertEquals(late.code, "NoSuchUpload");
  });
});

Deno.test("S3 gives back the sub-resources of a bucket as they were put", async () => {
  await withBucket(async ({ s3 }) => {
    assertStringIncludes((await s3("/bkt?publicAccessBlock")).text, "<BlockPublicAcls>true<");
    const policy = '{"Version":"2012-10-17","Statement":[]}';
    assertEquals((await s3("/bkt?policy", { method: "PUT", body: policy })).status, 204);
    assertEquals((await s3("/bkt?policy")).text, policy);
    assertEquals((await s3("/bkt?policy", { method: "DELETE" })).status, 204);
    assertEquals((await s3("/bkt?policy")).code, "NoSuchBucketPolicy");
  });
});

const ROLE = "arn:aws:iam::000000000000:role/worker";

async function withWorkerKeys(
  test: (cloud: CloudFixture, keys: FixtureKeys) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const statement = (Action: string | string[], Resource: string, Condition = {}) => ({
      Effect: "Allow",
      Action,
      Resource,
      Condition,
    });
    const role = {
      name: "worker",
      path: "/",
      id: "AROAWORKER",
      assumeRolePolicy: {},
      policies: {
        objects: {
          Statement: [
            statement(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::bkt/obj/*"),
            statement("s3:ListBucket", "arn:aws:s3:::bkt", {
              StringLike: { "s3:prefix": "obj/*" },
            }),
          ],
        },
      },
      createdMs: 0,
    };
    await Deno.mkdir(`${directory}/iam`, { recursive: true });
    const bytes = new TextEncoder().encode(JSON.stringify(role));
    await writeDurably(`${directory}/iam/${fileNameOf("worker")}`, bytes);
    const cloud = await serveCloud({ directory, ...UNSEALED });
    try {
      const keys = await loadKeys(`${directory}/keys.json`);
      const credentials = openCredentials(keys, "000000000000", Date.now);
      await test(
        speakTo(directory, await readEndpoint(directory)),
        credentials.issueRoleCredentials(ROLE, 60),
      );
    } finally {
      await cloud.close();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("S3 lets a role do what its policies allow and nothing else", async () => {
  await withWorkerKeys(async ({ s3, query }, keys) => {
    await s3("/bkt", { method: "PUT" });
    await s3("/bkt/secret", { method: "PUT", body: "s" });
    const cases: [method: string, target: string, status: number][] = [
      ["PUT", "/bkt/obj/a", 200],
      ["GET", "/bkt/obj/a", 200],
      ["HEAD", "/bkt/obj/a", 200],
      ["GET", "/bkt?list-type=2&prefix=obj/a", 200],
      ["GET", "/bkt?list-type=2", 403],
      ["GET", "/bkt/secret", 403],
      ["PUT", "/bkt/secret", 403],
      ["PUT", "/bkt/object", 403],
      ["DELETE", "/bkt/obj/a", 403],
      ["DELETE", "/bkt", 403],
      ["GET", "/", 403],
      ["PUT", "/other", 403],
      // Who may not list the whole bucket is not told what is not there.
      ["GET", "/bkt/obj/none", 403],
    ];
    for (const [method, target, status] of cases) {
      const answer = await s3(target, { method, keys });
      assertEquals([method, target, answer.status], [method, target, status]);
    }
    const body = "<Delete><Object><Key>obj/a</Key></Object></Delete>";
    const deleted = await s3("/bkt?delete", { method: "POST", body, keys });
    assertEquals(deleted.all("Code"), ["AccessDenied"]);
    assertEquals((await s3("/bkt/obj/a")).status, 200);
    const identity = await query("sts", "GetCallerIdentity", {}, { keys });
    assertEquals(identity.all("Arn"), ["arn:aws:sts::000000000000:assumed-role/worker/llama"]);
    const denied = await query("cloudformation", "DescribeStacks", {}, { keys });
    assertEquals([denied.status, denied.code], [403, "AccessDenied"]);
  });
});

Deno.test("S3 copies an object", async () => {
  await withBucket(async ({ s3 }) => {
    await s3("/bkt/a%20b", { method: "PUT", body: "text", headers: { "x-amz-meta-a": "1" } });
    const headers = { "x-amz-copy-source": "/bkt/a%20b" };
    assertEquals((await s3("/bkt/c", { method: "PUT", headers })).status, 200);
    const copy = await s3("/bkt/c");
    assertEquals([copy.text, copy.headers.get("x-amz-meta-a")], ["text", "1"]);
    const none = { "x-amz-copy-source": "/bkt/none" };
    assertEquals((await s3("/bkt/c", { method: "PUT", headers: none })).code, "NoSuchKey");
  });
});
