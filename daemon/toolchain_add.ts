/** The control request `toolchain`, by which a toolchain is in the store before the first compilation. */
import { partEnvironment } from "../cc/environment.ts";
import type { FileSystem } from "../cc/file_system.ts";
import { readSettings } from "../cc/settings.ts";
import { LlamaError } from "../job/errors.ts";
import { asObject, asString } from "../job/json.ts";
import { createCompilerLookup, type FoundCompiler } from "./compiler_lookup.ts";
import type { Session } from "./session.ts";
import type { Toolchains } from "./toolchains.ts";

/** What {@linkcode addToolchain} works with. */
export interface AddTools {
  readonly files: FileSystem;
  readonly toolchains: Toolchains;
  /** The session for a client's environment. */
  readonly open: (env: Readonly<Record<string, string>>) => Promise<Session>;
}

/**
 * Puts the toolchain that a request names into the store and returns the compiler's path.
 *
 * @throws {LlamaError} If there is no such compiler, it cannot run elsewhere, or the store cannot be reached.
 */
export async function addToolchain(
  request: unknown,
  { files, toolchains, open }: AddTools,
): Promise<{ readonly driver: string }> {
  const what = "control request: toolchain";
  const { compiler, cwd, env: variables } = asObject(request, what);
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(asObject(variables, `${what}: env`))) {
    env[name] = asString(value, `${what}: env`);
  }
  const folder = asString(cwd, `${what}: cwd`);
  const found = findCompiler(asString(compiler, `${what}: compiler`), { files, env, cwd: folder });
  const session = await open(env);
  const { driver, path } = found;
  const parts = { driver, flags: [], env: partEnvironment({ ...env, PATH: path }), cwd: folder };
  await toolchains.prepare(parts, session.uploads);
  return { driver };
}

/**
 * Finds a compiler by its name, as llamacc does.
 *
 * @throws {LlamaError} `CompilerNotFound`, or if it is something else.
 */
export function findCompiler(
  name: string,
  { files, env, cwd }: {
    readonly files: FileSystem;
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
  },
): FoundCompiler {
  const settings = { ...readSettings(env), localCc: name };
  const { LLAMACC_ARGV0: _, LLAMACC_NESTED: __, ...rest } = env;
  const found = createCompilerLookup(files).find({ calledAs: "llamacc", settings, env: rest, cwd });
  if (files.stat(found.driver)?.kind !== "file") {
    throw new LlamaError("CompilerNotFound", `Cannot find the compiler "${name}"`);
  }
  if (found.localReason !== undefined) {
    throw new LlamaError(
      "CompilerStaysHere",
      `Cannot run "${found.driver}" elsewhere (${found.localReason})`,
      { hint: "name the compiler behind it" },
    );
  }
  return found;
}
