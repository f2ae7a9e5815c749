/** Arguments of `llama invoke` that are Go templates, as the original's were. */
import { assertEquals, assertMatch } from "@std/assert";
import { treeOf, useBuildCloud, writeFiles } from "./build_cloud.ts";

const cloud = useBuildCloud();

Deno.test("invoke sends and fetches what templates mark, by the paths that it has there", async () => {
  const cwd = `${cloud.work}/t`;
  await writeFiles(cwd, { "in/a b.txt": "one\n", "c:d": "two\n", "both": "3\n" });
  const script = 'cat "$1" "$2" "$4" >"$3"; echo more >>"$5"; echo "$1 $3"';
  const { code, stdout, stderr } = await cloud.run([
    ...["llama", "invoke", "-f", "both", "llama", "sh", "-c", script, "sh"],
    ...['{{.I "in/a b.txt"}}', '{{.Input "c:d"}}', '{{.O (printf "out/%s" "x")}}'],
    ...['{{.AsFile "text"}}', '{{.IO "both"}}'],
  ], { cwd });
  assertEquals([code, stdout, stderr], [0, "in/a b.txt out/x\n", ""]);
  const tree = await treeOf(cwd);
  assertEquals(tree["out/x"]?.slice(7), "one\ntwo\ntext\n");
  assertEquals(tree["both"]?.slice(7), "3\nmore\n");
});

Deno.test("invoke says what is wrong with a template, where, and before anything runs", async () => {
  const cases = [
    ['{{.I "a"', /^llama: Cannot read argument 2, .* at column \d+: .*\n$/],
    [
      "{{.Inputs}}",
      /^llama: Cannot expand argument 2, "\{\{\.Inputs\}\}", .*\(did you mean \.Input\?\)\n$/,
    ],
    ['{{.I "none"}}', /^llama: Cannot send "none" as it does not exist\n$/],
    ['{{.I "/etc/passwd"}}', /^llama: .*"\/etc\/passwd" is not below the current folder.*\n$/],
  ] as const;
  for (const [template, message] of cases) {
    const { code, stdout, stderr } = await cloud.run([
      "llama",
      "invoke",
      "llama",
      "echo",
      template,
    ]);
    assertEquals([code > 0, stdout], [true, ""], template);
    assertMatch(stderr, message, template);
  }
});
