/** `llama xargs` through the executable: every line becomes a job, none is lost, and nothing is half written. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  assertNoLeftovers,
  descendants,
  endedOf,
  treeOf,
  useBuildCloud,
  waitUntil,
  writeFiles,
} from "./build_cloud.ts";
import { writePngs } from "./png.ts";

const cloud = useBuildCloud();

/** Lines of stdin or stderr, sorted, as jobs end in any order. */
function sorted(text: string): string[] {
  return text.split("\n").slice(0, -1).toSorted();
}

async function installed(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `command -v ${program}`],
    stdout: "null",
  }).output();
  return success;
}

(await installed("optipng") ? Deno.test : Deno.test.ignore)(
  "xargs -ship runs the seed's line over 151 images and gives the bytes of the local program",
  async () => {
    const here = `${cloud.work}/here`;
    const there = `${cloud.work}/there`;
    await writePngs(here, 151);
    await writePngs(there, 151);
    await Deno.mkdir(`${here}/optimized`);
    await cloud.must(
      ["sh", "-c", "ls -1 *.png | xargs -I{} optipng -quiet {} -out optimized/{}"],
      { cwd: here },
    );
    const line = "ls -1 *.png | llama xargs -ship -logs -j 151 llama optipng '{{.I .Line}}' " +
      `-out '{{.O (printf "optimized/%s" .Line)}}'`;
    const { code, stderr } = await cloud.run(["sh", "-c", line], { cwd: there });
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /^151 jobs, 0 failed, .* here, .* in functions, about \$0\.\d+$/m);
    assertEquals(stderr.match(/^Done: optipng /gm)?.length, 151);
    assertEquals(stderr.match(/^REPORT RequestId: /gm)?.length, 151);
    assertEquals(await treeOf(there), await treeOf(here));

    await cloud.must(["rm", "-r", "optimized"], { cwd: there });
    await Deno.mkdir(`${there}/optimized`);
    const asHere = "ls *.png | llama xargs -run optipng {} -out optimized/{/}";
    const ran = await cloud.run(["sh", "-c", asHere], { cwd: there });
    assertEquals(ran.code, 0, ran.stderr);
    const rounds = Number(/, ([\d.]+) rounds each, /.exec(ran.stderr)?.[1]);
    assert(rounds < 1.1, ran.stderr);
    assertEquals(await treeOf(there), await treeOf(here));
  },
);

// Before those that leave jobs running, which would throttle it.
Deno.test("xargs repeats invocations that are throttled and those whose worker dies", async () => {
  const reserve = (args: string) => {
    const name = "--function-name llama";
    return cloud.must(["bash", "-c", `eval "$(llama config -shell)"; aws lambda ${args} ${name}`]);
  };
  await reserve("put-function-concurrency --reserved-concurrent-executions 1");
  const throttled = await cloud.run(["llama", "xargs", "-json", "-j", "8", "llama", "true"], {
    stdin: "1\n2\n3\n4\n5\n6\n7\n8\n",
  });
  await reserve("delete-function-concurrency");
  assertEquals([throttled.code, JSON.parse(throttled.stdout).failed], [0, 0], throttled.stderr);

  // The job's parent is the worker.
  const dying = "[ $((RANDOM % 4)) = 0 ] && kill -9 $PPID; echo {}";
  const lines = Array.from({ length: 30 }, (_, index) => `${index}`);
  const crashed = await cloud.run(
    ["llama", "xargs", "-quiet", "-k", "llama", "bash", "-c", dying],
    {
      stdin: `${lines.join("\n")}\n`,
    },
  );
  assertEquals([crashed.code, crashed.stdout], [0, `${lines.join("\n")}\n`], crashed.stderr);
});

Deno.test("xargs prints each job when it ends, or in order, and with its line", async () => {
  const script = 'echo "out $0"; echo "err $0" >&2; exit $(($0 % 2))';
  const plain = await cloud.run(["llama", "xargs", "-quiet", "llama", "sh", "-c", script], {
    stdin: "1\n2\n3\n",
  });
  assertEquals(plain.code, 123);
  assertEquals(sorted(plain.stdout), ["out 1", "out 2", "out 3"]);
  const failed = (seq: number) =>
    `llama: job ${seq} failed with status 1: sh -c 'echo "out $0"; echo "err $0" >&2; exit $(($0 % 2))' ${seq}`;
  assertEquals(sorted(plain.stderr), ["err 1", "err 2", "err 3", failed(1), failed(3)].toSorted());

  const slowFirst = 'sleep "0.$((4 - $0))"; printf "a\\nb"';
  const ordered = await cloud.run(
    ["llama", "xargs", "-k", "-tag", "llama", "sh", "-c", slowFirst, ":::", "1", "2", "3"],
  );
  assertEquals([ordered.code, ordered.stdout], [0, "1\ta\n1\tb2\ta\n2\tb3\ta\n3\tb"]);
  assertMatch(ordered.stderr, /^Done: .*\nDone: .*\nDone: .*\n3 jobs, 0 failed, .*\n$/);
});

Deno.test("xargs exits as xargs(1) does", async () => {
  const cases = [
    [["true"], 0, /^Done: true x\n1 job, 0 failed/],
    [["sh", "-c", "exit 7"], 123, /^llama: job 1 failed with status 7: sh -c 'exit 7' x\n/],
    [["sh", "-c", "exit 255"], 124, /stopped as job 1 ended with status 255\n/],
    [["sh", "-c", "kill -9 $$"], 125, /^llama: job 1 failed by SIGKILL: /],
    [["/etc"], 126, /llama: Cannot run "\/etc"/],
    [["nosuchcommand"], 127, /llama: Cannot run "nosuchcommand" as no folder of PATH has it/],
  ] as const;
  for (const [command, status, message] of cases) {
    const { code, stderr } = await cloud.run(["llama", "xargs", "llama", ...command, ":::", "x"]);
    assertEquals(code, status, stderr);
    assertMatch(stderr, message);
  }
  const nowhere = await cloud.run(["llama", "xargs", "lama", "true", ":::", "1", "2"]);
  assertEquals(nowhere.code, 1);
  assertStringIncludes(nowhere.stderr, 'llama: Cannot find the function "lama"');
  assertStringIncludes(nowhere.stderr, "did you mean llama?");
  const nothing = await cloud.run(["llama", "xargs", "llama", "false"], { stdin: "" });
  assertEquals([nothing.code, nothing.stdout], [0, ""]);
});

Deno.test("xargs stops early as it is told, and says so", async () => {
  const run = (...args: string[]) =>
    cloud.run(["llama", "xargs", "-j1", ...args], { stdin: "1\n0\n1\n0\n0\n" });
  const exit = ["llama", "sh", "-c", "exit $0"];
  const soon = await run("-halt", "soon,fail=2", ...exit);
  assertEquals(soon.code, 123);
  assertMatch(soon.stderr, /llama: stopped by -halt soon,fail=2\n3 jobs, 2 failed/);
  const now = await run("-halt=now,fail=1", ...exit);
  assertEquals(now.code, 124);
  assertMatch(now.stderr, /llama: stopped by -halt now,fail=1\n1 job, 1 failed/);
  const success = await run("-halt", "now,success=1", ...exit);
  assertMatch(success.stderr, /\n2 jobs, 1 failed/);
  const cost = await run("-max-cost", "0.0000001", "llama", "true");
  assertEquals(cost.code, 1);
  assertMatch(
    cost.stderr,
    /stopped as the jobs have cost \$0\.00000010, which is -max-cost\n1 job, 0 failed/,
  );
  // Jobs that run when others are given up leave nothing, and are none that failed.
  const given = await cloud.run([
    ...["llama", "xargs", "-halt", "now,fail=1", "llama", "sh", "-c"],
    ...[
      'echo x >"$1"; [ "$0" = 1 ] && exit 1; sleep 5',
      "{{.Line}}",
      '{{.O (printf "out%s" .Line)}}',
      ":::",
      "1",
      "2",
    ],
  ]);
  assertEquals(given.code, 124);
  assertMatch(given.stderr, /\n1 job, 1 failed/);
  await assertNoLeftovers(cloud.work);
});

Deno.test("xargs runs a job again that fails, and fails jobs that take too long", async () => {
  const { code, stderr } = await cloud.run([
    "llama",
    "xargs",
    "-retries",
    "3",
    "llama",
    "false",
    ":::",
    "x",
  ]);
  assertEquals(code, 123);
  assertMatch(stderr, /^llama: job 1 failed after 3 tries with status 1: false x\n1 job, 1 failed/);
  const slow = await cloud.run([
    "llama",
    "xargs",
    "-timeout",
    "300ms",
    "llama",
    "sleep",
    ":::",
    "50",
    "0",
  ]);
  assertEquals(slow.code, 123);
  assertMatch(slow.stderr, /llama: job 1 failed as follows: sleep 50\nllama: .*longer than 0\.3 s/);
  assertMatch(slow.stderr, /2 jobs, 1 failed/);
});

Deno.test("xargs fails a job whose file is missing or whose output was not made, and runs the others", async () => {
  await writeFiles(cloud.work, { "f/one": "1\n", "f/two": "2\n" });
  const { code, stdout, stderr } = await cloud.run([
    "llama",
    "xargs",
    "-k",
    "llama",
    "cat",
    "{{.I .Line}}",
  ], {
    cwd: `${cloud.work}/f`,
    stdin: "one\nnone\ntwo\n",
  });
  assertEquals([code, stdout], [123, "1\n2\n"]);
  assertStringIncludes(
    stderr,
    'llama: job 2 failed as follows: \nllama: Cannot send "none" as it does not exist\n'.replace(
      ": \n",
      ": cat none\n",
    ),
  );
  const made = await cloud.run(
    [
      "llama",
      "xargs",
      "llama",
      "sh",
      "-c",
      '[ "$0" = b ] || echo "$0" >"$1"',
      "{{.Line}}",
      '{{.O (printf "o/%s" .Line)}}',
    ],
    { cwd: `${cloud.work}/f`, stdin: "a\nb\nc\n" },
  );
  assertEquals(made.code, 123);
  assertStringIncludes(made.stderr, 'did not make the output "o/b"');
  const names = Object.keys(await treeOf(`${cloud.work}/f`)).toSorted();
  assertEquals(names.filter((path) => path.startsWith("o/")), ["o/a", "o/c"]);
});

Deno.test("xargs refuses an output that two jobs would make", async () => {
  const { code, stderr } = await cloud.run(
    ["llama", "xargs", "-j1", "llama", "touch", '{{.O "one"}}', ":::", "a", "b"],
  );
  assertEquals(code, 123);
  assertMatch(stderr, /Cannot have job 2 make "one" as job 1 makes it, too \(name it by the line/);
  assertMatch(stderr, /\n2 jobs, 1 failed/);
});

Deno.test("xargs takes lines with spaces, quotes and other ends, and says which are not text", async () => {
  const odd = "a  b'\"\\$x{}";
  const echoed = await cloud.run([
    "llama",
    "xargs",
    "-quiet",
    "-0",
    "-k",
    "llama",
    "printf",
    "[%s]",
  ], {
    stdin: `${odd}\0two\nlines\0é\0`,
  });
  assertEquals([echoed.code, echoed.stdout], [0, `[${odd}][two\nlines][é]`]);
  const comma = await cloud.run([
    "llama",
    "xargs",
    "-quiet",
    "-k",
    "-d",
    ",",
    "llama",
    "echo",
    "<{}>",
    "{#}",
  ], {
    stdin: "a,b",
  });
  assertEquals(comma.stdout, "<a> 1\n<b> 2\n");
  await writeFiles(cloud.work, { list: "x\n" });
  const file = await cloud.run([
    "llama",
    "xargs",
    "-quiet",
    "-a",
    "list",
    "llama",
    "echo",
    "{{.Idx}}:{{.Line}}",
  ]);
  assertEquals(file.stdout, "0:x\n");
  const bytes = await cloud.run([
    "sh",
    "-c",
    "printf 'a\\n\\377\\nb\\n' | llama xargs -k llama echo",
  ]);
  assertEquals([bytes.code, bytes.stdout], [123, "a\nb\n"]);
  assertMatch(bytes.stderr, /llama: Cannot use line 2, "\uFFFD", as it is not UTF-8/);
});

Deno.test("xargs sends what all jobs have in common once", async () => {
  await writeFiles(cloud.work, { "s/data/a": "A", "s/data/sub/b": "B" });
  const { code, stdout } = await cloud.run(
    [
      "llama",
      "xargs",
      "-quiet",
      "-k",
      "-f",
      "data",
      "llama",
      "sh",
      "-c",
      'cat "data/$0"; ls data | tr "\\n" " "',
      ":::",
      "a",
      "sub/b",
    ],
    { cwd: `${cloud.work}/s` },
  );
  assertEquals([code, stdout], [0, "Aa sub Ba sub "]);
  const shipped = await cloud.run(
    [
      "llama",
      "xargs",
      "-quiet",
      "-k",
      "-ship",
      "-f",
      "data",
      "-e",
      "X=1",
      "llama",
      "sh",
      "-c",
      'echo "$X $(cat "data/$0")"',
      ":::",
      "a",
      "sub/b",
    ],
    { cwd: `${cloud.work}/s`, env: { PATH: `${cloud.env.PATH}` } },
  );
  assertEquals([shipped.code, shipped.stdout], [0, "1 A\n1 B\n"], shipped.stderr);
});

Deno.test("xargs keeps what jobs print in a folder, and gives one JSON value", async () => {
  const cwd = `${cloud.work}/r`;
  await Deno.mkdir(cwd);
  const json = await cloud.run(
    [
      "llama",
      "xargs",
      "-json",
      "-j1",
      "-results",
      "kept",
      "llama",
      "sh",
      "-c",
      'printf "$0\\377"; exit 3',
    ],
    { cwd, stdin: "a/b\nx\n" },
  );
  assertEquals([json.code, json.stderr], [123, ""]);
  const { jobs, ...rest } = JSON.parse(json.stdout);
  assertEquals(jobs.length, 2);
  const { runtimeMs, ...first } = jobs[0];
  assert(runtimeMs >= 0);
  assertEquals(first, {
    seq: 1,
    line: "a/b",
    command: "sh -c 'printf \"$0\\377\"; exit 3' a/b",
    kind: "exit",
    code: 3,
    exitCode: 3,
    stdoutBase64: "YS9i/w==",
    stderr: "",
    tries: 1,
  });
  assertEquals([rest.succeeded, rest.failed, rest.skipped], [0, 2, 0]);
  const kept = await treeOf(`${cwd}/kept/1`);
  assertEquals(Object.keys(kept).toSorted(), [
    ...["a\\_b", "a\\_b/seq", "a\\_b/stderr", "a\\_b/stdout"],
    ...["x", "x/seq", "x/stderr", "x/stdout"],
  ]);
  const fatal = await cloud.run(["llama", "xargs", "-json", "llama", "nosuch", ":::", "1"]);
  assertEquals(fatal.code, 127);
  assertEquals(JSON.parse(fatal.stdout).error.code, "CommandNotFound");
});

Deno.test("xargs -dry-run prints commands, and a million of them in less than 120 MB", async () => {
  const some = await cloud.run(["llama", "xargs", "-dry-run", "nofunction", "echo", "{}", "x y"], {
    stdin: "a b\nc'd\n",
  });
  assertEquals([some.code, some.stdout, some.stderr], [
    0,
    "echo 'a b' 'x y'\necho 'c'\\''d' 'x y'\n",
    "",
  ]);
  const script =
    'seq 1000000 | { llama xargs -dry-run f cp "{{.I .Line}}" "{{.O .Line}}" & wait $!; } | tail -n 1';
  const child = cloud.command(["bash", "-c", script]).spawn();
  let peakKb = 0;
  const watch = setInterval(() => {
    for (const pid of llamas(child.pid)) peakKb = Math.max(peakKb, peakOf(pid));
  }, 20);
  const { code, stdout, stderr } = endedOf(await child.output());
  clearInterval(watch);
  assertEquals([code, stdout, stderr], [0, "cp 1000000 1000000\n", ""]);
  assert(peakKb > 30_000, `${peakKb} kB`);
  assert(peakKb < 120_000, `${peakKb} kB`);
});

/** Ids of processes below `pid` that are Deno. */
function llamas(pid: number): number[] {
  return descendants(pid).filter(({ args }) => args[0]?.endsWith("/deno")).map(({ pid }) => pid);
}

/** proc(5), status: the greatest resident set so far, in kB. */
function peakOf(pid: number): number {
  try {
    return Number(
      /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1] ?? 0,
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

Deno.test("xargs -resume after kill -9 in the middle runs each of 1,000 jobs to its end", async () => {
  const cwd = `${cloud.work}/k`;
  await Deno.mkdir(cwd);
  const args = [
    ...["llama", "xargs", "-joblog", "log", "-resume", "-j", "30", "llama", "sh", "-c"],
    ...['echo "$0" >"$1"', "{{.Line}}", '{{.O (printf "out/%s" .Line)}}'],
  ];
  const stdin = `${Array.from({ length: 1000 }, (_, index) => `n${index}`).join("\n")}\n`;
  await Deno.writeTextFile(`${cwd}/lines`, stdin);
  const child = cloud.command([...args.slice(0, 2), "-a", "lines", ...args.slice(2)], { cwd })
    .spawn();
  const output = child.output();
  const logged = async () => {
    try {
      return (await Deno.readTextFile(`${cwd}/log`)).split("\n").length - 2;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return 0;
      throw error;
    }
  };
  await waitUntil("200 jobs have ended", async () => await logged() >= 200);
  child.kill("SIGKILL");
  await output;
  const before = await logged();
  assert(before < 1000, `${before} jobs`);
  const { code, stderr } = await cloud.run(args, { cwd, stdin });
  assertEquals(code, 0, stderr);
  assertMatch(stderr, new RegExp(`^${1000 - before} jobs, 0 failed, ${before} done before`, "m"));
  const lines = (await Deno.readTextFile(`${cwd}/log`)).split("\n");
  assertEquals(lines.shift()?.split("\t")[0], "Seq");
  assertEquals(lines.pop(), "");
  const seqs = lines.map((line) => Number(line.split("\t")[0])).toSorted((a, b) => a - b);
  assertEquals(seqs, Array.from({ length: 1000 }, (_, index) => index + 1));
  assert(lines.every((line) => line.split("\t").length === 9));
  for (let index = 0; index < 1000; index++) {
    assertEquals(await Deno.readTextFile(`${cwd}/out/n${index}`), `n${index}\n`);
  }
});

Deno.test("xargs -resume-failed runs again only what failed", async () => {
  const cwd = `${cloud.work}/f2`;
  await Deno.mkdir(cwd);
  const args = ["llama", "xargs", "-quiet", "-joblog", "log", "-k"];
  const first = await cloud.run([...args, "llama", "sh", "-c", "exit $0", ":::", "0", "1", "2"], {
    cwd,
  });
  assertEquals(first.code, 123);
  const again = await cloud.run([...args, "-resume", "llama", "echo", ":::", "0", "1", "2", "3"], {
    cwd,
  });
  assertEquals([again.code, again.stdout], [0, "3\n"]);
  const failed = await cloud.run([
    ...args,
    "-resume-failed",
    "llama",
    "echo",
    ":::",
    "0",
    "1",
    "2",
    "3",
  ], { cwd });
  assertEquals([failed.code, failed.stdout], [0, "1\n2\n"]);
});

Deno.test("xargs ends at ^C and when nobody reads on, and leaves nothing half written", async () => {
  const cwd = `${cloud.work}/c`;
  await Deno.mkdir(cwd);
  const child = cloud.command(
    [
      "llama",
      "xargs",
      "llama",
      "sh",
      "-c",
      'echo x >"$0"; [ "$1" = 1 ] || sleep 5',
      "{{.O .Line}}",
      "{{.Line}}",
      ":::",
      "1",
      "2",
    ],
    { cwd },
  ).spawn();
  const output = child.output();
  await waitUntil(
    "the first job has ended",
    async () => Object.keys(await treeOf(cwd)).length === 1,
  );
  child.kill("SIGINT");
  const { code, stdout, stderr } = endedOf(await output);
  assertEquals([code, stdout, stderr], [130, "", stderr.split("\n")[0] + "\n"]);
  assertEquals(Object.keys(await treeOf(cwd)), ["1"]);
  await assertNoLeftovers(cwd);

  const head = await cloud.run(
    ["bash", "-c", "yes | llama xargs -quiet llama echo | head -n 1; echo ${PIPESTATUS[*]}"],
  );
  const [first, statuses] = head.stdout.split("\n");
  assertEquals([first, statuses?.split(" ")[2], head.stderr], ["y", "0", ""]);
  assert(Number(statuses?.split(" ")[1]) > 0, statuses);
});

Deno.test("xargs shows one bar on a terminal, and none through a pipe or with -quiet", async () => {
  const onTerminal = async (flags: string, pipe = "") => {
    const job = 'sh -c "sleep 0.3; echo out; exit {}"';
    const command = `llama xargs ${flags} -k llama ${job} ::: 0 1 ${pipe}`;
    // util-linux's script(1) gives it a terminal.
    return await cloud.must(["script", "-qec", `stty cols 70; ${command} || :`, "/dev/null"]);
  };
  const shown = await onTerminal("");
  const bars = shown.replaceAll("\r\x1b[K", "\r\n").split("\r\n").filter((line) =>
    line.startsWith("[")
  );
  assertEquals(bars[0], "[--------------------]  0/2  0 failed  0 running  $0.00");
  assert(bars.some((bar) => / {2}0\/2 {2}0 failed {2}2 running {2}/.test(bar)), shown);
  assert(bars.every((bar) => bar.length < 70), shown);
  assertStringIncludes(shown, "\r\x1b[Kout\r\nDone: sh -c 'sleep 0.3; echo out; exit 0'\r\n");
  assertMatch(shown, /\n2 jobs, 1 failed, .*\r\n$/);
  assertStringIncludes(await onTerminal("-quiet -bar"), "\r\x1b[K[");
  for (const printed of [await onTerminal("-quiet"), await onTerminal("", "2>&1 | cat")]) {
    assertEquals(printed.includes("\x1b["), false, printed);
  }
});

Deno.test("xargs says what is wrong with its own command line", async () => {
  const cases = [
    [["llama"], /The command is missing/],
    [[], /The function is missing/],
    [["-j", "0", "llama", "true"], /-j takes a whole number from 1 to 10000, not "0"/],
    [["-retries", "x", "llama", "true"], /-retries takes a whole number/],
    [["-max-cost", "1e", "llama", "true"], /-max-cost takes a number/],
    [["-timeout", "soon", "llama", "true"], /-timeout takes a duration/],
    [["-halt", "5", "llama", "true"], /-halt takes never/],
    [["-d", "\\q", "llama", "true"], /-d does not know the escape/],
    [["-0", "-d", ",", "llama", "true"], /-0 and -d exclude each other/],
    [["-a", "x", "llama", "true", ":::", "1"], /-a and ::: exclude each other/],
    [["-run", "-ship", "true"], /-run and -ship exclude each other/],
    [["-function", "f", "llama", "true"], /-function is for -run/],
    [["-resume", "llama", "true"], /need -joblog FILE/],
    [["llama", "true", ":::", "1", ":::", "2"], /There may be one :::/],
    [["-f", "/etc/passwd", "llama", "true"], /is not below the current folder/],
    [["-e", "=x", "llama", "true"], /has no name/],
    [["-ship", "llama", "{}", ":::", "1"], /COMMAND cannot depend on the line/],
    [["-jbos", "llama", "true"], /Unknown flag -jbos .*did you mean -jobs\?/],
  ] as const;
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await cloud.run(["llama", "xargs", ...args], { stdin: "x\n" });
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, message);
    assertEquals(stderr.split("\n").length, 2, stderr);
  }
  const template = await cloud.run(["llama", "xargs", "llama", "echo", "{{.Lin}}"], {
    stdin: "x\n",
  });
  assertEquals([template.code, template.stdout], [1, ""]);
  assertMatch(template.stderr, /argument 2, .*did you mean \.Line\?/);
  const missing = await cloud.run(["llama", "xargs", "-a", "nofile", "llama", "true"]);
  assertMatch(missing.stderr, /^llama: Cannot open "[^"]*nofile": .*\n$/);
});
