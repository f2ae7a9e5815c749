/** Runs the real `llama` for tests, with an environment that holds nothing of the user's. */

/** How `llama` is run. */
export interface LlamaRun {
  /** LLAMA_DIR, and parent of HOME. */
  readonly folder: string;
  /** Further variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working folder, `folder` unless given. */
  readonly cwd?: string;
  /** What stands on stdin, nothing unless given. */
  readonly stdin?: string;
}

/** What became of it. */
export interface LlamaEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const root = new URL("../", import.meta.url).pathname;

/** The configuration that these tests run with. */
function configOfTests(): string {
  const offline = import.meta.resolve("@std/assert").startsWith("file:");
  return `${root}${offline ? "deno.offline.json" : "deno.json"}`;
}

/** The command that is not run yet. */
export function llamaCommand(args: readonly string[], run: LlamaRun): Deno.Command {
  const config = configOfTests();
  const denoDir = Deno.env.get("DENO_DIR") ??
    `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", "--no-check", "--config", config, `${root}cli/llama.ts`, ...args],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      HOME: run.folder,
      LLAMA_DIR: `${run.folder}/llama`,
      LLAMA_DENO_CONFIG: config,
      DENO_DIR: denoDir,
      NO_COLOR: "1",
      ...run.env,
    },
    cwd: run.cwd ?? run.folder,
    stdin: run.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs `llama` to its end. */
export async function runLlama(args: readonly string[], run: LlamaRun): Promise<LlamaEnd> {
  const child = llamaCommand(args, run).spawn();
  if (run.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(run.stdin));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a test in a fresh folder, and ends the embedded cloud that it may have started there. */
export async function inLlamaFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "llama-test-" });
  try {
    await test(folder);
  } finally {
    await runLlama(["cloud", "-stop", "-quiet"], { folder });
    await Deno.remove(folder, { recursive: true });
  }
}
