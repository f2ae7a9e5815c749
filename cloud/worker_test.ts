import { assert, assertEquals, assertMatch } from "@std/assert";
import { BOOTSTRAP, processesWith } from "./lambda_fixture.ts";
import { startWorker } from "./worker.ts";
import { openSeal } from "./worker_seal.ts";

async function withFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// Building the base system takes a moment, and all tests may have the same.
const shared = await Deno.makeTempDir();
addEventListener("unload", () => Deno.removeSync(shared, { recursive: true }));

async function writeCode(folder: string): Promise<string> {
  await Deno.mkdir(`${folder}/code`);
  await Deno.chmod(`${folder}/code`, 0o755);
  await Deno.writeTextFile(`${folder}/code/bootstrap`, BOOTSTRAP);
  await Deno.chmod(`${folder}/code/bootstrap`, 0o755);
  return `${folder}/code`;
}

/** A cloud of one worker. */
const CLOUD = `
import { startWorker } from "${import.meta.resolve("./worker.ts")}";
import { openSeal } from "${import.meta.resolve("./worker_seal.ts")}";
const [base, folder, code, way, path, script] = Deno.args;
const ways = way === "no" ? [] : [way];
const seal = await openSeal({ directory: base, log: () => {}, ways, path });
const environment = { PATH: "/usr/bin" };
const worker = await startWorker({ seal, code, tmpBytes: 1 << 20, scratch: folder, environment });
await worker.api.ready();
const payload = new TextEncoder().encode(JSON.stringify(script));
await worker.api.run({ requestId: "1", deadlineMs: 0, functionArn: "", traceId: "", payload });
`;

async function moment(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 5));
}

const path = Deno.env.get("PATH") ?? "";

const job = { requestId: "1", deadlineMs: 0, functionArn: "arn", traceId: "" };

for (const way of ["bubblewrap", "unshare", "no"] as const) {
  const open = () =>
    openSeal({ directory: `${shared}/base`, log: () => {}, ways: way === "no" ? [] : [way], path });
  const works = (await open()).kind === way;
  const test = works ? Deno.test : Deno.test.ignore;

  test(`a worker (${way}) ends with all that it started, and its log is whole`, async () => {
    await withFolder(async (folder) => {
      const marker = `4567${Math.trunc(Math.random() * 1e9)}`;
      const worker = await startWorker({
        seal: await open(),
        code: await writeCode(folder),
        tmpBytes: 1 << 20,
        environment: { PATH: "/usr/bin" },
        scratch: `${folder}/scratch`,
      });
      assertEquals((await worker.api.ready()).kind, "ready");
      const script = `(sleep ${marker} &); echo begun >&2; exec sleep ${marker}`;
      // It never ends: its worker is killed.
      void worker.api.run({
        ...job,
        payload: new TextEncoder().encode(`"${script}"`),
      });
      while (processesWith(marker).length < 2) await moment();
      assert(worker.memoryBytes() > 1_000_000);
      worker.kill();
      assertEquals(await worker.exited, "signal: killed");
      assertEquals(processesWith(marker), []);
      assertEquals(new TextDecoder().decode(worker.log.take()), "begun\n");
      assertEquals(
        [...Deno.readDirSync(folder)].map(({ name }) => name).includes("scratch"),
        way === "no",
      );
      if (way === "no") assertEquals([...Deno.readDirSync(`${folder}/scratch`)], []);
    });
  });

  test(`a worker (${way}) does not outlive a cloud that is killed`, async () => {
    await withFolder(async (folder) => {
      const marker = `4568${Math.trunc(Math.random() * 1e9)}`;
      // Only a sealed worker takes with it what it started.
      const script = `${way === "no" ? "" : `(sleep ${marker} &); `}exec sleep ${marker}`;
      const name = "@std/path/posix";
      const imports = { [name]: import.meta.resolve(name) };
      await Deno.writeTextFile(`${folder}/imports.json`, JSON.stringify({ imports }));
      await Deno.writeTextFile(`${folder}/main.ts`, CLOUD);
      const cloud = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--no-config", "--import-map", `${folder}/imports.json`]
          .concat(
            `${folder}/main.ts`,
            `${shared}/base`,
            folder,
            await writeCode(folder),
            way,
            path,
            script,
          ),
        stdin: "null",
      }).spawn();
      let ended = false;
      const status = cloud.status.then(() => ended = true);
      while (!ended && processesWith(marker).length < (way === "no" ? 1 : 2)) await moment();
      assert(!ended);
      cloud.kill("SIGKILL");
      await status;
      // The kernel kills them one after the other, and tells nobody when it is done.
      while (processesWith(marker).length > 0) await moment();
    });
  });
}

Deno.test("a plain worker's own end is that of what left its process group, too", async () => {
  await withFolder(async (folder) => {
    const marker = `4569${Math.trunc(Math.random() * 1e9)}`;
    const worker = await startWorker({
      seal: await openSeal({ directory: `${shared}/base`, log: () => {}, ways: [] }),
      code: await writeCode(folder),
      tmpBytes: 1 << 20,
      environment: { PATH: "/usr/bin" },
      scratch: `${folder}/scratch`,
    });
    assertEquals((await worker.api.ready()).kind, "ready");
    // A shell below the first one, so that nothing leads from the worker to it.
    const script = `(setsid sh -c 'sleep ${marker}; :' &); ` +
      `until [ -e $TMPDIR/go ]; do sleep 0.01; done; kill -9 $$`;
    void worker.api.run({
      ...job,
      payload: new TextEncoder().encode(`"${script}"`),
    });
    while (processesWith(marker).length === 0) await moment();
    const [own] = [...Deno.readDirSync(`${folder}/scratch`)];
    await Deno.writeTextFile(`${folder}/scratch/${own?.name}/go`, "");
    assertEquals(await worker.exited, "signal: killed");
    assertEquals(processesWith(marker), []);
  });
});

for (const way of ["sealed", "plain"] as const) {
  Deno.test(`a ${way} worker is told where it may work`, async () => {
    await withFolder(async (folder) => {
      const ways = way === "plain" ? { ways: [] } : {};
      const seal = await openSeal({ directory: `${shared}/base`, log: () => {}, ...ways });
      const worker = await startWorker({
        seal,
        code: await writeCode(folder),
        tmpBytes: 1 << 20,
        environment: { PATH: "/usr/bin" },
        scratch: `${folder}/scratch`,
      });
      assertEquals((await worker.api.ready()).kind, "ready");
      const outcome = await worker.api.run({
        ...job,
        payload: new TextEncoder().encode('"echo $LLAMA_PRIVATE_TMP,$LLAMA_WORKER_FOLDER"'),
      });
      assert(outcome.kind === "response");
      const text = new TextDecoder().decode(outcome.payload).trim();
      if (seal.kind === "no") assertMatch(text, new RegExp(`^,${folder}/scratch/[0-9a-f]{8}/w$`));
      else assertEquals(text, "1,");
      worker.kill();
      await worker.exited;
    });
  });
}
