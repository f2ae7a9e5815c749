/** What the demonstration, the benchmark and the slow tests have in common. */

/** A package of the npm registry at one version. */
export interface PinnedPackage {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity (W3C SRI) of the tarball, SHA-512. */
  readonly integrity: string;
}

/** How {@linkcode run} runs a command. */
export interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Passes all that it prints on to stderr. */
  readonly echo?: boolean;
  /** Counts the lines that it prints, up to so many, and shows the count. */
  readonly progress?: number;
}

/** Prints a line to stderr. */
export async function say(line: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${line}\n`));
}

/**
 * The environment without any AWS account or setting of llama: what runs in it must reach the embedded
 * cloud of `llamaDir` and nothing else.
 */
export function cleanEnvironment(
  { bin, llamaDir }: { readonly bin: string; readonly llamaDir: string },
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(Deno.env.toObject())) {
    if (!/^(?:AWS|LLAMA|LLAMACC)_|^MAKE|^MFLAGS$/.test(name)) env[name] = value;
  }
  return {
    ...env,
    PATH: `${bin}:${env.PATH ?? "/usr/bin:/bin"}`,
    LLAMA_DIR: llamaDir,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
}

/** Runs a command, and returns what it printed to stdout. Throws if it fails, with all it printed. */
export async function run(command: readonly string[], options: RunOptions): Promise<string> {
  const { cwd, env, echo = false, progress } = options;
  const [program = "", ...args] = command;
  const child = new Deno.Command(
    program.startsWith("./") ? `${cwd}/${program.slice(2)}` : program,
    {
      args,
      cwd,
      env: { ...env },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: echo ? "inherit" : "piped",
    },
  ).spawn();
  const decoder = new TextDecoder();
  let stdout = "";
  let lines = 0;
  const bar = progress === undefined ? undefined : createProgress(progress);
  const readStdout = async () => {
    for await (const chunk of child.stdout) {
      const text = decoder.decode(chunk, { stream: true });
      stdout += text;
      if (echo) await Deno.stderr.write(chunk);
      if (bar) {
        lines += text.split("\n").length - 1;
        await bar(lines);
      }
    }
  };
  const [, stderr, status] = await Promise.all([
    readStdout(),
    echo ? "" : new Response(child.stderr).text(),
    child.status,
  ]);
  if (status.success) return stdout;
  throw new Error(
    `Cannot go on as "${command.join(" ")}" ended with ${
      status.signal ?? status.code
    }:\n${stdout}${stderr}`,
  );
}

/** On a terminal one line that changes; elsewhere a line for each tenth. */
function createProgress(total: number): (done: number) => Promise<void> {
  const terminal = Deno.stderr.isTerminal();
  let shown = 0;
  return async (done) => {
    const step = terminal ? 1 : Math.ceil(total / 10);
    const upTo = Math.min(done, total);
    if (upTo < shown + step && (upTo < total || shown === total)) return;
    shown = upTo;
    const text = `  ${upTo}/${total} files`;
    const end = terminal && upTo < total ? "" : "\n";
    await Deno.stderr.write(new TextEncoder().encode(`${terminal ? "\r" : ""}${text}${end}`));
  };
}

/**
 * Gets a package's files, from the npm registry the first time. Returns their folder. Throws if the
 * tarball is not the pinned one.
 */
export async function fetchPackage(
  { name, version, integrity }: PinnedPackage,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const cache = env.XDG_CACHE_HOME || `${env.HOME || "/tmp"}/.cache`;
  const sources = `${cache}/llama/sources`;
  const folder = `${sources}/${name}-${version}`;
  if (await isFolder(folder)) return folder;
  await Deno.mkdir(sources, { recursive: true });
  const work = await Deno.makeTempDir({ dir: sources, prefix: "new-" });
  try {
    await run(["npm", "pack", "--silent", `${name}@${version}`], { cwd: work, env });
    const tarball = `${work}/${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
    const digest = new Uint8Array(
      await crypto.subtle.digest("SHA-512", await Deno.readFile(tarball)),
    );
    if (`sha512-${digest.toBase64()}` !== integrity) {
      throw new Error(
        `Cannot use ${name} ${version} as its tarball is not the one that was pinned`,
      );
    }
    await run(["tar", "-xzf", tarball], { cwd: work, env });
    await Deno.rename(`${work}/package`, folder);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  return folder;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
