import { assertEquals, assertMatch } from "@std/assert";
import { assertNoLeftovers, treeOf, useBuildCloud, writeFiles } from "./build_cloud.ts";

const cloud = useBuildCloud();

Deno.test("multiget gets all that a list names, and says which lines it could not", async () => {
  const cwd = `${cloud.work}/m`;
  const names = Array.from({ length: 30 }, (_, at) => `f${at}`);
  await writeFiles(cwd, {
    "out/": "",
    ...Object.fromEntries(names.map((name) => [name, `text of ${name}\n`])),
  });
  const ids = (await cloud.must(["llama", "store", ...names], { cwd })).trim().split("\n");
  const list = ids.map((id, at) => `${id} out/copy ${at}\n`).join("");
  const whole = await cloud.run(["llama", "multiget", "-json"], { cwd, stdin: list });
  assertEquals([whole.code, whole.stderr, JSON.parse(whole.stdout).length], [0, "", 30]);
  const copies = await treeOf(`${cwd}/out`);
  assertEquals(
    names.map((_, at) => copies[`copy ${at}`]?.slice(7)),
    names.map((name) => `text of ${name}\n`),
  );
  const none = "0".repeat(64);
  const mixed = `\n${ids[0]}\nabc out/x\n${none} out/none\n  ${ids[1]}\tout/no such/folder\n${
    ids[2]
  } out/last`;
  const { code, stdout, stderr } = await cloud.run(["llama", "multiget"], { cwd, stdin: mixed });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^llama: Line 3: "abc" is not an ID \(an ID has 64 hexadecimal digits\)$/m);
  assertMatch(stderr, /^llama: Line 4: .*0000.*$/m);
  assertEquals(stderr.trim().split("\n").length, 2);
  const tree = await treeOf(cwd);
  assertEquals(tree[ids[0] ?? ""]?.slice(7), "text of f0\n");
  assertEquals(tree["out/no such/folder"]?.slice(7), "text of f1\n");
  assertEquals(tree["out/last"]?.slice(7), "text of f2\n");
  assertEquals([tree["out/x"], tree["out/none"]], [undefined, undefined]);
  await assertNoLeftovers(cwd);
});
