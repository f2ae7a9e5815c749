import { assertEquals } from "@std/assert";
import type { LeftFile } from "./differences.ts";
import type { KeptOutputs } from "./remote_request.ts";
import { verify } from "./verify.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const file = (text: string, mode = 0o644): LeftFile => ({ bytes: bytesOf(text), mode });

interface Case {
  /** Files elsewhere. */
  readonly there: Record<string, string>;
  readonly removed?: readonly string[];
  /** Files here before the run. */
  readonly before?: Record<string, string>;
  /** What each local run leaves; undefined removes. */
  readonly runs: readonly Record<string, string | undefined>[];
  readonly stderr?: readonly string[];
  /** Mode of all files that the first run leaves. */
  readonly firstMode?: number;
}

async function verified(
  { there, removed = [], before = {}, runs, stderr = [], firstMode = 0o644 }: Case,
) {
  const here = new Map(Object.entries(before));
  const modes = new Map<string, number>();
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
      modes.clear();
      for (const [path, text] of Object.entries(runs[ran] ?? {})) {
        if (text === undefined) here.delete(path);
        else here.set(path, text);
      }
      const words = bytesOf(stderr[ran++] ?? "");
      return Promise.resolve({ code: 0, signal: null, stdout: new Uint8Array(), stderr: words });
    },
    readFile: (path) => {
      const text = here.get(path);
      // The first run finds an empty file, which keeps its mode; the second does not.
      return text === undefined ? undefined : file(text, ran === 1 ? firstMode : 0o644);
    },
    setMode: (path, mode) => void modes.set(path, mode),
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  });
  const places = differences.map(({ place }) => place);
  return { verdict, places, ran, slept: slept.length, modes: Object.fromEntries(modes) };
}

Deno.test("outputs that are the same are compiled here once", async () => {
  assertEquals(await verified({ there: { "a.o": "1" }, runs: [{ "a.o": "1" }] }), {
    verdict: "same",
    places: [],
    ran: 1,
    slept: 0,
    modes: {},
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

Deno.test("a second run here leaves the modes that the first left", async () => {
  const runs = [{ "a.o": "12:00:01" }, { "a.o": "12:00:02" }];
  const { modes } = await verified({ there: { "a.o": "12:00:00" }, runs, firstMode: 0o600 });
  assertEquals(modes, { "a.o": 0o600 });
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
