import { assert, assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { digestOf } from "../job/digest.ts";
import { inFolder, treeOf } from "./files_fixture.ts";
import { collectFiles } from "./job_inputs.ts";
import { writeOutputs } from "./job_outputs.ts";

Deno.test("collectFiles() and writeOutputs() carry a folder whole", async () => {
  await inFolder(async (folder) => {
    const from = `${folder}/from`;
    await Deno.mkdir(`${from}/sub/empty`, { recursive: true });
    await Deno.mkdir(`${from}/closed`);
    await Deno.writeTextFile(`${from}/closed/x`, "closed");
    await Deno.chmod(`${from}/closed`, 0o700);
    await Deno.writeTextFile(`${from}/sub/run`, "#!", { mode: 0o755 });
    await Deno.writeTextFile(`${from}/plain`, "text", { mode: 0o600 });
    await Deno.symlink("../nowhere", `${from}/sub/link`);
    const large = new Uint8Array(200_000).fill(7);
    await Deno.writeFile(`${from}/large`, large);

    const { inputs, read } = await collectFiles([{ local: `${from}/`, remote: "d" }]);
    assertEquals(inputs.map(({ kind, path }) => [kind, path]).toSorted(), [
      ["file", "d/closed/x"],
      ["file", "d/large"],
      ["file", "d/plain"],
      ["file", "d/sub/run"],
      ["folder", "d/closed"],
      ["folder", "d/sub/empty"],
      ["link", "d/sub/link"],
    ]);
    assertEquals(await read(await digestOf(large)), large);
    assertEquals(await read("00".repeat(32)), undefined);

    const known = {
      read: async (digest: string) => await read(digest) ?? new Uint8Array(),
      take: () => Promise.reject(new Error("nothing is so large")),
    };
    await writeOutputs(inputs, [{ local: `${folder}/to`, remote: "d" }], known);
    assertEquals(treeOf(`${folder}/to`), treeOf(from));
  });
});

Deno.test("collectFiles() names the file that it cannot send", async () => {
  await inFolder(async (folder) => {
    const missing = `${folder}/missing`;
    const error = await assertRejects(
      () => collectFiles([{ local: missing, remote: "x" }]),
      LlamaError,
    );
    assertEquals(error.message, `Cannot send "${missing}" as it does not exist`);
    await Deno.writeTextFile(`${folder}/a`, "a");
    await assertRejects(
      () =>
        collectFiles([{ local: `${folder}/a`, remote: "x" }, {
          local: `${folder}/a`,
          remote: "x",
        }]),
      LlamaError,
      'another input has the remote path "x"',
    );
    using listener = Deno.listen({ transport: "unix", path: `${folder}/socket` });
    assert(listener);
    await assertRejects(
      () => collectFiles([{ local: folder, remote: "" }]),
      LlamaError,
      "neither a file nor a folder nor a link",
    );
  });
});

Deno.test("collectFiles() refuses to send a large file that changed since it was named", async () => {
  await inFolder(async (folder) => {
    const local = `${folder}/large`;
    const before = new Uint8Array(100_000);
    await Deno.writeFile(local, before);
    const { read } = await collectFiles([{ local, remote: "x" }]);
    await Deno.writeTextFile(local, "other");
    await assertRejects(async () => read(await digestOf(before)), LlamaError, "changed meanwhile");
  });
});
