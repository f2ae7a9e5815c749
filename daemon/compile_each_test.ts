import { assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { compileEach } from "./compile_each.ts";
import type { Compiled } from "./remote_request.ts";
import { remoteRequestsOf } from "./remote_request_fixture.ts";

const compiled = (code: number, stderr: string): Compiled => ({
  kind: "compiled",
  stdout: new TextEncoder().encode(`${code};`),
  stderr: new TextEncoder().encode(stderr),
  code,
});

/** Compiles with sources that end as told, the later ones first. */
async function ended(command: string, ends: Readonly<Record<string, Compiled>>) {
  const gates = new Map<string, () => void>();
  const requests = remoteRequestsOf(command);
  const order: string[] = [];
  const { stdout, stderr, code } = await compileEach({
    preview: () => Promise.reject(new Error("not asked")),
    compile: async ({ compilation: { source } }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gates.set(source, resolve);
      if (gates.size === requests.length) resolve();
      await promise;
      order.push(source);
      const before = requests[requests.findIndex((one) => one.compilation.source === source) - 1];
      if (before) gates.get(before.compilation.source)?.();
      return ends[source] ?? compiled(0, "");
    },
  }, requests);
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr), code, order };
}

Deno.test("compileEach() prints in the order of the command, whatever ends first", async () => {
  assertEquals(
    await ended("-c a.c b.c c.c", { "a.c": compiled(0, "a\n"), "b.c": compiled(1, "b\n") }),
    { stdout: "0;1;0;", stderr: "a\nb\n", code: 1, order: ["c.c", "b.c", "a.c"] },
  );
});

Deno.test("compileEach() ends as the driver does that goes on after an error", async () => {
  const ends = { "a.c": compiled(1, ""), "b.c": compiled(4, "") };
  assertEquals((await ended("-c a.c b.c", ends)).code, 1);
  assertEquals((await ended("-pass-exit-codes -c a.c b.c", ends)).code, 4);
});

Deno.test("compileEach() refuses words of the driver, which it would say once", async () => {
  const error = await assertRejects(
    () => ended("-c a.c b.c", { "b.c": compiled(0, "gcc: warning: odd\n") }),
    LlamaError,
  );
  assertEquals(error.code, "DriverMessage");
  // The driver of a single source speaks for it alone.
  assertEquals((await ended("-c a.c", { "a.c": compiled(0, "gcc: warning: odd\n") })).code, 0);
});

Deno.test("compileEach() stops all and waits for all when one fails", async () => {
  const events: string[] = [];
  await assertRejects(
    () =>
      compileEach({
        preview: () => Promise.reject(new Error("not asked")),
        compile: ({ compilation: { source }, signal }) => {
          if (source === "a.c") return Promise.reject(new LlamaError("X", "Cannot do it"));
          return new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              events.push(`${source} stopped`);
              reject(signal.reason);
            });
          });
        },
      }, remoteRequestsOf("-c b.c a.c")),
    LlamaError,
    "Cannot do it",
  );
  assertEquals(events, ["b.c stopped"]);
});
