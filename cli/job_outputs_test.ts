import { assertEquals, assertRejects } from "@std/assert";
import type { Input } from "../job/manifest.ts";
import { writeOutputs } from "./job_outputs.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "llama-files-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The tree below `folder`: kind, permissions and contents by path. */
function treeOf(folder: string, prefix = ""): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const { name } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    const info = Deno.lstatSync(path);
    const mode = ((info.mode ?? 0) & 0o777).toString(8);
    if (info.isSymlink) tree[prefix + name] = `-> ${Deno.readLinkSync(path)}`;
    else if (info.isFile) tree[prefix + name] = `${mode} ${Deno.readTextFileSync(path)}`;
    else {
      tree[prefix + name] = `${mode}/`;
      Object.assign(tree, treeOf(path, `${prefix}${name}/`));
    }
  }
  return tree;
}

const refuse = () => Promise.reject(new Error("nothing is to be read"));

Deno.test("writeOutputs() leaves old files and no temporary one when an output cannot be had", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a`, "old");
    const outputs: Input[] = [
      { kind: "file", path: "a", mode: 0o644, content: { bytes: bytes("new") } },
      { kind: "file", path: "b", mode: 0o644, content: { digest: "0".repeat(64), size: 1 } },
    ];
    const wishes = ["a", "b"].map((name) => ({ local: `${folder}/${name}`, remote: name }));
    await assertRejects(
      () => writeOutputs(outputs, wishes, { read: refuse, take: refuse }),
      Error,
      "nothing is to be read",
    );
    assertEquals(treeOf(folder), { a: `${treeOf(folder).a?.split(" ")[0]} old` });
    const aborted = AbortSignal.abort(new Error("stopped"));
    await assertRejects(
      () => writeOutputs(outputs, wishes, { read: refuse, take: refuse }, aborted),
      Error,
      "stopped",
    );
    assertEquals(Object.keys(treeOf(folder)), ["a"]);
  });
});
