import { assertEquals } from "@std/assert";
import { shortFolder, testWorker, textOf } from "./worker_fixture.ts";

Deno.test("tidy() removes what a job left in a folder of the worker's own, and nothing older", async () => {
  const swept = shortFolder();
  try {
    Deno.writeTextFileSync(`${swept}/older`, "");
    const options = { sweptFolder: swept, folder: `${swept}/w`, loaderFolder: `${swept}/l` };
    using test = testWorker(options);
    Deno.mkdirSync(`${swept}/l`);
    const script =
      `cd ${swept}; mkdir -p left/shut; echo x > left/shut/x; chmod 000 left/shut left; ls`;
    const { stdout } = await test.done({ args: ["sh", "-c", script] });
    assertEquals(textOf(stdout), "l\nleft\nolder\nw\n");
    test.worker.tidy();
    assertEquals([...Deno.readDirSync(swept)].map(({ name }) => name).sort(), ["l", "older", "w"]);
    assertEquals(test.log, []);
  } finally {
    Deno.removeSync(swept, { recursive: true });
  }
});

Deno.test("a worker empties the folder that an earlier one left", () => {
  const folder = shortFolder();
  try {
    Deno.mkdirSync(`${folder}/w/7/deep`, { recursive: true });
    using _test = testWorker({ folder: `${folder}/w` });
    assertEquals([...Deno.readDirSync(`${folder}/w`)].map(({ name }) => name), ["cache"]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
