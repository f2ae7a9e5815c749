import { assertEquals } from "@std/assert";
import { digestOf } from "../job/digest.ts";
import { createFileDigests } from "./digests.ts";
import { createFolders } from "./folders.ts";
import { addPath, addPaths, createInputSet } from "./inputs.ts";
import { createMemoryFiles } from "./memory_files_fixture.ts";
import { createPlaces } from "./places.ts";

function setUp() {
  const files = createMemoryFiles();
  files.write("/real/in/x.h", "text");
  files.folder("/real/empty");
  files.link("/l", "real/in");
  files.link("/gone.h", "nowhere/x.h");
  files.tick(1000);
  const folders = createFolders(files);
  const digests = createFileDigests(files);
  return { files, tools: { folders, digests, places: createPlaces(files, folders) } };
}

Deno.test("addPaths() adds a file under its real path, with the links and folders on the way", async () => {
  const { files, tools } = setUp();
  const set = createInputSet();
  await addPaths(set, ["/l/../in/x.h", "/l/x.h", "/real/in/x.h"], tools);
  const digest = await digestOf(new TextEncoder().encode("text"));
  assertEquals([...set.inputs.values()], [
    { kind: "link", path: "/l", target: "real/in" },
    { kind: "folder", path: "/real/in", mode: 0o755 },
    {
      kind: "file",
      path: "/real/in/x.h",
      mode: 0o644,
      mtimeMs: 1_000_000,
      content: { digest, size: 4 },
    },
  ]);
  assertEquals([...set.states], [["/real/in/x.h", files.stat("/real/in/x.h")]]);
  assertEquals(set.unreadable, []);
});

Deno.test("addPaths() adds a folder without what is in it, and never the root", async () => {
  const { tools } = setUp();
  const set = createInputSet();
  await addPaths(set, ["/real/empty", "/", "/real/.."], tools);
  assertEquals([...set.inputs.keys()], ["/real/empty", "/real"]);
});

Deno.test("addPaths() keeps apart what does not exist", async () => {
  const { files, tools } = setUp();
  const paths = ["/none", "/none/x.h", "/gone.h", "/real/in/x.h/y"];
  const set = createInputSet();
  await addPaths(set, paths, tools);
  assertEquals(set.unreadable, paths);
  assertEquals([...set.inputs.keys()], []);
  const unreadable = createInputSet();
  const digests = createFileDigests({ ...files, read: () => undefined });
  await addPaths(unreadable, ["/real/in/x.h"], { ...tools, digests });
  assertEquals(unreadable.unreadable, ["/real/in/x.h"]);
});

Deno.test("addPath() waits only for a file that must be hashed", async () => {
  const { tools } = setUp();
  const pending = addPath(createInputSet(), "/real/in/x.h", tools);
  assertEquals(pending instanceof Promise, true);
  await pending;
  tools.folders.nextRound();
  const set = createInputSet();
  assertEquals(addPath(set, "/real/in/x.h", tools), undefined);
  assertEquals(set.inputs.size, 1);
});

Deno.test("addPath() rounds a modification time down to whole milliseconds", async () => {
  const { files, tools } = setUp();
  files.tick(0.75);
  files.write("/new.h", "");
  const set = createInputSet();
  tools.folders.nextRound();
  await addPath(set, "/new.h", tools);
  const input = set.inputs.get("/new.h");
  assertEquals(input?.kind === "file" && input.mtimeMs, 1_001_000);
});

Deno.test("addPaths() lets a job read what could be read here, whoever may by its mode", async () => {
  const { files, tools } = setUp();
  files.write("/real/odd.h", "text", 0o040);
  const set = createInputSet();
  await addPaths(set, ["/real/odd.h"], tools);
  const input = set.inputs.get("/real/odd.h");
  assertEquals(input?.kind === "file" && input.mode, 0o440);
});
