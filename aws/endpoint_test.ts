import { assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { encodePath, requestUrl } from "./endpoint.ts";

Deno.test("requestUrl() names AWS's own hosts", () => {
  const url = (service: string, region = "eu-west-1") =>
    requestUrl(undefined, region, { service, path: "/" });
  assertEquals(url("lambda"), "https://lambda.eu-west-1.amazonaws.com/");
  assertEquals(url("ecr"), "https://api.ecr.eu-west-1.amazonaws.com/");
  assertEquals(url("sts", "cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn/");
});

Deno.test("requestUrl() puts a bucket into the host on AWS where the certificate allows it", () => {
  const url = (bucket: string, endpoint?: string) =>
    requestUrl(endpoint, "us-east-1", { service: "s3", bucket, path: "/k", query: [["a", "b c"]] });
  assertEquals(url("my-bucket"), "https://my-bucket.s3.us-east-1.amazonaws.com/k?a=b%20c");
  assertEquals(url("my.bucket"), "https://s3.us-east-1.amazonaws.com/my.bucket/k?a=b%20c");
  assertEquals(url("b-1", "http://h:1/base"), "http://h:1/base/b-1/k?a=b%20c");
});

Deno.test("requestUrl() refuses what could not be sent as it is signed", () => {
  const bad: [string, string][] = [
    ["s3", "k"],
    ["s3", "/a+b"],
    ["s3", "/a b"],
    ["s3", "/a/../b"],
    ["s3", "/."],
    ["s3", "/a/%2E%2e"],
    ["lambda", "/a//b"],
    ["lambda", "/a?b"],
  ];
  for (const [service, path] of bad) {
    assertThrows(() => requestUrl(undefined, "r", { service, path }), LlamaError, undefined, path);
  }
  const query = [["a", "1"], ["a", "2"]] as const;
  assertThrows(() => requestUrl(undefined, "r", { service: "s3", path: "/", query }), LlamaError);
  requestUrl(undefined, "r", { service: "s3", path: "/a/..b/.c/d." });
});

Deno.test("encodePath() leaves only slashes and unreserved characters", () => {
  assertEquals(encodePath("a/b c+d/ä!'()*~-_."), "a/b%20c%2Bd/%C3%A4%21%27%28%29%2A~-_.");
});
