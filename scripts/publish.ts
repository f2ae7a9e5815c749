/**
 * The trial run of `deno publish`. It must resolve `@std` packages, so where JSR cannot be reached a copy
 * of the package is published against the stand-ins, linked from beside it: all else is checked as for
 * users, above all which files the package has and whether its public types are plain.
 */
import { type ConfigChoice, projectRoot, runDeno } from "./config.ts";

/** Runs `deno publish --dry-run` and returns its exit status. */
export async function dryRunPublish(choice: ConfigChoice): Promise<number> {
  if (choice.file === "deno.json") {
    return await runDeno(choice, "publish", ["--dry-run", "--allow-dirty"]);
  }
  const folder = await Deno.makeTempDir({ prefix: "llama-publish-" });
  try {
    const links = await copyStandIns(`${folder}/linked`);
    await copyPackage(`${folder}/package`);
    const path = `${folder}/package/deno.json`;
    const config: Record<string, unknown> = JSON.parse(await Deno.readTextFile(path));
    const { lock: _lock, ...rest } = config;
    await Deno.writeTextFile(path, JSON.stringify({ ...rest, lock: false, links }));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["publish", "--dry-run", "--allow-dirty"],
      cwd: `${folder}/package`,
    }).spawn();
    return (await child.status).code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Copies the stand-ins as packages of their own, and returns where they are, seen from the package. */
async function copyStandIns(folder: string): Promise<string[]> {
  const links: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL("offline", projectRoot))) {
    if (!isDirectory) continue;
    await copyTree(`${projectRoot.pathname}offline/${name}`, `${folder}/${name}`);
    // Only a deno.json can be linked; under that name it would be part of offline/deno.lock.
    await Deno.rename(`${folder}/${name}/jsr.json`, `${folder}/${name}/deno.json`);
    links.push(`../linked/${name}`);
  }
  return links;
}

/** Copies what is under version control, or would be. */
async function copyPackage(folder: string): Promise<void> {
  const { success, stdout } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    cwd: projectRoot,
  }).output();
  if (!success) throw new Error("Cannot list the package's files as this is no git work tree");
  for (const path of new TextDecoder().decode(stdout).split("\0")) {
    if (path === "" || path.startsWith("offline/")) continue;
    await Deno.mkdir(`${folder}/${path.split("/").slice(0, -1).join("/")}`, { recursive: true });
    try {
      await Deno.copyFile(new URL(path, projectRoot), `${folder}/${path}`);
    } catch (error) {
      // Deleted, but not committed yet.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyTree(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
