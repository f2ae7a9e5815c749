/** `llama invoke -detach` and `llama result`. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertNoLeftovers, useBuildCloud, writeFiles } from "./build_cloud.ts";

const cloud = useBuildCloud();

async function detach(...args: string[]): Promise<string> {
  const id = (await cloud.must(["llama", "invoke", "-detach", ...args])).trim();
  assertMatch(id, /^[0-9a-f]{32}$/);
  return id;
}

Deno.test("result prints what a detached job printed, writes its outputs and exits as it did", async () => {
  await writeFiles(cloud.work, { "in": "some\n" });
  const script = "cat in; echo err >&2; echo made >out/made; chmod 755 out/made; exit 7";
  const id = await detach("-f", "in", "-o", "out/made", "llama", "sh", "-c", script);
  await assertNoLeftovers(cloud.work);
  const elsewhere = `${cloud.work}/elsewhere`;
  await Deno.mkdir(elsewhere);
  for (let times = 0; times < 2; times++) {
    const end = await cloud.run(["llama", "result", "-wait", "30s", id], { cwd: elsewhere });
    assertEquals([end.code, end.stdout, end.stderr], [7, "some\n", "err\n"]);
    assertEquals(await Deno.readTextFile(`${cloud.work}/out/made`), "made\n");
    const { mode } = await Deno.stat(`${cloud.work}/out/made`);
    assertEquals((mode ?? 0) & 0o777, 0o755);
    await Deno.remove(`${cloud.work}/out/made`);
  }
  const json = JSON.parse(
    await cloud.run(["llama", "result", "-json", id]).then(({ stdout }) => stdout),
  );
  assertEquals([json.exitCode, json.stdout, json.outputs], [7, "some\n", [
    `${cloud.work}/out/made`,
  ]]);
  assert(json.requestId.length > 0);
});

Deno.test("result says that a job has not ended, and waits for it if it is told", async () => {
  const id = await detach("llama", "sh", "-c", "sleep 2; echo late");
  const early = await cloud.run(["llama", "result", id]);
  assertEquals([early.code, early.stdout], [75, ""]);
  assertMatch(
    early.stderr,
    /^llama: The job [0-9a-f]{32} has not ended after \d+ s \(-wait 10m waits for it\)\n$/,
  );
  const late = await cloud.run(["llama", "result", "-wait", "30s", id]);
  assertEquals([late.code, late.stdout, late.stderr], [0, "late\n", ""]);
});

Deno.test("a shipped program, much input and much output are detached as well", async () => {
  const bytes = new Uint8Array(7_000_000);
  for (let at = 0; at < bytes.length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  await Deno.writeFile(`${cloud.work}/large`, bytes);
  await writeFiles(cloud.work, { list: "b\na\n" });
  const sorted = await detach(
    "-ship",
    "-f",
    "list",
    "-o",
    "sorted",
    "llama",
    "sort",
    "list",
    "-o",
    "sorted",
  );
  const printed = await detach(
    "-f",
    "large",
    "-o",
    "copy",
    "llama",
    "sh",
    "-c",
    "cat large; cp large copy",
  );
  const wait = ["llama", "result", "-wait", "30s"];
  await cloud.must([...wait, sorted]);
  assertEquals(await Deno.readTextFile(`${cloud.work}/sorted`), "a\nb\n");
  const { stdout } = await cloud.command([...wait, printed]).output();
  assertEquals(stdout, bytes);
  assertEquals(await Deno.readFile(`${cloud.work}/copy`), bytes);
});

Deno.test("result lists jobs, and tells of those that failed", async () => {
  const wait = ["llama", "result", "-wait", "30s"];
  const missing = await detach("-o", "never", "llama", "echo", "it's");
  const end = await cloud.run([...wait, missing]);
  assertEquals([end.code, end.stdout], [1, "it's\n"]);
  assertMatch(end.stderr, /^llama: The command succeeded and did not make the output "never"\n$/);
  const slow = await cloud.run([...wait, await detach("-timeout", "200ms", "llama", "sleep", "9")]);
  assertEquals([slow.code, slow.stdout], [1, ""]);
  assertMatch(slow.stderr, /^llama: Cannot finish "sleep" as it took longer than 0\.2 s/);
  const none = await cloud.run([...wait, await detach("llama", "nosuch")]);
  assertMatch(none.stderr, /^llama: Cannot run "nosuch" as no folder of PATH has it/);
  const lines = (await cloud.must(["llama", "result"])).split("\n");
  assertMatch(
    lines[0] ?? "",
    /^[0-9a-f]{32} {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}llama {2}nosuch$/,
  );
  assertEquals(lines[2]?.slice(56), `llama  echo 'it'\\''s'`);
});

Deno.test("result and -detach say what is wrong with their command lines", async () => {
  await writeFiles(cloud.work, { here: "x" });
  const cases = [
    [["result", "abc"], 2, /"abc" is no ID \(an ID has 32 hexadecimal digits\)/],
    [["result", "a", "b"], 2, /One ID is needed/],
    [["result", "-wait", "1s"], 2, /-wait needs an ID/],
    [["result", "0".repeat(32)], 1, /Cannot find the job 0{32} in .*\(llama result lists/],
    [["invoke", "-detach", "-time", "llama", "true"], 2, /-detach and -time exclude each other/],
    [["invoke", "-detach", "-logs", "llama", "true"], 2, /-detach and -logs exclude each other/],
    [
      ["invoke", "-detach", "lama", "true"],
      1,
      /Cannot find the function "lama".*did you mean llama\?/,
    ],
    [
      ["invoke", "-detach", "-f", "here:a", "-o", "b:a", "llama", "true"],
      2,
      /cannot fetch the input "a" under another name/,
    ],
  ] as const;
  for (const [args, status, message] of cases) {
    const { code, stdout, stderr } = await cloud.run(["llama", ...args]);
    assertEquals([code, stdout], [status, ""], stderr);
    assertMatch(stderr, message);
    assertEquals(stderr.split("\n").length, 2, stderr);
  }
});
