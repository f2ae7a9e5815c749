import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inLlamaFolder, llamaCommand, type LlamaEnd, runLlama } from "./llama_process.ts";

/** Starts `llama`, sends `signal` when stderr shows `sign`, and waits for its end. */
async function signalled(
  args: readonly string[],
  folder: string,
  sign: string,
  signal: Deno.Signal,
): Promise<number> {
  const child = llamaCommand(args, { folder }).spawn();
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes(sign)) {
    const { value, done } = await reader.read();
    assert(!done, `${sign} did not come: ${text}`);
    text += value;
  }
  child.kill(signal);
  while (!(await reader.read()).done);
  await child.stdout.cancel();
  return (await child.status).code;
}

function succeeded(end: LlamaEnd): LlamaEnd {
  assertEquals(end.code, 0, end.stderr);
  return end;
}

Deno.test("llama bootstraps the embedded cloud, runs commands there and removes all again", async (t) => {
  await inLlamaFolder(async (folder) => {
    const llama = (...args: string[]) => runLlama(args, { folder });

    await t.step("a job before the bootstrap says what to run", async () => {
      const { code, stderr } = await llama("invoke", "llama", "true");
      assertEquals(code, 1);
      assertStringIncludes(stderr, "(run llama bootstrap)");
    });

    await t.step("a dry run does nothing", async () => {
      const { stdout } = succeeded(await llama("bootstrap", "-dry-run"));
      assertStringIncludes(stdout, "Add     AWS::S3::Bucket Bucket");
      assertStringIncludes(stdout, "Add     AWS::Lambda::Function llama (1769 MB, 60 s)");
      assertEquals(succeeded(await llama("bootstrap", "-dry-run")).stdout, stdout);
    });

    await t.step("a killed bootstrap is finished by the next one", async () => {
      await signalled(["bootstrap", "-debug-aws"], folder, "< CreateStack: 200", "SIGKILL");
      const { stdout } = succeeded(await llama("bootstrap", "-json"));
      const made = JSON.parse(stdout);
      assertEquals(made.cloud, "embedded");
      assertEquals(made.account, "000000000000");
      assertEquals(made.function, {
        name: "llama",
        action: "created",
        memoryMb: 1769,
        tmpMb: 2048,
        timeoutSeconds: 60,
      });
      const config = JSON.parse(await Deno.readTextFile(`${folder}/llama/llama.json`));
      assertEquals([config.cloud, config.store, config.role], ["embedded", made.store, made.role]);
      assertMatch(made.store, /^s3:\/\/llama-/);
    });

    await t.step("a second bootstrap changes nothing, and prints what a build needs", async () => {
      const { stdout, stderr } = succeeded(await llama("bootstrap"));
      assertEquals(stdout, "export CC=llamacc CXX=llamac++\nmake -j100\n");
      assertStringIncludes(stderr, "stack llama is unchanged, the function llama is unchanged");
    });

    await t.step("a file goes and comes back under other names", async () => {
      await Deno.writeTextFile(`${folder}/README.md`, "hello\n");
      const { stdout } = succeeded(
        await llama(
          ...["invoke", "-f", "README.md:INPUT", "-o", "OUTPUT"],
          ...["llama", "sh", "-c", "sha256sum INPUT > OUTPUT; echo done; chmod 700 OUTPUT"],
        ),
      );
      assertEquals(stdout, "done\n");
      assertEquals(
        await Deno.readTextFile(`${folder}/OUTPUT`),
        "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03  INPUT\n",
      );
      assertEquals(((await Deno.stat(`${folder}/OUTPUT`)).mode ?? 0) & 0o777, 0o700);
    });

    await t.step("a folder goes and comes back whole", async () => {
      await Deno.mkdir(`${folder}/d/empty`, { recursive: true });
      await Deno.writeTextFile(`${folder}/d/run`, "#!/bin/sh\n", { mode: 0o755 });
      await Deno.symlink("run", `${folder}/d/link`);
      const large = crypto.getRandomValues(new Uint8Array(65_536)).toHex().repeat(4);
      await Deno.writeTextFile(`${folder}/d/large`, large);
      succeeded(await llama("invoke", "-f", "d", "-o", "e:new", "llama", "cp", "-a", "d", "new"));
      const names = Array.from(Deno.readDirSync(`${folder}/e`), ({ name }) => name).toSorted();
      assertEquals(names, ["empty", "large", "link", "run"]);
      assertEquals(await Deno.readLink(`${folder}/e/link`), "run");
      assertEquals(((await Deno.stat(`${folder}/e/run`)).mode ?? 0) & 0o111, 0o111);
      assertEquals(await Deno.readTextFile(`${folder}/e/large`), large);
    });

    await t.step("standard input, variables and both outputs are passed on", async () => {
      const script = 'cat; echo "$GREETING" >&2';
      const args = ["invoke", "-stdin", "-env", "GREETING=hi", "llama", "sh", "-c", script];
      const stdin = "line\n".repeat(100_000);
      const { stdout, stderr } = succeeded(await runLlama(args, { folder, stdin }));
      assertEquals([stdout === stdin, stderr], [true, "hi\n"]);
    });

    await t.step("the exit status is the command's", async () => {
      assertEquals((await llama("invoke", "llama", "sh", "-c", "exit 3")).code, 3);
      assertEquals((await llama("invoke", "llama", "sh", "-c", "kill -9 $$")).code, 137);
      assertEquals((await llama("invoke", "llama", "no-such-program")).code, 127);
    });

    await t.step("an output that was not made is an error that names it", async () => {
      const { code, stderr } = await llama("invoke", "-o", "none", "llama", "true");
      assertEquals(code, 1);
      assertStringIncludes(stderr, 'did not make the output "none"');
      assertEquals((await llama("invoke", "-o", "none", "llama", "false")).code, 1);
    });

    await t.step("a function that does not exist brings the name of one that does", async () => {
      const { code, stderr } = await llama("invoke", "lama", "true");
      assertEquals([code, stderr], [
        1,
        'llama: Cannot find the function "lama" in us-east-1 (did you mean llama?)\n',
      ]);
    });

    await t.step("^C ends an invocation at once and leaves no output", async () => {
      const args = ["invoke", "-debug-aws", "-o", "late", "llama", "sh", "-c", ": >late; sleep 60"];
      assertEquals(await signalled(args, folder, "> InvokeWithResponseStream:", "SIGINT"), 130);
      assertEquals(Array.from(Deno.readDirSync(folder)).some(({ name }) => name === "late"), false);
    });

    await t.step("an object that was stored comes back", async () => {
      const id = succeeded(await llama("store", "README.md")).stdout.trim();
      assertEquals(succeeded(await llama("get", id)).stdout, "hello\n");
      succeeded(await llama("get", "-o", "copy", id));
      assertEquals(await Deno.readTextFile(`${folder}/copy`), "hello\n");
      assertEquals((await llama("get", "0".repeat(64))).code, 1);
    });

    await t.step("a local program is shipped with its libraries", async () => {
      const { stdout } = succeeded(
        await llama("invoke", "-ship", "-f", "README.md", "llama", "sort", "README.md"),
      );
      assertEquals(stdout, "hello\n");
    });

    await t.step("nothing is destroyed without a yes, and all with it", async () => {
      assertEquals((await llama("destroy")).code, 1);
      const { stdout } = succeeded(await llama("destroy", "-yes", "-json"));
      const gone = JSON.parse(stdout);
      assertEquals([gone.function, gone.stack], [true, true]);
      assert(gone.objects > 0);
      assertEquals((await llama("invoke", "llama", "true")).code, 1);
    });
  });
});
