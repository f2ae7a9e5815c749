import { assert, assertEquals, assertRejects } from "@std/assert";
import type { CompileRequest } from "./protocol.ts";
import { runAsClient } from "./run_as_client.ts";

function requestIn(cwd: string, change: Partial<CompileRequest> = {}): CompileRequest {
  return {
    umask: 0o077,
    stderrIsTerminal: false,
    stdoutIsTerminal: false,
    stdinColumns: 0,
    argv: ["llamacc"],
    rawArgv: [],
    cwd,
    env: { PATH: "/usr/bin:/bin", X: "1", BAD: "?" },
    notUtf8: false,
    notUtf8Env: new Set(["BAD"]),
    ...change,
  };
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the compiler runs in the client's folder, with its mask, environment and arguments", () =>
  inFolder(async (folder) => {
    const script = 'pwd; echo "$X/${BAD-unset}/$1" >file; cat; echo words >&2; exit 3';
    const { code, signal, stdout, stderr } = await runAsClient(
      requestIn(folder),
      ["sh", "-c", script, "sh", "a  b"],
      new AbortController().signal,
    );
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals([code, signal, text(stdout), text(stderr)], [3, null, `${folder}\n`, "words\n"]);
    assertEquals(await Deno.readTextFile(`${folder}/file`), "1/unset/a  b\n");
    assertEquals(((await Deno.stat(`${folder}/file`)).mode ?? 0) & 0o777, 0o600);
  }));

Deno.test("the program is found in the client's PATH, and keeps its name", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/my-cc`, '#!/bin/sh\necho "$0"\n', { mode: 0o755 });
    const request = requestIn("/", { env: { PATH: `${folder}:/usr/bin:/bin` } });
    const { stdout } = await runAsClient(request, ["my-cc"], new AbortController().signal);
    assertEquals(new TextDecoder().decode(stdout), `${folder}/my-cc\n`);
    const named = await runAsClient(
      request,
      ["bash", "-c", "cat /proc/$$/cmdline; true"],
      new AbortController().signal,
    );
    assert(new TextDecoder().decode(named.stdout).startsWith("bash\0"));
  }));

Deno.test("a signal that ends it is told, and an abort ends all that it started", () =>
  inFolder(async (folder) => {
    const killed = await runAsClient(
      requestIn(folder),
      ["sh", "-c", "kill -SEGV $$"],
      new AbortController().signal,
    );
    assertEquals(killed.signal, "SIGSEGV");
    const abort = new AbortController();
    await new Deno.Command("mkfifo", { args: [`${folder}/ready`] }).output();
    // Its own child holds the pipes open, and would for a minute, as it does not listen.
    const running = runAsClient(
      requestIn(folder),
      ["sh", "-c", "trap '' TERM; sleep 60 & trap 'rm half' TERM; echo >half; echo x >ready; wait"],
      abort.signal,
    );
    await Deno.readTextFile(`${folder}/ready`);
    abort.abort(new Error("left"));
    await assertRejects(() => running, Error, "left");
    assertEquals(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["ready"]);
  }));
