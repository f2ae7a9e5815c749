import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { JobAnswer } from "../job/result.ts";
import { testWorker, textOf } from "./worker_fixture.ts";

const sh = (script: string) => ({ args: ["sh", "-c", script] });
const failure = (answer: JobAnswer) => {
  assertEquals(answer.kind, "failed");
  return answer.kind === "failed" ? answer : { code: "", message: "" };
};
const pidsIn = (file: string) => Deno.readTextFileSync(file).trim().split("\n").map(Number);
const isAlive = (pid: number) => {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
};

Deno.test("execute() leaves no process of a job behind, however it left the job's group", async () => {
  using test = testWorker();
  const pids = `${test.folder}/pids`;
  const result = await test.done(sh(
    `sleep 1000 & echo $! >> ${pids}
     setsid sh -c 'echo $$ >> ${pids}; exec sleep 1000' &
     (setsid sh -c '(setsid sh -c "echo \\$\\$ >> ${pids}; exec sleep 1000" &) ; exit' &)
     until [ $(wc -l < ${pids}) = 3 ]; do sleep 0.01; done`,
  ));
  assertEquals(result.status, { kind: "exit", code: 0 });
  assertEquals(pidsIn(pids).filter(isAlive), []);
});

Deno.test("execute() kills grandchildren in sessions of their own when time is up", async () => {
  using test = testWorker();
  const pids = `${test.folder}/pids`;
  Deno.writeTextFileSync(pids, "");
  const script = `trap '' TERM; (setsid sh -c 'echo $$ >> ${pids}; exec sleep 1000' &); ` +
    `setsid sh -c 'echo $$ >> ${pids}; exec sleep 1000' & wait; sleep 1000`;
  const answer = failure(await test.run({ ...sh(script), timeoutMs: 500 }));
  assertEquals(answer.code, "TimedOut");
  assertEquals(pidsIn(pids).length, 2);
  assertEquals(pidsIn(pids).filter(isAlive), []);
  assertEquals(textOf((await test.done(sh("echo next"))).stdout), "next\n");
});

Deno.test("execute() outruns a process that forks away again and again", async () => {
  using test = testWorker();
  const mark = `${test.folder}/mark`;
  // Each link of the chain starts the next and ends; it stops by itself if we never catch it.
  const chain = `f() { [ $1 = 0 ] && exit; : > ${mark}; f $(($1 - 1)) & }; f 20000 & sleep 0.05`;
  await test.done(sh(chain));
  Deno.removeSync(mark);
  await test.done(sh("sleep 0.05"));
  assertEquals([...Deno.readDirSync(test.folder)].some(({ name }) => name === "mark"), false);
});

Deno.test("execute() ends many processes at once", async () => {
  using test = testWorker();
  const pids = `${test.folder}/pids`;
  await test.done(
    sh(`i=0; while [ $i -lt 150 ]; do setsid sleep 1000 & echo $! >> ${pids}; i=$((i+1)); done`),
  );
  assertEquals(pidsIn(pids).length, 150);
  assertEquals(pidsIn(pids).filter(isAlive), []);
});

Deno.test("execute() stops a command that prints without end, and goes on", async () => {
  using test = testWorker();
  const answer = failure(await test.run(sh("yes >&2")));
  assertEquals(answer.code, "OutputTooLarge");
  assertEquals(
    answer.message,
    'Cannot keep stderr of "sh" as it is longer than 268435456 bytes',
  );
  assertEquals(textOf((await test.done(sh("echo next"))).stdout), "next\n");
});

Deno.test("execute() spools a long stream to disk and stores it", async () => {
  using test = testWorker({ limits: { memoryBytes: 1000, maxAnswerBytes: 4000 } });
  const { stdout } = await test.done(sh("head -c 300000 /dev/urandom | tee copy; sleep 0"));
  assert("digest" in stdout);
  assertEquals(stdout.size, 300_000);
  assertEquals(test.objects.kept.get(stdout.digest)?.length, 300_000);
});

Deno.test("execute() survives a job that fills the disk, and makes room again", async () => {
  using small = smallDisk();
  if (small === undefined) return;
  using test = testWorker({ folder: `${small.folder}/w`, cacheBytes: 10_000_000 });
  const bytes = new Uint8Array(3_000_000);
  const content = { digest: await test.objects.put(bytes), size: bytes.length };
  const input = { kind: "file", path: "in", mode: 0o644, content } as const;
  const filled = await test.done({ ...sh("cat /dev/zero > full; echo still"), inputs: [input] });
  assertEquals(textOf(filled.stdout), "still\n");
  assertStringIncludes(textOf(filled.stderr), "No space left on device");
  assertEquals(textOf((await test.done(sh("echo next > x; cat x"))).stdout), "next\n");
  const printed = failure(await test.run(sh("cat /dev/zero > full; exec yes")));
  assertEquals(printed.code, "DiskFull");
  assertEquals(textOf((await test.done(sh("echo next > x; cat x"))).stdout), "next\n");
});

Deno.test("execute() gives up its cache for a job that needs the room", async () => {
  using small = smallDisk();
  if (small === undefined) return;
  using test = testWorker({ folder: `${small.folder}/w`, cacheBytes: 14_000_000 });
  const store = async (size: number, fill: number) => {
    const digest = await test.objects.put(new Uint8Array(size).fill(fill));
    return { kind: "file", path: "in", mode: 0o644, content: { digest, size } } as const;
  };
  await test.done({ inputs: [await store(3_200_000, 1)] });
  // Three of them: one linked, two of the job's own. The one before would fit in half of the disk.
  const large = await store(4_600_000, 2);
  const result = await test.done({
    args: ["wc", "-c", "in", "own", "more"],
    inputs: [large, { ...large, path: "own" }, { ...large, path: "more" }],
    wanted: [{ match: "exact", path: "own" }],
  });
  assertStringIncludes(textOf(result.stdout), "13800000 total");
  const tooLarge = failure(await test.run({ inputs: [await store(17_000_000, 3)] }));
  assertEquals(tooLarge.code, "DiskFull");
  assertEquals((await test.done({ args: ["true"] })).status, { kind: "exit", code: 0 });
});

/** A file system of 16 MB; undefined where we may not make one. */
function smallDisk(): (Disposable & { readonly folder: string }) | undefined {
  const folder = Deno.makeTempDirSync();
  const mount = new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", "size=16m", "tmpfs", folder],
    stderr: "null",
  });
  let made = false;
  try {
    made = mount.outputSync().success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (!made) {
    Deno.removeSync(folder);
    return undefined;
  }
  return {
    folder,
    [Symbol.dispose]() {
      new Deno.Command("umount", { args: [folder] }).outputSync();
      Deno.removeSync(folder);
    },
  };
}
