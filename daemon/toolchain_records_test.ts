import { assertEquals } from "@std/assert";
import { keepToolchain, keptToolchains } from "./toolchain_records.ts";

const RECORD = {
  driver: "/usr/bin/gcc",
  flags: [],
  manifest: "a".repeat(64),
  files: 3,
  bytes: 400,
  packs: 1,
};

Deno.test("keepToolchain() keeps one record for each compiler and its arguments", async () => {
  const llamaDir = await Deno.makeTempDir();
  try {
    assertEquals(keptToolchains(llamaDir), []);
    const upgraded = { ...RECORD, manifest: "b".repeat(64) };
    const withFlags = { ...RECORD, flags: ["-B", "/x"] };
    const clang = { ...RECORD, driver: "/usr/bin/clang" };
    for (const record of [RECORD, withFlags, upgraded, clang]) {
      await keepToolchain(llamaDir, record);
    }
    const kept = keptToolchains(llamaDir);
    assertEquals(kept[0], clang);
    assertEquals(new Set(kept.slice(1)), new Set([upgraded, withFlags]));
    for await (const { name } of Deno.readDir(`${llamaDir}/cache/toolchains`)) {
      await Deno.writeTextFile(`${llamaDir}/cache/toolchains/${name}`, '{"driver": 1}');
    }
    assertEquals(keptToolchains(llamaDir), []);
  } finally {
    await Deno.remove(llamaDir, { recursive: true });
  }
});
