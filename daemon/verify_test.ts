import { assertEquals } from "@std/assert";
import type { LeftFile } from "./differences.ts";
import type { KeptOutputs } from "./remote_request.ts";
import { verify } from "./verify.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const file = (text: string): LeftFile => ({ bytes: bytesOf(text), mode: 0o644 });

interface Case {
  /** Files elsewhere. */
  readonly there: Record<string, string>;
  readonly removed?: readonly string[];
  /** Files here before the run. */
  readonly before?: Record<string, string>;
  /** What each local run leaves; undefined removes. */
  readonly runs: readonly Record<string, string | undefined>[];
  readonly stderr?: readonly string[];
}

async function verified({ there, removed = [], before = {}, runs, stderr = [] }: Case) {
  const here = new Map(Object.entries(before));
  const slept: number[] = [];
  let ran = 0;
  const kept: KeptOutputs = {
    files: new Map(Object.entries(there).map(([path, text]) => [path, file(text)])),
    removed,
    list: () => ["a.o", ...[...here.keys()].filter((path) => path.startsWith("a.c."))],
  };
  const compiled = {
    kind: "compiled" as const,
    stdout: new Uint8Array(),
    stderr: new Uint8Array(),
    code: 0,
  };
  const { verdict, differences } = await verify(compiled, [kept], {
    runHere: () => {
      for (const [path, text] of Object.entries(runs[ran] ?? {})) {
        if (text === undefined) here.delete(path);
        else here.set(path, text);
      }
      const words = bytesOf(stderr[ran++] ?? "");
      return Promise.resolve({ code: 0, signal: null, stdout: new Uint8Array(), stderr: words });
    },
    readFile: (path) => {
      const text = here.get(path);
      return text === undefined ? undefined : file(text);
    },
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  });
  return { verdict, places: differences.map(({ place }) => place), ran, slept: slept.length };
}

Deno.test("outputs that are the same are compiled here once", async () => {
  assertEquals(await verified({ there: { "a.o": "1" }, runs: [{ "a.o": "1" }] }), {
    verdict: "same",
    places: [],
    ran: 1,
    slept: 0,
  });
});

Deno.test("a difference that the local compiler does not have with itself is one", async () => {
  const { verdict, places, ran, slept } = await verified({
    there: { "a.o": "1", "a.d": "2" },
    runs: [{ "a.o": "1", "a.d": "3" }, { "a.o": "1", "a.d": "3" }],
  });
  assertEquals([verdict, places, ran, slept], ["different", ["a.d: file"], 2, 1]);
});

Deno.test("what differs between two local runs, too, is not reproducible", async () => {
  const runs = [{ "a.o": "12:00:01" }, { "a.o": "12:00:02" }];
  const { verdict, places } = await verified({ there: { "a.o": "12:00:00" }, runs });
  assertEquals([verdict, places], ["unreproducible", []]);
});

Deno.test("an unreproducible place does not hide a difference in another one", async () => {
  const { verdict, places } = await verified({
    there: { "a.o": "12:00:00" },
    runs: [{ "a.o": "12:00:01" }, { "a.o": "12:00:02" }],
    stderr: ["a.c:1: warning", "a.c:1: warning"],
  });
  assertEquals([verdict, places], ["different", ["stderr"]]);
});

Deno.test("files that only one side makes or removes are differences", async () => {
  const extra = { "a.o": "1", "a.c.dump": "x" };
  assertEquals((await verified({ there: { "a.o": "1" }, runs: [extra, extra] })).places, [
    "a.c.dump",
  ]);
  assertEquals((await verified({ there: extra, runs: [{ "a.o": "1" }, {}] })).places, ["a.c.dump"]);
  const gone = { there: {}, before: { "a.o": "old" }, removed: ["a.o"] };
  assertEquals((await verified({ ...gone, runs: [{ "a.o": undefined }] })).verdict, "same");
  assertEquals((await verified({ ...gone, runs: [{}, {}] })).places, ["a.o"]);
});

Deno.test("what neither side touches stays out of it", async () => {
  const before = { "a.o": "old", "a.c.dump": "old" };
  assertEquals((await verified({ there: {}, before, runs: [{}] })).verdict, "same");
  const { places } = await verified({ there: {}, before, runs: [{ "a.o": "new" }, {}] });
  assertEquals(places, ["a.o: file"]);
});
