import { assertEquals } from "@std/assert";
import { AwsError } from "../aws/error.ts";
import { LlamaError } from "../job/errors.ts";
import { reportJson, reportLine, reportOf } from "./report_error.ts";

Deno.test("reportOf() keeps code, hint and exit status of an error for people", () => {
  const report = reportOf(new LlamaError("Usage", "No\n  good", { hint: "try", exitCode: 2 }));
  assertEquals(report, { code: "Usage", message: "No\n  good", hint: "try", exitCode: 2 });
  assertEquals(reportLine(report), "llama: No; good (try)");
  assertEquals(reportJson(report), {
    error: { code: "Usage", message: "No\n  good", hint: "try" },
  });
});

Deno.test("reportOf() names AWS's own code, and says what to do about a wrong key", () => {
  const { code, hint, exitCode } = reportOf(
    new AwsError({
      service: "s3",
      operation: "GetObject",
      status: 403,
      awsCode: "SignatureDoesNotMatch",
      awsMessage: "The signature does not match.",
    }),
  );
  assertEquals([code, exitCode], ["SignatureDoesNotMatch", 1]);
  assertEquals(hint, "Check the secret access key and this machine's clock");
});

Deno.test("reportOf() tells the system's errors from defects of this program", () => {
  const missing = reportOf(new Deno.errors.NotFound("No such file: 'x'"));
  assertEquals([missing.code, missing.message], ["NotFound", "No such file: 'x'"]);
  const defect = reportOf(new TypeError("x is undefined"));
  assertEquals(defect.code, "Internal");
  assertEquals(reportOf("text").message, "Internal error: text");
});

Deno.test("reportOf() says first what the system would not do", () => {
  const message = (text: string) => reportOf(new Deno.errors.PermissionDenied(text)).message;
  assertEquals(
    message("Permission denied (os error 13): readfile '/a b'"),
    'Cannot read "/a b": Permission denied',
  );
  assertEquals(
    message("Is a directory (os error 21): rename '/x/.llama-1' -> '/x/y'"),
    'Cannot write "/x/y": Is a directory',
  );
  assertEquals(
    message("Operation not permitted (os error 1)"),
    "Operation not permitted (os error 1)",
  );
});
