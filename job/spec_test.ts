import { assert, assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "./errors.ts";
import { asObject, type Json } from "./json.ts";
import { mutations } from "./mutations_fixture.ts";
import { isWanted, type JobSpec, specFromJson, specToJson, type Wanted } from "./spec.ts";

const DIGEST = "ef".repeat(32);
const PACK = "01".repeat(32);

const ROOTED: JobSpec = {
  args: ["gcc", "-c", "", "-DX=é"],
  program: "/usr/bin/gcc",
  env: { PATH: "/usr/bin", EMPTY: "", "odd name": "=x" },
  cwd: "/p",
  stdin: { bytes: new Uint8Array([1]) },
  rooted: { shim: "/.llama/path_shim.so", libraryPath: ["/lib", "/usr/lib"] },
  manifests: [DIGEST],
  picked: { manifest: PACK, bits: new Uint8Array([5, 1]) },
  packs: [PACK],
  inputs: [
    { kind: "folder", path: "/p", mode: 0o755 },
    { kind: "file", path: "/p/a.c", mode: 0o644, content: { digest: DIGEST, size: 3 } },
  ],
  wanted: [{ match: "exact", path: "/p/a.o" }, { match: "prefix", path: "/p/a." }],
  timeoutMs: 1000,
};

const PLAIN: JobSpec = {
  args: ["sort"],
  env: {},
  cwd: "",
  manifests: [],
  packs: [],
  inputs: [{ kind: "link", path: "in", target: "/etc/hosts" }],
  wanted: [{ match: "tree", path: "" }, { match: "tree", path: "out" }],
};

function jsonOf(spec: JobSpec): Json {
  return asObject(JSON.parse(JSON.stringify(specToJson(spec))), "job");
}

Deno.test("a job comes out of JSON as it went in", () => {
  for (const spec of [ROOTED, PLAIN]) assertEquals(specFromJson(jsonOf(spec)), spec);
  const { shim: _, ...unshimmed } = ROOTED.rooted ?? { libraryPath: [] };
  const plainSight = { ...ROOTED, rooted: unshimmed };
  assertEquals(specFromJson(jsonOf(plainSight)), plainSight);
  const inImage: JobSpec = { ...ROOTED, rooted: { shim: "/s.so", libraryPath: [], image: true } };
  assertEquals(specFromJson(jsonOf(inImage)), inImage);
});

Deno.test("a variable called __proto__ is one like any other", () => {
  const json = JSON.parse(JSON.stringify(specToJson(PLAIN)).replace("{}", '{"__proto__":"x"}'));
  const { env } = specFromJson(json);
  assertEquals(Object.entries(env), [["__proto__", "x"]]);
  assertEquals(JSON.stringify(specToJson({ ...PLAIN, env })).includes('{"__proto__":"x"}'), true);
});

Deno.test("specFromJson() says what is wrong with a job", () => {
  const cases: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ version: 1 }, "job.version: it must be a whole number from 2 to 2"],
    [{ version: "1" }, "job.version"],
    [{ args: [] }, "job.args: it must not be empty"],
    [{ args: ["a", 1] }, "job.args[1]: it must be a string"],
    [{ args: ["a\0b"] }, "job.args[0]: it must not hold a NUL"],
    [{ program: "usr/bin/gcc" }, "job.program: the path"],
    [{ program: "/usr/../bin/gcc" }, "job.program: the path"],
    [{ program: null }, "job.program: it must be a string"],
    [{ env: [] }, "job.env: it must be an object"],
    [{ env: { "": "x" } }, 'job.env: the name "" is not allowed'],
    [{ env: { "A=B": "x" } }, 'job.env: the name "A=B" is not allowed'],
    [{ env: { "A\0": "x" } }, "job.env: the name"],
    [{ env: { A: 1 } }, "job.env.A: it must be a string"],
    [{ env: { A: "\0" } }, "job.env.A: it must not hold a NUL"],
    [{ cwd: "" }, "job.cwd: the path"],
    [{ cwd: "p" }, "job.cwd: the path"],
    [{ cwd: "/p/.." }, "job.cwd: the path"],
    [{ stdin: "x" }, "job.stdin: it must be an object"],
    [{ rooted: null }, "job.rooted: it must be an object"],
    [{ rooted: {} }, "job.rooted.libraryPath: it must be an array"],
    [{ rooted: { libraryPath: ["lib"] } }, "job.rooted.libraryPath[0]: the path"],
    [{ rooted: { libraryPath: [], shim: "../x.so" } }, "job.rooted.shim: the path"],
    [{ rooted: { libraryPath: [], image: true } }, "job.rooted.image: it must be true, beside"],
    [{ rooted: { libraryPath: [], shim: "/s", image: 1 } }, "job.rooted.image: it must be true"],
    [{ manifests: ["x"] }, "job.manifests[0]: it must be 64"],
    [{ manifests: undefined }, "job.manifests: it must be an array"],
    [{ packs: [DIGEST, 1] }, "job.packs[1]: it must be 64"],
    [{ inputs: undefined }, "job.inputs: it must be an array"],
    [{ inputs: [{ kind: "link", path: "a", target: "b" }] }, "job.inputs[0].path: the path"],
    [{ wanted: undefined }, "job.wanted: it must be an array"],
    [{ wanted: [{ match: "regex", path: "/p" }] }, "job.wanted[0].match: it must be"],
    [{ wanted: [{ match: "tree", path: "" }] }, "job.wanted[0].path: the path"],
    [{ wanted: [{ match: "exact", path: "/p/../../etc/passwd" }] }, "job.wanted[0].path"],
    [{ stream: false }, "job.stream: it must be true where it is given"],
    [{ keepAs: "../x" }, "job.keepAs: it must be 32 hexadecimal digits"],
    [{ timeoutMs: 0 }, "job.timeoutMs"],
    [{ timeoutMs: 1.5 }, "job.timeoutMs"],
  ];
  for (const [change, message] of cases) {
    assertThrows(() => specFromJson({ ...jsonOf(ROOTED), ...change }), FormatError, message);
  }
});

Deno.test("specFromJson() keeps the two kinds of job apart", () => {
  const cases: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ cwd: "/p" }, "job.cwd: the path"],
    [{ cwd: ".." }, "job.cwd: the path"],
    [{ program: "/bin/sort" }, "job.program: the path"],
    [{ wanted: [{ match: "exact", path: "" }] }, "job.wanted[0].path"],
    [{ wanted: [{ match: "prefix", path: "" }] }, "job.wanted[0].path"],
    [{ inputs: [{ kind: "folder", path: "/p", mode: 0 }] }, "job.inputs[0].path"],
    [{ rooted: { libraryPath: [] } }, "job.cwd: the path"],
  ];
  for (const [change, message] of cases) {
    assertThrows(() => specFromJson({ ...jsonOf(PLAIN), ...change }), FormatError, message);
  }
});

Deno.test("isWanted() compares by whole components", () => {
  const cases: readonly (readonly [Wanted["match"], string, string, boolean])[] = [
    ["exact", "/p/a.o", "/p/a.o", true],
    ["exact", "/p/a.o", "/p/a.od", false],
    ["exact", "/p", "/p/a.o", false],
    ["tree", "/p", "/p", true],
    ["tree", "/p", "/p/a/b", true],
    ["tree", "/p", "/pq", false],
    ["tree", "/", "/etc", true],
    ["tree", "", "a/b", true],
    ["prefix", "/p/a.", "/p/a.dwo", true],
    ["prefix", "/p/a.", "/p/a./b", false],
    ["prefix", "/p/a", "/p/ab/c", false],
    ["prefix", "/p/a", "/q/a", false],
  ];
  for (const [match, wish, path, answer] of cases) {
    assertEquals(isWanted(path, [{ match, path: wish }]), answer, `${match} ${wish} ${path}`);
  }
  assertEquals(isWanted("/p", []), false);
  assertEquals(
    isWanted("/b", [{ match: "exact", path: "/a" }, { match: "exact", path: "/b" }]),
    true,
  );
});

Deno.test("specFromJson() throws nothing but FormatError, however a job is damaged", () => {
  let refused = 0;
  for (const [seed, spec] of [ROOTED, PLAIN].entries()) {
    for (const damaged of mutations(jsonOf(spec), 2_000, seed)) {
      try {
        const read = specFromJson(damaged);
        for (const { path } of [...read.inputs, ...read.wanted]) {
          assertEquals(path.startsWith("/"), read.rooted !== undefined);
          assert(!path.split("/").includes(".."), path);
        }
        // What was read can be sent.
        assertEquals(specFromJson(jsonOf(read)), read);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        refused++;
      }
    }
  }
  assert(refused > 1_000);
});
