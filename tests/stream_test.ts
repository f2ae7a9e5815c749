/** `llama invoke` passes on what a command prints while it runs. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { endedOf, useBuildCloud } from "./build_cloud.ts";

const cloud = useBuildCloud();

Deno.test("invoke prints what the command prints before that ends", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  // It goes on when it hears a word, which it does not before its first lines have been read here.
  const script = "echo out; echo err >&2; exec 3<>/dev/tcp/127.0.0.1/$0; read word <&3; echo $word";
  const port = `${listener.addr.port}`;
  const child = cloud.command(
    ["llama", "invoke", "-timeout", "20s", "llama", "bash", "-c", script, port],
  ).spawn();
  assertEquals(await Promise.all([firstOf(child.stdout), firstOf(child.stderr)]), [
    "out\n",
    "err\n",
  ]);
  using connection = await listener.accept();
  await connection.write(new TextEncoder().encode("heard\n"));
  const { code, stdout, stderr } = endedOf(await child.output());
  assertEquals([code, stdout, stderr], [0, "heard\n", ""]);
});

Deno.test("invoke ends at once on ^C when a part has been printed", async () => {
  const child = cloud.command(
    ["llama", "invoke", "llama", "sh", "-c", "echo out; sleep 20; echo end"],
  ).spawn();
  assertEquals(await firstOf(child.stdout), "out\n");
  child.kill("SIGINT");
  const { code, stdout, stderr } = endedOf(await child.output());
  assertEquals([code, stdout, stderr], [130, "", ""]);
});

async function firstOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value);
}

Deno.test("invoke gives both streams byte for byte, however much there is", async () => {
  const bytes = new Uint8Array(5_000_000);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * 31 + (at >> 8)) & 0xff;
  await Deno.writeFile(`${cloud.work}/bytes`, bytes);
  const script = "cat bytes >&2 & cat bytes; sleep 0.1; tail -c 1000 bytes; wait; exit 9";
  const command = ["llama", "invoke", "-f", "bytes", "llama", "sh", "-c", script];
  const { code, stdout, stderr } = await cloud.command(command).output();
  assertEquals(code, 9);
  assert(equal(stderr, bytes), "stderr differs");
  assert(equal(stdout.subarray(0, bytes.length), bytes), "stdout differs");
  assert(equal(stdout.subarray(bytes.length), bytes.subarray(-1000)), "the end of stdout differs");
});

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

Deno.test("invoke keeps the order of a stream and adds the log and outputs after it", async () => {
  const script = "for i in 1 2 3; do echo $i; sleep 0.05; done; echo made >out";
  const { code, stdout, stderr } = await cloud.run(
    ["llama", "invoke", "-logs", "-time", "-o", "out", "llama", "sh", "-c", script],
  );
  assertEquals([code, stdout], [0, "1\n2\n3\n"]);
  assertMatch(stderr, /^START RequestId: .*\nEND .*\nREPORT .*\ntotal .*1 invocation/);
  assertEquals(await Deno.readTextFile(`${cloud.work}/out`), "made\n");
});

Deno.test("a worker that dies after something was printed is an error, before it another try", async () => {
  const run = (script: string) => cloud.run(["llama", "invoke", "llama", "sh", "-c", script]);
  const after = await run("echo once; sleep 0.2; kill -9 $PPID; sleep 1");
  assertEquals([after.code, after.stdout], [1, "once\n"]);
  assertMatch(
    after.stderr,
    /^llama: A worker of "llama" died: .* \(a part of what it prints had come, so .*\)\n$/,
  );
  const debug = await cloud.run(
    ["llama", "invoke", "-debug-aws", "llama", "sh", "-c", "sleep 0.1; kill -9 $PPID; sleep 1"],
  );
  assertEquals([debug.code, debug.stdout], [1, ""]);
  assertEquals(debug.stderr.match(/^> InvokeWithResponseStream: /gm)?.length, 3);
});

Deno.test("a command that takes too long has printed what it had", async () => {
  const { code, stdout, stderr } = await cloud.run(
    ["llama", "invoke", "-timeout", "500ms", "llama", "sh", "-c", "echo some; sleep 20"],
  );
  assertEquals([code, stdout], [1, "some\n"]);
  assertMatch(stderr, /^llama: Cannot finish "sh" as it took longer than 0\.5 s/);
});

Deno.test("invoke ends when nobody reads on", async () => {
  const { stdout, stderr } = await cloud.run(
    ["bash", "-c", "llama invoke -timeout 5s llama yes | head -n 2; echo ${PIPESTATUS[0]}"],
  );
  assertEquals([stdout, stderr], ["y\ny\n1\n", ""]);
});

Deno.test("invoke -json prints all of it as one value", async () => {
  const { code, stdout } = await cloud.run(
    ["llama", "invoke", "-json", "llama", "sh", "-c", "echo a; sleep 0.1; echo b"],
  );
  assertEquals([code, JSON.parse(stdout).stdout], [0, "a\nb\n"]);
});
