/** Several sources of one command, each compiled elsewhere on its own. */
import { joinBytes } from "../job/bytes.ts";
import { LlamaError } from "../job/errors.ts";
import type { RemoteCompiler } from "./remote_compile.ts";
import type { Compiled, RemoteRequest } from "./remote_request.ts";

/** Sources of one command that are compiled at once. */
const MAX_AT_ONCE = 32;

/**
 * Compiles all, and returns what the compiler would have printed for them one after the other, as it goes
 * on after an error. Rejects with the first failure once nothing runs any more.
 *
 * @throws {LlamaError} `DriverMessage` if the driver itself has something to say, which it says once for all.
 */
export async function compileEach(
  remote: RemoteCompiler,
  requests: readonly RemoteRequest[],
): Promise<Compiled> {
  const [only] = requests;
  if (only !== undefined && requests.length === 1) return await remote.compile(only);
  const stop = new AbortController();
  const done: Compiled[] = [];
  const failures: unknown[] = [];
  const waiting = requests.entries();
  const work = async () => {
    for (const [index, request] of waiting) {
      if (failures.length > 0) return;
      try {
        const signal = AbortSignal.any([request.signal, stop.signal]);
        done[index] = await remote.compile({ ...request, signal });
      } catch (error) {
        failures.push(error);
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_AT_ONCE, requests.length) }, work));
  if (failures.length > 0) throw failures[0];
  for (const { stderr } of done) {
    if (only !== undefined && isOfDriver(stderr, only.name)) {
      throw new LlamaError("DriverMessage", "The compiler's driver has a message for all sources");
    }
  }
  const codes = done.map(({ code }) => code).filter((code) => code !== 0);
  return {
    kind: "compiled",
    stdout: joinBytes(done.map(({ stdout }) => stdout)),
    stderr: joinBytes(done.map(({ stderr }) => stderr)),
    // GCC manual, "-pass-exit-codes": the numerically highest error; else, and of clang, the first.
    code: only?.line.flags.has("-pass-exit-codes") ? Math.max(0, ...codes) : codes[0] ?? 0,
  };
}

/** Whether there is a line of the driver's own, which begins with its name. */
function isOfDriver(stderr: Uint8Array, name: string): boolean {
  const text = new TextDecoder().decode(stderr);
  const own = [name.slice(name.lastIndexOf("/") + 1), "clang"];
  return text.split("\n").some((line) => own.some((name) => line.startsWith(`${name}: `)));
}
