import { assertEquals, assertStringIncludes } from "@std/assert";
import { createAwsClient } from "./client.ts";
import { describeRegions } from "./ec2.ts";
import { withStub } from "./stub_service_fixture.ts";

Deno.test("describeRegions() gives the names in order", async () => {
  const body = `<?xml version="1.0" encoding="UTF-8"?>
<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <requestId>59dbff89</requestId>
  <regionInfo>
    <item><regionName>us-east-1</regionName><regionEndpoint>x</regionEndpoint></item>
    <item><regionName>eu-west-1</regionName><regionEndpoint>y</regionEndpoint></item>
  </regionInfo>
</DescribeRegionsResponse>`;
  await withStub(() => ({ body }), async ({ account, seen }) => {
    assertEquals(await describeRegions(createAwsClient(account)), ["eu-west-1", "us-east-1"]);
    assertEquals(seen[0]?.service, "ec2");
    assertStringIncludes(
      new TextDecoder().decode(seen[0]?.body),
      "Action=DescribeRegions&Version=2016-11-15",
    );
  });
});
