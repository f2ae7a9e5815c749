/** EC2's query API of 2016-11-15. Its answers have no element for the result, unlike other services'. */
import type { AwsClient } from "./client.ts";
import { parseXml } from "./xml.ts";

/** Names of the regions that the account can use, in the order of the alphabet. */
export async function describeRegions(client: AwsClient): Promise<string[]> {
  const { body } = await client.send({
    service: "ec2",
    operation: "DescribeRegions",
    method: "POST",
    path: "/",
    headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
    body: new URLSearchParams({ Action: "DescribeRegions", Version: "2016-11-15" }).toString(),
  });
  const answer = await parseXml(
    new TextDecoder().decode(body),
    "DescribeRegionsResponse",
    "answer of ec2 DescribeRegions",
  );
  const items = answer.child("regionInfo")?.children("item") ?? [];
  return items.map((item) => item.text("regionName") ?? "").filter((name) => name !== "")
    .toSorted();
}
