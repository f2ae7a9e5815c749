import { assertEquals } from "@std/assert";
import { createFileDigests } from "./digests.ts";
import { createFolders } from "./folders.ts";
import { createGuessAdder } from "./guessed_inputs.ts";
import { addPaths, createInputSet } from "./inputs.ts";
import { createMemoryFiles } from "./memory_files_fixture.ts";
import { createPlaces } from "./places.ts";

function setUp() {
  const files = createMemoryFiles();
  files.write("/v1/x.h", "one");
  files.write("/v2/x.h", "two");
  files.write("/p/y.h", "y");
  files.link("/p/now", "/v1");
  files.tick(1000);
  const folders = createFolders(files);
  const tools = {
    folders,
    digests: createFileDigests(files),
    places: createPlaces(files, folders),
  };
  const add = createGuessAdder(tools);
  /** What is remembered is the same as what is found anew. */
  const added = async (paths: readonly string[]) => {
    files.tick(1000);
    folders.nextRound();
    const set = createInputSet();
    await add(set, paths);
    const anew = createInputSet();
    await addPaths(anew, paths, tools);
    assertEquals([...set.inputs.values()], [...anew.inputs.values()]);
    assertEquals([...set.states], [...anew.states]);
    assertEquals(set.unreadable, anew.unreadable);
    return [...set.inputs.keys()];
  };
  return { files, folders, add, added };
}

Deno.test("a guess that is the same array has the inputs that it had, without a look at its files", async () => {
  const { files, folders, add, added } = setUp();
  const paths = ["/p/now/x.h", "/p/../p/y.h"];
  const names = await added(paths);
  assertEquals(names, ["/p/now", "/v1/x.h", "/p", "/p/y.h"]);
  folders.nextRound();
  files.calls.clear();
  const set = createInputSet();
  await add(set, paths);
  assertEquals([...set.inputs.keys()], names);
  assertEquals([files.calls.get("read"), files.calls.get("list")], [undefined, undefined]);
});

Deno.test("links on the way are looked at all the same", async () => {
  const { files, added } = setUp();
  const paths = ["/p/now/x.h"];
  assertEquals(await added(paths), ["/p/now", "/v1/x.h"]);
  files.remove("/p/now");
  files.link("/p/now", "/v2");
  assertEquals(await added(paths), ["/p/now", "/v2/x.h"]);
  files.remove("/p/now");
  files.folder("/p/now");
  files.write("/p/now/x.h", "own");
  assertEquals(await added(paths), ["/p/now/x.h"]);
});

Deno.test("of two files of one folder one may be a link, whose own way is looked at", async () => {
  const { files, added } = setUp();
  files.link("/p/z.h", "/p/now/x.h");
  const paths = ["/p/y.h", "/p/z.h"];
  assertEquals(await added(paths), ["/p/y.h", "/p/z.h", "/p/now", "/v1/x.h"]);
  files.remove("/p/now");
  files.link("/p/now", "/v2");
  assertEquals(await added(paths), ["/p/y.h", "/p/z.h", "/p/now", "/v2/x.h"]);
  files.write("/v2/x.h", "three");
  assertEquals(await added(paths), ["/p/y.h", "/p/z.h", "/p/now", "/v2/x.h"]);
  files.remove("/v2/x.h");
  assertEquals(await added(paths), ["/p/y.h", "/p/z.h", "/p/now"]);
});

Deno.test("what cannot be remembered is found anew each time", async () => {
  const { files, added } = setUp();
  const paths = ["/p/y.h", "/p/none.h"];
  assertEquals(await added(paths), ["/p/y.h"]);
  files.write("/p/none.h", "");
  assertEquals(await added(paths), ["/p/y.h", "/p/none.h"]);
});

Deno.test("a source that stands in the set stays as it is there", async () => {
  const { add } = setUp();
  const set = createInputSet();
  const content = { bytes: new Uint8Array([1]) };
  set.inputs.set("/p/y.h", { kind: "file", path: "/p/y.h", mode: 0o644, content });
  await add(set, ["/p/y.h", "/v1/x.h"]);
  const source = set.inputs.get("/p/y.h");
  assertEquals(source?.kind === "file" && source.content, content);
});
