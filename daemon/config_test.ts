import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { type LlamaConfig, readConfig, removeConfig, writeConfig } from "./config.ts";

const CONFIG: LlamaConfig = {
  cloud: "aws",
  region: "eu-west-1",
  store: "s3://bucket/",
  functionName: "llama",
  stack: "llama",
  role: "arn:aws:iam::123456789012:role/llama",
};

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "llama-config-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("writeConfig() leaves a file for its owner alone, and readConfig() the same values", async () => {
  await inFolder(async (folder) => {
    const llamaDir = `${folder}/new/dir`;
    assertEquals(await readConfig(llamaDir), undefined);
    for (
      const config of [CONFIG, {
        ...CONFIG,
        repository: "r",
        endpointUrl: "http://x",
        ccConcurrency: 3,
      }]
    ) {
      await writeConfig(llamaDir, config);
      assertEquals(await readConfig(llamaDir), config);
    }
    const names = Array.from(Deno.readDirSync(llamaDir), ({ name }) => name);
    assertEquals(names, ["llama.json"]);
    assertEquals((Deno.statSync(`${llamaDir}/llama.json`).mode ?? 0) & 0o777, 0o600);
    assertEquals((Deno.statSync(llamaDir).mode ?? 0) & 0o777, 0o700);
    await removeConfig(llamaDir);
    await removeConfig(llamaDir);
    assertEquals(await readConfig(llamaDir), undefined);
  });
});

Deno.test("readConfig() says what is wrong with a damaged file, and what to do", async () => {
  await inFolder(async (folder) => {
    const json = {
      version: 1,
      cloud: "aws",
      region: "r",
      store: "s3://b",
      function: "f",
      stack: "s",
      role: "arn",
    };
    const cases: [string, string][] = [
      ["", "it is not JSON"],
      ["[]", "it must be an object"],
      [JSON.stringify({ ...json, version: 2 }), "version: it must be a whole number from 1 to 1"],
      [JSON.stringify({ ...json, cloud: "gcp" }), 'cloud: it must be "embedded" or "aws"'],
      [JSON.stringify({ ...json, region: "" }), "region: it must not be empty"],
      [JSON.stringify({ ...json, store: "/tmp" }), "store: it must begin with s3://"],
      [JSON.stringify({ ...json, role: undefined }), "role: it must be a string"],
    ];
    for (const [text, problem] of cases) {
      await Deno.writeTextFile(`${folder}/llama.json`, text);
      const error = await assertRejects(() => readConfig(folder), LlamaError);
      assertEquals(error.code, "BadConfig");
      assertStringIncludes(error.message, `Cannot read ${folder}/llama.json: ${problem}`);
      assertStringIncludes(error.hint ?? "", `remove ${folder}/llama.json and run llama bootstrap`);
    }
  });
});
