import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import {
  BOOTSTRAP,
  buildFunctionZip,
  checkFunctionZip,
  MAX_DIRECT_ZIP_BYTES,
  MAX_UNPACKED_BYTES,
} from "./function_zip.ts";

const text = (value: string) => new TextEncoder().encode(value);
/** Stands for deno: a program that shows how it was called. */
const FAKE = text('#!/bin/sh\necho "$DENO_DIR $LLAMA_PRIVATE_TMP" "$@"\n');

Deno.test("buildFunctionZip() makes the same bytes in every time zone", async () => {
  const first = await buildFunctionZip({ deno: FAKE, bundle: text("1") });
  Deno.env.set("TZ", "Asia/Tokyo");
  try {
    assertEquals(await buildFunctionZip({ deno: FAKE, bundle: text("1") }), first);
  } finally {
    Deno.env.delete("TZ");
  }
  assertEquals(first.unpackedBytes, BOOTSTRAP.length + FAKE.length + 1);
});

Deno.test("buildFunctionZip() makes a zip whose bootstrap starts deno with the runtime", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { bytes } = await buildFunctionZip({ deno: FAKE, bundle: text("1") });
    await Deno.writeFile(`${folder}/f.zip`, bytes);
    // Python's own reader: a second opinion on the format.
    const unpack = await new Deno.Command("python3", {
      args: ["-c", UNPACK, `${folder}/f.zip`, folder],
    }).output();
    assertEquals(new TextDecoder().decode(unpack.stderr), "");
    assertEquals(
      new TextDecoder().decode(unpack.stdout),
      "bootstrap 100755 (1980, 1, 1, 0, 0, 0)\ndeno 100755 (1980, 1, 1, 0, 0, 0)\n" +
        "runtime.js 100644 (1980, 1, 1, 0, 0, 0)\n",
    );
    const run = async (env: Record<string, string>) => {
      const command = new Deno.Command(`${folder}/bootstrap`, {
        args: ["echo", "a b"],
        clearEnv: true,
        env,
      });
      return new TextDecoder().decode((await command.output()).stdout);
    };
    const flags = "run -A --no-config --no-lock --cached-only --no-check --no-code-cache";
    assertEquals(await run({}), `/tmp/.deno 1 ${flags} ${folder}/runtime.js echo a b\n`);
    const local = { AWS_ENDPOINT_URL: "http://127.0.0.1:1", DENO_DIR: "/d" };
    assertEquals(await run(local), `/d  ${flags} ${folder}/runtime.js echo a b\n`);
    await Deno.mkdir(`${folder}/lib`);
    await Deno.writeFile(`${folder}/lib/loader`, FAKE, { mode: 0o755 });
    assertEquals(
      await run({}),
      `/tmp/.deno 1 --library-path ${folder}/lib ${folder}/deno ${flags} ` +
        `${folder}/runtime.js echo a b\n`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const UNPACK = `
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    for i in z.infolist():
        print(i.filename, oct(i.external_attr >> 16)[2:], i.date_time)
        path = z.extract(i, sys.argv[2])
        os.chmod(path, i.external_attr >> 16 & 0o7777)
`;

Deno.test("buildFunctionZip() names a part that is not there", async () => {
  const error = await assertRejects(
    () => buildFunctionZip({ deno: "/no/such/deno", bundle: text("") }),
    LlamaError,
  );
  assertEquals(error.code, "RuntimeMissing");
});

Deno.test("checkFunctionZip() refuses what Lambda would refuse", () => {
  const size = (packed: number, unpackedBytes: number) => ({
    bytes: { length: packed },
    unpackedBytes,
  });
  checkFunctionZip(size(MAX_DIRECT_ZIP_BYTES, MAX_UNPACKED_BYTES), "direct");
  checkFunctionZip(size(MAX_DIRECT_ZIP_BYTES + 1, MAX_UNPACKED_BYTES), "s3");
  for (const route of ["direct", "s3"] as const) {
    const error = assertThrows(
      () => checkFunctionZip(size(1, MAX_UNPACKED_BYTES + 1), route),
      LlamaError,
    );
    assert(error instanceof LlamaError && error.code === "FunctionTooLarge");
  }
  assertThrows(() => checkFunctionZip(size(MAX_DIRECT_ZIP_BYTES + 1, 1), "direct"), LlamaError);
});
