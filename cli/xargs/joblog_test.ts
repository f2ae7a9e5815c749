import { assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../../job/errors.ts";
import { type LoggedJob, openJobLog } from "./joblog.ts";

const HEADER = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";
const JOB: LoggedJob = {
  seq: 3,
  host: "llama",
  startMs: 1_700_000_000_123,
  runtimeMs: 1_500,
  received: 4,
  status: { kind: "exit", code: 0 },
  command: "echo 'a b'",
};

async function inFile(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/log`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a job log has the columns of GNU parallel", async () => {
  await inFile(async (path) => {
    const { log } = openJobLog(path, undefined);
    log.add(JOB);
    log.add({ ...JOB, seq: 1, status: { kind: "exit", code: 7 } });
    log.add({ ...JOB, seq: 2, status: { kind: "signal", signal: "SIGKILL" } });
    log.add({ ...JOB, seq: 4, status: undefined });
    log.close();
    const common = "llama\t1700000000.123\t     1.500\t0\t4";
    assertEquals(
      await Deno.readTextFile(path),
      HEADER + [
        `3\t${common}\t0\t0\techo 'a b'\n`,
        `1\t${common}\t7\t0\techo 'a b'\n`,
        `2\t${common}\t0\t9\techo 'a b'\n`,
        `4\t${common}\t-1\t0\techo 'a b'\n`,
      ].join(""),
    );
    const all = openJobLog(path, "all");
    all.log.close();
    assertEquals([...all.done], [3, 1, 2, 4]);
    const good = openJobLog(path, "succeeded");
    // Of two lines of a job the last one counts.
    good.log.add({ ...JOB, seq: 1 });
    good.log.add({ ...JOB, seq: 3, status: { kind: "exit", code: 1 } });
    good.log.close();
    assertEquals([...good.done], [3]);
    const again = openJobLog(path, "succeeded");
    again.log.close();
    assertEquals([...again.done], [1]);
    openJobLog(path, undefined).log.close();
    assertEquals(await Deno.readTextFile(path), HEADER);
  });
});

Deno.test("a line of a job log that was cut off is taken away and its job runs again", async () => {
  await inFile(async (path) => {
    const { log } = openJobLog(path, undefined);
    log.add({ ...JOB, seq: 1, command: "echo é" });
    log.close();
    const whole = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, `${whole}2\tllama\t17000`);
    const resumed = openJobLog(path, "all");
    resumed.log.add({ ...JOB, seq: 2, command: "echo é" });
    resumed.log.close();
    assertEquals([...resumed.done], [1]);
    assertEquals(
      await Deno.readTextFile(path),
      whole + whole.slice(HEADER.length).replace("1", "2"),
    );
  });
});

Deno.test("a log begins where there is none, and what is no log stays as it is", async () => {
  await inFile(async (path) => {
    const { log, done } = openJobLog(path, "all");
    log.close();
    assertEquals([await Deno.readTextFile(path), done.size], [HEADER, 0]);
    for (
      const text of ["my notes\n", `${HEADER}x\tllama\n`, `${HEADER}1\ta\tb\tc\td\te\tf\tg\th\n`]
    ) {
      await Deno.writeTextFile(path, text);
      assertThrows(() => openJobLog(path, "all"), LlamaError, "none of a job log");
      assertEquals(await Deno.readTextFile(path), text);
    }
  });
});
