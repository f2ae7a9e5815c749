import { assert, assertEquals, assertMatch } from "@std/assert";
import { useBuildCloud, writeFiles } from "./build_cloud.ts";

const cloud = useBuildCloud();

Deno.test("the statistics tell of all builds and of each, as a table and as JSON", async () => {
  await cloud.stats("zero");
  await writeFiles(cloud.work, { "a.c": "int a;\n", "b.c": "int b;\n" });
  const build = async (id: string, ...commands: string[][]) => {
    for (const command of commands) await cloud.must(command, { env: { LLAMACC_BUILD_ID: id } });
  };
  await build("first", ["llamacc", "-c", "a.c"], ["llamacc", "-shared", "a.o", "-o", "a.so"]);
  await build("second", ["llamacc", "-c", "b.c"]);
  await cloud.must(["llamacc", "-E", "b.c"]);
  const of = async (...args: string[]) =>
    JSON.parse(await cloud.must(["llama", "daemon", "-stats", "-json", ...args]));

  const all = await of();
  assertEquals([all.remote, all.local], [2, { link: 1, "preprocess-only": 1 }]);
  assertEquals([all.builds, all.invocations >= 2], [["first", "second"], true]);
  // The toolchain and the shim are sent with the first compilation.
  assert(all.s3Puts >= 1 && all.requests > all.invocations, JSON.stringify(all));
  assert(all.bytesSent > 1_000_000 && all.bytesReceived > 500 && all.costUsd > 0);
  const first = await of("-build", "first");
  assertEquals([first.build, first.remote, first.local], ["first", 1, { link: 1 }]);
  assertEquals([first.s3Puts, first.outputBytes], [
    all.s3Puts,
    (await Deno.stat(`${cloud.work}/a.o`)).size,
  ]);
  const second = await of("-build", "second");
  assertEquals([second.remote, second.local, second.s3Puts], [1, {}, 0]);

  const table = await cloud.must(["llama", "daemon", "-stats"]);
  assertMatch(
    table,
    /^Commands +4\n {2}compiled elsewhere +2 +50\.0 %\n {2}here by choice +2 +50\.0 %\n {4}link +1 {2}Linking needs all objects, which are here\n/,
  );
  assertMatch(table, /\nCost +\$0\.00\d+ +about\n/);
  assertMatch(table, /\nBuilds +2 +second, first\n/);
  const one = await cloud.must(["llama", "daemon", "-stats", "-build", "second"]);
  assertMatch(one, /^Build second\nCommands +1\n/);
  const none = await cloud.run(["llama", "daemon", "-stats", "-build", "third"]);
  assertEquals([none.code, none.stdout], [1, ""]);
  assertMatch(none.stderr, /^llama: Cannot tell about the build "third" .* "first", "second"/);

  await cloud.must(["llama", "daemon", "-zero"]);
  const after = await of();
  assertEquals([after.remote, after.local, after.builds, after.costUsd], [0, {}, [], 0]);
});

Deno.test("-cc-concurrency and llama.json say how many compilers may run here at once", async () => {
  const size = async () => {
    const { slots } = JSON.parse(await cloud.must(["llama", "daemon", "-stats", "-json"]));
    return slots.size;
  };
  await cloud.must(["llama", "daemon", "-shutdown"]);
  await cloud.must(["llama", "daemon", "-start", "-detach", "-cc-concurrency", "7"]);
  assertEquals(await size(), 7);
  await cloud.must(["llama", "daemon", "-shutdown"]);
  const path = `${cloud.llamaDir}/llama.json`;
  const config = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ ...config, ccConcurrency: 5 }));
  // A bootstrap keeps it, and whoever starts the daemon minds it.
  await cloud.must(["llama", "bootstrap"]);
  await cloud.must(["llamacc", "--version"]);
  assertEquals(await size(), 5);
});
