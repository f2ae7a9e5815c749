import { assert, assertEquals } from "@std/assert";
import { invocationUsd, s3Class, s3Usd } from "./prices.ts";

const near = (a: number, b: number) => assert(Math.abs(a - b) < 1e-12, `${a} is not ${b}`);

Deno.test("invocationUsd() charges memory by time and architecture, and each request", () => {
  const x86 = { memoryMb: 1024, architecture: "x86_64" };
  near(invocationUsd(x86, 0), 0.0000002);
  near(invocationUsd(x86, 1000), 0.0000002 + 0.0000166667);
  near(invocationUsd({ ...x86, memoryMb: 2048 }, 500), 0.0000002 + 0.0000166667);
  near(invocationUsd({ ...x86, architecture: "arm64" }, 1000), 0.0000002 + 0.0000133334);
});

Deno.test("s3Class() and s3Usd() charge writing and listing more than reading", () => {
  assertEquals(
    ["PutObject", "ListObjectsV2", "CreateMultipartUpload", "GetObject", "HeadObject"].map(s3Class),
    ["put", "put", "put", "get", "get"],
  );
  assertEquals(["DeleteObject", "AbortMultipartUpload"].map(s3Class), ["free", "free"]);
  near(s3Usd({ puts: 1000, gets: 1000 }), 0.0054);
});
