/** Images for tests, made of files of this machine and put where the embedded cloud looks for them. */
import { dirname } from "@std/path/posix";
import { fileNameOf } from "./file_name.ts";
import { prepareRoot } from "./images.ts";
import { openSeal } from "./worker_seal.ts";

/** How an image is run. */
export interface FixtureConfig {
  /** ENTRYPOINT. */
  readonly entryPoint: readonly string[];
  /** Variables as `NAME=VALUE`. */
  readonly env?: readonly string[];
}

/** Whether the embedded cloud can run images on this machine: it seals their workers, or does not start them. */
export async function canRunImages(): Promise<boolean> {
  const directory = await Deno.makeTempDir();
  const { kind } = await openSeal({ directory, log: () => {} });
  await Deno.remove(directory, { recursive: true });
  return kind !== "no";
}

/** Adds an image to the embedded cloud with this folder of state; `fill` puts files below its root. */
export async function addImage(
  directory: string,
  name: { readonly repository: string; readonly tag: string },
  config: FixtureConfig,
  fill: (root: string) => Promise<void>,
): Promise<string> {
  const digest = crypto.getRandomValues(new Uint8Array(32)).toHex();
  const folder = `${directory}/images/${digest}`;
  await Deno.mkdir(`${folder}/root`, { recursive: true });
  for (const path of [folder, `${folder}/root`]) await Deno.chmod(path, 0o755);
  await fill(`${folder}/root`);
  await prepareRoot(`${folder}/root`);
  const { entryPoint, env = [] } = config;
  const text = JSON.stringify({
    architecture: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
    os: "linux",
    config: { Entrypoint: entryPoint, Cmd: null, Env: env },
  });
  await Deno.writeTextFile(`${folder}/config.json`, text);
  const tag = `${directory}/images/tags/${fileNameOf(`${name.repository}:${name.tag}`)}`;
  await Deno.mkdir(dirname(tag), { recursive: true });
  await Deno.writeTextFile(tag, `sha256:${digest}`);
  return digest;
}

/** Puts files of this machine below `root`, each where it stands here. */
export async function putFiles(root: string, paths: Iterable<string>): Promise<void> {
  for (const path of paths) await putFile(path, `${root}${path}`);
}

/** Puts one file of this machine at `target`; what is there already stays. */
export async function putFile(path: string, target: string): Promise<void> {
  await makeFolder(dirname(target));
  const source = await Deno.realPath(path);
  try {
    await Deno.lstat(target);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // No hard link: that would change the state of the system's file, on which builds rely.
    await Deno.copyFile(source, target);
    await Deno.chmod(target, ((await Deno.stat(source)).mode ?? 0) & 0o755);
  }
}

/** Programs of this machine with their loader and libraries, as ldd(1) names them. */
export async function withLibraries(programs: readonly string[]): Promise<Set<string>> {
  const { stdout } = await new Deno.Command("ldd", { args: [...programs], stderr: "null" })
    .output();
  const lines = new TextDecoder().decode(stdout).matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm);
  return new Set([...programs, ...Array.from(lines, ([, path = ""]) => path)]);
}

/** Makes a folder that a worker may look into, whatever this process's umask is. */
async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path);
    await Deno.chmod(path, 0o755);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await makeFolder(dirname(path));
    await makeFolder(path);
  }
}
