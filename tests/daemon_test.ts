import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  descendants,
  endedOf,
  processesOf,
  useBuildCloud,
  waitUntil,
  writeFiles,
} from "./build_cloud.ts";

const cloud = useBuildCloud();

/** Processes of the daemon's and of the cloud's own, without their children. */
function serving(word: string): number {
  return processesOf(cloud.llamaDir).filter((pid) => {
    const args = Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0");
    return args.some((arg) => arg.endsWith("/llama.js")) && args.includes(word);
  }).length;
}

Deno.test("twenty llamacc at once start one daemon and one cloud", async () => {
  await cloud.must(["llama", "daemon", "-shutdown"]);
  await cloud.must(["llama", "cloud", "-stop"]);
  await waitUntil("nothing runs", () => processesOf(cloud.llamaDir).length === 0);
  const files: Record<string, string> = {};
  for (let i = 0; i < 20; i++) files[`f${i}.c`] = `int f${i}(void) { return ${i}; }\n`;
  await writeFiles(cloud.work, files);
  const ends = await Promise.all(
    Object.keys(files).map(async (name) =>
      endedOf(await cloud.command(["llamacc", "-c", name]).output())
    ),
  );
  assertEquals(ends.map(({ code, stderr }) => [code, stderr]), Array(20).fill([0, ""]));
  const { remote, fallback } = await cloud.stats();
  assertEquals({ remote, fallback }, { remote: 20, fallback: {} });
  assertEquals([serving("daemon"), serving("cloud")], [1, 1]);
  const log = await Deno.readTextFile(`${cloud.llamaDir}/cloud/cloud.log`);
  // Once when it was bootstrapped, once now.
  assertEquals(log.split("The embedded cloud answers at").length - 1, 2);
});

Deno.test("the daemon's folder, socket and log are for their owner only", async () => {
  const mode = async (path: string) => (((await Deno.lstat(path)).mode ?? 0) & 0o7777).toString(8);
  assertEquals(await mode(cloud.llamaDir), "700");
  assertEquals(await mode(`${cloud.llamaDir}/daemon.sock`), "600");
  assertEquals(await mode(`${cloud.llamaDir}/daemon.log`), "600");
  assertEquals(await mode(`${cloud.llamaDir}/llama.json`), "600");
  assertEquals(await mode(`${cloud.llamaDir}/cloud/endpoint.json`), "600");
});

Deno.test("no log, counter or job sees a secret", async () => {
  await writeFiles(cloud.work, { "a.c": "int a;\n" });
  const endpoint = await Deno.readTextFile(`${cloud.llamaDir}/cloud/endpoint.json`);
  const secret: string = JSON.parse(endpoint).secretAccessKey;
  assertMatch(secret, /^\S{20,}$/);
  const job = await cloud.must(["llama", "invoke", "llama", "env"]);
  assertStringIncludes(job, "PATH=");
  assertEquals(job.split("\n").filter((line) => /AWS_|LLAMA_|SECRET|TOKEN/i.test(line)), []);

  const env = {
    AWS_ACCESS_KEY_ID: JSON.parse(endpoint).accessKeyId,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${JSON.parse(endpoint).port}`,
    AWS_REGION: "us-east-1",
  };
  const debug = await cloud.run(["llama", "-debug-aws", "invoke", "llama", "true"], { env });
  assertEquals(debug.code, 0, debug.stderr);
  assertMatch(debug.stderr, /lambda Invoke|POST .*invocations/);
  assertMatch(debug.stderr, /authorization/i);
  const compiled = await cloud.run(["llamacc", "-c", "a.c"], { env });
  assertEquals([compiled.code, compiled.stderr], [0, ""]);
  const bad = { ...env, AWS_SECRET_ACCESS_KEY: "wrong-secret-of-forty-characters-or-so-00" };
  assertEquals((await cloud.run(["llamacc", "-c", "a.c"], { env: bad })).code, 0);

  const texts: [string, string][] = [["-debug-aws", debug.stderr]];
  for (const name of ["daemon.log", "cloud/cloud.log"]) {
    texts.push([name, await Deno.readTextFile(`${cloud.llamaDir}/${name}`)]);
  }
  texts.push(["stats", await cloud.must(["llama", "daemon", "-stats"])]);
  for (const [name, text] of texts) {
    assert(!text.includes(secret) && !text.includes(bad.AWS_SECRET_ACCESS_KEY), name);
    assert(!/Signature=[0-9a-f]{64}/.test(text), `${name} holds a signature`);
  }
  const arguments_ = processesOf(cloud.llamaDir).flatMap((pid) => descendants(pid))
    .flatMap(({ args }) => args);
  assert(
    !arguments_.some((arg) => arg.includes(secret)),
    "a process shows the secret to everybody",
  );
});

Deno.test("-shutdown finishes what runs, and the next llamacc has a daemon again", async () => {
  const lines = Array.from({ length: 700 }, (_, i) => `s += a[s % ${i + 3}] ^ ${i};`);
  await writeFiles(cloud.work, {
    "long.c": `int f(int *a) { int s = 0; ${lines.join("\n")} return s; }\n`,
  });
  const child = cloud.command(["llamacc", "-O2", "-c", "long.c"]).spawn();
  const cloudPid = await cloud.cloudPid();
  await waitUntil(
    "it compiles",
    () => descendants(cloudPid).some(({ args }) => args[0]?.endsWith("cc1")),
  );
  const { pid } = await cloud.stats();
  const logged = await Deno.readTextFile(`${cloud.llamaDir}/daemon.log`);
  await cloud.must(["llama", "daemon", "-shutdown"]);
  const { code, stderr } = endedOf(await child.output());
  assertEquals([code, stderr], [0, ""]);
  await waitUntil("the daemon has gone", () => !processesOf(cloud.llamaDir).includes(pid));
  const log = (await Deno.readTextFile(`${cloud.llamaDir}/daemon.log`)).slice(logged.length);
  assertEquals(log.match(/\b(?:listening|stopping|stopped|fallback)\b/g), ["stopping", "stopped"]);
  await Deno.stat(`${cloud.work}/long.o`);
  await cloud.must(["llamacc", "-c", "a.c"]);
  assert((await cloud.stats()).pid !== pid);
});

Deno.test("the daemon ends when it was idle for -idle-timeout", async () => {
  await cloud.must(["llama", "daemon", "-shutdown"]);
  await waitUntil("no daemon runs", () => serving("daemon") === 0);
  await cloud.must(["llama", "daemon", "-start", "-detach", "-idle-timeout", "1s"]);
  assertEquals(serving("daemon"), 1);
  await waitUntil("no daemon runs", () => serving("daemon") === 0);
  const ping = await cloud.run(["llama", "daemon", "-ping"]);
  assertEquals([ping.code, ping.stderr], [1, "llama: no daemon runs\n"]);
  const log = await Deno.readTextFile(`${cloud.llamaDir}/daemon.log`);
  assertStringIncludes(log, "idle");
});

Deno.test("what a proof found for a unit is known after a restart, and a damaged file does no harm", async () => {
  await writeFiles(cloud.work, {
    "learn/a.c": "#define NAME(x) <sub/x.h>\n#include NAME(deep)\nint f = WHICH;\n",
    "learn/inc/sub/deep.h": '#include "deeper.h"\n',
    "learn/inc/sub/deeper.h": "#define WHICH 1\n",
  });
  const rounds = async () => {
    await cloud.stats("zero");
    await cloud.must(["llamacc", "-Iinc", "-c", "a.c"], { cwd: `${cloud.work}/learn` });
    const { remote, rounds } = await cloud.stats();
    assertEquals(remote, 1);
    return rounds;
  };
  const restart = async () => {
    await cloud.must(["llama", "daemon", "-shutdown"]);
    await cloud.must(["llama", "daemon", "-autostart"]);
  };
  await cloud.must(["llama", "daemon", "-autostart"]);
  assertEquals([await rounds(), await rounds()], [2, 1]);
  await restart();
  assertEquals(await rounds(), 1);
  await cloud.must(["llama", "daemon", "-shutdown"]);
  await Deno.writeTextFile(`${cloud.llamaDir}/units.json`, "{");
  await cloud.must(["llama", "daemon", "-autostart"]);
  assertEquals([await rounds(), await rounds()], [2, 1]);
});
