/** Puts a case into its folder, runs it there, and notes all that can be seen of it. */
import { type BuildCloud, endedOf } from "../build_cloud.ts";
import { type Entry, type FuzzCase, parentOf, type Step } from "./case.ts";

/** All that can be seen of a run: how each step ended, and the kind, mode and bytes of each file. */
export type Outcome = ReadonlyMap<string, string>;

/** Where cases run. */
export interface Place {
  readonly cloud: BuildCloud;
  /** Path of the folder that a case fills; nothing is there between two runs. */
  readonly root: string;
}

/** A command that takes longer has failed. */
const LIMIT_MS = 120_000;
/** All files are that old, in milliseconds since 1970, as `__TIMESTAMP__` shows it. */
const FILE_TIME_MS = 1_700_000_000_000;
const NOBODY = 65534;

/** Runs a case with the local compiler or with llamacc. */
export async function runCase(
  place: Place,
  fuzzed: FuzzCase,
  by: "compiler" | "llamacc",
): Promise<Outcome> {
  await clear(place);
  await fill(place, fuzzed);
  const outcome = new Map<string, string>();
  try {
    for (const [index, step] of fuzzed.steps.entries()) {
      const ended = await runStep(place, fuzzed, step, by);
      outcome.set(`status of command ${index + 1}`, `${ended.signal ?? ended.code}`);
      outcome.set(`stdout of command ${index + 1}`, withoutTemporaryNames(ended.stdout));
      outcome.set(
        `stderr of command ${index + 1}`,
        withoutTemporaryNames(ended.stderr.replace(NOTICE, "")),
      );
    }
    await note(place.root, "", outcome);
  } finally {
    await clear(place);
  }
  return outcome;
}

async function runStep(
  { cloud, root }: Place,
  { compiler, umask, cwd, env, stdin }: FuzzCase,
  step: Step,
  by: "compiler" | "llamacc",
) {
  const here = (text: string) => text.replaceAll("{ROOT}", root);
  const cxx = compiler.includes("++");
  const local = by === "compiler";
  const words = step.kind === "run"
    ? step.command.map(here)
    : [local ? compiler : cxx ? "llamac++" : "llamacc", ...step.args.map(here)];
  const variables = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, here(value)]),
  );
  const chosen = cxx ? { LLAMACC_LOCAL_CXX: compiler } : { LLAMACC_LOCAL_CC: compiler };
  const ofScript = local ? { CC: compiler, CXX: cxxOf(compiler) } : {
    CC: "llamacc",
    CXX: "llamac++",
    LLAMACC_LOCAL_CC: compiler,
    LLAMACC_LOCAL_CXX: cxxOf(compiler),
  };
  // A shell gives the compiler its name alone, and knows the logical name of a folder behind a link.
  const script = `umask ${umask.toString(8)}; cd "$1" || exit 99; shift; exec "$@"`;
  const child = cloud.command(["sh", "-c", script, "sh", cwd, ...words], {
    cwd: root,
    env: {
      ...variables,
      ...(by === "llamacc" && step.kind === "compile" && chosen),
      ...(step.kind === "run" && ofScript),
    },
    stdin,
  }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  try {
    const writer = child.stdin.getWriter();
    // Most commands end without a look at it.
    const feed = writer.write(new TextEncoder().encode(stdin)).then(() => writer.close())
      .catch((error) => {
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
      });
    const [output] = await Promise.all([child.output(), feed]);
    return endedOf(output);
  } finally {
    clearTimeout(limit);
  }
}

/** The C++ compiler beside a C compiler. */
function cxxOf(compiler: string): string {
  if (compiler === "clang") return "clang++";
  return compiler.replace(/g?cc(?=-|$)/, (name) => name === "gcc" ? "g++" : "c++");
}

/** What llamacc itself says once of a build. */
const NOTICE = /^llamacc: \d+ of \d+ compilations ran on this machine .*\n/m;

/** `ccXXXXXX` as GCC makes them and `a-123456.o` as clang does: no two runs have the same. */
function withoutTemporaryNames(text: string): string {
  return text.replaceAll(/\bcc[A-Za-z0-9]{6}(?=\b|_)/g, "ccXXXXXX")
    .replaceAll(/-[0-9a-f]{6,8}(?=\.\w)/g, "-XXXXXX");
}

async function fill({ cloud, root }: Place, { entries, cwd }: FuzzCase): Promise<void> {
  await Deno.mkdir(root);
  const made = new Set<string>();
  const folder = async (path: string) => {
    if (path === ".") return;
    await folder(parentOf(path));
    await Deno.mkdir(`${root}/${path}`).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
  };
  const extra: readonly Entry[] = [
    { kind: "folder", path: "tmp", mode: 0o755 },
    ...(cwd === "."
      ? []
      : cwd === "cwd link"
      ? [{ kind: "link", path: cwd, target: "." } as const]
      : [{ kind: "folder", path: cwd, mode: 0o755 } as const]),
  ];
  for (const entry of [...entries, ...extra]) {
    const path = `${root}/${entry.path}`;
    await folder(parentOf(entry.path));
    // Where two entries have one path, the later one counts.
    if (entry.kind !== "folder" && made.has(entry.path)) await Deno.remove(path);
    made.add(entry.path);
    if (entry.kind === "folder") await folder(entry.path);
    else if (entry.kind === "link") {
      await Deno.symlink(entry.target.replaceAll("{ROOT}", root), path);
    } else if (entry.kind === "hardlink") await Deno.link(`${root}/${entry.target}`, path);
    else {
      await Deno.writeTextFile(path, entry.text.replaceAll("{ROOT}", root));
      await Deno.utime(path, new Date(FILE_TIME_MS), new Date(FILE_TIME_MS));
      await Deno.chmod(path, entry.mode);
    }
  }
  if (Deno.uid() === 0 && cloud.modesCount) await own(root);
  for (const entry of entries) {
    if (entry.kind === "folder") await Deno.chmod(`${root}/${entry.path}`, entry.mode);
  }
}

async function own(path: string): Promise<void> {
  await Deno.chown(path, NOBODY, NOBODY);
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(path)) {
    if (isDirectory) await own(`${path}/${name}`);
    else if (!isSymlink) await Deno.chown(`${path}/${name}`, NOBODY, NOBODY);
  }
}

async function clear({ root }: Place): Promise<void> {
  const open = async (folder: string) => {
    await Deno.chmod(folder, 0o700);
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await open(`${folder}/${name}`);
    }
  };
  try {
    if (Deno.uid() !== 0) await open(root);
    await Deno.remove(root, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function note(folder: string, prefix: string, outcome: Map<string, string>): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    const shown = prefix + withoutTemporaryNames(name);
    const state = await Deno.lstat(path).catch((error) => {
      // Deno cannot name a file whose name is no UTF-8.
      if (error instanceof Deno.errors.NotFound && name.includes("\ufffd")) return undefined;
      throw error;
    });
    if (state === undefined) {
      outcome.set(`mode of ${shown}`, "cannot be told");
      continue;
    }
    const mode = (state.mode ?? 0).toString(8);
    outcome.set(
      `mode of ${shown}`,
      state.isSymlink ? `link to ${await Deno.readLink(path)}` : mode,
    );
    if (state.isDirectory) await note(path, `${shown}/`, outcome);
    else if (state.isFile) {
      if (Deno.uid() !== 0) await Deno.chmod(path, 0o600);
      outcome.set(`bytes of ${shown}`, bytesOf(await Deno.readFile(path)));
    }
  }
}

/** One character for each byte. */
function bytesOf(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  }
  return parts.join("");
}
