import { assertEquals, assertExists } from "@std/assert";
import { openAccess } from "./access.ts";

Deno.test("access tells what may be written", async () => {
  const canWrite = openAccess();
  assertExists(canWrite);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/file`, "");
    await Deno.symlink("file", `${folder}/link`);
    await Deno.symlink("none", `${folder}/dangling`);
    await Deno.writeTextFile(`${folder}/closed`, "", { mode: 0o444 });
    const asked = ["", "/file", "/link", "/closed", "/dangling", "/none", "/file\0"];
    assertEquals(
      asked.map((name) => canWrite(folder + name)),
      [true, true, true, Deno.uid() === 0, false, false, false],
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
