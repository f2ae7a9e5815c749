import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../cli/commands.ts";
import { inLlamaFolder, llamaCommand, runLlama } from "./llama_process.ts";

Deno.test("llama says what is wrong with a call, in one line, and exits with 2", async () => {
  const cases: [string, string][] = [
    ["nonsense", 'Unknown command "nonsense" (llama help lists the commands)'],
    ["invkoe", 'Unknown command "invkoe" (did you mean invoke?)'],
    ["-regoin x config", "Unknown flag -regoin (did you mean -region?)"],
    ["config -shel", "Unknown flag -shel (did you mean -shell?)"],
    ["config x", 'Unknown argument "x"'],
    ["invoke", "The function is missing (see llama help invoke)"],
    ["invoke f", "The command is missing (see llama help invoke)"],
    ["invoke -f", "The flag -f needs a value"],
    [
      "invoke -f /etc/passwd f cat",
      'The path "/etc/passwd" is not below the current folder, so it needs a remote name ' +
      "(write /etc/passwd:NAME)",
    ],
    ["invoke -timeout soon f true", "The flag -timeout takes a duration such as 90s or 1m30s, not"],
    ["invoke -env =x f true", 'The setting "=x" has no name'],
    ["daemon", "One of -start, -autostart, -ping, -stats, -shutdown, -path is needed"],
    ["daemon -ping -stats", "One of -start, -autostart"],
    ["cloud", "One of -start, -stop, -status, -log, -reset is needed"],
    ["store", "The file is missing"],
    ["get abc", '"abc" is not an ID (an ID has 64 hexadecimal digits)'],
    ["-store /tmp store x", 'The flag -store takes s3://BUCKET/PREFIX, not "/tmp"'],
    ["bootstrap -memory 1", "The flag -memory takes a whole number from 128 to 10240"],
    ["bootstrap -stack 1x", 'The name "1x" cannot be a stack\'s'],
    ["bootstrap -timeout 1h", "The flag -timeout takes whole seconds up to 15m"],
  ];
  await inLlamaFolder(async (folder) => {
    for (const [line, message] of cases) {
      const { code, stdout, stderr } = await runLlama(line.split(" "), { folder });
      assertEquals([code, stdout], [2, ""], line);
      assertStringIncludes(stderr, `llama: ${message}`, line);
      assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    }
  });
});

Deno.test("llama prints an error as one JSON value where -json is given", async () => {
  await inLlamaFolder(async (folder) => {
    const { code, stdout } = await runLlama(["invoke", "-json"], { folder });
    assertEquals(code, 2);
    assertEquals(JSON.parse(stdout), {
      error: { code: "Usage", message: "The function is missing", hint: "see llama help invoke" },
    });
  });
});

Deno.test("llama help shows each command in 80 columns with exit status and two examples", async () => {
  await inLlamaFolder(async (folder) => {
    const overview = await runLlama(["help"], { folder });
    assertEquals(overview.code, 0);
    for (const { name, summary, load } of COMMANDS) {
      assertStringIncludes(overview.stdout, summary);
      const { usage } = await load();
      if (name !== "version") assertStringIncludes(usage, "exit status: ");
      const examples = usage.split("\nexamples:\n")[1] ?? "";
      assertEquals(examples.match(/^ {2}\S/gm)?.length, 2, name);
      for (const line of usage.split("\n")) assert(line.length <= 80, `${name}: ${line}`);
    }
    for (const line of overview.stdout.split("\n")) assert(line.length <= 80, line);
    const ways = [["help", "invoke"], ["invoke", "-help"], ["invoke", "-h"], ["-help", "invoke"]];
    const texts = await Promise.all(
      ways.map(async (args) => (await runLlama(args, { folder })).stdout),
    );
    assertStringIncludes(texts[0] ?? "", "usage: llama invoke");
    for (const text of texts) assertEquals(text, texts[0]);
  });
});

Deno.test("llama without a command prints its help to stderr and exits with 2", async () => {
  await inLlamaFolder(async (folder) => {
    const { code, stdout, stderr } = await runLlama([], { folder });
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, "usage: llama");
  });
});

Deno.test("llama version prints one line, or one JSON value", async () => {
  await inLlamaFolder(async (folder) => {
    const plain = await runLlama(["-version"], { folder });
    assertMatch(plain.stdout, /^llama \d+\.\d+\.\d+ \(deno [^)]+\)\n$/);
    assertEquals((await runLlama(["version"], { folder })).stdout, plain.stdout);
    const json = await runLlama(["version", "-json"], { folder });
    assertStringIncludes(plain.stdout, JSON.parse(json.stdout).version);
  });
});

Deno.test("llama names a damaged llama.json and says what to do", async () => {
  await inLlamaFolder(async (folder) => {
    await Deno.mkdir(`${folder}/llama`, { mode: 0o700 });
    await Deno.writeTextFile(`${folder}/llama/llama.json`, "{");
    const { code, stderr } = await runLlama(["config"], { folder });
    assertEquals(code, 1);
    assertEquals(
      stderr,
      `llama: Cannot read ${folder}/llama/llama.json: it is not JSON ` +
        `(remove ${folder}/llama/llama.json and run llama bootstrap, which finds again what it made)\n`,
    );
  });
});

Deno.test("llama never turns to the embedded cloud when llama.json says AWS", async () => {
  await inLlamaFolder(async (folder) => {
    await Deno.mkdir(`${folder}/llama`, { mode: 0o700 });
    const config = {
      version: 1,
      cloud: "aws",
      region: "eu-west-1",
      store: "s3://b",
      function: "f",
      stack: "s",
      role: "r",
    };
    await Deno.writeTextFile(`${folder}/llama/llama.json`, JSON.stringify(config));
    const none = await runLlama(["config"], { folder });
    assertEquals(none.code, 1);
    assertStringIncludes(none.stderr, "Cannot find AWS credentials");
    const env = { AWS_ACCESS_KEY_ID: "k", AWS_SECRET_ACCESS_KEY: "s" };
    const some = await runLlama(["config", "-json"], { folder, env });
    assertEquals(JSON.parse(some.stdout).region, { value: "eu-west-1", source: "llama.json" });
    const half = { AWS_ACCESS_KEY_ID: "k" };
    const incomplete = await runLlama(["config"], { folder, env: half });
    assertEquals(incomplete.code, 1);
    assertStringIncludes(incomplete.stderr, "AWS_SECRET_ACCESS_KEY is missing");
    const other = { ...env, AWS_REGION: "us-west-2" };
    const elsewhere = await runLlama(["store", "x"], { folder, env: other });
    assertEquals(elsewhere.code, 1);
    assertStringIncludes(elsewhere.stderr, "is about eu-west-1, and the region is us-west-2");
    assertStringIncludes(elsewhere.stderr, "(run llama bootstrap)");
  });
});

Deno.test("llama config -shell prints what reaches the embedded cloud, also as an account", async () => {
  await inLlamaFolder(async (folder) => {
    const { code, stdout, stderr } = await runLlama(["config", "-shell"], { folder });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "using the embedded cloud on this machine");
    const shell = await new Deno.Command("sh", {
      args: ["-c", `${stdout}\nenv`],
      clearEnv: true,
      env: { AWS_SESSION_TOKEN: "of another account" },
    }).output();
    const env = Object.fromEntries(
      new TextDecoder().decode(shell.stdout).split("\n").filter((line) => line.startsWith("AWS_"))
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    assertEquals(Object.keys(env).toSorted(), [
      "AWS_ACCESS_KEY_ID",
      "AWS_DEFAULT_REGION",
      "AWS_ENDPOINT_URL",
      "AWS_REGION",
      "AWS_SECRET_ACCESS_KEY",
    ]);
    const bin = `${folder}/bin`;
    await Deno.mkdir(bin);
    await Deno.writeTextFile(`${bin}/aws`, '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
    const aws = await new Deno.Command("sh", {
      args: ["-c", `${stdout}\nPATH=${bin}:/usr/bin:/bin\naws s3 ls 'a b'`],
      clearEnv: true,
    }).output();
    assertEquals(
      new TextDecoder().decode(aws.stdout),
      `--endpoint-url ${env.AWS_ENDPOINT_URL} s3 ls a b\n`,
    );

    const config = await runLlama(["config", "-json"], { folder, env });
    assertEquals(JSON.parse(config.stdout).cloud, { value: "embedded", source: "credentials" });

    const wrong = { ...env, AWS_SECRET_ACCESS_KEY: "wrong" };
    const refused = await runLlama(["bootstrap"], { folder, env: wrong });
    assertEquals(refused.code, 1);
    assertMatch(refused.stderr, /SignatureDoesNotMatch.*\(Check the secret access key/);
  });
});

Deno.test("llama cloud serve ends well on SIGINT and leaves the folder to the next one", async () => {
  await inLlamaFolder(async (folder) => {
    for (let round = 0; round < 2; round++) {
      const child = llamaCommand(["cloud", "serve"], { folder }).spawn();
      const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
      let log = "";
      while (!log.includes("answers at")) {
        const { value, done } = await reader.read();
        assert(!done, log);
        log += value;
      }
      child.kill("SIGINT");
      while (!(await reader.read()).done);
      await child.stdout.cancel();
      assertEquals((await child.status).code, 0);
    }
    const status = await runLlama(["cloud", "-status", "-json"], { folder });
    assertEquals([status.code, JSON.parse(status.stdout).running], [1, false]);
  });
});
