import { assert, assertEquals } from "@std/assert";
import { compare, useBuildCloud, writeFiles } from "./build_cloud.ts";

const cloud = useBuildCloud();

/** Restarts the daemon with so many slots. */
async function withSlots(count: number): Promise<void> {
  await cloud.must(["llama", "daemon", "-shutdown"]);
  await cloud.must(["llama", "daemon", "-start", "-detach", "-cc-concurrency", `${count}`]);
}

/** Notes its beginning and its end, so that the most at once can be told. */
const NOTING_CC = `#!/bin/sh
echo + >>running
sleep 0.1
echo - >>running
`;

Deno.test("no more compilers run here at once than there are slots, or than make's -j allows", async () => {
  await writeFiles(cloud.work, {
    cc: NOTING_CC,
    Makefile: "all: $(addsuffix .o,1 2 3 4 5 6 7 8 9 10 11 12)\n\t@:\n%.o:\n\t@llamacc -E $@\n",
  });
  await Deno.chmod(`${cloud.work}/cc`, 0o755);
  const env = { LLAMACC_LOCAL_CC: `${cloud.work}/cc` };
  const mostAtOnce = async (jobs: number) => {
    await cloud.must(["rm", "-f", "running"]);
    await cloud.must(["make", `-j${jobs}`], { env });
    let now = 0;
    let most = 0;
    for (const line of (await Deno.readTextFile(`${cloud.work}/running`)).trim().split("\n")) {
      now += line === "+" ? 1 : -1;
      most = Math.max(most, now);
    }
    assertEquals(now, 0);
    return most;
  };
  await withSlots(2);
  assertEquals(await mostAtOnce(12), 2);
  const { slotWaits, slots } = JSON.parse(
    await cloud.must(["llama", "daemon", "-stats", "-json"]),
  );
  assert(slotWaits > 0 && slots.granted === 12, JSON.stringify({ slotWaits, slots }));
  await withSlots(12);
  const most = await mostAtOnce(3);
  assert(most > 1 && most <= 3, `${most} at once`);
});

Deno.test("a compiler that runs here finds make's jobserver open", async () => {
  const { code, stderr, files } = await compare(cloud, {
    // Without its descriptors lto-wrapper warns that the jobserver is not available.
    script: "make -j2 CC=$CC CFLAGS=-frandom-seed=1",
    files: {
      "a.c": "int b(void); int main(void) { return b(); }\n",
      "b.c": "int b(void) { return 0; }\n",
      Makefile: `prog: a.o b.o
	@+$(CC) -O2 -flto=jobserver -frandom-seed=1 a.o b.o -o prog
%.o: %.c
	@$(CC) -O2 -flto -frandom-seed=$< -c $< -o $@
`,
    },
  });
  assertEquals([code, stderr, "prog" in files], [0, "", true]);
  // Any style passes: descriptors are as they were, whatever names them.
  await writeFiles(cloud.work, { "fds-cc": '#!/bin/sh\nread -r token <&7 && echo "$token" >&8\n' });
  await Deno.chmod(`${cloud.work}/fds-cc`, 0o755);
  await writeFiles(cloud.work, { token: "t\n" });
  const { code: read } = await cloud.run(
    ["sh", "-c", "exec 7<token 8>given; MAKEFLAGS='--jobserver-fds=7,8 -j' llamacc -E x"],
    { env: { LLAMACC_LOCAL_CC: `${cloud.work}/fds-cc` } },
  );
  assertEquals([read, await Deno.readTextFile(`${cloud.work}/given`)], [0, "t\n"]);
});
