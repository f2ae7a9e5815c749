import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  compare,
  descendants,
  endedOf,
  useBuildCloud,
  waitUntil,
  writeFiles,
} from "./build_cloud.ts";

const cloud = useBuildCloud();

const LINES = Array.from({ length: 3000 }, (_, i) => `s += a[s % ${i + 3}] ^ ${i};`);
/** C++ that takes the compiler 4 s and more; 700 such lines took 0.8 s on a quick machine, less than the function has. */
const LONG = `int f(int *a) { int s = 0; ${LINES.join("\n")} return s; }\n`;

async function counters() {
  const stats = JSON.parse(await cloud.must(["llama", "daemon", "-stats", "-json", "-zero"]));
  const { remote, fallback, reruns, invocations } = stats;
  return { remote, fallback, reruns, invocations };
}

/** Kills the compiler of a worker, and returns its process's id. */
async function killCompiler(but?: number): Promise<number> {
  const cloudPid = await cloud.cloudPid();
  let victim: number | undefined;
  await waitUntil("a worker compiles", () => {
    victim = descendants(cloudPid).find(({ pid, args: [name = ""] }) =>
      /cc1plus$/.test(name) && pid !== but
    )?.pid;
    return victim !== undefined;
  });
  Deno.kill(victim ?? 0, "SIGKILL");
  return victim ?? 0;
}

async function compileAndKill(times: number) {
  const child = cloud.command(["llamac++", "-O2", "-c", "long.cc"]).spawn();
  let last: number | undefined;
  for (let i = 0; i < times; i++) last = await killCompiler(last);
  const { code, stderr } = endedOf(await child.output());
  const object = await Deno.readFile(`${cloud.work}/long.o`);
  await Deno.remove(`${cloud.work}/long.o`);
  return { code, stderr, object: object.toBase64() };
}

Deno.test("a compiler that is killed on its worker gets another one, and after that this machine", async () => {
  // The toolchain is there before the first victim is looked for.
  await writeFiles(cloud.work, { "long.cc": LONG, "short.cc": "int x;\n" });
  await cloud.must(["llamac++", "-c", "short.cc"]);
  await cloud.must(["c++", "-O2", "-c", "long.cc"]);
  const object = (await Deno.readFile(`${cloud.work}/long.o`)).toBase64();
  await counters();
  const expected = { code: 0, stderr: "", object };
  assertEquals(await compileAndKill(1), expected);
  assertEquals(await counters(), {
    remote: 1,
    fallback: {},
    reruns: { CompilerKilled: 1 },
    invocations: 2,
  });
  assertEquals(await compileAndKill(2), expected);
  assertEquals(await counters(), {
    remote: 0,
    fallback: { CompilerKilled: 1 },
    reruns: { CompilerKilled: 1 },
    invocations: 2,
  });
});

Deno.test("a compilation with errors is one invocation", async () => {
  await counters();
  const script =
    'echo "int f(void) { retrun 1; }" >e.cc; $CXX -c e.cc; echo "#error out of memory" >m.cc; $CXX -c m.cc';
  const { code } = await compare(cloud, { script });
  assertEquals([code, await counters()], [1, {
    remote: 2,
    fallback: {},
    reruns: {},
    invocations: 2,
  }]);
});

// Last, as it leaves a function that is of no use.
Deno.test("a function that times out twice has its compilation run here, or fail", async () => {
  await writeFiles(cloud.work, { "long.cc": LONG.replace("f(", "g(") });
  await cloud.must(["llama", "bootstrap", "-timeout", "1s"]);
  await counters();
  const { code, stderr } = await cloud.run(["llamac++", "-O2", "-c", "long.cc"]);
  assertEquals([code, stderr], [0, ""]);
  const { fallback, reruns, invocations } = await counters();
  assertEquals({ fallback, reruns }, { fallback: { TimedOut: 1 }, reruns: { TimedOut: 1 } });
  assert(invocations >= 2, `${invocations}`);
  await Deno.remove(`${cloud.work}/long.o`);
  const strict = await cloud.run(["llamac++", "-O2", "-c", "long.cc"], {
    env: { LLAMACC_LOCAL_FALLBACK: "0" },
  });
  assertEquals([strict.code, strict.stdout], [1, ""]);
  assertMatch(
    strict.stderr,
    /^llamacc: Cannot compile elsewhere: .*(?:1 s|timed out).*; unset LLAMACC_LOCAL_FALLBACK to compile here instead\n$/,
  );
  // What was never to run elsewhere is no fallback.
  await cloud.must(["llamac++", "-E", "long.cc"], { env: { LLAMACC_LOCAL_FALLBACK: "0" } });
});
