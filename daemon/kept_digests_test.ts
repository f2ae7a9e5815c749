import { assertEquals } from "@std/assert";
import { createMemoryFiles } from "../cc/memory_files_fixture.ts";
import { openKeptDigests } from "./kept_digests.ts";
import { atNewPath } from "./new_path_fixture.ts";

const withPath = (test: (path: string) => Promise<void>) => atNewPath("cache/digests", test);

Deno.test("openKeptDigests() knows files again while their state is the same", () =>
  withPath(async (path) => {
    const files = createMemoryFiles();
    const known = async (name: string) => {
      const digests = await openKeptDigests(path, files);
      const state = files.stat(name);
      return state && digests.known(name, state)?.digest;
    };
    files.write("/a b", "one");
    files.write("/c", "two");
    files.tick(1000);
    const first = await openKeptDigests(path, files);
    const digest = (await first.compute("/a b"))?.digest;
    await first.compute("/c");
    await first.keep();
    assertEquals(await known("/a b"), digest);
    files.tick(1000);
    files.write("/c", "owt");
    assertEquals([await known("/a b"), await known("/c")], [digest, undefined]);
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  }));

Deno.test("openKeptDigests() keeps nothing of a file that had just changed", () =>
  withPath(async (path) => {
    const files = createMemoryFiles();
    files.write("/a", "one");
    const digests = await openKeptDigests(path, files);
    await digests.compute("/a");
    await digests.keep();
    assertEquals([...(await openKeptDigests(path, files)).entries()], []);
  }));

Deno.test("openKeptDigests() skips damaged lines, and writes only what is new", () =>
  withPath(async (path) => {
    const files = createMemoryFiles();
    for (const name of ["/a", "/b"]) files.write(name, name);
    files.tick(1000);
    const first = await openKeptDigests(path, files);
    for (const name of ["/a", "/b"]) await first.compute(name);
    await first.keep();
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, `garbage\n${text.slice(0, -3)}`);
    const second = await openKeptDigests(path, files);
    assertEquals([...second.entries()].map(([name]) => name), ["/a"]);
    await Deno.remove(path);
    await second.keep();
    assertEquals(await Deno.readTextFile(path).catch(() => "none"), "none");
    await second.compute("/b");
    await second.keep();
    assertEquals(await Deno.readTextFile(path), text);
  }));
