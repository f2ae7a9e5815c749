import { assertEquals, assertRejects } from "@std/assert";
import { realFiles } from "../daemon/real_files.ts";
import type { Input } from "../job/manifest.ts";
import { LlamaError } from "../job/errors.ts";
import { writeCommandOutputs } from "./run_outputs.ts";

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const name of ["w", "elsewhere"]) await Deno.mkdir(`${folder}/${name}`);
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function file(path: string, text: string, more: { mtimeMs?: number } = {}): Input {
  return {
    kind: "file",
    path,
    mode: 0o644,
    content: { bytes: new TextEncoder().encode(text) },
    ...more,
  };
}

const none = () => Promise.reject(new Error("nothing is in the store"));
const write = (
  outputs: readonly Input[],
  removed: readonly string[],
  ...roots: readonly string[]
) => writeCommandOutputs({ outputs, removed }, roots, { read: none, take: none }, realFiles);

Deno.test("writeCommandOutputs() makes, replaces and removes, and keeps times set on purpose", () =>
  withFolder(async (folder) => {
    const w = `${folder}/w`;
    await Deno.writeTextFile(`${w}/old`, "before");
    await Deno.writeTextFile(`${w}/gone`, "");
    await write(
      [file(`${w}/old`, "after", { mtimeMs: 1000 }), file(`${w}/new/deep`, "text")],
      [`${w}/gone`, `${w}/gone already`],
      w,
    );
    assertEquals(await Deno.readTextFile(`${w}/old`), "after");
    assertEquals((await Deno.stat(`${w}/old`)).mtime?.getTime(), 1000);
    assertEquals(await Deno.readTextFile(`${w}/new/deep`), "text");
    assertEquals([...Deno.readDirSync(w)].map(({ name }) => name).toSorted(), ["new", "old"]);
  }));

Deno.test("writeCommandOutputs() goes through no link that leads out", () =>
  withFolder(async (folder) => {
    const w = `${folder}/w`;
    await Deno.writeTextFile(`${folder}/elsewhere/mine`, "mine");
    await Deno.mkdir(`${w}/inside`);
    await Deno.symlink("../elsewhere", `${w}/out`);
    await Deno.symlink("inside", `${w}/in`);
    const cases = [
      [[file(`${w}/a`, ""), file(`${w}/out/x`, "")], []],
      [[file(`${w}/a`, ""), file(`${w}/out/new/x`, "")], []],
      [[file(`${w}/a`, "")], [`${w}/out/mine`]],
    ] as const;
    for (const [outputs, removed] of cases) {
      const error = await assertRejects(() => write(outputs, removed, w), LlamaError, "/elsewhere");
      assertEquals(error.code, "OutputOutside");
    }
    assertEquals(await Deno.readTextFile(`${folder}/elsewhere/mine`), "mine");
    assertEquals(realFiles.lstat(`${w}/a`), undefined);
    await write([file(`${w}/in/x`, "x")], [], w);
    assertEquals(await Deno.readTextFile(`${w}/inside/x`), "x");
    // An argument named it, so it may be written.
    await write([file(`${folder}/elsewhere/named`, "")], [], w, `${folder}/elsewhere/named`);
  }));
