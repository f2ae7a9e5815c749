/** The two parts of the function's zip that come from this machine: a deno and the runtime's bundle. */
import { LlamaError, messageOf } from "../job/errors.ts";
import { type SelfOptions, thisProcess } from "./self.ts";

/**
 * The bundle of runtime/main.ts: the one that the build made beside this program, or else a fresh
 * one of the sources.
 *
 * @throws {LlamaError} With code `BundleFailed`, if it cannot be had.
 */
export async function runtimeBundle(
  options: SelfOptions = thisProcess(),
): Promise<Uint8Array<ArrayBuffer>> {
  const { moduleUrl, execPath, denoConfig } = options;
  const failed = (problem: string, cause?: unknown) =>
    new LlamaError("BundleFailed", `Cannot make the function's runtime: ${problem}`, {
      cause,
      hint: "build llama with deno task build, or install it again",
    });
  if (!moduleUrl.endsWith(".ts")) {
    try {
      return await Deno.readFile(new URL("./runtime.js", moduleUrl));
    } catch (cause) {
      throw failed(messageOf(cause), cause);
    }
  }
  const entry = new URL("../runtime/main.ts", moduleUrl);
  const folder = await Deno.makeTempDir({ prefix: "llama-bundle-" });
  const isLocal = entry.protocol === "file:";
  try {
    const output = await new Deno.Command(execPath, {
      args: [
        ...["bundle", "-q", "--platform", "deno", "-o", `${folder}/runtime.js`],
        // A project in the folder that llama is called from must not lend its settings and lock.
        ...(isLocal ? denoConfig ? ["--config", denoConfig] : [] : ["--no-config", "--no-lock"]),
        isLocal ? decodeURIComponent(entry.pathname) : entry.href,
      ],
      cwd: isLocal ? decodeURIComponent(new URL("..", moduleUrl).pathname) : folder,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!output.success) {
      throw failed(new TextDecoder().decode(output.stderr).trim().slice(0, 1000));
    }
    return await Deno.readFile(`${folder}/runtime.js`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Path of the deno executable that the function gets: the one that runs this program, or for a
 * program of `deno compile`, which holds none, LLAMA_DENO or the one on PATH.
 *
 * @throws {LlamaError} With code `DenoMissing`, if there is none.
 */
export async function findDeno(
  env: Readonly<Record<string, string | undefined>>,
  { standalone, execPath }: SelfOptions = thisProcess(),
): Promise<string> {
  if (!standalone) return await Deno.realPath(execPath);
  const beside = `${execPath.slice(0, execPath.lastIndexOf("/"))}/../lib/llama/deno`;
  const folders = (env.PATH ?? "").split(":").filter((folder) => folder.startsWith("/"));
  for (const path of [env.LLAMA_DENO, beside, ...folders.map((folder) => `${folder}/deno`)]) {
    if (path !== undefined && path !== "" && await isFile(path)) return await Deno.realPath(path);
  }
  throw new LlamaError("DenoMissing", "Cannot make the function as no deno is found for it", {
    hint: "install deno from https://deno.com, or set LLAMA_DENO to its path",
  });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}
