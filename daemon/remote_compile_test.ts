import { openUnitMemory } from "./unit_memory.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { AwsError } from "../aws/error.ts";
import { readCommandLine } from "../cc/command_line.ts";
import { decide } from "../cc/decision.ts";
import { createFileDigests } from "../cc/digests.ts";
import { createFolders } from "../cc/folders.ts";
import { createGuesser } from "../cc/guess.ts";
import { createPlaces } from "../cc/places.ts";
import { recordedProcesses } from "../cc/recorded_processes_fixture.ts";
import { readSettings } from "../cc/settings.ts";
import { isInline } from "../job/content.ts";
import { digestOf } from "../job/digest.ts";
import { encodeManifest, type FileInput } from "../job/manifest.ts";
import { LlamaError } from "../job/errors.ts";
import type { Proof } from "../job/proof.ts";
import type { JobResult } from "../job/result.ts";
import type { JobSpec } from "../job/spec.ts";
import { doneWith, fakeFunction, type FakeReply, memoryStore } from "./fake_function_fixture.ts";
import { realFiles } from "./real_files.ts";
import { createRemoteCompiler } from "./remote_compile.ts";
import { type RemoteRequest, StaysHere } from "./remote_request.ts";
import { createSlots } from "./slots.ts";
import { createStats } from "./stats.ts";
import type { ReadyToolchain } from "./toolchains.ts";
import { openUploads } from "./uploads.ts";

const SEARCH = `#include "..." search starts here:
#include <...> search starts here:
End of search list.
`;
const PROOF: Proof = { opened: [], listed: [], absent: [], blind: [] };

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

type Answer = (spec: JobSpec, round: number) => FakeReply | Promise<FakeReply>;

interface CompileOptions {
  readonly env?: Record<string, string>;
  readonly umask?: number;
  readonly stderrIsTerminal?: boolean;
  readonly stdinColumns?: number;
}

/** A project in a folder of its own, and a compiler whose function answers as it is told. */
interface Bench {
  /** Working folder of the compilations. */
  readonly cwd: string;
  readonly jobs: readonly JobSpec[];
  readonly stats: ReturnType<typeof createStats>["current"];
  readonly store: ReturnType<typeof memoryStore>;
  readonly dropped: readonly unknown[];
  readonly checked: readonly unknown[];
  answer: Answer;
  write(name: string, text: string): Promise<void>;
  compile(
    command: string,
    options?: CompileOptions,
  ): Promise<{ stdout: string; stderr: string; code: number }>;
  /** Files in the working folder by name, those of LLAMA_DIR left out. */
  files(): Promise<Record<string, string>>;
}

async function withBench(test: (bench: Bench) => Promise<void>): Promise<void> {
  const top = await Deno.realPath(await Deno.makeTempDir());
  const cwd = `${top}/p`;
  await Deno.mkdir(cwd);
  const stats = createStats();
  const store = memoryStore();
  const dropped: unknown[] = [];
  const checked: unknown[] = [];
  const folders = createFolders(realFiles);
  const fake = fakeFunction((spec, nth) => bench.answer(spec, nth));
  const uploads = await openUploads(store, `${top}/cache`);
  const shim = bytesOf("shim");
  const manifestBytes = encodeManifest({ packs: [], inputs: [] });
  const toolchain: ReadyToolchain = {
    driver: "/usr/bin/cc",
    manifest: await digestOf(manifestBytes),
    manifestBytes,
    shim: "/.llama/path_shim.so",
    libraryPath: ["/lib"],
    states: new Map(),
    inputs: new Map(),
    folders: new Set(),
    extras: new Set(),
  };
  const compiler = createRemoteCompiler({
    memory: await openUnitMemory(undefined),
    files: realFiles,
    processes: recordedProcesses(() => ({ code: 0, stdout: "", stderr: SEARCH })),
    folders,
    places: createPlaces(realFiles, folders),
    digests: createFileDigests(realFiles),
    guesser: createGuesser(realFiles, folders),
    toolchains: {
      ready: () => undefined,
      prepare: () => Promise.resolve(toolchain),
      check: (one) => {
        checked.push(one);
      },
      learn: ({ extras }, paths) => {
        for (const path of paths) extras.add(path);
        return Promise.resolve();
      },
      read: (digest) => digest === toolchain.manifest ? manifestBytes : shim,
    },
    images: {
      isImage: () => Promise.resolve(false),
      difference: () => Promise.resolve(undefined),
      refuse: (_, reason) => new LlamaError("ImageWithoutShim", reason),
    },
    slots: createSlots(1),
    stats,
    locales: () => Promise.resolve(new Set(["C.utf8"])),
    openSession: () =>
      Promise.resolve({
        account: fake.client.account,
        client: fake.client,
        store,
        uploads,
        functionName: "llama",
        config: {
          cloud: "aws",
          region: "eu-west-1",
          store: store.url,
          functionName: "llama",
          stack: "llama",
          role: "",
        },
      }),
    dropSession: (env) => {
      dropped.push(env);
    },
  });
  const bench: Bench = {
    cwd,
    jobs: fake.jobs,
    stats: stats.current,
    store,
    dropped,
    checked,
    answer: ({ wanted: [output] }) => made({ [output?.path ?? ""]: "object" }),
    write: (name, text) => Deno.writeTextFile(`${cwd}/${name}`, text),
    compile: async (command, options = {}) => {
      const { stdout, stderr, code } = await compiler.compile(requestOf(command, cwd, options));
      return { stdout: textOf(stdout), stderr: textOf(stderr), code };
    },
    files: async () => {
      const found: Record<string, string> = {};
      for await (const { name, isFile } of Deno.readDir(cwd)) {
        if (isFile) found[name] = await Deno.readTextFile(`${cwd}/${name}`);
      }
      return found;
    },
  };
  try {
    await test(bench);
  } finally {
    await Deno.remove(top, { recursive: true });
  }
}

function requestOf(command: string, cwd: string, options: CompileOptions): RemoteRequest {
  const args = command.split(" ");
  const env = { PATH: "/usr/bin", ...options.env };
  const line = readCommandLine(args);
  const decision = decide(line, { cxx: false, remoteAssemble: false });
  assert(decision.kind === "remote", `"${command}" is local`);
  const [compilation] = decision.compilations;
  assert(compilation);
  return {
    request: {
      umask: options.umask ?? 0o22,
      stderrIsTerminal: options.stderrIsTerminal ?? false,
      stdoutIsTerminal: false,
      stdinColumns: options.stdinColumns ?? 0,
      argv: ["llamacc", ...args],
      rawArgv: [],
      cwd,
      env,
      notUtf8: false,
      notUtf8Env: new Set(),
    },
    settings: readSettings(env),
    driver: "/usr/bin/cc",
    name: "cc",
    family: "gcc",
    args,
    line,
    compilation,
    signal: new AbortController().signal,
  };
}

/** The answer of a compiler that made `outputs` and saw what `proof` says. */
function made(
  outputs: Readonly<Record<string, string>>,
  proof: Partial<Proof> = {},
  change: Partial<JobResult> = {},
  mode = 0o600,
): JobResult {
  return doneWith({
    outputs: Object.entries(outputs).map(([path, text]) => ({
      kind: "file",
      path,
      mode,
      content: { bytes: bytesOf(text) },
    })),
    proof: { ...PROOF, ...proof },
    ...change,
  });
}

const FAILED: Partial<JobResult> = { status: { kind: "exit", code: 1 } };

function pathsOf(spec: JobSpec | undefined, below: string): string[] {
  return (spec?.inputs ?? []).map(({ path }) => path).filter((path) => path.startsWith(below))
    .map((path) => path.slice(below.length)).toSorted();
}

Deno.test("compile() sends the command verbatim with the closure of its source", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", '#include "a.h"\nint a;\n');
    await bench.write("a.h", '#include "b.h"\n');
    await bench.write("b.h", "");
    await bench.write("unused.h", "");
    bench.answer = () =>
      made({ [`${cwd}/a.o`]: "object" }, { opened: [`${cwd}/a.c`], absent: [`${cwd}/c.h`] }, {
        stdout: { bytes: bytesOf("said") },
        stderr: { bytes: bytesOf("warned") },
        cold: true,
      });
    const env = { LANG: "C.UTF-8", SECRET: "x", SOURCE_DATE_EPOCH: "1" };
    assertEquals(await bench.compile("-O2 -c a.c", { env }), {
      stdout: "said",
      stderr: "warned",
      code: 0,
    });
    const [spec] = bench.jobs;
    assert(spec);
    assertEquals([spec.args, spec.program, spec.cwd], [
      ["cc", "-O2", "-c", "a.c"],
      "/usr/bin/cc",
      cwd,
    ]);
    assertEquals(
      [spec.env.PATH, spec.env.PWD, spec.env.SOURCE_DATE_EPOCH, spec.env.SECRET],
      ["/usr/bin", cwd, "1", undefined],
    );
    assertEquals(spec.rooted, { shim: "/.llama/path_shim.so", libraryPath: ["/lib"] });
    assertEquals(spec.wanted, [{ match: "exact", path: `${cwd}/a.o` }]);
    assertEquals(pathsOf(spec, `${cwd}/`), ["a.c", "a.h", "b.h"]);
    assertEquals(pathsOf(spec, cwd)[0], "");
    const source = spec.inputs.find(({ path }) => path === `${cwd}/a.c`);
    assert(source?.kind === "file" && isInline(source.content));
    assertEquals(textOf(source.content.bytes), '#include "a.h"\nint a;\n');
    assertEquals((await bench.files())["a.o"], "object");
    const { remote, rounds, invocations, coldStarts, outputBytes, voids } = bench.stats;
    assertEquals([remote, rounds, invocations, coldStarts, outputBytes], [1, 1, 1, 1, 6]);
    assertEquals(voids, {});
  }));

Deno.test("compile() counts which inputs a compiler read, however it spells them", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await Deno.mkdir(`${cwd}/in`);
    await bench.write("a.c", '#include "a.h"\n#ifdef X\n#else\n#include "b.h"\n#endif\n');
    await bench.write("a.h", "");
    await bench.write("b.h", "");
    const opened = ["a.c", "in/../a.h", "in/.././a.h", "in"];
    bench.answer = () =>
      made({ [`${cwd}/a.o`]: "" }, { opened: opened.map((name) => `${cwd}/${name}`) });
    await bench.compile("-c -Iin a.c");
    const { inputs, inputsUsed } = bench.stats;
    const predefined = (await Deno.stat("/usr/include/stdc-predef.h")).isFile ? 1 : 0;
    assertEquals([inputs - predefined, inputsUsed], [3, 2]);
  }));

Deno.test("compile() writes with the client's umask, not with the worker's mode", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "");
    bench.answer = () => made({ [`${bench.cwd}/a.o`]: "o" });
    await bench.compile("-c a.c", { umask: 0o27 });
    assertEquals((Deno.statSync(`${bench.cwd}/a.o`).mode ?? 0) & 0o777, 0o640);
  }));

Deno.test("compile() does to an output that is there what the compiler did to its stand-in", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "");
    const once = async (answer: (standIn: FileInput) => JobResult) => {
      await Deno.remove(`${cwd}/a.o`).catch(() => "absent");
      await bench.write("a.o", "old");
      await Deno.chmod(`${cwd}/a.o`, 0o640);
      await Deno.link(`${cwd}/a.o`, `${cwd}/other`);
      bench.answer = ({ inputs }) => {
        const standIn = inputs.find(({ path }) => path === `${cwd}/a.o`);
        assert(standIn?.kind === "file");
        return answer(standIn);
      };
      await bench.compile("-c a.c");
      const { "a.o": object, other } = await bench.files();
      const mode = object === undefined ? 0 : (Deno.statSync(`${cwd}/a.o`).mode ?? 0) & 0o777;
      await Deno.remove(`${cwd}/other`);
      return [object, other, mode];
    };
    const output = { [`${cwd}/a.o`]: "new" };
    assertEquals(await once(() => made({}, {}, FAILED)), ["old", "old", 0o640]);
    assertEquals(await once(() => made(output, {}, {}, 0o666)), ["new", "old", 0o644]);
    assertEquals(await once(({ mode }) => made(output, {}, {}, mode)), ["new", "new", 0o640]);
    assertEquals(await once(() => made({}, {}, { ...FAILED, removed: [`${cwd}/a.o`] })), [
      undefined,
      "old",
      0,
    ]);
    // What the stand-in held is in no output.
    const appended = ({ mode, content }: FileInput) => {
      assert(isInline(content));
      return made({ [`${cwd}/a.o`]: `${textOf(content.bytes)}more` }, {}, {}, mode);
    };
    await assertRejects(() => once(appended), StaysHere);
    assertEquals((await bench.files())["a.o"], "old");
  }));

Deno.test("compile() leaves it to the local compiler to say why an output cannot be written", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "");
    await Deno.mkdir(`${cwd}/d`);
    bench.answer = async () => {
      await Deno.remove(`${cwd}/d`);
      return made({ [`${cwd}/d/a.o`]: "new" });
    };
    const error = await assertRejects(() => bench.compile("-c a.c -o d/a.o"), StaysHere);
    assertEquals(error.code, "unwritable-output");
  }));

Deno.test("compile() follows a link to an output as far as the compiler did", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "");
    await Deno.mkdir(`${cwd}/d`);
    await Deno.symlink("d/real", `${cwd}/a.o`);
    bench.answer = () => made({ [`${cwd}/d/real`]: "new" });
    await bench.compile("-c a.c");
    assertEquals(await Deno.readTextFile(`${cwd}/a.o`), "new");
    assertEquals(pathsOf(bench.jobs[0], `${cwd}/`), ["a.c", "a.o", "d"]);
    await bench.compile("-c a.c");
    assertEquals(pathsOf(bench.jobs[1], `${cwd}/`), ["a.c", "a.o", "d", "d/real"]);
    bench.answer = () => made({ [`${cwd}/a.o`]: "newer" });
    await bench.compile("-c a.c");
    assertEquals(await Deno.readTextFile(`${cwd}/d/real`), "new");
    assertEquals(Deno.lstatSync(`${cwd}/a.o`).isFile, true);
  }));

Deno.test("compile() writes dumps that were asked for, and nothing else that begins so", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "");
    await bench.write("a.c.005t.original", "old");
    await bench.write("a.c.h", "header");
    bench.answer = () => made({ [`${cwd}/a.o`]: "o", [`${cwd}/a.c.006t.gimple`]: "dump" });
    await bench.compile("-c -fdump-tree-all a.c");
    assertEquals((await bench.files())["a.c.006t.gimple"], "dump");
    const [spec] = bench.jobs;
    assertEquals(spec?.wanted, [
      { match: "exact", path: `${cwd}/a.o` },
      { match: "prefix", path: `${cwd}/a.c.` },
    ]);
    assertEquals(pathsOf(spec, `${cwd}/`), ["a.c", "a.c.005t.original"]);
    const object = { [`${cwd}/a.o`]: "object" };
    for (const name of ["a.c.h", "a.c.sh", "a.c.006t.x/y"]) {
      bench.answer = () => made({ ...object, [`${cwd}/${name}`]: "evil" });
      await assertRejects(() => bench.compile("-c -fdump-tree-all a.c"), LlamaError);
    }
    await bench.write("a.c", '#include "a.c.005t.original"\n');
    bench.answer = () => made({ ...object, [`${cwd}/a.c.005t.original`]: "evil" });
    await assertRejects(() => bench.compile("-c -fdump-tree-all a.c"), StaysHere);
    bench.answer = () =>
      made({}, {}, { ...FAILED, removed: [`${cwd}/a.c.h`, `${cwd}/a.c.005t.original`] });
    await bench.compile("-c -fdump-tree-all a.c");
    const files = await bench.files();
    assertEquals([files["a.c.h"], files["a.c.005t.original"]], ["header", "old"]);
    for (
      const output of [
        { kind: "link", path: `${cwd}/a.c.006t.gimple`, target: "/etc/passwd" },
        { kind: "folder", path: `${cwd}/a.o`, mode: 0o755 },
      ] as const
    ) {
      bench.answer = () => doneWith({ ...FAILED, outputs: [output], proof: PROOF });
      const error = await assertRejects(
        () => bench.compile("-c -fdump-tree-all a.c"),
        LlamaError,
      );
      assertEquals(error.code, "BadOutput");
    }
  }));

Deno.test("compile() runs nothing that would write over an input", () =>
  withBench(async (bench) => {
    await bench.write("a.c", '#include "a.h"\n');
    await bench.write("a.h", "");
    for (const command of ["-c -MD -MF a.h a.c", "-c a.c -o a.h", "-c -aux-info a.h a.c"]) {
      const error = await assertRejects(() => bench.compile(command), StaysHere);
      assertEquals(error.code, "output-is-input");
    }
    assertEquals(bench.jobs.length, 0);
  }));

Deno.test("compile() never writes a void result, and goes again with what was missing", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "#include COMPUTED\n");
    await bench.write("seen.h", '#include "below.h"\n');
    await bench.write("below.h", "");
    bench.answer = async (_, round) => {
      assertEquals((await bench.files())["a.o"], undefined);
      return round === 1
        ? made({ [`${cwd}/a.o`]: "void" }, { absent: [`${cwd}/seen.h`, `${cwd}/none.h`] })
        : made({ [`${cwd}/a.o`]: "right" });
    };
    await bench.compile("-c a.c");
    assertEquals((await bench.files())["a.o"], "right");
    assertEquals(bench.jobs.map((job) => pathsOf(job, `${cwd}/`)), [
      ["a.c"],
      ["a.c", "below.h", "seen.h"],
    ]);
    assertEquals([bench.stats.rounds, bench.stats.voids], [2, { incomplete: 1 }]);
  }));

Deno.test("compile() remembers what a unit was missing", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "#include COMPUTED\n");
    await bench.write("seen.h", "");
    bench.answer = (spec) =>
      made({ [`${cwd}/a.o`]: "object" }, {
        absent: pathsOf(spec, `${cwd}/seen`).length > 0 ? [] : [`${cwd}/seen.h`],
      });
    await bench.compile("-c a.c");
    await bench.compile("-c a.c");
    assertEquals([bench.jobs.length, bench.stats.remote], [3, 2]);
    // What a macro computes for one command is guessed for another.
    await bench.compile("-O2 -c a.c");
    assertEquals(bench.jobs.length, 4);
  }));

Deno.test("compile() gives up after three rounds, with nothing written", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "");
    for (let at = 1; at <= 6; at++) await bench.write(`h${at}`, "");
    bench.answer = (_, round) =>
      made({ [`${cwd}/a.o`]: "void" }, { absent: round > 6 ? [] : [`${cwd}/h${round}`] });
    const error = await assertRejects(() => bench.compile("-c a.c"), LlamaError, "in 3 rounds");
    assertEquals([error.code, bench.jobs.length], ["TooManyRounds", 3]);
    assertEquals((await bench.files())["a.o"], undefined);
    assertEquals([bench.stats.remote, bench.stats.voids], [0, { incomplete: 3 }]);
  }));

Deno.test("compile() has no limit of rounds where the guess is switched off", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", '#include "h1"\n');
    for (let at = 1; at <= 6; at++) await bench.write(`h${at}`, "");
    bench.answer = (_, round) =>
      made({ [`${cwd}/a.o`]: `${round}` }, { absent: round > 6 ? [] : [`${cwd}/h${round}`] });
    await bench.compile("-c a.c", { env: { LLAMACC_TEST_NO_GUESS: "1" } });
    assertEquals((await bench.files())["a.o"], "7");
    assertEquals(pathsOf(bench.jobs[0], `${cwd}/`), ["a.c"]);
  }));

Deno.test("compile() goes again when a file changed while the job ran", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", '#include "a.h"\n');
    await bench.write("a.h", "old");
    bench.answer = async (_, round) => {
      if (round === 1) await bench.write("a.h", "newer");
      if (round === 2) await bench.write("a.c", '#include "a.h"\n\n');
      const opened = [`${cwd}/a.c`, `${cwd}/a.h`];
      return made({ [`${cwd}/a.o`]: `object ${round}` }, { opened });
    };
    await bench.compile("-c a.c");
    assertEquals((await bench.files())["a.o"], "object 3");
    const sizes = bench.jobs.map(({ inputs }) =>
      inputs.flatMap((input) =>
        input.kind === "file" && input.path.startsWith(cwd)
          ? [isInline(input.content) ? input.content.bytes.length : input.content.size]
          : []
      )
    );
    assertEquals(sizes, [[15, 3], [15, 5], [16, 5]]);
    assertEquals([bench.stats.voids, bench.checked.length], [{ changed: 2 }, 2]);
  }));

Deno.test("compile() sends the file to which a link on the way leads now", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    for (const version of ["v1", "v2"]) {
      await Deno.mkdir(`${cwd}/opt/${version}/inc`, { recursive: true });
      await bench.write(`opt/${version}/inc/x.h`, version);
    }
    await Deno.symlink("v1", `${cwd}/opt/sdk`);
    await bench.write("a.c", '#include "x.h"\n');
    await bench.compile("-Iopt/sdk/inc -c a.c");
    await Deno.remove(`${cwd}/opt/sdk`);
    await Deno.symlink("v2", `${cwd}/opt/sdk`);
    await bench.compile("-Iopt/sdk/inc -c a.c");
    assertEquals(bench.jobs.map((job) => pathsOf(job, `${cwd}/opt/v`)), [
      ["1/inc", "1/inc/x.h"],
      ["2/inc", "2/inc/x.h"],
    ]);
    const links = bench.jobs.map(({ inputs }) =>
      inputs.flatMap((input) => input.kind === "link" ? [input.target] : [])
    );
    assertEquals(links, [["v1"], ["v2"]]);
  }));

Deno.test("compile() does not trust a result that is not proved", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "");
    const outputs = { [`${cwd}/a.o`]: "void" };
    const { proof: _, ...unproved } = made(outputs);
    const cases: readonly (readonly [FakeReply, string])[] = [
      [unproved, "without a proof"],
      [made(outputs, { blind: ["ran a static program"] }), "ran a static program"],
      [made(outputs, { listed: [cwd] }), `it wants "${cwd}/dead"`],
    ];
    await bench.write("not sent", "");
    await Deno.symlink("dead", `${cwd}/dead`);
    for (const [reply, message] of cases) {
      bench.answer = () => reply;
      const error = await assertRejects(() => bench.compile("-c a.c"), LlamaError, message);
      assertEquals(error.code, "Unproved");
    }
    assertEquals(Object.keys(await bench.files()).toSorted(), ["a.c", "not sent"]);
    assertEquals([bench.jobs.length, bench.stats.remote], [4, 0]);
  }));

Deno.test("compile() does not believe a loader that finds no library", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "");
    bench.answer = () => ({
      ...made({}),
      status: { kind: "exit", code: 1 },
      stderr: { bytes: bytesOf("cc1: error: libx.so: cannot open shared object file: No such\n") },
    });
    const error = await assertRejects(() => bench.compile("-c a.c"), LlamaError);
    assertEquals([error.code, error.message], [
      "LibraryMissing",
      'Cannot find the library "libx.so" there',
    ]);
  }));

Deno.test("compile() does not take it for done when the compiler wrote its object elsewhere", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "");
    bench.answer = () => made({});
    const error = await assertRejects(() => bench.compile("-c a.c"), LlamaError);
    assertEquals(error.code, "OutputElsewhere");
  }));

Deno.test("compile() writes no output before all of them are here", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "");
    await bench.write("a.d", "old");
    const lost = { digest: "0".repeat(64), size: 4 };
    const result = made({ [`${cwd}/a.o`]: "object" });
    bench.answer = () => ({
      ...result,
      outputs: [...result.outputs, {
        kind: "file",
        path: `${cwd}/a.d`,
        mode: 0o644,
        content: lost,
      }],
    });
    const error = await assertRejects(() => bench.compile("-MD -c a.c"), LlamaError);
    assertEquals(error.code, "ObjectMissing");
    bench.answer = () => ({ ...made({ [`${cwd}/a.o`]: "object" }), stderr: lost });
    await assertRejects(() => bench.compile("-MD -c a.c"), LlamaError);
    assertEquals(await bench.files(), { "a.c": "", "a.d": "old" });
    // With the bytes in the store both are written.
    const digest = await bench.store.put(bytesOf("rule"));
    bench.answer = () => ({
      ...result,
      outputs: [...result.outputs, {
        kind: "file",
        path: `${cwd}/a.d`,
        mode: 0o644,
        content: { digest, size: 4 },
      }],
    });
    await bench.compile("-MD -c a.c");
    assertEquals(await bench.files(), { "a.c": "", "a.d": "rule", "a.o": "object" });
  }));

Deno.test("compile() gives the compiler's own failure, and writes what it left", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "int");
    bench.answer = () =>
      made({ [`${bench.cwd}/a.d`]: "rule" }, {}, {
        status: { kind: "exit", code: 1 },
        stderr: { bytes: bytesOf("error") },
      });
    const { code, stderr } = await bench.compile("-MD -c a.c");
    assertEquals([code, stderr], [1, "error"]);
    assertEquals(await bench.files(), { "a.c": "int", "a.d": "rule" });
  }));

Deno.test("compile() throws when the compiler was killed", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "");
    bench.answer = () =>
      made({ [`${bench.cwd}/a.o`]: "half" }, {}, { status: { kind: "signal", signal: "SIGKILL" } });
    const error = await assertRejects(() => bench.compile("-c a.c"), LlamaError, "SIGKILL");
    assertEquals([error.code, Object.keys(await bench.files())], ["CompilerKilled", ["a.c"]]);
  }));

Deno.test("compile() runs nothing whose output is a device, a FIFO or in no folder", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "");
    await Deno.symlink("/dev/stdout", `${bench.cwd}/link.o`);
    await Deno.symlink("none/a.o", `${bench.cwd}/lost.o`);
    await new Deno.Command("mkfifo", { args: [`${bench.cwd}/fifo`] }).output();
    for (const output of ["/dev/full", "/dev/stdout", "link.o", "lost.o", "fifo", ".", "d/"]) {
      const error = await assertRejects(() => bench.compile(`-c a.c -o ${output}`), StaysHere);
      assertEquals(error.code, "special-output");
    }
    assertEquals(bench.jobs.length, 0);
    // To write nowhere is the same everywhere.
    bench.answer = () => made({});
    await bench.compile("-c a.c -o /dev/null");
    assertEquals(bench.jobs[0]?.wanted, []);
  }));

Deno.test("compile() takes an output through the links on its way", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "");
    await Deno.mkdir(`${cwd}/real`);
    await Deno.symlink("real", `${cwd}/out`);
    bench.answer = () => made({ [`${cwd}/real/a.o`]: "object" }, { absent: [`${cwd}/out/a.o`] });
    await bench.compile("-c a.c -o out/a.o");
    assertEquals(await Deno.readTextFile(`${cwd}/real/a.o`), "object");
    assertEquals(bench.jobs[0]?.wanted, [{ match: "exact", path: `${cwd}/real/a.o` }]);
    // What an earlier run left does not void the next one.
    await bench.compile("-c a.c -o out/a.o");
    assertEquals(bench.jobs.length, 2);
  }));

Deno.test("compile() tells the compiler of a terminal only where the client has one", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "");
    await bench.compile("-c a.c", { stderrIsTerminal: true, stdinColumns: 132 });
    await bench.compile("-c a.c", { stderrIsTerminal: true });
    await bench.compile("-c a.c", { stdinColumns: 132 });
    assertEquals(bench.jobs.map(({ env }) => env.LLAMA_SHIM_TERMINAL), ["132", "0", undefined]);
    assertEquals(bench.jobs.map(({ args }) => args.join(" ")), Array(3).fill("cc -c a.c"));
  }));

Deno.test("compile() sends the folder for temporary files, and takes what is made there for made", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "");
    await Deno.mkdir(`${bench.cwd}/tmp`);
    const opened = [`${bench.cwd}/tmp/ccXYZ.s`];
    bench.answer = () => made({ [`${bench.cwd}/a.o`]: "object" }, { opened });
    await bench.compile("-c a.c", { env: { TMPDIR: "tmp" } });
    const [job] = bench.jobs;
    assertEquals(job?.env.TMPDIR, "tmp");
    const folders = job?.inputs.filter(({ kind }) => kind === "folder").map(({ path }) => path);
    assert(folders?.includes(`${bench.cwd}/tmp`), `${folders}`);
    await assertRejects(() => bench.compile("-c a.c"), LlamaError, "which was not sent");
  }));

Deno.test("compile() sends a zone file that decides what a time is called", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "");
    const zone = `${bench.cwd}/Zone`;
    // RFC 8536, section 3.2: a header and a data block of version 1, then those of version 2.
    const header = (transitions: number) =>
      "TZif2" + "\0".repeat(15 + 12 + 3) + String.fromCharCode(transitions) + "\0".repeat(8);
    for (const transitions of [0, 1]) {
      await bench.write("Zone", `${header(0)}${header(transitions)}\nJST-9\n`);
      await bench.compile("-c a.c", { env: { TZ: `:${zone}` } });
    }
    assertEquals(
      bench.jobs.map(({ env, inputs }) => [
        env.TZ,
        env.TZDIR,
        inputs.some(({ path }) => path === zone),
      ]),
      [["JST-9", undefined, false], [":Zone", bench.cwd, true]],
    );
  }));

Deno.test("compile() records PWD only where it names the working folder", () =>
  withBench(async (bench) => {
    const { cwd } = bench;
    await bench.write("a.c", "");
    const alias = `${cwd.slice(0, -2)}/alias`;
    await Deno.symlink("p", alias);
    await bench.compile("-c a.c", { env: { PWD: alias } });
    await bench.compile("-c a.c", { env: { PWD: "/tmp" } });
    await bench.compile("-c a.c", { env: { PWD: "p" } });
    assertEquals(bench.jobs.map(({ env }) => env.PWD), [alias, cwd, cwd]);
    const links = bench.jobs[0]?.inputs.filter(({ kind }) => kind === "link");
    assertEquals(links, [{ kind: "link", path: alias, target: "p" }]);
  }));

Deno.test("compile() has the session opened afresh after AWS refused it", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "");
    bench.answer = () => ({ kind: "failed", code: "DiskFull", message: "no room" });
    await assertRejects(() => bench.compile("-c a.c"), LlamaError, "no room");
    assertEquals(bench.dropped, []);
    bench.answer = () =>
      Promise.reject(
        new AwsError({
          service: "lambda",
          operation: "Invoke",
          status: 404,
          awsCode: "ResourceNotFoundException",
          awsMessage: "no function",
        }),
      );
    await assertRejects(() => bench.compile("-c a.c", { env: { A: "1" } }), AwsError);
    assertEquals(bench.dropped, [{ PATH: "/usr/bin", A: "1" }]);
  }));

Deno.test("compile() runs in the function that the build names", () =>
  withBench(async (bench) => {
    await bench.write("a.c", "");
    bench.answer = () => ({ functionError: "Unhandled", payload: '{"errorType":"X"}' });
    const env = { LLAMACC_FUNCTION: "mine" };
    await assertRejects(() => bench.compile("-c a.c", { env }), LlamaError, '"mine"');
    await assertRejects(() => bench.compile("-c a.c"), LlamaError, '"llama"');
  }));
