import { assertEquals, assertThrows } from "@std/assert";
import { EMPTY_SHA256, sha256Hex } from "./digests.ts";
import { readSignature, type RequestHead, SignatureError } from "./signature.ts";
import { canonicalQuery, checkSignature, checkTime, UNSIGNED_PAYLOAD } from "./sigv4.ts";
import { SIGNED_VECTORS, VECTOR_SECRET, VECTOR_TIME_MS } from "./sigv4_fixture.ts";

function verify(head: RequestHead, body: string, secret: string, nowMs: number): void {
  const signature = readSignature(head);
  checkTime(signature, nowMs);
  const stated = [...head.headers]
    .find(([name]) => name.toLowerCase() === "x-amz-content-sha256")?.[1];
  const presigned = signature.expiresSeconds !== undefined;
  const hash = stated ?? (presigned ? UNSIGNED_PAYLOAD : sha256Hex(body));
  checkSignature(head, signature, hash, secret);
}

for (const vector of SIGNED_VECTORS) {
  Deno.test(`checkSignature() takes what botocore signs: ${vector.name}`, () => {
    verify(vector, vector.body, VECTOR_SECRET, VECTOR_TIME_MS);
  });

  Deno.test(`checkSignature() refuses any change of what botocore signs: ${vector.name}`, () => {
    const { path, query, headers, body } = vector;
    const changed: RequestHead[] = [
      { ...vector, method: "DELETE" },
      { ...vector, path: `${path}x` },
      { ...vector, query: `${query}&x` },
      { ...vector, headers: headers.map(([name, value]) => [name, name === "host" ? "h" : value]) },
    ];
    for (const head of changed) {
      const error = assertThrows(() => verify(head, body, VECTOR_SECRET, VECTOR_TIME_MS));
      assertEquals(problemOf(error), "mismatch");
    }
    const error = assertThrows(() => verify(vector, body, "another", VECTOR_TIME_MS));
    assertEquals(problemOf(error), "mismatch");
  });
}

function problemOf(error: unknown): string {
  if (error instanceof SignatureError) return error.problem;
  throw error;
}

/** Amazon S3 API Reference, "Examples: Signature Calculations in AWS Signature Version 4". */
const DOCUMENTED: readonly (readonly [
  name: string,
  method: string,
  target: string,
  headers: readonly (readonly [string, string])[],
  payloadHash: string,
  signature: string,
])[] = [
  [
    "GetObject",
    "GET",
    "/test.txt",
    [["range", "bytes=0-9"]],
    EMPTY_SHA256,
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  ],
  [
    "PutObject",
    "PUT",
    "/test%24file.text",
    [["date", "Fri, 24 May 2013 00:00:00 GMT"], ["x-amz-storage-class", "REDUCED_REDUNDANCY"]],
    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  [
    "GetBucketLifecycle",
    "GET",
    "/?lifecycle",
    [],
    EMPTY_SHA256,
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  ],
  [
    "ListObjects",
    "GET",
    "/?max-keys=2&prefix=J",
    [],
    EMPTY_SHA256,
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  ],
];

for (const [name, method, target, extra, payloadHash, signature] of DOCUMENTED) {
  Deno.test(`checkSignature() takes the documented example ${name}`, () => {
    const headers: (readonly [string, string])[] = [
      ["host", "examplebucket.s3.amazonaws.com"],
      ["x-amz-content-sha256", payloadHash],
      ["x-amz-date", "20130524T000000Z"],
      ...extra,
    ];
    const signed = headers.map(([header]) => header).sort().join(";");
    const authorization =
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,` +
      `SignedHeaders=${signed},Signature=${signature}`;
    const [path = "", query = ""] = target.split("?");
    const head: RequestHead = {
      method,
      path,
      query,
      headers: [...headers, ["Authorization", authorization]],
    };
    checkSignature(
      head,
      readSignature(head),
      payloadHash,
      "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    );
  });
}

Deno.test("checkTime() allows fifteen minutes either way and no more", () => {
  const [vector] = SIGNED_VECTORS;
  if (vector === undefined) throw new Error("There is no vector");
  const signature = readSignature(vector);
  const minute = 60_000;
  checkTime(signature, VECTOR_TIME_MS + 15 * minute);
  checkTime(signature, VECTOR_TIME_MS - 15 * minute);
  for (const offset of [15 * minute + 1, -15 * minute - 1]) {
    const error = assertThrows(() => checkTime(signature, VECTOR_TIME_MS + offset));
    assertEquals(problemOf(error), "skew");
  }
});

Deno.test("checkTime() ends a presigned URL when it says", () => {
  const vector = SIGNED_VECTORS.find(({ query }) => query.includes("X-Amz-Expires=600"));
  if (vector === undefined) throw new Error("There is no vector");
  checkTime(readSignature(vector), VECTOR_TIME_MS + 600_000);
  const error = assertThrows(() => checkTime(readSignature(vector), VECTOR_TIME_MS + 600_001));
  assertEquals(problemOf(error), "expiredUrl");
});

Deno.test("readSignature() tells a request without a signature from one that cannot be read", () => {
  const head = { method: "GET", path: "/", query: "" };
  const cases: [RequestHead, string][] = [
    [{ ...head, headers: [] }, "missing"],
    [{ ...head, headers: [["authorization", "Basic eDp5"]] }, "malformed"],
    [{ ...head, headers: [["authorization", "AWS4-HMAC-SHA256 Credential=a/b"]] }, "malformed"],
    [{ ...head, query: "X-Amz-Algorithm=AWS4-HMAC-SHA256", headers: [] }, "malformed"],
  ];
  for (const [request, problem] of cases) {
    assertEquals(problemOf(assertThrows(() => readSignature(request))), problem);
  }
});

Deno.test("checkSignature() refuses an x-amz header that is not signed", () => {
  const [vector] = SIGNED_VECTORS;
  if (vector === undefined) throw new Error("There is no vector");
  const head = { ...vector, headers: [...vector.headers, ["x-amz-acl", "public"] as const] };
  const error = assertThrows(() => verify(head, vector.body, VECTOR_SECRET, VECTOR_TIME_MS));
  assertEquals(problemOf(error), "malformed");
});

Deno.test("canonicalQuery() sorts by name, then by value, and not by the pair", () => {
  assertEquals(canonicalQuery("a=b&a-=c&a=a"), "a=a&a=b&a-=c");
  assertEquals(canonicalQuery("b&a=%7e%2f&c=x+y"), "a=~%2F&b=&c=x%20y");
});
