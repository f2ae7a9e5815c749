import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "./errors.ts";
import {
  decodeManifest,
  encodeManifest,
  type Input,
  inputFromJson,
  inputToJson,
  type Manifest,
} from "./manifest.ts";
import { mutations } from "./mutations_fixture.ts";

const DIGEST = "cd".repeat(32);

const INPUTS: readonly Input[] = [
  {
    kind: "file",
    path: "/usr/bin/gcc",
    mode: 0o4755,
    mtimeMs: -5,
    content: { digest: DIGEST, size: 7 },
  },
  { kind: "file", path: "/p/é b.c", mode: 0o644, content: { bytes: new Uint8Array([1, 2]) } },
  { kind: "link", path: "/lib64", target: "../../usr/lib64" },
  { kind: "folder", path: "/p/empty", mode: 0o700 },
];

const MANIFEST: Manifest = { packs: [DIGEST], inputs: INPUTS };

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

Deno.test("a manifest comes out as it went in, in the same bytes each time", () => {
  const bytes = encodeManifest(MANIFEST);
  assertEquals(decodeManifest(bytes, "it"), MANIFEST);
  assertEquals(encodeManifest(decodeManifest(bytes, "it")), bytes);
});

Deno.test("decodeManifest() says what is wrong", () => {
  const valid = JSON.parse(new TextDecoder().decode(encodeManifest(MANIFEST)));
  const cases: readonly (readonly [unknown, string])[] = [
    [[], "Cannot read it: it must be an object"],
    [{ ...valid, version: 2 }, "it.version: it must be a whole number from 1 to 1"],
    [{ ...valid, version: undefined }, "it.version"],
    [{ ...valid, packs: undefined }, "it.packs: it must be an array"],
    [{ ...valid, packs: ["x"] }, "it.packs: it must be 64"],
    [{ ...valid, inputs: {} }, "it.inputs: it must be an array"],
    [{ ...valid, inputs: [...valid.inputs, 7] }, "it.inputs[4]: it must be an object"],
    [
      { ...valid, inputs: [{ kind: "folder", path: "p", mode: 0o755 }] },
      'it.inputs[0].path: the path "p" must be absolute',
    ],
  ];
  for (const [value, message] of cases) {
    assertThrows(() => decodeManifest(encode(value), "it"), FormatError, message);
  }
  assertThrows(() => decodeManifest(new Uint8Array(), "it"), FormatError, "it is not JSON");
  const relative = encode({ ...valid, inputs: [{ kind: "folder", path: "p", mode: 0o755 }] });
  assertEquals(decodeManifest(relative, "it", false).inputs.length, 1);
  const absolute = () => decodeManifest(encodeManifest(MANIFEST), "it", false);
  assertThrows(
    absolute,
    FormatError,
    'it.inputs[0].path: the path "/usr/bin/gcc" must be relative',
  );
  const notUtf8 = encodeManifest(MANIFEST);
  notUtf8[notUtf8.indexOf(0xc3)] = 0xff;
  assertThrows(() => decodeManifest(notUtf8, "it"), FormatError, "it is not JSON");
});

Deno.test("inputFromJson() says what is wrong with an input", () => {
  const file = { kind: "file", path: "a", mode: 0o644, content: { raw: "" } };
  const cases: readonly (readonly [unknown, string])[] = [
    [{ ...file, kind: "socket" }, 'it.kind: it must be "file", "link" or "folder"'],
    [{ ...file, path: "/a" }, "it.path: the path"],
    [{ ...file, path: "a/../../b" }, "it.path: the path"],
    [{ ...file, mode: 0o10000 }, "it.mode: it must be a whole number from 0 to 4095"],
    [{ ...file, mode: -1 }, "it.mode"],
    [{ ...file, mode: "644" }, "it.mode"],
    [{ ...file, content: undefined }, "it.content: it must be an object"],
    [{ ...file, mtimeMs: 0.5 }, "it.mtimeMs"],
    [{ ...file, mtimeMs: null }, "it.mtimeMs"],
    [{ kind: "link", path: "a" }, "it.target: it must be a string"],
    [{ kind: "link", path: "a", target: "b\0c" }, "it.target: it must not hold a NUL"],
    [{ kind: "folder", path: "a" }, "it.mode"],
  ];
  for (const [value, message] of cases) {
    assertThrows(() => inputFromJson(value, "it", false), FormatError, message);
  }
});

Deno.test("inputFromJson() takes over only what belongs to an input", () => {
  assertEquals(
    inputFromJson({ kind: "link", path: "a", target: "b", mode: 1, more: [] }, "it", false),
    { kind: "link", path: "a", target: "b" },
  );
});

Deno.test("decodeManifest() throws nothing but FormatError, however a manifest is damaged", () => {
  const json = { version: 1, packs: [DIGEST], inputs: INPUTS.map(inputToJson) };
  let refused = 0;
  for (const damaged of mutations(json, 2_000)) {
    try {
      const { inputs } = decodeManifest(encode(damaged ?? null), "it");
      for (const { path } of inputs) {
        assertEquals(/^\/(?!.*(?:^|\/)\.\.?(?:\/|$))/.test(path), true);
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      refused++;
    }
  }
  assertEquals(refused > 500, true);
});
