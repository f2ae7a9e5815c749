import { assert, assertEquals } from "@std/assert";
import { asArray, asObject, asString } from "../job/json.ts";
import { chooseConfig, projectRoot, realSeams } from "../scripts/config.ts";
import { type Arrow, isTest, violationsOf } from "./import_table.ts";

/** Folders that hold no module of the project. */
const NOT_ROOMS: ReadonlySet<string> = new Set([
  "bin",
  "coverage",
  "lib",
  "node_modules",
  "offline",
]);

Deno.test("no import breaks the table of rooms", async () => {
  const arrows = await readArrows(await listModules());
  // An empty graph would pass as well.
  assert(arrows.some(({ from, to }) => from === "mod.ts" && to === "job/spec.ts"));
  assertEquals(violationsOf(arrows), []);
});

Deno.test("the job room asks nothing of Deno", async () => {
  const modules = (await listModules()).filter((path) => path.startsWith("job/") && !isTest(path));
  assert(modules.length > 5);
  for (const path of modules) {
    const code = (await Deno.readTextFile(new URL(path, projectRoot))).replace(
      /^\s*(\/?\*|\/\/).*$/gm,
      "",
    );
    assert(!/\bDeno\b|\bfetch\(|\bprocess\b/.test(code), `${path} reaches outside`);
  }
});

Deno.test("violationsOf() names each arrow that runs the wrong way", () => {
  const cases: [from: string, to: string, problem: string | undefined][] = [
    ["store/s3_store.ts", "aws/s3.ts", undefined],
    ["aws/s3.ts", "store/s3_store.ts", "the table has no such arrow"],
    ["aws/s3.ts", "job/json.ts", undefined],
    ["aws/s3.ts", "job/spec.ts", "the table has no such arrow"],
    ["cloud/s3.ts", "aws/s3.ts", "the table has no such arrow"],
    ["cloud/s3.ts", "job/errors.ts", undefined],
    ["cloud/s3.ts", "job/digest.ts", "the table has no such arrow"],
    ["cli/cloud.ts", "cloud/serve.ts", undefined],
    ["cli/cloud.ts", "cloud/s3.ts", "the table has no such arrow"],
    ["cli/zip.ts", "runtime/job.ts", "the table has no such arrow"],
    ["cc/scan.ts", "daemon/client.ts", "the table has no such arrow"],
    ["job/spec.ts", "node:zlib", undefined],
    ["job/spec.ts", "node:fs", "job stands alone"],
    ["job/spec.ts", "npm:aws4fetch@1", "job stands alone"],
    ["attic/old.ts", "job/spec.ts", "attic is not in the table"],
    ["daemon/server.ts", "scripts/config.ts", "the table has no such arrow"],
    ["daemon/server.ts", "daemon/server_test.ts", "it is a test"],
    ["daemon/server_test.ts", "cloud/s3.ts", undefined],
    ["tests/build_test.ts", "cli/llama.ts", "nobody imports an executable's module"],
    ["cli/daemon.ts", "cli/llamacc.ts", "nobody imports an executable's module"],
    ["mod.ts", "cli/llama.ts", "nobody imports an executable's module"],
    ["mod.ts", "cli/flags.ts", "the table has no such arrow"],
  ];
  for (const [from, to, problem] of cases) {
    assertEquals(
      violationsOf([{ from, to, kind: "static" }]),
      problem === undefined ? [] : [`${from} imports ${to}: ${problem}`],
    );
  }
  assertEquals(violationsOf([{ from: "mod.ts", to: "cli/llama.ts", kind: "dynamic" }]), []);
});

Deno.test("violationsOf() names a cycle, unless an import() or a type breaks it", () => {
  const circle = (kind: Arrow["kind"]): Arrow[] => [
    { from: "cc/a.ts", to: "cc/b.ts", kind: "static" },
    { from: "cc/b.ts", to: "cc/c.ts", kind: "static" },
    { from: "cc/c.ts", to: "cc/b.ts", kind },
  ];
  assertEquals(violationsOf(circle("static")), ["cc/b.ts -> cc/c.ts -> cc/b.ts: a cycle"]);
  assertEquals(violationsOf(circle("dynamic")), []);
  assertEquals(violationsOf(circle("type")), []);
});

Deno.test("readArrows() sees static, type and dynamic imports", async () => {
  const folder = await Deno.makeTempDir({ dir: new URL("../tests", import.meta.url).pathname });
  try {
    const name = `tests/${folder.split("/").at(-1)}`;
    await Deno.writeTextFile(
      `${folder}/wrong.ts`,
      'import type { JobSpec } from "../../job/spec.ts";\nimport "node:zlib";\n' +
        'export const run = (_: JobSpec) => import("../../job/path.ts");\n',
    );
    const arrows = await readArrows([`${name}/wrong.ts`]);
    assertEquals(arrows.filter(({ from }) => from === `${name}/wrong.ts`), [
      { from: `${name}/wrong.ts`, to: "job/spec.ts", kind: "type" },
      { from: `${name}/wrong.ts`, to: "node:zlib", kind: "static" },
      { from: `${name}/wrong.ts`, to: "job/path.ts", kind: "dynamic" },
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function listModules(): Promise<string[]> {
  const modules = ["mod.ts"];
  const walk = async (folder: string): Promise<void> => {
    for await (const entry of Deno.readDir(new URL(folder, projectRoot))) {
      if (entry.isDirectory && entry.name !== "testdata") await walk(`${folder}/${entry.name}`);
      if (entry.isFile && entry.name.endsWith(".ts")) modules.push(`${folder}/${entry.name}`);
    }
  };
  for await (const { name, isDirectory } of Deno.readDir(projectRoot)) {
    if (isDirectory && !name.startsWith(".") && !NOT_ROOMS.has(name)) await walk(name);
  }
  return modules.toSorted();
}

/** Imports of the modules, and of all that they lead to inside the project. */
async function readArrows(modules: readonly string[]): Promise<Arrow[]> {
  const root = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = modules.map((path) => `import ${JSON.stringify(new URL(path, projectRoot))};\n`);
    await Deno.writeTextFile(root, lines.join(""));
    const { file: config } = await chooseConfig(realSeams());
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", config, root],
      cwd: projectRoot,
    }).output();
    const text = new TextDecoder();
    assert(success, text.decode(stderr));
    const graph = asObject(JSON.parse(text.decode(stdout)), "graph");
    return asArray(graph.modules, "modules").flatMap((module) => arrowsOf(module));
  } finally {
    await Deno.remove(root);
  }
}

function arrowsOf(value: unknown): Arrow[] {
  const module = asObject(value, "module");
  const specifier = asString(module.specifier, "specifier");
  if (module.error !== undefined) {
    throw new Error(`Cannot read ${specifier}: ${asString(module.error, "error")}`);
  }
  if (!specifier.startsWith(projectRoot.href)) return [];
  const from = specifier.slice(projectRoot.href.length);
  const dependencies = module.dependencies === undefined ? [] : asArray(module.dependencies, from);
  return dependencies.map((item) => {
    const dependency = asObject(item, from);
    const target = asObject(dependency.code ?? dependency.type ?? {}, from).specifier;
    const to = asString(target ?? dependency.specifier, from);
    return {
      from,
      to: to.startsWith(projectRoot.href) ? to.slice(projectRoot.href.length) : to,
      kind: dependency.isDynamic === true ? "dynamic" : dependency.code ? "static" : "type",
    };
  });
}
