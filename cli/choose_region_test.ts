import { assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { openWithRegion } from "./choose_region.ts";

const REGIONS = `<DescribeRegionsResponse><regionInfo>
  <item><regionName>eu-west-1</regionName></item><item><regionName>us-east-1</regionName></item>
</regionInfo></DescribeRegionsResponse>`;

/** Opens an account that has keys and no region, where the user answers `answer`. */
async function openAsking(answer: string, interactive = true) {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(REGIONS),
  );
  const llamaDir = await Deno.makeTempDir({ prefix: "llama-region-" });
  const said: string[] = [];
  try {
    const { account } = await openWithRegion({
      env: {
        AWS_ACCESS_KEY_ID: "k",
        AWS_SECRET_ACCESS_KEY: "s",
        AWS_ENDPOINT_URL: `http://127.0.0.1:${server.addr.port}`,
      },
      llamaDir,
      startCloud: () => Promise.reject(new TypeError("The embedded cloud is not wanted")),
    }, { interactive, ask: () => answer, say: (line) => said.push(line) });
    return { region: account.region, said };
  } finally {
    await Deno.remove(llamaDir, { recursive: true });
  }
}

Deno.test("openWithRegion() lists the regions and takes the one that is answered", async () => {
  const { region, said } = await openAsking(" eu-west-1 ");
  assertEquals([region, said], ["eu-west-1", ["Regions: eu-west-1 us-east-1"]]);
});

Deno.test("openWithRegion() refuses another answer, and asks nobody without a terminal", async () => {
  const unknown = await assertRejects(() => openAsking("eu-wset-1"), LlamaError);
  assertEquals([unknown.code, unknown.hint], ["Usage", "did you mean eu-west-1?"]);
  const missing = await assertRejects(() => openAsking("eu-west-1", false), LlamaError);
  assertEquals(missing.code, "RegionMissing");
});
