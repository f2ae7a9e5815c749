import { assertEquals, assertRejects } from "@std/assert";
import type { Input } from "../job/manifest.ts";
import { inFolder, treeOf } from "./files_fixture.ts";
import { writeOutputs } from "./job_outputs.ts";

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
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
