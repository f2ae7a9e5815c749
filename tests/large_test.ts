/** Files and standard input that are too large to be held in memory, on this side and on the worker's. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import {
  assertNoLeftovers,
  descendants,
  endedOf,
  useBuildCloud,
  waitUntil,
} from "./build_cloud.ts";

const cloud = useBuildCloud();

const MB = 1_000_000;

/** Writes `megabytes` of bytes that no compression makes fewer, and returns their SHA-256. */
async function writeLarge(name: string, megabytes: number): Promise<string> {
  await cloud.must(["sh", "-c", `head -c ${megabytes * MB} /dev/urandom >${name}`]);
  return await sumOf(name);
}

async function sumOf(name: string): Promise<string> {
  return (await cloud.must(["sha256sum", name])).slice(0, 64);
}

/** proc(5), status: the greatest resident set of a process so far, in MB; 0 of one that has ended. */
function peakOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1000;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || `${error}`.includes("os error 3")) return 0;
    throw error;
  }
}

/** The greatest resident sets, in MB, of a client and of the cloud's workers until `end` comes. */
async function peaksUntil<T>(
  clientPid: number,
  end: Promise<T>,
): Promise<{ client: number; worker: number; ended: T }> {
  let client = 0;
  let worker = 0;
  const cloudPid = await cloud.cloudPid();
  const watch = setInterval(() => {
    client = Math.max(client, peakOf(clientPid));
    for (const { pid, args } of descendants(cloudPid)) {
      if (args[0]?.endsWith("/deno")) worker = Math.max(worker, peakOf(pid));
    }
  }, 50);
  const ended = await end;
  clearInterval(watch);
  return { client, worker, ended };
}

Deno.test("a large file goes, is hashed there and comes back, and is never whole in memory", async () => {
  const sum = await writeLarge("big", 400);
  const command = ["llama", "invoke", "-f", "big", "-o", "copy", "llama"];
  const child = cloud.command([...command, "sh", "-c", "sha256sum big; cat big >copy"]).spawn();
  const { client, worker, ended } = await peaksUntil(child.pid, child.output());
  const { code, stdout, stderr } = endedOf(ended);
  assertEquals([code, stdout, stderr], [0, `${sum}  big\n`, ""]);
  assertEquals(await sumOf("copy"), sum);
  assert(client > 40 && client < 350, `${client} MB here`);
  assert(worker > 40 && worker < 400, `${worker} MB on the worker`);

  // What is there is not sent again.
  const again = await cloud.run(["llama", "invoke", "-debug-aws", "-f", "big", "llama", "true"]);
  assertEquals(again.code, 0, again.stderr);
  assertEquals(again.stderr.match(/^> \w+/gm), ["> InvokeWithResponseStream"]);
  await cloud.must(["rm", "big", "copy"]);
});

Deno.test("what a command prints is whole here, and never whole in memory, however fast it is", async () => {
  // More than Lambda streams, and than the worker passes on before the command ends.
  const script = "seq 30000000; seq 10000000 >&2; exit 3";
  const child = cloud.command(["llama", "invoke", "llama", "sh", "-c", script]).spawn();
  const sums = Promise.all([sumOfStream(child.stdout), sumOfStream(child.stderr), child.status]);
  const { client, worker, ended: [stdout, stderr, { code }] } = await peaksUntil(child.pid, sums);
  assertEquals(code, 3);
  const local = (count: number) => cloud.must(["sh", "-c", `seq ${count} | sha256sum`]);
  assertEquals(stdout, (await local(30_000_000)).slice(0, 64));
  assertEquals(stderr, (await local(10_000_000)).slice(0, 64));
  assert(client > 40 && client < 350, `${client} MB here`);
  assert(worker > 40 && worker < 400, `${worker} MB on the worker`);
});

async function sumOfStream(stream: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const bytes of stream) hash.update(bytes);
  return hash.digest("hex");
}

Deno.test("much on standard input is spooled, sent and removed", async () => {
  const sum = await writeLarge("in", 150);
  const spool = `${cloud.llamaDir}/tmp`;
  for (const command of ["invoke -stdin llama sha256sum", "store -"]) {
    const { code, stdout, stderr } = await cloud.run(["sh", "-c", `llama ${command} <in`]);
    assertEquals([code, stdout.slice(0, 64), stderr], [0, sum, ""]);
    assertEquals([...Deno.readDirSync(spool)], []);
  }
  assertEquals(await cloud.must(["sh", "-c", `llama get ${sum} | sha256sum`]), `${sum}  -\n`);
  await cloud.must(["llama", "get", "-o", "got", sum]);
  assertEquals(await sumOf("got"), sum);
  await cloud.must(["sh", "-c", `echo ${sum} many | llama multiget`]);
  assertEquals(await sumOf("many"), sum);

  const child = cloud.command(["sh", "-c", "exec llama invoke -stdin llama true"], { stdin: "" })
    .spawn();
  const writer = child.stdin.getWriter();
  for (let megabytes = 0; megabytes < 100; megabytes++) await writer.write(new Uint8Array(MB));
  await waitUntil("it is spooled", () => [...Deno.readDirSync(spool)].length === 1);
  const [entry] = [...Deno.readDirSync(spool)];
  assertEquals(((await Deno.stat(`${spool}/${entry?.name}`)).mode ?? 0) & 0o777, 0o600);
  child.kill("SIGINT");
  const { code } = endedOf(await child.output());
  await writer.abort().catch(() => undefined);
  assertEquals(code, 130);
  assertEquals([...Deno.readDirSync(spool)], []);
});

Deno.test("a large file that the job may change is its own, and what it makes of it comes back", async () => {
  await writeLarge("both", 80);
  const script =
    "printf X | dd of=both conv=notrunc bs=1 seek=5 2>/dev/null; head -c 70000000 both >made";
  await cloud.must(["cp", "both", "before"]);
  await cloud.must([
    "llama",
    "invoke",
    "-f",
    "both",
    "-o",
    "both",
    "-o",
    "made",
    "llama",
    "sh",
    "-c",
    script,
  ]);
  await cloud.must([
    "sh",
    "-c",
    "printf X | dd of=before conv=notrunc bs=1 seek=5 2>/dev/null; cmp before both",
  ]);
  await cloud.must(["sh", "-c", "head -c 70000000 both | cmp - made"]);
});

Deno.test("a large file that changes while it is sent, or cannot be sent, is an error that names it", async () => {
  await cloud.must(["truncate", "-s", "6000000000", "huge"]);
  for (const command of ["invoke -f huge llama true", "store huge"]) {
    const { code, stdout, stderr } = await cloud.run(["llama", ...command.split(" ")]);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(
      stderr,
      /^llama: Cannot send "huge" as it has 6000000000 bytes, and 5368709120 is the most \(.*\)\n$/,
    );
  }
  await writeLarge("moving", 200);
  const child = cloud.command(["llama", "invoke", "-debug-aws", "-f", "moving", "llama", "true"])
    .spawn();
  const output = child.output();
  const uploads = `${cloud.llamaDir}/cloud/s3/uploads`;
  const count = () => [...Deno.readDirSync(uploads)].length;
  await waitUntil("it is on its way", () => count() > 0);
  await cloud.must([
    "sh",
    "-c",
    "printf X | dd of=moving conv=notrunc bs=1 seek=199999999 2>/dev/null",
  ]);
  const { code, stderr } = endedOf(await output);
  assertEquals(code, 1);
  assertStringIncludes(
    stderr,
    'llama: Cannot send "moving" as it changed meanwhile (run the command again)\n',
  );
  assertEquals(count(), 0);
  await assertNoLeftovers(cloud.work);
});

Deno.test("a worker without room for a file says how to give it more", async () => {
  await cloud.must(["llama", "bootstrap", "-tmp", "512"]);
  await cloud.must(["truncate", "-s", "700000000", "sparse"]);
  const { code, stderr } = await cloud.run(["llama", "invoke", "-f", "sparse", "llama", "true"]);
  assertEquals(code, 1);
  assertMatch(
    stderr,
    /^llama: Cannot run the job as the worker's disk is full \(llama bootstrap -tmp 10240 gives .*\)\n$/,
  );
  await cloud.must(["llama", "bootstrap", "-tmp", "2048"]);
  await cloud.must(["llama", "invoke", "-f", "sparse", "llama", "true"]);
});
