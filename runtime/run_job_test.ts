import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { digestOf } from "../job/digest.ts";
import { encodePack } from "../job/pack.ts";
import type { JobAnswer } from "../job/result.ts";
import type { JobSpec } from "../job/spec.ts";
import { bytesOf, inline, testWorker, textOf } from "./worker_fixture.ts";

const sh = (script: string): Pick<JobSpec, "args"> => ({ args: ["sh", "-c", script] });
const failure = (answer: JobAnswer) => {
  assertEquals(answer.kind, "failed");
  return answer.kind === "failed" ? answer : { code: "", message: "" };
};

Deno.test("runJob() gives back stdout, stderr and the status", async () => {
  using test = testWorker();
  const result = await test.done(sh("echo out; echo err >&2; exit 3"));
  assertEquals(textOf(result.stdout), "out\n");
  assertEquals(textOf(result.stderr), "err\n");
  assertEquals(result.status, { kind: "exit", code: 3 });
  assertEquals(result.cold, true);
  assertEquals((await test.done({ args: ["true"] })).cold, false);
});

Deno.test("runJob() names the signal that ended a command", async () => {
  using test = testWorker();
  const result = await test.done(sh("kill -SEGV $$"));
  assertEquals(result.status, { kind: "signal", signal: "SIGSEGV" });
});

Deno.test("runJob() feeds stdin, and a command need not read it", async () => {
  using test = testWorker();
  assertEquals(
    textOf((await test.done({ args: ["cat"], stdin: inline("hello") })).stdout),
    "hello",
  );
  const much = { bytes: new Uint8Array(4 * 1024 * 1024) };
  assertEquals((await test.done({ args: ["true"], stdin: much })).status, {
    kind: "exit",
    code: 0,
  });
  const digest = await test.objects.put(bytesOf("kept"));
  const kept = await test.done({ args: ["cat"], stdin: { digest, size: 4 } });
  assertEquals(textOf(kept.stdout), "kept");
  assertEquals(textOf((await test.done({ args: ["cat"] })).stdout), "");
});

Deno.test("runJob() clears the environment but for PATH and HOME", async () => {
  using test = testWorker();
  Deno.env.set("AWS_SECRET_ACCESS_KEY", "hidden");
  Deno.env.set("LAMBDA_TASK_ROOT", "hidden");
  try {
    const { stdout } = await test.done({ args: ["env"], env: { MINE: "a=b", HOME: "/h" } });
    assertEquals(textOf(stdout).trim().split("\n").sort(), [
      "HOME=/h",
      "MINE=a=b",
      "PATH=/usr/local/bin:/usr/bin:/bin",
    ]);
  } finally {
    Deno.env.delete("AWS_SECRET_ACCESS_KEY");
    Deno.env.delete("LAMBDA_TASK_ROOT");
  }
});

Deno.test("runJob() tells a command that is not there from one that cannot be executed", async () => {
  using test = testWorker();
  const absent = failure(await test.run({ args: ["no-such-command"] }));
  assertEquals(absent.code, "CommandNotFound");
  assertEquals(absent.message, 'Cannot run "no-such-command" as no folder of PATH has it');
  const file = { kind: "file", path: "x", mode: 0o644, content: inline("") } as const;
  const plain = failure(await test.run({ args: ["./x"], inputs: [file] }));
  assertEquals(plain.code, "CommandNotExecutable");
  const lost = { ...file, mode: 0o755, content: inline("#!/no/such\n") };
  const scripted = failure(await test.run({ args: ["./x"], inputs: [lost] }));
  assertEquals(scripted.code, "CommandNotExecutable");
  assertStringIncludes(scripted.message, "interpreter");
});

Deno.test("runJob() lays out files, links and folders with their modes and times", async () => {
  using test = testWorker();
  const digest = await test.objects.put(bytesOf("stored"));
  const result = await test.done({
    args: [
      "sh",
      "-c",
      "cd ..; stat -c '%n %a %Y' a/b/script stored; stat -c '%n %a' a folder; readlink link; cd - >/dev/null; basename $PWD; cat ../stored",
    ],
    cwd: "work",
    inputs: [
      { kind: "file", path: "a/b/script", mode: 0o751, mtimeMs: 1e12, content: inline("x") },
      { kind: "file", path: "stored", mode: 0o640, mtimeMs: 2e12, content: { digest, size: 6 } },
      { kind: "folder", path: "folder", mode: 0o700 },
      { kind: "link", path: "link", target: "/somewhere/else" },
    ],
  });
  assertEquals(
    textOf(result.stdout),
    "a/b/script 751 1000000000\nstored 640 2000000000\na 755\nfolder 700\n/somewhere/else\nwork\nstored",
  );
  assertEquals(textOf(result.stderr), "");
});

Deno.test("runJob() refuses an input below a link, and a path that is two things", async () => {
  using test = testWorker();
  const link = { kind: "link", path: "out", target: "/tmp" } as const;
  const below = { kind: "file", path: "out/x", mode: 0o644, content: inline("") } as const;
  const refused = failure(await test.run({ inputs: [below, link] }));
  assertEquals(refused.code, "BadJob");
  assertStringIncludes(refused.message, '"out/x"');
  const twice = failure(
    await test.run({ inputs: [link, { kind: "folder", path: "out", mode: 0o755 }] }),
  );
  assertEquals(twice.code, "BadJob");
  const later = await test.done({
    args: ["readlink", "out"],
    inputs: [link, { ...link, target: "/var" }],
  });
  assertEquals(textOf(later.stdout), "/var\n");
});

Deno.test("runJob() gives back what is new or changed, and nothing else", async () => {
  using test = testWorker();
  const digest = await test.objects.put(bytesOf("old"));
  const input = (path: string) =>
    ({ kind: "file", path, mode: 0o644, mtimeMs: 1e12, content: { digest, size: 3 } }) as const;
  const result = await test.done({
    ...sh(
      "echo new > exact; echo more >> d/changed; chmod 755 d/mode; mkdir -p d/e/f; ln -s ../exact d/l;" +
        "mkfifo d/pipe; echo p > p.o; echo p > p.d; echo p > unwanted; touch -d @1000 d/early; chmod 000 d/early",
    ),
    inputs: [input("d/changed"), input("d/same"), input("d/mode"), input("p.same")],
    wanted: [
      { match: "exact", path: "exact" },
      { match: "exact", path: "nowhere/at/all" },
      { match: "tree", path: "d" },
      { match: "prefix", path: "p." },
    ],
  });
  assertEquals(textOf(result.stderr), "");
  assertEquals(
    result.outputs.map((output) =>
      output.kind === "file"
        ? [output.path, output.mode.toString(8), output.mtimeMs, textOf(output.content)]
        : [output.path, output.kind === "link" ? output.target : output.mode.toString(8)]
    ),
    [
      ["d/changed", "644", undefined, "oldmore\n"],
      ["d/e", "777"],
      ["d/e/f", "777"],
      ["d/early", "0", 1_000_000, ""],
      ["d/l", "../exact"],
      ["d/mode", "755", 1e12, "old"],
      ["exact", "666", undefined, "new\n"],
      ["p.d", "666", undefined, "p\n"],
      ["p.o", "666", undefined, "p\n"],
    ],
  );
});

Deno.test("runJob() tells which of the inputs that it may give back are removed", async () => {
  using test = testWorker();
  const file = (path: string) =>
    ({ kind: "file", path, mode: 0o644, content: inline("old") }) as const;
  const { outputs, removed } = await test.done({
    args: ["sh", "-c", "rm kept/a b link other; rm -r folder; echo new >b"],
    inputs: [
      ...["kept/a", "kept/left", "b", "other"].map(file),
      { kind: "folder", path: "folder", mode: 0o755 },
      { kind: "link", path: "link", target: "b" },
    ],
    wanted: [
      { match: "tree", path: "kept" },
      ...["b", "link", "folder", "absent"].map((path) => ({ match: "exact", path }) as const),
    ],
  });
  assertEquals(outputs.map(({ path }) => path), ["b"]);
  assertEquals(removed?.toSorted(), ["kept/a", "link"]);
});

Deno.test("runJob() gives back a whole job folder", async () => {
  using test = testWorker();
  const result = await test.done({
    ...sh("mkdir a; echo x > a/b"),
    wanted: [{ match: "tree", path: "" }],
  });
  assertEquals(result.outputs.map(({ path }) => path), ["a", "a/b"]);
});

Deno.test("runJob() refuses a pipe where a file is wanted, and a way out of the root", async () => {
  using test = testWorker();
  const pipe = await test.run({ ...sh("mkfifo p"), wanted: [{ match: "exact", path: "p" }] });
  assertEquals(failure(pipe).code, "OutputNotAFile");
  const out = await test.run({
    ...sh("ln -s /etc o"),
    wanted: [{ match: "exact", path: "o/passwd" }],
  });
  assertEquals(failure(out).code, "OutputOutsideRoot");
});

Deno.test("runJob() names objects that nobody has and runs nothing", async () => {
  using test = testWorker();
  const digest = await digestOf(bytesOf("absent"));
  const answer = await test.run({
    ...sh(`touch ${test.folder}/ran`),
    inputs: [{ kind: "file", path: "x", mode: 0o644, content: { digest, size: 6 } }],
  });
  assertEquals(answer, { kind: "missing", digests: [digest] });
  const ran = [...Deno.readDirSync(test.folder)].some(({ name }) => name === "ran");
  assertEquals(ran, false);
});

Deno.test("runJob() reads a pack once for all its objects", async () => {
  using test = testWorker();
  const objects = await Promise.all(["one", "two", "three"].map(async (text) => {
    const bytes = bytesOf(text);
    return { digest: await digestOf(bytes), bytes };
  }));
  const pack = await test.objects.put(encodePack(objects));
  const inputs = objects.map(({ digest, bytes }, index) => ({
    kind: "file" as const,
    path: `${index}`,
    mode: 0o644,
    content: { digest, size: bytes.length },
  }));
  const job = { args: ["cat", "0", "1", "2"], packs: [pack], inputs };
  assertEquals(textOf((await test.done(job)).stdout), "onetwothree");
  assertEquals(test.objects.asked, [pack]);
  await test.done(job);
  assertEquals(test.objects.asked, [pack]);
});

Deno.test("runJob() asks for objects singly if their pack is gone", async () => {
  using test = testWorker();
  const digest = await test.objects.put(bytesOf("single"));
  const gone = await digestOf(bytesOf("gone"));
  const content = { digest, size: 6 };
  const job = {
    args: ["cat", "x"],
    packs: [gone],
    inputs: [{ kind: "file" as const, path: "x", mode: 0o644, content }],
  };
  assertEquals(textOf((await test.done(job)).stdout), "single");
});

Deno.test("runJob() misses a corrupt object, single or in a pack, and never uses it", async () => {
  using test = testWorker();
  const digest = await digestOf(bytesOf("right"));
  const inputs = [{ kind: "file" as const, path: "x", mode: 0o644, content: { digest, size: 5 } }];
  const missing = { kind: "missing" as const, digests: [digest] };
  test.objects.kept.set(digest, bytesOf("wrong"));
  assertEquals(await test.run({ inputs }), missing);
  const pack = await test.objects.put(encodePack([{ digest, bytes: bytesOf("wrong") }]));
  test.objects.kept.delete(digest);
  assertEquals(await test.run({ packs: [pack], inputs }), missing);
  test.objects.kept.set(digest, bytesOf("right"));
  assertEquals(
    textOf((await test.done({ args: ["cat", "x"], packs: [pack], inputs })).stdout),
    "right",
  );
});

Deno.test("runJob() puts an image's ENTRYPOINT before a plain job's arguments", async () => {
  using test = testWorker({ prefixArgs: ["echo", "-n"] });
  assertEquals(textOf((await test.done({ args: ["a", "b"] })).stdout), "a b");
});

Deno.test("runJob() stores what does not fit in the answer", async () => {
  using test = testWorker({ limits: { maxAnswerBytes: 4000 } });
  const result = await test.done({
    ...sh("echo small; head -c 9000 /dev/urandom > random; head -c 900000 /dev/zero > zeros"),
    wanted: [{ match: "exact", path: "random" }, { match: "exact", path: "zeros" }],
  });
  assertEquals(textOf(result.stdout), "small\n");
  const [random, zeros] = result.outputs;
  assert(random?.kind === "file" && "digest" in random.content);
  assertEquals(test.objects.kept.get(random.content.digest)?.length, 9000);
  assert(zeros?.kind === "file" && "bytes" in zeros.content, "zeros compress well enough");
});

Deno.test("runJob() measures what a command used", async () => {
  using test = testWorker();
  const { usage } = await test.done(sh("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"));
  assert(usage.userMs > 0, `${usage.userMs}`);
  assert(usage.maxRssBytes > 500_000, `${usage.maxRssBytes}`);
});

Deno.test("runJob() says how long a command may run, and whose limit it was", async () => {
  using test = testWorker();
  const own = failure(await test.run({ args: ["sleep", "100"], timeoutMs: 100 }));
  assertEquals(own.code, "TimedOut");
  assertEquals(own.message, `Cannot finish "sleep" as it took longer than 0.1 s, the job's limit`);
  const given = failure(await test.run({ args: ["sleep", "100"], timeoutMs: 5000 }, 200));
  assertEquals(given.code, "TimedOut");
  assertMatch(given.message, /of the 0\.2 s that the function has$/);
});
