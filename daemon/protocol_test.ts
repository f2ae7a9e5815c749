import { assert, assertEquals, assertThrows } from "@std/assert";
import { FormatError, LlamaError } from "../job/errors.ts";
import { createFields, frameHeaderBytes } from "./frame.ts";
import {
  type Answer,
  type CompileCall,
  decodeAnswer,
  decodeCompile,
  decodeControl,
  encodeAnswer,
  encodeCompile,
  encodeControl,
} from "./protocol.ts";

const payloadOf = (frame: Uint8Array) => frame.slice(frameHeaderBytes);
const bytesOf = (text: string) => new TextEncoder().encode(text);

const call: CompileCall = {
  umask: 0o027,
  stderrIsTerminal: true,
  stdoutIsTerminal: false,
  stdinColumns: 65535,
  argv: ["llamac++", "-c", "é.cc", ""],
  cwd: "/home/u",
  environment: ["A=1", "B=x=y", "A=2", "EMPTY=", "no sign", "__proto__=p"],
};

Deno.test("decodeCompile() takes what encodeCompile() put", () => {
  const frame = encodeCompile(call);
  assertEquals(frame[0], 1);
  const request = decodeCompile(payloadOf(frame));
  assertEquals(request.umask, 0o027);
  assertEquals([request.stderrIsTerminal, request.stdoutIsTerminal], [true, false]);
  assertEquals(request.stdinColumns, 65535);
  assertEquals(request.argv, ["llamac++", "-c", "é.cc", ""]);
  assertEquals(request.cwd, "/home/u");
  assertEquals(Object.entries(request.env), [
    ["A", "1"],
    ["B", "x=y"],
    ["EMPTY", ""],
    ["__proto__", "p"],
  ]);
  assertEquals([request.notUtf8, request.notUtf8Env.size], [false, 0]);
});

Deno.test("decodeCompile() lays bytes out as the protocol says", () => {
  const fields = createFields();
  fields.u32(1);
  fields.u32(0o22);
  fields.u32(2 | 40_000 << 16);
  fields.list(["cc"]);
  fields.text("/");
  fields.list([]);
  const request = decodeCompile(fields.finish());
  assertEquals([request.stderrIsTerminal, request.stdoutIsTerminal], [false, true]);
  assertEquals(request.stdinColumns, 40_000);
  assertEquals(
    [...encodeCompile({
      umask: 0o22,
      stderrIsTerminal: false,
      stdoutIsTerminal: true,
      stdinColumns: 40_000,
      argv: ["cc"],
      cwd: "/",
      environment: [],
    })],
    // deno-fmt-ignore
    [
      1, 0, 0, 0, 31, 0, 0, 0,
      1, 0, 0, 0, 18, 0, 0, 0, 2, 0, 0x40, 0x9c,
      1, 0, 0, 0, 2, 0, 0, 0, 99, 99,
      1, 0, 0, 0, 47,
      0, 0, 0, 0,
    ],
  );
});

Deno.test("decodeCompile() says why only the client's own process can run a command", () => {
  const reasonOf = (change: Partial<CompileCall>) =>
    decodeCompile(payloadOf(encodeCompile({ ...call, ...change }))).clientReason;
  assertEquals(reasonOf({}), undefined);
  assertEquals(reasonOf({ fileSizeIsLimited: true }), "file-size-limit");
  assertEquals(reasonOf({ outputIsBroken: true }), "broken-output");
  assertEquals(reasonOf({ umask: 0o277 }), "umask");
  assertEquals(reasonOf({ cwd: "" }), "no-working-folder");
  assertThrows(() => reasonOf({ cwd: "relative" }), FormatError);
});

Deno.test("decodeCompile() marks what is not UTF-8 and keeps its bytes", () => {
  const bad = new Uint8Array([97, 0xff, 98]);
  const inArgv = decodeCompile(payloadOf(encodeCompile({ ...call, argv: ["cc", bad] })));
  assert(inArgv.notUtf8);
  assertEquals(inArgv.argv, ["cc", "a\ufffdb"]);
  assertEquals([...inArgv.rawArgv[1] ?? []], [...bad]);
  assert(
    decodeCompile(payloadOf(encodeCompile({ ...call, cwd: new Uint8Array([47, 0xff]) }))).notUtf8,
  );
  const environment = ["A=1", new Uint8Array([...bytesOf("B="), 0xff])];
  const inEnv = decodeCompile(payloadOf(encodeCompile({ ...call, environment })));
  assert(!inEnv.notUtf8);
  assertEquals([...inEnv.notUtf8Env], ["B"]);
});

Deno.test("decodeCompile() keeps a byte order mark, which is part of an argument", () => {
  assertEquals(
    decodeCompile(payloadOf(encodeCompile({ ...call, argv: ["\ufeffx"] }))).argv,
    ["\ufeffx"],
  );
});

Deno.test("decodeCompile() refuses a request that is cut, too long or empty", () => {
  const payload = payloadOf(encodeCompile(call));
  for (let length = 0; length < payload.length; length++) {
    assertThrows(() => decodeCompile(payload.slice(0, length)), FormatError);
  }
  assertThrows(() => decodeCompile(new Uint8Array([...payload, 0])), FormatError, "follow");
  assertThrows(
    () => decodeCompile(payloadOf(encodeCompile({ ...call, argv: [] }))),
    FormatError,
    "no argument",
  );
  assertThrows(
    () => decodeCompile(payloadOf(encodeCompile({ ...call, cwd: "a" }))),
    FormatError,
    "not absolute",
  );
});

Deno.test("a request of another version is refused before its fields are read", () => {
  for (const decode of [decodeCompile, decodeControl]) {
    const error = assertThrows(
      () => decode(new Uint8Array([2, 0, 0, 0, 9])),
      LlamaError,
      "speaks version 2",
    );
    assert(error.hint?.includes("llama daemon -shutdown"));
  }
});

Deno.test("decodeControl() takes what encodeControl() put", () => {
  assertEquals(decodeControl(payloadOf(encodeControl({ ping: "é" }))), { ping: "é" });
  const fields = createFields();
  fields.u32(1);
  fields.text("{");
  assertThrows(() => decodeControl(fields.finish()), FormatError, "not JSON");
});

Deno.test("decodeAnswer() takes what encodeAnswer() put", () => {
  const answers: Answer[] = [
    { type: "stdout", bytes: new Uint8Array([0, 255]) },
    { type: "stderr", bytes: new Uint8Array() },
    { type: "exit", status: 255 },
    { type: "signal", signal: 9 },
    {
      type: "exec",
      command: { program: "/p", argv: ["p", new Uint8Array([255])], changes: ["A=1", "B"] },
    },
    { type: "json", text: '{"a":1}' },
    { type: "error", message: "é" },
  ];
  const kinds = [];
  for (const answer of answers) {
    const frame = encodeAnswer(answer);
    kinds.push(frame[0]);
    assertEquals(decodeAnswer({ kind: frame[0] ?? 0, payload: payloadOf(frame) }), answer);
  }
  assertEquals(kinds, [16, 17, 18, 19, 20, 21, 22]);
  assertThrows(() => decodeAnswer({ kind: 99, payload: new Uint8Array() }), FormatError, "99");
  assertThrows(() => decodeAnswer({ kind: 18, payload: new Uint8Array(5) }), FormatError);
});

Deno.test("an error answer is one line", () => {
  const frame = encodeAnswer({ type: "error", message: "a\n  b\nc" });
  assertEquals(new TextDecoder().decode(payloadOf(frame)), "a b c");
});
