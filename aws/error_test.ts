import { assertEquals, assertStringIncludes } from "@std/assert";
import { errorFromAnswer } from "./error.ts";

const LAMBDA = { service: "lambda", operation: "Invoke" };
const S3 = { service: "s3", operation: "GetObject" };

Deno.test("errorFromAnswer() reads Lambda's throttle with its reason and delay", () => {
  const error = errorFromAnswer(
    LAMBDA,
    429,
    new Headers({
      "x-amzn-errortype": "TooManyRequestsException:http://internal.amazon.com/coral/",
      "x-amzn-requestid": "r-1",
      "retry-after": "2",
    }),
    '{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}',
  );
  assertEquals(error.code, "TooManyRequestsException");
  assertEquals(error.awsCode, "TooManyRequestsException");
  assertEquals(error.reason, "ConcurrentInvocationLimitExceeded");
  assertEquals(error.retryAfterMs, 2_000);
  assertEquals(error.requestId, "r-1");
  assertEquals(
    error.message,
    "Cannot do lambda Invoke as AWS answered 429 TooManyRequestsException " +
      "(ConcurrentInvocationLimitExceeded): Rate Exceeded",
  );
});

Deno.test("errorFromAnswer() takes x-amz-retry-after in milliseconds before Retry-After", () => {
  const headers = new Headers({ "x-amz-retry-after": "1500", "retry-after": "7" });
  assertEquals(errorFromAnswer(LAMBDA, 503, headers, "{}").retryAfterMs, 1_500);
  assertEquals(
    errorFromAnswer(LAMBDA, 503, new Headers({ "retry-after": "soon" }), "{}").retryAfterMs,
    undefined,
  );
});

Deno.test("errorFromAnswer() cuts the namespace off a type in the body", () => {
  const error = errorFromAnswer(
    { service: "ecr", operation: "DescribeRepositories" },
    400,
    new Headers(),
    '{"__type":"com.amazonaws.ecr#RepositoryNotFoundException","Message":"The repository is not there"}',
  );
  assertEquals(error.code, "RepositoryNotFoundException");
  assertEquals(error.awsMessage, "The repository is not there");
});

Deno.test("errorFromAnswer() reads S3's XML and what stands for other characters in it", () => {
  const error = errorFromAnswer(
    S3,
    404,
    new Headers(),
    '<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code><Message>No &quot;a&amp;lt;b&#x21;&quot; here' +
      "</Message><RequestId>r-2</RequestId></Error>",
  );
  assertEquals(error.code, "NoSuchKey");
  assertEquals(error.awsMessage, 'No "a&lt;b!" here');
  assertEquals(error.requestId, "r-2");
});

Deno.test("errorFromAnswer() reads the query services' XML", () => {
  const error = errorFromAnswer(
    { service: "sts", operation: "GetCallerIdentity" },
    403,
    new Headers(),
    "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>" +
      "<Message>The security token is invalid.</Message></Error><RequestId>r</RequestId></ErrorResponse>",
  );
  assertEquals(error.code, "InvalidClientTokenId");
  assertStringIncludes(error.hint ?? "", "access key");
});

Deno.test("errorFromAnswer() names the error by its status where the answer has no body", () => {
  assertEquals(errorFromAnswer(S3, 404, new Headers(), "").code, "NotFound");
  assertEquals(errorFromAnswer(S3, 418, new Headers(), "").code, "Http418");
});

Deno.test("errorFromAnswer() keeps the text of a gateway that knows neither format", () => {
  const error = errorFromAnswer(S3, 502, new Headers(), "Bad gateway, sorry");
  assertEquals(error.code, "Http502");
  assertStringIncludes(error.message, "Bad gateway, sorry");
});
