/**
 * `deno task build [--bundle]` makes bin/llama, bin/llamacc and bin/llamac++, and lib/llama/ with what
 * they load. It does nothing when nothing has changed since.
 *
 * The program is bundled, split where it imports lazily: on this machine `llama -version` takes 35 ms so and
 * 125 ms from a single file, which must load node:crypto and node:fs at once. bin/llama is that bundle
 * compiled with Deno into one file where the base program of `deno compile` can be had, or else a
 * launcher; `--bundle` asks for the launcher. llamacc is always the launcher in C if there is a compiler, as
 * a client of 1 ms and 1 MB is what lets a build run 400 of them.
 */
import { chooseConfig, projectRoot, realSeams } from "./config.ts";
import { digestOf } from "../job/digest.ts";

/** Executables in bin/, each with the module that is its program. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "llama": "llama",
  "llamacc": "llamacc",
  "llamac++": "llamacxx",
};

/** Folders whose files go into the program. */
const ROOMS = ["aws", "cc", "cli", "cloud", "daemon", "job", "offline", "runtime", "store"];

/** Milliseconds that `deno compile` may take, its download of 40 MB included. */
const COMPILE_LIMIT_MS = 180_000;

const root = projectRoot.pathname;
const lib = `${root}lib/llama`;
const bin = `${root}bin`;

/** What lib/llama/stamp holds. */
interface Stamp {
  /** Digest of all that the build depends on. */
  readonly digest: string;
  /** Files that this build wrote into lib/llama. */
  readonly files: readonly string[];
}

/** Builds what is not up to date. */
async function build(wantsBundle: boolean): Promise<void> {
  const { file: config } = await chooseConfig(realSeams());
  const digest = await digestOfSources(config, wantsBundle);
  const last = await readStamp();
  if (last?.digest === digest && await isWhole()) {
    await say("bin/llama, bin/llamacc and bin/llamac++ are up to date");
    return;
  }
  await Deno.mkdir(bin, { recursive: true });
  await Deno.mkdir(lib, { recursive: true });
  await Deno.remove(`${lib}/stamp`).catch(ignoreNotFound);
  const work = await Deno.makeTempDir({ dir: `${root}lib`, prefix: "build-" });
  try {
    const files = await bundleAll(config, work);
    await keepDeno(work);
    // Relative to the folder of the file, so that the tree can be moved.
    await Deno.writeTextFile(`${work}/launch`, "./deno\nllama.js\n");
    const launcher = await compileLauncher(work);
    for (const file of [...files, "launch"]) await Deno.rename(`${work}/${file}`, `${lib}/${file}`);
    const compiled = wantsBundle ? false : await compileLlama(work, files);
    if (!compiled) await loadLazily(files);
    const made: string[] = [];
    for (const [name, module] of Object.entries(PROGRAMS)) {
      const target = `${work}/program`;
      if (compiled && name === "llama") await Deno.rename(`${work}/compiled`, target);
      else if (launcher) await Deno.copyFile(`${work}/launcher`, target);
      else await Deno.writeTextFile(target, shellLauncher(`${module}.js`));
      await Deno.chmod(target, 0o755);
      await Deno.rename(target, `${bin}/${name}`);
      made.push(
        `bin/${name} (${compiled && name === "llama" ? "compiled" : launcher ? "C" : "sh"})`,
      );
    }
    await removeOldFiles([...files, ...last?.files ?? []]);
    const stamp: Stamp = { digest, files };
    await Deno.writeTextFile(`${lib}/stamp`, JSON.stringify(stamp) + "\n");
    await say(`Made ${made.join(", ")}`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/**
 * Makes the bundle's lazy imports ones that Deno cannot foresee: it reads and parses all that it can, and
 * without that a start takes 39 ms of CPU instead of 46, where an empty program takes 32. `deno compile`
 * must foresee them, to put them into its program.
 */
async function loadLazily(files: readonly string[]): Promise<void> {
  for (const file of files.filter((name) => name.endsWith(".js"))) {
    const path = `${lib}/${file}`;
    const text = await Deno.readTextFile(path);
    const lazy = text.replaceAll(/\bimport\(("\.\/[^"]+\.js")\)/g, "import(String($1))");
    if (lazy === text) continue;
    await Deno.writeTextFile(`${path}.new`, lazy);
    await Deno.rename(`${path}.new`, path);
  }
}

/** Bundles the programs and the runtime into `folder`, and returns the names of all files there. */
async function bundleAll(config: string, folder: string): Promise<string[]> {
  const entries = Object.values(PROGRAMS).map((module) => `cli/${module}.ts`);
  await deno("bundle", [
    ...["-q", "--config", config, "--platform", "deno", "--code-splitting", "--outdir", folder],
    ...entries,
  ]);
  await deno("bundle", [
    ...["-q", "--config", config, "--platform", "deno", "-o", `${folder}/runtime.js`],
    "runtime/main.ts",
  ]);
  await Deno.copyFile(`${root}runtime/path_shim.c`, `${folder}/path_shim.c`);
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) files.push(entry.name);
  return files.toSorted();
}

/**
 * Puts a Deno at lib/llama/deno: for the launcher, and for functions, which carry one. It is a link to the
 * one that runs, or its own file if that is npx's, which keeps it in a cache where it may be deleted.
 */
async function keepDeno(work: string): Promise<void> {
  const path = await Deno.realPath(Deno.execPath());
  const kept = `${lib}/deno`;
  if (path === kept) return;
  const copy = `${work}/deno`;
  if (!path.includes("/_npx/")) await Deno.symlink(path, copy);
  else {
    try {
      await Deno.link(path, copy);
    } catch {
      // Another file system, or links to another user's files are not allowed.
      await Deno.copyFile(path, copy);
    }
  }
  await Deno.rename(copy, kept);
}

/** Compiles the launcher with the local compiler, statically if that works; false without one. */
async function compileLauncher(work: string): Promise<boolean> {
  const problems: string[] = [];
  for (const extra of [["-static"], []]) {
    const args = ["-O2", ...extra, "-o", `${work}/launcher`, "cli/launcher.c"];
    const { success, error } = await run("cc", args);
    if (success) return true;
    problems.push(error);
  }
  await say(`Cannot compile the launcher, a slower one in sh takes its place: ${problems.at(-1)}`);
  return false;
}

/** Compiles the bundle into one program; false where the base program cannot be had. */
async function compileLlama(work: string, files: readonly string[]): Promise<boolean> {
  const included = files.filter((file) => file === "runtime.js" || file.endsWith(".c"));
  const { success, error } = await run(Deno.execPath(), [
    ...[
      "compile",
      "-q",
      "-A",
      "--unstable-no-legacy-abort",
      // As in cli/launcher.c; the daemon takes as much CPU with it as without.
      "--v8-flags=--max-semi-space-size=2",
      "--no-config",
      "--no-lock",
      "--no-check",
    ],
    ...included.flatMap((file) => ["--include", `${lib}/${file}`]),
    ...["-o", `${work}/compiled`, `${lib}/llama.js`],
  ], COMPILE_LIMIT_MS);
  if (!success) {
    const reason = error.split("\n").at(-1)?.trim();
    await say(`Cannot compile bin/llama, a launcher takes its place: ${reason}`);
  }
  return success;
}

function shellLauncher(bundle: string): string {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  // As in cli/launcher.c.
  const flags = "-A --unstable-no-legacy-abort --v8-flags=--max-semi-space-size=2 --no-config " +
    "--no-lock --cached-only --no-check";
  return `#!/bin/sh
exec ${quote(`${lib}/deno`)} run ${flags} ${quote(`${lib}/${bundle}`)} "$@"
`;
}

/** Keeps this build's files and the last one's, which a running daemon may still load. */
async function removeOldFiles(kept: readonly string[]): Promise<void> {
  const names = new Set([...kept, "launch", "deno", "stamp"]);
  for await (const { name } of Deno.readDir(lib)) {
    if (!names.has(name)) await Deno.remove(`${lib}/${name}`, { recursive: true });
  }
}

async function digestOfSources(config: string, wantsBundle: boolean): Promise<string> {
  const paths = [config, "scripts/build.ts", "mod.ts"];
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(`${root}${folder}`)) {
      if (isDirectory) await walk(`${folder}/${name}`);
      else if (!/_(test|fixture)\.ts$/.test(name)) paths.push(`${folder}/${name}`);
    }
  };
  for (const room of ROOMS) await walk(room);
  const digests = await Promise.all(
    paths.toSorted().map(async (path) =>
      `${path} ${await digestOf(await Deno.readFile(`${root}${path}`))}`
    ),
  );
  const facts = [Deno.version.deno, Deno.execPath(), root, Deno.env.get("DENORT_BIN"), wantsBundle];
  return await digestOf(new TextEncoder().encode([...facts, ...digests].join("\n")));
}

async function readStamp(): Promise<Stamp | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(`${lib}/stamp`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function isWhole(): Promise<boolean> {
  const paths = [...Object.keys(PROGRAMS).map((name) => `${bin}/${name}`), `${lib}/launch`];
  const found = await Promise.all(paths.map((path) => Deno.stat(path).catch(ignoreNotFound)));
  return found.every((info) => info !== undefined);
}

async function deno(subcommand: string, args: readonly string[]): Promise<void> {
  const { success, error } = await run(Deno.execPath(), [subcommand, ...args]);
  if (!success) throw new Error(`Cannot build as deno ${subcommand} failed: ${error}`);
}

/** Runs a program in the project's root; `error` is what it wrote on stderr, or why it did not run. */
async function run(
  program: string,
  args: readonly string[],
  limitMs?: number,
): Promise<{ success: boolean; error: string }> {
  try {
    const { success, stderr } = await new Deno.Command(program, {
      args: [...args],
      cwd: root,
      env: { NO_COLOR: "1", RUST_BACKTRACE: "0" },
      stdin: "null",
      stdout: "null",
      ...(limitMs !== undefined && { signal: AbortSignal.timeout(limitMs) }),
    }).output();
    return { success, error: new TextDecoder().decode(stderr).trim() };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { success: false, error: `no ${program}` };
    throw error;
  }
}

function ignoreNotFound(error: unknown): undefined {
  if (error instanceof Deno.errors.NotFound) return undefined;
  throw error;
}

async function say(line: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  try {
    await build(Deno.args.includes("--bundle"));
  } catch (error) {
    await say(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
