import { assert, assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "./errors.ts";
import { asObject, type Json } from "./json.ts";
import { mutations } from "./mutations_fixture.ts";
import { answerFromJson, answerToJson, type JobAnswer, type JobResult } from "./result.ts";
import type { JobSpec } from "./spec.ts";

type Asked = Pick<JobSpec, "rooted" | "wanted">;

const DIGEST = "23".repeat(32);
const ROOTED: Asked = {
  rooted: { libraryPath: [] },
  wanted: [{ match: "tree", path: "/p/out" }, { match: "exact", path: "/p/a.o" }],
};
const PLAIN: Asked = { wanted: [{ match: "tree", path: "" }] };

const DONE: JobResult = {
  kind: "done",
  status: { kind: "exit", code: 3 },
  stdout: { bytes: new TextEncoder().encode("out") },
  stderr: { digest: DIGEST, size: 9_000_000 },
  outputs: [
    { kind: "file", path: "/p/a.o", mode: 0o644, content: { bytes: new Uint8Array([1]) } },
    { kind: "folder", path: "/p/out", mode: 0o755 },
    { kind: "link", path: "/p/out/latest", target: "../a.o" },
  ],
  timings: { fetchMs: 0, layoutMs: 0.25, runMs: 3, collectMs: 1 },
  usage: { userMs: 1, systemMs: 2, maxRssBytes: 3 },
  proof: { opened: ["/p/a.c"], listed: [], absent: ["/q"], blind: [] },
  cold: true,
};

function jsonOf(answer: JobAnswer): Json {
  return asObject(JSON.parse(JSON.stringify(answerToJson(answer))), "answer");
}

function readWith(change: Record<string, unknown>, asked = ROOTED): JobAnswer {
  return answerFromJson({ ...jsonOf(DONE), ...change }, asked);
}

Deno.test("an answer comes out of JSON as it went in", () => {
  const { proof: _, ...unproved } = DONE;
  const answers: readonly JobAnswer[] = [
    DONE,
    { ...unproved, removed: ["/p/a.o", "/p/out/x"] },
    { ...unproved, status: { kind: "signal", signal: "SIGKILL" }, cold: false, outputs: [] },
    { kind: "missing", digests: [DIGEST, "0".repeat(64)] },
    { kind: "missing", digests: [] },
    { kind: "failed", code: "TimedOut", message: "it took too long" },
  ];
  for (const answer of answers) assertEquals(answerFromJson(jsonOf(answer), ROOTED), answer);
});

Deno.test("answerFromJson() refuses an answer of another version", () => {
  for (const version of [0, 1, 3, "2", null, undefined]) {
    for (
      const answer of [
        DONE,
        { kind: "missing", digests: [] } as const,
        {
          kind: "failed",
          code: "x",
          message: "y",
        } as const,
      ]
    ) {
      assertThrows(
        () => answerFromJson({ ...jsonOf(answer), version }, ROOTED),
        FormatError,
        "answer.version: it must be a whole number from 2 to 2",
      );
    }
  }
});

Deno.test("answerFromJson() says what is wrong with an answer", () => {
  const cases: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ kind: "ok" }, 'answer.kind: it must be "done", "missing" or "failed"'],
    [{ kind: undefined }, "answer.kind"],
    [{ kind: "missing" }, "answer.digests: it must be an array"],
    [{ kind: "missing", digests: ["x"] }, "answer.digests: it must be 64"],
    [{ kind: "failed" }, "answer.code: it must be a string"],
    [{ kind: "failed", code: "x" }, "answer.message: it must be a string"],
    [{ status: null }, "answer.status: it must be an object"],
    [{ status: { kind: "stopped" } }, 'answer.status.kind: it must be "exit" or "signal"'],
    [{ status: { kind: "exit", code: 256 } }, "answer.status.code"],
    [{ status: { kind: "exit", code: -1 } }, "answer.status.code"],
    [{ status: { kind: "signal" } }, "answer.status.signal: it must be a string"],
    [{ stdout: undefined }, "answer.stdout: it must be an object"],
    [{ stderr: { raw: "%" } }, "answer.stderr.raw: it is not base64"],
    [{ outputs: {} }, "answer.outputs: it must be an array"],
    [{ outputs: [null] }, "answer.outputs[0]: it must be an object"],
    [{ timings: {} }, "answer.timings.fetchMs: it must be a number"],
    [{ timings: { ...DONE.timings, runMs: -1 } }, "answer.timings.runMs"],
    [{ usage: undefined }, "answer.usage: it must be an object"],
    [{ usage: { ...DONE.usage, userMs: "1" } }, "answer.usage.userMs"],
    [{ proof: null }, "answer.proof: it must be an object"],
    [{ cold: 1 }, "answer.cold: it must be true or false"],
  ];
  for (const [change, message] of cases) {
    assertThrows(() => readWith(change), FormatError, message);
  }
  assertThrows(() => answerFromJson(null, ROOTED), FormatError, "answer: it must be an object");
  assertThrows(() => answerFromJson("x", ROOTED), FormatError, "answer: it must be an object");
});

Deno.test("answerFromJson() refuses outputs that were not wanted or climb out", () => {
  const file = { kind: "file", mode: 0o644, content: { raw: "" } };
  const cases: readonly (readonly [Asked, string, string])[] = [
    [ROOTED, "/p/b.o", '"/p/b.o" was not wanted'],
    [ROOTED, "/p/outer", "was not wanted"],
    [ROOTED, "/etc/passwd", "was not wanted"],
    [ROOTED, "/p/out/../../etc/passwd", "has the component"],
    [ROOTED, "/p/out//x", "has the component"],
    [ROOTED, "p/out/x", "must be absolute"],
    [ROOTED, "/", "was not wanted"],
    [PLAIN, "../x", "has the component"],
    [PLAIN, "a/../../x", "has the component"],
    [PLAIN, "/etc/passwd", "must be relative"],
    [{ wanted: [] }, "a", "was not wanted"],
  ];
  for (const [asked, path, message] of cases) {
    assertThrows(() => readWith({ outputs: [{ ...file, path }] }, asked), FormatError, message);
    assertThrows(() => readWith({ outputs: [], removed: [path] }, asked), FormatError, message);
  }
});

Deno.test("answerFromJson() refuses an output that a link among the outputs would lead astray", () => {
  const link = { kind: "link", path: "a/b", target: "/etc" };
  const below = { kind: "file", path: "a/b/passwd", mode: 0o644, content: { raw: "" } };
  const beside = { ...below, path: "a/bc" };
  for (const outputs of [[link, below], [below, link], [beside, below, link]]) {
    assertThrows(() => readWith({ outputs }, PLAIN), FormatError, '"a/b/passwd" lies below a link');
  }
  const folder = { kind: "folder", path: "a/b/c", mode: 0o755 };
  assertThrows(
    () => readWith({ outputs: [link, folder] }, PLAIN),
    FormatError,
    "lies below a link",
  );
  const other = { kind: "link", path: "a/b/c", target: "x" };
  assertThrows(() => readWith({ outputs: [link, other] }, PLAIN), FormatError, "lies below a link");
  const answer = readWith({ outputs: [link, beside] }, PLAIN);
  assertEquals(answer.kind === "done" && answer.outputs.length, 2);
});

Deno.test("answerFromJson() throws nothing but FormatError, however an answer is damaged", () => {
  let refused = 0;
  for (const damaged of mutations(jsonOf(DONE), 4_000)) {
    try {
      const answer = answerFromJson(damaged, ROOTED);
      if (answer.kind !== "done") continue;
      for (const { path } of answer.outputs) assert(/^\/p\/(?:a\.o|out)(?:\/|$)/.test(path), path);
      assertEquals(answerFromJson(jsonOf(answer), ROOTED), answer);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      refused++;
    }
  }
  assert(refused > 1_000);
});
