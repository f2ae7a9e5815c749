import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  compare,
  descendants,
  treeOf,
  useBuildCloud,
  waitUntil,
  writeFiles,
} from "./build_cloud.ts";

const cloud = useBuildCloud();

const VERIFY = { LLAMACC_VERIFY: "1" };
const FILES = {
  "a.c": '#include <stdio.h>\nint main(void) { return printf("%s %d\\n", __FILE__, __LINE__); }\n',
  "b.cc": "#include <vector>\nint b(std::vector<int> &v) { return v.at(1); }\n",
  "broken.c": "int f(void) { int x; retrun x; }\n",
};

async function verified(): Promise<[unknown, unknown]> {
  const stats = JSON.parse(await cloud.must(["llama", "daemon", "-stats", "-json", "-zero"]));
  return [stats.verified, stats.fallback];
}

Deno.test("LLAMACC_VERIFY finds the same files, words and status on both sides", async () => {
  await cloud.stats("zero");
  const scripts = [
    "$CC -O2 -g -MD -c a.c",
    "$CXX -O2 -g -MMD -MF deps -c b.cc -o sub.o",
    "$CC -Wall -c broken.c",
    "umask 077; $CC -O1 -S a.c; $CC --coverage -frandom-seed=1 -fstack-usage -c a.c",
    "$CC -c a.c -o missing/a.o",
    "echo kept >a.o; chmod 600 a.o; echo kept >a.d; $CC -MD -c a.c",
    "$CC -O1 -fdump-tree-all -save-temps -c a.c; ls",
    "mkdir sub; cd sub; $CC -g -c ../a.c; cd ..; $CC -c nothing.c",
    'printf "\\tnonsense\\n" >e.s; $CC -c e.s -o e.o 2>/dev/null; echo $?',
  ];
  for (const script of scripts) {
    await compare(cloud, {
      script,
      files: FILES,
      env: { ...VERIFY, LLAMACC_REMOTE_ASSEMBLE: "1" },
    });
  }
  assertEquals(await verified(), [{ same: 10 }, {}]);
});

Deno.test("LLAMACC_VERIFY asks for colours where the client has a terminal", async () => {
  await cloud.stats("zero");
  await writeFiles(cloud.work, FILES);
  const { stdout } = await cloud.run(
    ["script", "-qec", "llamacc -Wall -c broken.c", "/dev/null"],
    { env: { ...VERIFY, TERM: "xterm-256color", NO_COLOR: undefined } },
  );
  assert(stdout.includes("\x1b["), stdout);
  assertEquals(await verified(), [{ same: 1 }, {}]);
});

Deno.test("LLAMACC_VERIFY does not take for a difference what the local compiler never makes twice", async () => {
  await cloud.stats("zero");
  await writeFiles(cloud.work, FILES);
  // Without -frandom-seed GCC gives its sections names of chance.
  const { code, stderr } = await cloud.run(["llamacc", "-flto", "-c", "a.c"], { env: VERIFY });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(await verified(), [{ unreproducible: 1 }, {}]);
});

Deno.test("^C ends a verified compilation, on both sides", async () => {
  const lines = Array.from({ length: 700 }, (_, i) => `s += a[s % ${i + 3}] ^ ${i};`);
  await writeFiles(cloud.work, {
    "long.c": `int f(int *a) { int s = 0; ${lines.join("\n")} return s; }\n`,
  });
  const before = await treeOf(cloud.work);
  const child = cloud.command(["llamacc", "-O2", "-c", "long.c"], { env: VERIFY }).spawn();
  // The local one runs below the daemon, once the other one has ended.
  const { pid } = await cloud.stats();
  const here = () => descendants(pid).filter(({ args: [name = ""] }) => /cc1$/.test(name));
  await waitUntil("it compiles here", () => here().length > 0);
  child.kill("SIGINT");
  const { signal } = await child.output();
  assertEquals(signal, "SIGINT");
  await waitUntil("it has ended here", () => here().length === 0);
  assertEquals(await treeOf(cloud.work), before);
});

Deno.test("a rate that is none is told, and verifies nothing", async () => {
  await cloud.stats("zero");
  await writeFiles(cloud.work, FILES);
  const { code, stderr } = await cloud.run(["llamacc", "-c", "a.c"], {
    env: { LLAMACC_VERIFY: "always" },
  });
  assertEquals(code, 0);
  assertMatch(
    stderr,
    /^llamacc: warning: LLAMACC_VERIFY must be a number .* not "always"; nothing is verified\n$/,
  );
  assertEquals(await verified(), [{}, {}]);
});
