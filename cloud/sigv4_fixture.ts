/**
 * Requests signed by botocore 1.43.11 at 2026-03-04T05:06:07Z with the access key AKIDEXAMPLE: what
 * the second way of computing signatures, which is not ours, makes of the hard cases.
 */

/** One signed request. */
export interface SignedVector {
  /** What it is about. */
  readonly name: string;
  /** Service of the scope. */
  readonly service: string;
  /** HTTP method. */
  readonly method: string;
  /** Path as sent. */
  readonly path: string;
  /** Query as sent. */
  readonly query: string;
  /** Headers as sent, the signature among them if it is not in the query. */
  readonly headers: readonly (readonly [string, string])[];
  /** Body as sent. */
  readonly body: string;
}

/** The secret of all of them. */
export const VECTOR_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/** When they were signed. */
export const VECTOR_TIME_MS: number = Date.UTC(2026, 2, 4, 5, 6, 7);

/** The vectors. */
export const SIGNED_VECTORS: readonly SignedVector[] = [
  {
    name: "a vanilla GET",
    service: "sts",
    method: "GET",
    path: "/",
    query: "",
    headers: [["X-Amz-Date", "20260304T050607Z"], [
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/us-east-1/sts/aws4_request, SignedHeaders=host;x-amz-date, Signature=3953a83235e01750fe2a63646df30651fe34c248ac79342864bef27d2b67abac",
    ], ["host", "127.0.0.1:4566"]],
    body: "",
  },
  {
    name: "a form in a POST",
    service: "sts",
    method: "POST",
    path: "/",
    query: "",
    headers: [["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"], [
      "X-Amz-Date",
      "20260304T050607Z",
    ], [
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/us-east-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5010d97762c16be8b77017689f077df904f65c8ffddcb8f70a8ccd810ab0d917",
    ], ["host", "127.0.0.1:4566"]],
    body: "Action=GetCallerIdentity&Version=2011-06-15",
  },
  {
    name: "an encoded ARN in a path",
    service: "lambda",
    method: "POST",
    path:
      "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af/invocations",
    query: "",
    headers: [["X-Amz-Date", "20260304T050607Z"], [
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=de453698a5225ef8797a3cf87f1b1eb97db06c38e0e8657bbc12786dd29567a8",
    ], ["host", "127.0.0.1:4566"]],
    body: '{"a":1}',
  },
  {
    name: "a path with dots and slashes",
    service: "lambda",
    method: "GET",
    path: "/a//b/./c/../d/",
    query: "",
    headers: [["X-Amz-Date", "20260304T050607Z"], [
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=fd87143a220aed38500a569542f666a30e34e66cd08638ad184f09faebc52a3a",
    ], ["host", "127.0.0.1:4566"]],
    body: "",
  },
  {
    name: "a session token",
    service: "lambda",
    method: "GET",
    path: "/2015-03-31/functions",
    query: "",
    headers: [["X-Amz-Date", "20260304T050607Z"], ["X-Amz-Security-Token", "tok/en+=="], [
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=97ff6bbb525f664bcf51b7d1ef07f37ed0a49c2bf1f7c6a59baba86fafd5af5b",
    ], ["host", "127.0.0.1:4566"]],
    body: "",
  },
  {
    name: "an S3 key with letters of all kinds",
    service: "s3",
    method: "GET",
    path: "/b/a%20b%2Bc%3D%C3%A9~/%2E%2E/x%2F%2Ay//z",
    query: "",
    headers: [["X-Amz-Date", "20260304T050607Z"], [
      "X-Amz-Content-SHA256",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ], [
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=6a50098ecccb585198535ae87abed4ba19085d98cfa567d148d2c886f6996fbe",
    ], ["host", "127.0.0.1:4566"]],
    body: "",
  },
  {
    name: "an S3 query out of order",
    service: "s3",
    method: "GET",
    path: "/b",
    query: "prefix=a%20b%2F&list-type=2&a=2&a=1&delimiter=%2F&uploads",
    headers: [["X-Amz-Date", "20260304T050607Z"], [
      "X-Amz-Content-SHA256",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ], [
      "Authorization",
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=39b24a91270d5504bec403d7ead32c2f59227b50b2df124c58f8946e8cf44a5c",
    ], ["host", "127.0.0.1:4566"]],
    body: "",
  },
  {
    name: "an S3 upload",
    service: "s3",
    method: "PUT",
    path: "/b/k",
    query: "",
    headers: [
      ["x-amz-meta-llama-encoding", "  zstd   level 3 "],
      ["Content-Type", "text/plain"],
      ["X-Amz-Date", "20260304T050607Z"],
      ["X-Amz-Content-SHA256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"],
      [
        "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/us-east-1/s3/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-llama-encoding, Signature=b240d787143b1c5e52057b53ce56f678c35150626473f349bfdfbf951e3f5a67",
      ],
      ["host", "127.0.0.1:4566"],
    ],
    body: "hello",
  },
  {
    name: "a presigned S3 URL",
    service: "s3",
    method: "GET",
    path: "/b/a%20b",
    query:
      "response-content-type=text%2Fplain&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260304%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260304T050607Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=7077c7a2fc822e3225f5b9c026107b71c151fa2ddfcc450bfe5548a3ce1d0c44",
    headers: [["host", "127.0.0.1:4566"]],
    body: "",
  },
  {
    name: "a presigned S3 URL with a token",
    service: "s3",
    method: "GET",
    path: "/b/k",
    query:
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260304%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260304T050607Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Security-Token=tok%2Fen%2B%3D%3D&X-Amz-Signature=e0f9435328b8164477261e9a92523eac9c648ef4b2fca56e893445043adce166",
    headers: [["host", "127.0.0.1:4566"]],
    body: "",
  },
];
