import { assert, assertEquals } from "@std/assert";

/** Runs a module in a process of its own, as only a parent's end shows what a child keeps. */
async function run(script: string, redirect: string): Promise<Deno.CommandOutput> {
  const module = new URL("./start_detached.ts", import.meta.url).href;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, `import { startDetached } from "${module}";\n${script}`);
  try {
    // `output()` ends only when nobody holds the pipes any longer.
    return await new Deno.Command("bash", {
      args: ["-c", `"$0" run -A --no-config --no-check "$1" ${redirect}`, Deno.execPath(), file],
    }).output();
  } finally {
    await Deno.remove(file);
  }
}

const hasBash = await new Deno.Command("bash", { args: ["-c", "true"] }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "startDetached() leaves a process that holds nothing of its parent",
  ignore: !hasBash,
  async fn() {
    const folder = await Deno.makeTempDir();
    const fifo = `${folder}/fifo`;
    await new Deno.Command("mkfifo", { args: [fifo] }).output();
    const log = `${folder}/log`;
    // The process says what it has, and stays until it is told to go.
    const child = "ls -l /proc/self/fd; readlink /proc/self/cwd; " +
      `ps -o sid= -p $$; echo $$ DONE; echo up >'${fifo}'; read line <'${fifo}'`;
    const { code, stderr } = await run(
      `startDetached(["sh", "-c", ${JSON.stringify(child)}], ${JSON.stringify(log)});`,
      `5>&1 12>&2 7<"$0"`,
    );
    assertEquals(new TextDecoder().decode(stderr), "");
    assertEquals(code, 0);
    assertEquals((await Deno.readTextFile(fifo)).trim(), "up");
    const text = await Deno.readTextFile(log);
    assert(!text.includes("pipe:"), text);
    assert(!text.includes(Deno.execPath()), text);
    const [cwd, session, pid] = text.trim().split("\n").slice(-3).map((line) => line.trim());
    assertEquals([cwd, `${session} DONE`], ["/", pid]);
    assertEquals(((await Deno.stat(log)).mode ?? 0) & 0o777, 0o600);
    await Deno.writeTextFile(fifo, "go\n");
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("startDetached() appends to the log and passes arguments as they are", async () => {
  const folder = await Deno.makeTempDir();
  const log = `${folder}/a log`;
  await Deno.writeTextFile(log, "before\n");
  const { code } = await run(
    `const { ended } = startDetached(["printf", "%s|", "a b", "$HOME", "'", ""], ${
      JSON.stringify(log)
    }); const keep = setInterval(() => {}, 1000); await ended; clearInterval(keep);`,
    "",
  );
  assertEquals(code, 0);
  assertEquals(await Deno.readTextFile(log), "before\na b|$HOME|'||");
  await Deno.remove(folder, { recursive: true });
});
