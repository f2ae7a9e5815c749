import { assertEquals, assertExists } from "@std/assert";
import { run } from "../scripts/demo/tools.ts";
import { openStatx } from "./statx.ts";

Deno.test("statx gives what Deno.statSync gives", async () => {
  const statx = openStatx();
  assertExists(statx);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/file`, "four");
    await Deno.chmod(`${folder}/file`, 0o640);
    await Deno.symlink("file", `${folder}/link`);
    await Deno.utime(`${folder}/file`, 1, 1_234_567_890.5);
    const info = await Deno.stat(`${folder}/file`);
    const state = statx(`${folder}/file`, true);
    assertEquals(
      [state?.kind, state?.mode, state?.size, state?.inode, state?.mtimeMs],
      ["file", 0o640, 4, info.ino ?? -1, 1_234_567_890_500],
    );
    for (const seconds of [-0.25, -1_000_000_000.5, 0, 4_000_000_000]) {
      await Deno.utime(`${folder}/file`, seconds, seconds);
      assertEquals(statx(`${folder}/file`, true)?.mtimeMs, seconds * 1000);
    }
    const at = "@1700000000.999999999";
    await run(["touch", "-d", at, "file"], { cwd: folder, env: Deno.env.toObject() });
    assertEquals(Math.floor(statx(`${folder}/file`, true)?.mtimeMs ?? 0), 1_700_000_000_999);
    assertEquals(Math.floor((state?.ctimeMs ?? 0) / 1000) * 1000, info.ctime?.getTime());
    assertEquals(statx(`${folder}/link`, true)?.inode, state?.inode);
    assertEquals(statx(`${folder}/link`, false)?.kind, "link");
    assertEquals(statx(folder, true)?.kind, "folder");
    assertEquals(statx(`${folder}/gone`, true), undefined);
    assertEquals(statx(`${folder}/file/below`, true), undefined);
    assertEquals(statx("/dev/null", true)?.kind, "other");
    assertEquals(statx(`${folder}/a\0b`, true), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
