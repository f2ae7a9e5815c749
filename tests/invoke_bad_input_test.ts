/** What `llama invoke` says to what is wrong: one line, the right exit status, and nothing half written. */
import { assertEquals, assertMatch } from "@std/assert";
import { zipOf } from "../cloud/lambda_fixture.ts";
import {
  assertNoLeftovers,
  BIN,
  endedOf,
  treeOf,
  useBuildCloud,
  waitUntil,
  writeFiles,
} from "./build_cloud.ts";

const cloud = useBuildCloud();

/** Arguments of `llama invoke`, the exit status, and what it says. */
type Case = readonly [readonly string[], number, RegExp];

async function check(cases: readonly Case[], cwd = cloud.work): Promise<void> {
  const before = await treeOf(cwd);
  for (const [args, status, message] of cases) {
    const { code, stdout, stderr } = await cloud.run(["llama", "invoke", ...args], { cwd });
    assertEquals([args, code, stdout], [args, status, ""], stderr);
    assertMatch(stderr, message);
    assertEquals(stderr.split("\n").length, 2, stderr);
    assertEquals(await treeOf(cwd), before);
  }
}

Deno.test("flags with a wrong value", async () => {
  await writeFiles(cloud.work, { here: "x" });
  await check([
    [[], 2, /The function is missing \(see llama help invoke\)/],
    [["llama"], 2, /The command is missing/],
    [["", "true"], 2, /The function's name is empty/],
    [
      ["no name!", "true"],
      1,
      /Cannot find the function "no name!" in us-east-1 \(there are llama\)/,
    ],
    [["-json=x", "llama", "true"], 2, /-json takes "true" or "false", not "x"/],
    [["-stdin=x", "llama", "true"], 2, /-stdin takes "true" or "false", not "x"/],
    [["-logs=x", "llama", "true"], 2, /-logs takes "true" or "false", not "x"/],
    [["-time=x", "llama", "true"], 2, /-time takes "true" or "false", not "x"/],
    [["-detach=x", "llama", "true"], 2, /-detach takes "true" or "false", not "x"/],
    [["-detach", "-logs", "llama", "true"], 2, /-detach and -logs exclude each other/],
    [["-timeout", "1ms", "llama", "sleep", "3"], 1, /Cannot finish "sleep" as .* longer than 1 ms/],
    [["-o", "", "llama", "true"], 2, /The file argument "" has no local path/],
    [["-ship-file", "", "llama", "true"], 2, /The flag -ship-file has an empty path/],
    [["-store", "s3://", "llama", "true"], 2, /-store takes s3:\/\/BUCKET\/PREFIX, not "s3:\/\/"/],
    [
      ["-timeout", "x", "llama", "true"],
      2,
      /-timeout takes a duration such as 90s or 1m30s, not "x"/,
    ],
    [["-timeout", "-1s", "llama", "true"], 2, /-timeout takes a duration/],
    [["-timeout", "0", "llama", "true"], 2, /-timeout takes a duration/],
    [["-e", "=x", "llama", "true"], 2, /The setting "=x" has no name/],
    [["-env", "NOSUCH", "llama", "true"], 2, /The variable NOSUCH is not set here/],
    [["-f", "", "llama", "true"], 2, /The file argument "" has no local path/],
    [["-f", "here:", "llama", "true"], 2, /has no remote path/],
    [["-f", "nosuch", "llama", "true"], 1, /Cannot send "nosuch" as it does not exist/],
    [["-f", "/etc/passwd", "llama", "true"], 2, /needs a remote name \(write \/etc\/passwd:NAME\)/],
    [
      ["-f", "here:../x", "llama", "true"],
      2,
      /The remote path "\.\.\/x" is not below the job's folder/,
    ],
    [["-f", "here:/x", "llama", "true"], 2, /The remote path "\/x" is not below/],
    [["-f", "here:.", "llama", "true"], 2, /as the job's folder, as it is no folder/],
    [
      ["-f", "here:a", "-f", "here:a/b", "llama", "true"],
      1,
      /Cannot lay out the input "a\/b" as it lies below the file "a"/,
    ],
    [["-f", "here:a", "-f", "llama.tmp:a", "llama", "true"], 1, /Cannot send "llama.tmp"/],
    [["-f", "/dev/null:x", "llama", "true"], 1, /as it is neither a file nor a folder nor a link/],
    [["-o", "a:..", "llama", "true"], 2, /The remote path "\.\." is not below/],
    [["-ship=3", "llama", "true"], 2, /-ship takes "true" or "false", not "3"/],
    [["-ship-file", "nosuch", "llama", "true"], 1, /Cannot ship ".*nosuch" as it cannot be read/],
    [["-region", "us-moon-1", "llama", "true"], 1, /Cannot use the region "us-moon-1"/],
    [["-profile", "nosuch", "llama", "true"], 1, /Cannot use the profile "nosuch"/],
    [["-store", "x", "llama", "true"], 2, /-store takes s3:\/\/BUCKET\/PREFIX, not "x"/],
    [["-s3-concurrency", "0", "llama", "true"], 2, /takes a whole number from 1 to 1000, not "0"/],
    [["-tiemout", "1s", "llama", "true"], 2, /Unknown flag -tiemout \(did you mean -timeout\?\)/],
    [["-timeout"], 2, /-timeout needs a value/],
    [["lama", "true"], 1, /Cannot find the function "lama" in us-east-1 \(did you mean llama\?\)/],
    [
      ["llama", "{{.I"],
      1,
      /Cannot read argument 1, "\{\{\.I", at column 1: the action .*does not end/,
    ],
    [
      ["llama", '{{.Inptu "a"}}'],
      1,
      /Cannot expand argument 1, .* at column 3: there is no \.Inptu \(did you mean \.Input\?\)/,
    ],
    [["llama", "echo", "{{index .Line 3}}"], 1, /Cannot expand argument 2, .* there is no \.Line/],
    [["llama", "nosuch"], 127, /Cannot run "nosuch" as no folder of PATH has it/],
    [["llama", ""], 127, /Cannot run "" as its name is empty\n$/],
    [["llama", "/etc"], 126, /Cannot run "\/etc" as "\/etc" is a folder\n$/],
    [["-f", "here", "llama", "./here"], 126, /Cannot run "\.\/here"/],
    [
      ["-o", "made", "llama", "true"],
      1,
      /The command succeeded and did not make the output "made"/,
    ],
    [
      ["-o", "x:1", "-o", "x:2", "llama", "sh", "-c", "echo >1; echo >2"],
      1,
      /Cannot write both outputs "1" and "2" to "x"/,
    ],
    [
      ["-o", "o/a:a", "-o", "o", "llama", "sh", "-c", "echo >a; mkdir -p o; echo >o/a"],
      1,
      /Cannot write both outputs "a" and "o\/a" to "o\/a"/,
    ],
    [
      ["-o", "pipe", "llama", "mkfifo", "pipe"],
      1,
      /Cannot give back "pipe" as it is a pipe, socket or device/,
    ],
    [["-o", "here/x:x", "llama", "touch", "x"], 1, /Cannot write "here\/x": .*/],
  ]);
});

Deno.test("names and arguments of all kinds", async () => {
  const cwd = `${cloud.work}/names`;
  await writeFiles(cwd, { "a b/n\nl": "1", "é ü": "2", "-dash": "3", "c:d": "4", "'\"$": "5" });
  const sent = ["a b", "é ü", "./-dash", "c\\:d", "'\"$"].flatMap((name) => ["-f", name]);
  const { code, stdout, stderr } = await cloud.run(
    [
      "llama",
      "invoke",
      ...sent,
      "-o",
      "o u\nt",
      "llama",
      "sh",
      "-c",
      'cat "a b"/* "é ü" ./-dash c:d "$1" >"$2"',
      "sh",
      "'\"$",
      "o u\nt",
    ],
    { cwd },
  );
  assertEquals([code, stdout, stderr], [0, "", ""]);
  assertEquals(await Deno.readTextFile(`${cwd}/o u\nt`), "12345");
  await cloud.must(["sh", "-c", "mkdir lost; : >lost/$(printf '\\377')"], { cwd });
  const lossy = (line: string) => cloud.run(["sh", "-c", line], { cwd });
  const cases = [
    [
      "llama invoke -f lost llama true",
      1,
      /^llama: Cannot send "lost\/\uFFFD" as its name is not UTF-8 \(rename it\)\n$/,
    ],
    [
      "llama invoke -f lost/$(printf '\\377') llama true",
      2,
      /^llama: The argument "lost\/\uFFFD" is not UTF-8/,
    ],
    [
      "llama invoke llama echo $(printf '\\377')",
      2,
      /^llama: The argument "\uFFFD" is not UTF-8 \(a job takes text only\)\n$/,
    ],
    [
      "llama invoke -o out llama sh -c 'mkdir out; : >out/$(printf \"\\377\")'",
      1,
      /^llama: Cannot give back "out\/\uFFFD" as its name is not UTF-8\n$/,
    ],
  ] as const;
  for (const [line, status, message] of cases) {
    const end = await lossy(line);
    assertEquals([end.code, end.stdout], [status, ""], end.stderr);
    assertMatch(end.stderr, message);
  }
  // The character itself is text like any other.
  assertEquals(await cloud.must(["llama", "invoke", "llama", "echo", "\uFFFD"]), "\uFFFD\n");
  await cloud.must(["rm", "-r", "lost"], { cwd });
  await assertNoLeftovers(cwd);
});

Deno.test("long arguments", async () => {
  const script = ["llama", "sh", "-c", 'echo "${#1} $#"', "sh"];
  const long = "a".repeat(120_000);
  assertEquals(await cloud.must(["llama", "invoke", ...script, long]), "120000 1\n");
  const many = Array.from({ length: 15 }, () => long);
  assertEquals(await cloud.must(["llama", "invoke", ...script, ...many]), "120000 15\n");
  // More than this machine lets a program have: only xargs can ask for it.
  const marks = (count: number) => Array.from({ length: count }, () => "{{.Line}}");
  const cases = [
    [1, /llama: Cannot run "sh" as an argument has 132012 bytes, and 131071 is the most/],
    [30, /llama: Cannot run "sh" as an argument has 132012 bytes/],
    [
      60,
      /llama: Cannot send the command as its arguments, .* have 79\d{5} bytes, and 6200000 is the most/,
    ],
  ] as const;
  await writeFiles(cloud.work, { list: "a".repeat(132_012) });
  for (const [count, message] of cases) {
    const { code, stderr } = await cloud.run([
      "llama",
      "xargs",
      "-a",
      "list",
      ...script,
      ...marks(count),
    ]);
    assertEquals(code, 123);
    assertMatch(stderr, message);
  }
  await writeFiles(cloud.work, { list: long });
  const total = await cloud.run(["llama", "xargs", "-a", "list", ...script, ...marks(30)]);
  assertMatch(
    total.stderr,
    /llama: Cannot run "sh" as its arguments and environment have 36\d{5} bytes/,
  );
});

Deno.test("a function that is none of llama's", async () => {
  const zip = `${cloud.folder}/other.zip`;
  await Deno.writeFile(zip, Uint8Array.fromBase64(await zipOf()));
  const { role } = JSON.parse(await Deno.readTextFile(`${cloud.llamaDir}/llama.json`));
  const create =
    "aws lambda create-function --function-name other --runtime provided.al2023 --handler x " +
    `--role ${role} --zip-file fileb://${zip} && aws lambda wait function-active-v2 --function-name other`;
  await cloud.must(["bash", "-c", `eval "$(llama config -shell)"; ${create}`]);
  const said =
    /^llama: Cannot read the answer of the function "other".*\(is it a function of llama\? llama bootstrap makes and updates one\)\n$/;
  const job = await cloud.run(["llama", "invoke", "other", "true"]);
  assertEquals([job.code, job.stdout], [1, ""]);
  assertMatch(job.stderr, said);
  const many = await cloud.run(["llama", "xargs", "other", "true", ":::", "1", "2"]);
  assertEquals(many.code, 1);
  assertMatch(many.stderr, /llama: Cannot read the answer of the function "other"/);
});

Deno.test("a file that vanishes between its listing and its reading", async () => {
  const cwd = `${cloud.work}/vanish`;
  await writeFiles(cwd, { "d/b": "b" });
  await cloud.must(["sh", "-c", "head -c 300000000 /dev/zero >d/a"], { cwd });
  const child = cloud.command(["llama", "invoke", "-f", "d", "llama", "true"], { cwd }).spawn();
  const output = child.output();
  const hasOpened = () => {
    try {
      const fds = [...Deno.readDirSync(`/proc/${child.pid}/fd`)].map(({ name }) => name);
      return fds.some((fd) => Deno.readLinkSync(`/proc/${child.pid}/fd/${fd}`) === `${cwd}/d/a`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  };
  await waitUntil("the first file is being read", hasOpened);
  await Deno.remove(`${cwd}/d/b`);
  const { code, stderr } = endedOf(await output);
  assertEquals([code, stderr], [
    1,
    'llama: Cannot send "d/b" as it vanished meanwhile (run the command again)\n',
  ]);
});

Deno.test("^C while a file is sent, while the command runs and while outputs are written", async () => {
  const cwd = `${cloud.work}/interrupt`;
  await writeFiles(cwd, { out: "old" });
  await cloud.must(["sh", "-c", "head -c 200000000 /dev/urandom >big"], { cwd });
  const uploads = `${cloud.llamaDir}/cloud/s3/uploads`;
  const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);
  const stages: readonly (readonly [string, readonly string[], () => boolean])[] = [
    ["it is sent", ["-f", "big", "llama", "true"], () => names(uploads).length > 0],
    ["it runs", ["llama", "sh", "-c", "echo begun; sleep 5"], () => true],
    [
      "outputs are written",
      ["-o", "out", "llama", "sh", "-c", "head -c 200000000 /dev/zero >out"],
      () => names(cwd).some((name) => name.startsWith(".llama-")),
    ],
  ];
  for (const [stage, args, isThere] of stages) {
    const child = cloud.command(["llama", "invoke", ...args], { cwd }).spawn();
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const printed = (async () => {
      for await (const _ of child.stdout) resolve();
      resolve();
    })();
    if (stage === "it runs") await begun;
    else await waitUntil(stage, isThere);
    child.kill("SIGINT");
    const said = new Response(child.stderr).text();
    const { code } = await child.status;
    await printed;
    assertEquals([stage, code, await said], [stage, 130, ""]);
    await assertNoLeftovers(cwd);
    assertEquals(await Deno.readTextFile(`${cwd}/out`), "old");
  }
  await waitUntil("no upload is left", () => names(uploads).length === 0);
});

Deno.test("^C while it reads what is to be sent", async () => {
  const child = cloud.command(["llama", "invoke", "-stdin", "llama", "cat"], { stdin: "" }).spawn();
  const output = child.output();
  // More than a pipe holds: it is there when this has gone through (pipe(7), "Pipe capacity").
  const writer = child.stdin.getWriter();
  await writer.write(new Uint8Array(1_000_000));
  child.kill("SIGINT");
  const { code, stdout, stderr } = endedOf(await output);
  assertEquals([code, stdout, stderr], [130, "", ""]);
  await writer.abort();
});

Deno.test("standard output that nobody reads, and one that takes nothing", async () => {
  const cwd = `${cloud.work}/closed`;
  await writeFiles(cwd, { out: "old" });
  const before = await treeOf(cwd);
  const shell = (line: string) => cloud.run(["bash", "-c", line], { cwd });
  const statuses = 'echo "${PIPESTATUS[@]}"';
  const cases: readonly (readonly [string, string])[] = [
    ["yes", "y\n1 0\n"],
    ["echo one; while echo more; do sleep 0.1; done", "one\n1 0\n"],
    ["echo one; echo new >out; sleep 0.3; echo two; sleep 0.3; echo three", "one\n1 0\n"],
  ];
  for (const [script, printed] of cases) {
    const line =
      `llama invoke -timeout 20s -o out llama sh -c '${script}' | head -n 1; ${statuses}`;
    const { stdout, stderr } = await shell(line);
    assertEquals([script, stdout, stderr], [script, printed, ""]);
    assertEquals(await treeOf(cwd), before);
  }
  const full = await shell("llama invoke llama echo one >/dev/full");
  assertEquals([full.code, full.stderr], [
    1,
    "llama: Cannot write to standard output: No space left on device\n",
  ]);
});

Deno.test("a limit of the size of files, as ulimit -f sets it", async () => {
  const cwd = `${cloud.work}/limited`;
  await writeFiles(cwd, { out: "old" });
  const line = "ulimit -f 20000; llama invoke -o out llama sh -c 'head -c 30000000 /dev/zero >out'";
  const { code, stderr } = await cloud.run(["bash", "-c", line], { cwd });
  assertEquals([code, stderr], [1, 'llama: Cannot write "out": File too large\n']);
  assertEquals(await Deno.readTextFile(`${cwd}/out`), "old");
  await assertNoLeftovers(cwd);
});

Deno.test("no command meets a node that is none", async () => {
  const path = await cloud.must(["llama", "invoke", "llama", "sh", "-c", "echo $PATH"]);
  assertMatch(path, /^\/usr\/local\/bin:[\w/:]*\n$/);
  // Deno offers itself only where there is no other.
  const bare = { env: { PATH: `${BIN}:${cloud.work}/nothing` } };
  const passed = ["llama", "invoke", "-e", "PATH", "llama", "/bin/sh", "-c", "echo $PATH"];
  assertEquals(await cloud.must(passed, bare), `${bare.env.PATH}\n`);
});

Deno.test("a full disk leaves the old outputs and no half of the new ones (skipped where nothing can be mounted)", async () => {
  const cwd = `${cloud.work}/full`;
  await Deno.mkdir(cwd);
  const { code: mounted } = await cloud.run([
    "mount",
    "-t",
    "tmpfs",
    "-o",
    "size=200k",
    "none",
    cwd,
  ]);
  if (mounted !== 0) return;
  try {
    await writeFiles(cwd, { a: "old a", b: "old b" });
    const script = "head -c 1000 /dev/zero >a; head -c 1000000 /dev/zero >b";
    for (const command of ["invoke -o a -o b llama sh -c", "run sh -c"]) {
      const { code, stderr } = await cloud.run(["llama", ...command.split(" "), script], { cwd });
      assertEquals(code, 1);
      assertMatch(stderr, /^llama: Cannot write "[^"]*b": No space left on device\n$/);
      assertEquals(
        await Deno.readTextFile(`${cwd}/a`) + await Deno.readTextFile(`${cwd}/b`),
        "old aold b",
      );
      await assertNoLeftovers(cwd);
    }
    const many = await cloud.run(
      [
        "llama",
        "xargs",
        "-k",
        "llama",
        "sh",
        "-c",
        'head -c "$0" /dev/zero >"$1"',
        "{{.Line}}",
        '{{.O (printf "x%s" .Line)}}',
        ":::",
        "10",
        "1000000",
        "20",
      ],
      { cwd },
    );
    assertEquals(many.code, 123);
    assertMatch(many.stderr, /llama: Cannot write "x1000000": No space left on device\n/);
    assertEquals(Object.keys(await treeOf(cwd)).toSorted(), ["a", "b", "x10", "x20"]);
  } finally {
    await cloud.must(["umount", cwd]);
  }
});
