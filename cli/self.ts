/** How to run `llama` again, for those who start the daemon or the embedded cloud. */

/** What {@linkcode selfCommand} needs to know of the process. */
export interface SelfOptions {
  /** URL of a module of the project, or of the bundle that it went into. */
  readonly moduleUrl: string;
  /** Whether this is an executable of `deno compile`. */
  readonly standalone: boolean;
  /** Path of the executable that runs. */
  readonly execPath: string;
  /** Value of LLAMA_DENO_CONFIG: the deno.json of a source tree, where Deno would not find the right one. */
  readonly denoConfig: string | undefined;
}

/** Returns the {@linkcode SelfOptions} of this process. */
export function thisProcess(): SelfOptions {
  return {
    moduleUrl: import.meta.url,
    standalone: Deno.build.standalone,
    execPath: Deno.execPath(),
    denoConfig: Deno.env.get("LLAMA_DENO_CONFIG"),
  };
}

/**
 * Returns the command that runs `llama`, to which arguments can be added.
 *
 * - An executable of `deno compile` has `llama` beside it.
 * - A bundle (`llama.js`, `llamacc.js`) has `llama.js` beside it.
 * - A source tree or a package has `cli/llama.ts`.
 */
export function selfCommand(options: SelfOptions = thisProcess()): string[] {
  const { moduleUrl, standalone, execPath, denoConfig } = options;
  if (standalone) return [`${execPath.slice(0, execPath.lastIndexOf("/"))}/llama`];
  const source = moduleUrl.endsWith(".ts");
  const entry = new URL(source ? "./llama.ts" : "./llama.js", moduleUrl);
  const program = entry.protocol === "file:" ? decodeURIComponent(entry.pathname) : entry.href;
  // Else the signal of a request to the embedded cloud would be aborted when it is answered, too, and
  // Deno would say so in the cloud's log.
  const run = [execPath, "run", "-A", "--unstable-no-legacy-abort"];
  if (!source) {
    return [...run, "--no-config", "--no-lock", "--cached-only", "--no-check", program];
  }
  if (denoConfig) return [...run, "--no-check", "--config", denoConfig, program];
  return [...run, "--no-check", program];
}
