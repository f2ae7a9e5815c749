/**
 * `deno task ok [STEP...]` runs all that must pass before a change goes in, or only the steps named. A
 * step that fails does not stop the others; the last line counts both kinds.
 */
import { chooseConfig, type ConfigChoice, projectRoot, realSeams, runDeno } from "./config.ts";
import { dryRunPublish } from "./publish.ts";

const CODE = [
  ...["mod.ts", "aws", "bench", "cc", "cli", "cloud", "daemon", "job", "runtime"],
  ...["scripts", "store", "tests"],
];

/** A step; it returns an exit status. */
type Step = (choice: ConfigChoice) => Promise<number>;

const STEPS: Readonly<Record<string, Step>> = {
  fmt: (choice) => runDeno(choice, "fmt", ["--check"]),
  lint: (choice) => runDeno(choice, "lint", []),
  check: async (choice) => {
    // The stand-ins' own imports are in their own configuration.
    const more = choice.file === "deno.json" ? [] : ["offline"];
    return await runDeno(choice, "check", await existing([...CODE, ...more]));
  },
  doc: async (choice) => {
    // `deno doc` takes no --config, but reads imports from any file of that shape.
    const map = choice.file === "deno.json" ? [] : ["--import-map", choice.file];
    return await run("doc", ["--lint", ...map, ...await exportedModules()]);
  },
  build: (choice) => runDeno(choice, "run", ["-A", "scripts/build.ts"]),
  test: (choice) => runDeno(choice, "test", ["-A", "--ignore=tests/slow"]),
  publish: (choice) => dryRunPublish(choice),
};

async function main(names: readonly string[]): Promise<number> {
  const wrong = names.find((name) => !Object.hasOwn(STEPS, name));
  if (wrong !== undefined) {
    await say(`Unknown step "${wrong}"; the steps are ${Object.keys(STEPS).join(", ")}`);
    return 2;
  }
  const choice = await chooseConfig(realSeams());
  const failed: string[] = [];
  let passed = 0;
  for (const [name, step] of Object.entries(STEPS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    await say(`# ${name}`);
    if (await succeeds(step(choice))) passed++;
    else failed.push(name);
  }
  const list = failed.length > 0 ? `: ${failed.join(", ")}` : "";
  await say(`${passed} steps passed, ${failed.length} failed${list}`);
  return failed.length > 0 ? 1 : 0;
}

async function succeeds(status: Promise<number>): Promise<boolean> {
  try {
    return await status === 0;
  } catch (error) {
    await say(error instanceof Error ? error.message : String(error));
    return false;
  }
}

async function exportedModules(): Promise<string[]> {
  const config: { exports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", projectRoot)),
  );
  return Object.values(config.exports);
}

async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map(async (path) => {
    try {
      await Deno.stat(new URL(path, projectRoot));
      return [path];
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }));
  return found.flat();
}

async function run(subcommand: string, args: readonly string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [subcommand, ...args],
    cwd: projectRoot,
  }).spawn();
  return (await child.status).code;
}

async function say(line: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) Deno.exit(await main(Deno.args));
