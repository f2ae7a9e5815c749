/**
 * One private embedded cloud and daemon for the tests of a file, all through the executables of bin/.
 * Nothing in it is the user's: LLAMA_DIR and HOME are in a temporary folder, and no AWS account is set.
 */
import { assertEquals } from "@std/assert";

/** How a command is run. */
export interface RunOptions {
  /** Working folder, {@linkcode BuildCloud.work} unless given. */
  readonly cwd?: string;
  /** Further variables; an undefined one is taken out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What stands on stdin, nothing unless given. */
  readonly stdin?: string;
}

/** What became of a command. */
export interface Ended {
  /** Exit status, 128 + N after signal N. */
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `llama daemon -stats -json` prints, as far as tests ask. */
export interface Stats {
  readonly pid: number;
  readonly remote: number;
  readonly rounds: number;
  readonly voids: Readonly<Record<string, number>>;
  readonly local: Readonly<Record<string, number>>;
  readonly fallback: Readonly<Record<string, number>>;
  readonly slots: { readonly granted: number };
  readonly server: { readonly compiling: number };
}

/** The cloud, the daemon and the folder of a file's tests. */
export interface BuildCloud {
  /** Everything is in it. */
  readonly folder: string;
  readonly llamaDir: string;
  /** Working folder. */
  readonly work: string;
  /** Environment of what is run. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether it runs as a user to whom the modes of files mean something. */
  readonly modesCount: boolean;
  /** A command that is not run yet, with its output piped. */
  command(command: readonly string[], options?: RunOptions): Deno.Command;
  /** Runs a command to its end. */
  run(command: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Runs a command that must succeed, and returns its stdout. */
  must(command: readonly string[], options?: RunOptions): Promise<string>;
  /** The daemon's counters; with `zero` they begin anew after it. */
  stats(zero?: "zero"): Promise<Stats>;
  /** Id of the embedded cloud's process, as endpoint.json says. */
  cloudPid(): Promise<number>;
}

/** The folder of the executables. */
export const BIN = new URL("../bin", import.meta.url).pathname;

/** nobody, a user who owns nothing. */
const NOBODY = 65534;

/**
 * Has the tests of this file share a cloud, which is made before the first and gone after the last. With
 * `unprivileged` everything runs as nobody where the tests run as root, to whom modes mean nothing.
 */
export function useBuildCloud(options: { readonly unprivileged?: boolean } = {}): BuildCloud {
  let opened: BuildCloud | undefined;
  const cloud = (): BuildCloud => {
    if (opened === undefined) throw new Error("The cloud is there in tests only");
    return opened;
  };
  Deno.test.beforeAll(async () => {
    await checkExecutables();
    opened = await open(options.unprivileged === true);
    await opened.must(["llama", "bootstrap"]);
    await opened.must(["llama", "daemon", "-autostart"]);
  });
  Deno.test.afterAll(async () => {
    if (opened !== undefined) await close(opened);
  });
  return {
    get folder() {
      return cloud().folder;
    },
    get llamaDir() {
      return cloud().llamaDir;
    },
    get work() {
      return cloud().work;
    },
    get env() {
      return cloud().env;
    },
    get modesCount() {
      return cloud().modesCount;
    },
    command: (command, options) => cloud().command(command, options),
    run: (command, options) => cloud().run(command, options),
    must: (command, options) => cloud().must(command, options),
    stats: (zero) => cloud().stats(zero),
    cloudPid: () => cloud().cloudPid(),
  };
}

async function checkExecutables(): Promise<void> {
  for (const name of ["llama", "llamacc", "llamac++"]) {
    try {
      await Deno.stat(`${BIN}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new Error(`Cannot test ${BIN}/${name} as it is missing: run deno task build first`);
    }
  }
}

async function open(unprivileged: boolean): Promise<BuildCloud> {
  const folder = await Deno.makeTempDir({ prefix: "llama-test-" });
  const asNobody = unprivileged && Deno.uid() === 0 && await mayRun(NOBODY);
  const work = `${folder}/work`;
  const llamaDir = `${folder}/llama`;
  await Deno.mkdir(work);
  if (asNobody) { for (const path of [folder, work]) await Deno.chown(path, NOBODY, NOBODY); }
  const prefix = asNobody ? lowered(NOBODY) : [];
  const env = {
    PATH: `${BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: folder,
    LLAMA_DIR: llamaDir,
    LANG: "C.UTF-8",
    NO_COLOR: "1",
  };
  const command = (args: readonly string[], options: RunOptions = {}) => {
    const merged: Record<string, string> = {};
    for (const [name, value] of Object.entries({ ...env, ...options.env })) {
      if (value !== undefined) merged[name] = value;
    }
    const [program = "", ...rest] = [...prefix, ...args];
    return new Deno.Command(program, {
      args: rest,
      cwd: options.cwd ?? work,
      env: merged,
      clearEnv: true,
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    });
  };
  const run = async (args: readonly string[], options: RunOptions = {}) => {
    const child = command(args, options).spawn();
    if (options.stdin !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(options.stdin));
      await writer.close();
    }
    return endedOf(await child.output());
  };
  const must = async (args: readonly string[], options?: RunOptions) => {
    const { code, stdout, stderr } = await run(args, options);
    if (code !== 0) throw new Error(`"${args.join(" ")}" ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  };
  return {
    folder,
    llamaDir,
    work,
    env,
    modesCount: asNobody || Deno.uid() !== 0,
    command,
    run,
    must,
    stats: async (zero) =>
      JSON.parse(
        await must([
          "llama",
          "daemon",
          "-stats",
          "-json",
          ...(zero === undefined ? [] : ["-zero"]),
        ]),
      ),
    cloudPid: async () =>
      JSON.parse(await Deno.readTextFile(`${llamaDir}/cloud/endpoint.json`)).pid,
  };
}

/** What a command that was spawned printed, and how it ended. */
export function endedOf({ code, signal, stdout, stderr }: Deno.CommandOutput): Ended {
  const decoder = new TextDecoder();
  return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function lowered(id: number): string[] {
  return ["setpriv", `--reuid=${id}`, `--regid=${id}`, "--clear-groups", "--"];
}

/** Whether that user can run what was built: the tree may be in a folder that is closed to others. */
async function mayRun(id: number): Promise<boolean> {
  const [program = "", ...args] = [...lowered(id), `${BIN}/llama`, "version"];
  try {
    const { success } = await new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Ends the daemon and the cloud, and waits until no process of theirs is left. */
async function close(cloud: BuildCloud): Promise<void> {
  try {
    await cloud.must(["llama", "daemon", "-shutdown"]);
    await cloud.must(["llama", "cloud", "-stop"]);
    await waitUntil("no process is left", () => processesOf(cloud.llamaDir).length === 0);
  } finally {
    for (const pid of processesOf(cloud.llamaDir)) Deno.kill(pid, "SIGKILL");
    await Deno.remove(cloud.folder, { recursive: true });
  }
}

/** Ids of all processes with this LLAMA_DIR. */
export function processesOf(llamaDir: string): number[] {
  return pids().filter((pid) =>
    readProc(`/proc/${pid}/environ`).split("\0").includes(`LLAMA_DIR=${llamaDir}`)
  );
}

/** Processes below `pid`, each with its id and its command. */
export function descendants(pid: number): { readonly pid: number; readonly args: string[] }[] {
  const parents = new Map<number, number>();
  for (const id of pids()) {
    // proc(5), stat: the command in parentheses may hold spaces.
    const rest = readProc(`/proc/${id}/stat`).replace(/^.*\) /s, "").split(" ");
    parents.set(id, Number(rest[1]));
  }
  const isBelow = (id: number | undefined): boolean =>
    id !== undefined && id > 1 && (parents.get(id) === pid || isBelow(parents.get(id)));
  return [...parents.keys()].filter(isBelow).map((id) => ({
    pid: id,
    args: readProc(`/proc/${id}/cmdline`).split("\0").slice(0, -1),
  }));
}

function pids(): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
}

function readProc(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    // The process has just ended, or is another user's: it is none that is looked for.
    return "";
  }
}

/** Waits for what other processes do; throws after 30 seconds. */
export async function waitUntil(
  what: string,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (!await isSo()) {
    if (performance.now() > endMs) throw new Error(`Waited 30 s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** All below `folder`: the mode, and the text or the digest of each file. */
export async function treeOf(folder: string, prefix = ""): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    const mode = ((await Deno.lstat(path)).mode ?? 0).toString(8);
    if (isDirectory) Object.assign(tree, await treeOf(path, `${prefix}${name}/`));
    tree[`${prefix}${name}`] = isSymlink
      ? `${mode} ${await Deno.readLink(path)}`
      : isDirectory
      ? mode
      : `${mode} ${await summary(path)}`;
  }
  return tree;
}

async function summary(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  try {
    if (bytes.length < 4096 && !bytes.includes(0)) {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Fails if something of llama's is left below `folder`. */
export async function assertNoLeftovers(folder: string): Promise<void> {
  const names = Object.keys(await treeOf(folder));
  assertEquals(names.filter((name) => /(?:^|\/)\.llama-/.test(name)), []);
}

/** A file for each name, with its text; a name that ends in a slash is a folder. */
export type Files = Readonly<Record<string, string>>;

/** Writes files below `folder`. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    const parent = path.slice(0, path.lastIndexOf("/"));
    await Deno.mkdir(parent, { recursive: true });
    if (!name.endsWith("/")) await Deno.writeTextFile(path, text);
  }
}

/** A shell command that is run twice, by the local compiler and by llamacc. */
export interface Comparison {
  /** Runs in a fresh folder. `$CC` and `$CXX` are the compilers. */
  readonly script: string;
  readonly files?: Files;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The local compilers, `cc` and `c++` unless given. */
  readonly local?: { readonly cc: string; readonly cxx: string };
}

/** How a comparison ended. */
export interface Compared extends Ended {
  /** As {@linkcode treeOf} gives them. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Runs the script with the local compiler and with llamacc, in a folder of the same name. Fails unless
 * status, stdout, stderr and all files with their modes are equal; returns them.
 */
export async function compare(cloud: BuildCloud, comparison: Comparison): Promise<Compared> {
  const { script, files = {}, env = {}, local = { cc: "cc", cxx: "c++" } } = comparison;
  const folder = `${cloud.work}/compared`;
  const once = async (cc: string, cxx: string): Promise<Compared> => {
    await cloud.must(["mkdir", folder]);
    await cloud.must(["sh", "-c", "umask 022; sh"], { cwd: folder, stdin: writeScript(files) });
    const ended = await cloud.run(["sh", "-c", script], {
      cwd: folder,
      // A build of its own, so that none of them hears what is said of all.
      env: { LLAMACC_BUILD_ID: crypto.randomUUID(), ...env, CC: cc, CXX: cxx },
    });
    const tree = await treeOf(folder);
    await cloud.must(["sh", "-c", 'chmod -R u+rwx "$1"; rm -rf "$1"', "sh", folder]);
    return { ...ended, files: tree };
  };
  const there = await once("llamacc", "llamac++");
  const here = await once(local.cc, local.cxx);
  assertEquals(there, here, script);
  return there;
}

/** The files as a script, so that they belong to the user that the cloud runs as. */
function writeScript(files: Files): string {
  return Object.entries(files).map(([name, text]) => {
    const parent = name.includes("/") ? name.slice(0, name.lastIndexOf("/")) : ".";
    const write = name.endsWith("/") ? "" : `base64 -d >'${name}' <<'END'\n${encode(text)}\nEND\n`;
    return `mkdir -p '${parent}'\n${write}`;
  }).join("");
}

function encode(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
