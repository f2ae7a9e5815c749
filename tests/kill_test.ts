import { assert, assertEquals } from "@std/assert";
import {
  assertNoLeftovers,
  descendants,
  endedOf,
  processesOf,
  treeOf,
  useBuildCloud,
  waitUntil,
  writeFiles,
} from "./build_cloud.ts";

const cloud = useBuildCloud();

const UNITS = 10;
/** What llamacc says, once, when it does without the cloud. */
const NOTICE = /^llamacc: compiling on this machine: /;
/** Each unit says that it is done, so that a test can act in the middle of a build. */
const MAKEFILE = `OBJECTS = $(patsubst %.c,%.o,$(wildcard u*.c))
all: $(OBJECTS)
%.o: %.c
	@$(CC) -O2 -g -MD -c $< -o $@ && echo done $@
`;

/** C that takes the compiler a good tenth of a second. */
function unit(index: number, functions: number): string {
  const lines: string[] = [];
  for (let i = 0; i < functions; i++) {
    lines.push(`int f${index}_${i}(int *a) { int s = ${i};`);
    for (let k = 3; k < 16; k++) {
      lines.push(`s += a[s % ${k}] * ${k}; if (s % ${k} == 1) a[0] ^= s;`);
    }
    lines.push("return s; }");
  }
  return `#include <stdio.h>\n${lines.join("\n")}\n`;
}

async function writeBuild(folder: string): Promise<void> {
  const files: Record<string, string> = { Makefile: MAKEFILE };
  for (let i = 0; i < UNITS; i++) files[`u${i}.c`] = unit(i, 3);
  await writeFiles(folder, files);
}

/** Removes what a build made of the first `count` units. */
async function forget(folder: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const suffix of ["o", "d"]) await Deno.remove(`${folder}/u${i}.${suffix}`);
  }
}

/** Builds with llamacc and acts once two units are done; returns what the build left. */
async function buildWith(folder: string, act: () => Promise<void>): Promise<unknown> {
  const child = cloud.command(["make", "-s", "-j8", "CC=llamacc"], { cwd: folder }).spawn();
  const stderr = new Response(child.stderr).text();
  let text = "";
  let acted = false;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (acted || text.split("done").length <= 2) continue;
    acted = true;
    await act();
  }
  assert(acted, text);
  const words = (await stderr).split("\n").filter((line) => !NOTICE.test(line)).join("\n");
  assertEquals([(await child.status).code, words], [0, ""], text);
  return await treeOf(folder);
}

/** Kills what `find` finds, and again if it has ended just before. */
async function killNow(find: () => Promise<number>): Promise<void> {
  for (;;) {
    try {
      return Deno.kill(await find(), "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

const victims: [string, () => Promise<number>][] = [
  ["the daemon", async () => (await cloud.stats()).pid],
  ["the embedded cloud", () => cloud.cloudPid()],
  ["a worker", () => belowCloud((args) => args.some((arg) => arg.endsWith("runtime.js")))],
  ["a compiler in a worker", () => belowCloud(([name = ""]) => /cc1$/.test(name))],
];

Deno.test("a build ends well when something is killed, and so does the next one", async (t) => {
  const folder = `${cloud.work}/build`;
  await writeBuild(folder);
  await cloud.must(["make", "-s", "-j8", "CC=cc"], { cwd: folder });
  const expected = await treeOf(folder);
  for (const [name, find] of victims) {
    await t.step(`${name} is killed`, async () => {
      await cloud.must(["llama", "daemon", "-autostart"]);
      await forget(folder, UNITS);
      assertEquals(await buildWith(folder, () => killNow(find)), expected);
      await cloud.must(["llama", "daemon", "-autostart"]);
      await cloud.stats("zero");
      await forget(folder, 4);
      await cloud.must(["make", "-s", "-j8", "CC=llamacc"], { cwd: folder });
      assertEquals(await treeOf(folder), expected);
      const { remote, fallback } = await cloud.stats();
      assertEquals({ remote, fallback }, { remote: 4, fallback: {} });
      await assertNoLeftovers(cloud.work);
    });
  }
});

Deno.test("SIGTERM lets the daemon finish the compilation that runs", async () => {
  await writeFiles(cloud.work, { "long.c": unit(0, 8) });
  await cloud.must(["llama", "daemon", "-autostart"]);
  await cloud.stats("zero");
  const logged = await Deno.readTextFile(`${cloud.llamaDir}/daemon.log`);
  const child = cloud.command(["llamacc", "-O2", "-c", "long.c"]).spawn();
  await belowCloud(([name = ""]) => /cc1$/.test(name));
  const { pid } = await cloud.stats();
  Deno.kill(pid, "SIGTERM");
  const { code, stderr } = endedOf(await child.output());
  assertEquals([code, stderr], [0, ""]);
  await waitUntil("the daemon has gone", () => !processesOf(cloud.llamaDir).includes(pid));
  const log = (await Deno.readTextFile(`${cloud.llamaDir}/daemon.log`)).slice(logged.length);
  // No second daemon did it, and no compiler of this machine.
  assertEquals(log.match(/\b(?:listening|stopping|stopped|fallback)\b/g), ["stopping", "stopped"]);
  const there = await Deno.readFile(`${cloud.work}/long.o`);
  await cloud.must(["cc", "-O2", "-c", "long.c"]);
  assertEquals(there.toBase64(), (await Deno.readFile(`${cloud.work}/long.o`)).toBase64());
  await Deno.remove(`${cloud.work}/long.o`);
});

Deno.test("^C ends llamacc by its signal, and nothing is written", async () => {
  await writeFiles(cloud.work, { "long.c": unit(1, 20) });
  const before = await treeOf(cloud.work);
  const child = cloud.command(["llamacc", "-O2", "-MD", "-c", "long.c"]).spawn();
  await belowCloud(([name = ""]) => /cc1$/.test(name));
  child.kill("SIGINT");
  const { signal, stdout, stderr } = endedOf(await child.output());
  assertEquals([signal, stdout, stderr], ["SIGINT", "", ""]);
  await waitUntil("the daemon has noticed", async () => {
    const { server } = await cloud.stats();
    return server.compiling <= 1;
  });
  assertEquals(await treeOf(cloud.work), before);
});

/** Waits for such a process below the cloud, and returns its id. */
async function belowCloud(matches: (args: string[]) => boolean): Promise<number> {
  const cloudPid = await cloud.cloudPid();
  let found: number | undefined;
  await waitUntil("the process is there", () => {
    found = descendants(cloudPid).find(({ args }) => matches(args))?.pid;
    return found !== undefined;
  });
  return found ?? 0;
}
