import { assert, assertEquals } from "@std/assert";
import { lastLogLine, openDaemonLog } from "./log.ts";

async function inFolder(test: (folder: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("write() appends one line an event, whatever the values hold", () =>
  inFolder((folder) => {
    const path = `${folder}/daemon.log`;
    const log = openDaemonLog({ path, now: () => 0 });
    log.write("started", { pid: 12, socket: "/tmp/s" });
    log.write("failed", { error: 'two\nlines "quoted"' });
    log.close();
    log.write("lost");
    assertEquals(
      Deno.readTextFileSync(path),
      "1970-01-01T00:00:00.000Z started pid=12 socket=/tmp/s\n" +
        '1970-01-01T00:00:00.000Z failed error="two\\nlines \\"quoted\\""\n',
    );
    assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  }));

Deno.test("write() masks secrets in keys and in texts", () =>
  inFolder((folder) => {
    const path = `${folder}/daemon.log`;
    const log = openDaemonLog({ path, now: () => 0 });
    log.write("a", { secretAccessKey: "wJalr" });
    log.write("b", { url: "http://h/?X-Amz-Security-Token=FwoGZ&X-Amz-Signature=beef&ok=1" });
    log.write("c", { header: "Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=feed" });
    log.write("d", { json: '{"secretAccessKey": "wJalr","region":"eu"}' });
    log.close();
    const text = Deno.readTextFileSync(path);
    for (const secret of ["wJalr", "FwoGZ", "beef", "AKIA", "feed"]) {
      assert(!text.includes(secret), `${secret} is in ${text}`);
    }
    assert(text.includes("ok=1") && text.includes("eu"), text);
  }));

Deno.test("write() begins a new file at the limit and keeps the one before", () =>
  inFolder((folder) => {
    const path = `${folder}/daemon.log`;
    for (const round of [1, 2]) {
      // Opened anew in each round: the size of what is there counts, too.
      const log = openDaemonLog({ path, now: () => 0, maxBytes: 200 });
      for (let count = 0; count < 6; count++) log.write("event", { round, count });
      log.close();
    }
    assert(Deno.statSync(path).size <= 200);
    assert(Deno.statSync(`${path}.1`).size <= 200);
    assert(Deno.readTextFileSync(path).endsWith("round=2 count=5\n"));
    assertEquals([...Deno.readDirSync(folder)].length, 2);
  }));

Deno.test("lastLogLine() finds the last line that is not empty, after a position", () =>
  inFolder((folder) => {
    const path = `${folder}/daemon.log`;
    assertEquals(lastLogLine(path), undefined);
    Deno.writeTextFileSync(path, "first\nsecond\n\n");
    assertEquals(lastLogLine(path), "second");
    assertEquals(lastLogLine(path, 14), undefined);
    assertEquals(lastLogLine(path, 1000), "second");
    Deno.writeTextFileSync(path, "x".repeat(100_000) + "\nlast");
    assertEquals(lastLogLine(path), "last");
  }));
