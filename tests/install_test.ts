/** `deno task build` and `deno task install`, as a user runs them. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { chooseConfig, projectRoot, realSeams } from "../scripts/config.ts";

const PROGRAMS = ["llama", "llamac++", "llamacc"];

Deno.test("the build does nothing when nothing has changed, and mends what is missing", async () => {
  assertEquals((await script("build.ts", [])).code, 0);
  const before = await timesOfPrograms();
  const again = await script("build.ts", []);
  assertMatch(again.stderr, /up to date\n$/);
  assertEquals(await timesOfPrograms(), before);

  await Deno.remove(new URL("bin/llamac++", projectRoot));
  assertMatch((await script("build.ts", [])).stderr, /Made .*bin\/llamac\+\+/);
  assertEquals((await timesOfPrograms()).length, before.length);
});

Deno.test("the installed llama runs from any folder, through its link", async () => {
  await withFolder(async (folder) => {
    const { code, stderr } = await script("install.ts", [`${folder}/new/bin`]);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, `export PATH="${folder}/new/bin:$PATH"`);
    const links = Array.fromAsync(Deno.readDir(`${folder}/new/bin`));
    assertEquals((await links).map(({ name }) => name).toSorted(), PROGRAMS);
    const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", projectRoot)));
    const output = await new Deno.Command(`${folder}/new/bin/llama`, {
      args: ["-version"],
      cwd: folder,
      env: { HOME: folder, LLAMA_DIR: `${folder}/llama` },
    }).output();
    assertStringIncludes(new TextDecoder().decode(output.stdout), `llama ${version} `);
    assertEquals(output.code, 0);
  });
});

Deno.test("install takes a folder relative to where it was called from", async () => {
  await withFolder(async (folder) => {
    const env = { INIT_CWD: folder, PATH: `${folder}/here:/usr/bin` };
    const { code, stderr } = await script("install.ts", ["here"], env);
    assertEquals(code, 0, stderr);
    assertEquals(stderr, `Linked llama, llamacc and llamac++ into ${folder}/here\n`);
    assert((await Deno.lstat(`${folder}/here/llamacc`)).isSymlink);
    assertEquals((await script("install.ts", ["here"], env)).code, 0);
  });
});

Deno.test("install leaves a program of somebody else alone", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/llamacc`, "mine");
    const { code, stderr } = await script("install.ts", [folder]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, `"${folder}/llamacc" exists and is no link`);
    assertEquals(await Deno.readTextFile(`${folder}/llamacc`), "mine");
  });
});

async function script(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stderr: string }> {
  const { file } = await chooseConfig(realSeams());
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--config", file, `scripts/${name}`, ...args],
    cwd: projectRoot,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

async function timesOfPrograms(): Promise<(number | undefined)[]> {
  const paths = PROGRAMS.map((name) => new URL(`bin/${name}`, projectRoot));
  return (await Promise.all(paths.map((path) => Deno.stat(path)))).map(({ mtime }) =>
    mtime?.getTime()
  );
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
