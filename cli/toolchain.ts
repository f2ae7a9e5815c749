/** `llama toolchain`: the compilers that are in the store, what they consist of, and how to call them. */
import { partEnvironment } from "../cc/environment.ts";
import { asObject, asString } from "../job/json.ts";
import { askControl } from "../daemon/client.ts";
import { connectDaemon, daemonLogPath } from "../daemon/lifecycle.ts";
import { realFiles } from "../daemon/real_files.ts";
import { openRealTools } from "../daemon/real_tools.ts";
import { rehearse } from "../daemon/rehearsal.ts";
import { buildShim } from "../daemon/shim_build.ts";
import { startDetached } from "../daemon/start_detached.ts";
import { findCompiler } from "../daemon/toolchain_add.ts";
import { collectToolchain, SHIM_PATH } from "../daemon/toolchain_files.ts";
import { keptToolchains, type StoredToolchain } from "../daemon/toolchain_records.ts";
import type { Command, CommandContext } from "./command.ts";
import { makeLinks } from "./compiler_links.ts";
import { usageError } from "./flags.ts";
import { selfCommand } from "./self.ts";

const USAGE = `list, explain and add the compilers that run elsewhere

usage: llama toolchain [-json]
       llama toolchain -explain COMPILER | -add COMPILER... | -links DIR

  -explain COMPILER  print each file that travels with it, its size, and why
  -add COMPILER      put it into the store before the first build does
  -links DIR         make a folder of links, named as the compilers in PATH,
                     that lead to llamacc; builds that find it first in PATH
                     compile elsewhere without being told

Without a flag it lists what is in the store: compiler, digest, files, bytes,
packs. COMPILER is a path or a name in PATH. Links of llamacc to any name do:
gcc-11, aarch64-linux-gnu-llamacc, llamacc-12, llamac++-clang.

exit status: 0 done, 1 failed, 2 wrong call, 130 interrupted

examples:
  llama toolchain -add gcc aarch64-linux-gnu-gcc
  llama toolchain -links ~/llama-links; PATH=~/llama-links:$PATH make -j100
`;

/** Digits of a digest that tell toolchains apart for people. */
const SHOWN_DIGITS = 12;

/** Lists, explains and adds toolchains. */
export const toolchain: Command = {
  usage: USAGE,
  operands: "programs",
  flags: [
    { name: "explain", kind: "switch" },
    { name: "add", kind: "switch" },
    { name: "links", kind: "value", takes: "DIR" },
  ],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { flags, operands, output, llamaDir } = context;
  const links = flags.value("links");
  const acts = [flags.has("explain"), flags.has("add"), links !== undefined].filter(Boolean).length;
  if (acts > 1) throw usageError("Only one of -explain, -add and -links can be given");
  const takes = flags.has("explain") ? [1, 1] : flags.has("add") ? [1, Infinity] : [0, 0];
  const [least = 0, most = 0] = takes;
  if (operands.length > most) {
    throw usageError(`Unknown argument ${JSON.stringify(operands[most])}`);
  }
  if (operands.length < least) throw usageError("The name of a compiler is missing");
  const [name = ""] = operands;
  if (flags.has("explain")) return await explain(name, context);
  if (links !== undefined) {
    const made = await makeLinks(links, context);
    await output.result({ folder: made.folder, links: made.names }, made.names.join("\n"));
    return 0;
  }
  const added = flags.has("add") ? await add(operands, context) : undefined;
  const kept = keptToolchains(llamaDir).filter(({ driver, flags }) =>
    added === undefined || (added.has(driver) && flags.length === 0)
  );
  if (kept.length === 0 && !output.json) output.say("llama: no toolchain is in the store yet");
  await output.result(kept, listing(kept));
  return 0;
}

/** Has the daemon put compilers into the store; returns their paths. */
async function add(
  names: readonly string[],
  { llamaDir, env, cwd }: CommandContext,
): Promise<ReadonlySet<string>> {
  using connection = await connectDaemon({
    llamaDir,
    // It starts in another folder, where a relative LLAMA_DIR would be another one.
    start: () =>
      startDetached(
        ["env", `LLAMA_DIR=${llamaDir}`, ...selfCommand(), "daemon", "-start"],
        daemonLogPath(llamaDir),
      ),
  });
  const added = new Set<string>();
  for (const compiler of names) {
    const answer = asObject(
      await askControl(connection, { type: "toolchain", compiler, env, cwd }),
      "the daemon's answer",
    );
    added.add(asString(answer.driver, "driver"));
  }
  return added;
}

/** A file of a toolchain. */
interface Explained {
  readonly path: string;
  readonly bytes: number;
  readonly why: string;
}

async function explain(name: string, { env, cwd, output }: CommandContext): Promise<number> {
  const defined = definedOf(env);
  const { driver, path } = findCompiler(name, { files: realFiles, env: defined, cwd });
  const { set, why, shim } = await collectToolchain(
    { driver, flags: [], env: partEnvironment({ ...defined, PATH: path }), cwd },
    {
      ...openRealTools(),
      rehearse,
      shimFor: (compiler) => buildShim(compiler),
    },
  );
  const files: Explained[] = [...set.states].map(([path, { size }]) => ({
    path,
    bytes: size,
    why: why.get(path) ?? "it lies in a folder that the compiler lists",
  }));
  files.push({ path: SHIM_PATH, bytes: shim.length, why: "shows a job its files at their paths" });
  files.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1));
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const width = Math.max(...files.map(({ bytes }) => sizeText(bytes).length));
  const lines = files.map(({ path, bytes, why }) =>
    `${sizeText(bytes).padStart(width)}  ${path}  (${why})`
  );
  const sum = `${sizeText(total).padStart(width)}  ${files.length} files of ${driver}`;
  await output.result({ driver, bytes: total, files }, [...lines, sum].join("\n"));
  return 0;
}

function listing(kept: readonly StoredToolchain[]): string {
  const rows = kept.map(({ driver, flags, manifest, files, bytes, packs }) => [
    [driver, ...flags].join(" "),
    manifest.slice(0, SHOWN_DIGITS),
    `${files} files`,
    sizeText(bytes),
    packs === 1 ? "1 pack" : `${packs} packs`,
  ]);
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length))
  );
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .join("\n");
}

/** Megabytes of a million bytes, as storage and networks count them. */
function sizeText(bytes: number): string {
  return bytes >= 1e6
    ? `${(bytes / 1e6).toFixed(1)} MB`
    : bytes >= 1e3
    ? `${(bytes / 1e3).toFixed(1)} kB`
    : `${bytes} B`;
}

function definedOf(env: CommandContext["env"]): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) defined[name] = value;
  return defined;
}
