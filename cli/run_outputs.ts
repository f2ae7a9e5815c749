/** Writes what a command made or changed elsewhere to where it would have been made here. */
import type { FileSystem } from "../cc/file_system.ts";
import { isBelow } from "../daemon/command_guess.ts";
import { removeIfThere } from "../daemon/write_output.ts";
import { LlamaError } from "../job/errors.ts";
import { parentOf } from "../job/path.ts";
import type { JobResult } from "../job/result.ts";
import { type ObjectSource, writeOutputs } from "./job_outputs.ts";

/**
 * Writes outputs at their absolute paths, all of which are in or below `roots`, and removes what the command
 * removed. A worker is not trusted: what a link of this machine leads out of `roots` is refused.
 *
 * @returns The paths that were written or removed.
 * @throws {LlamaError} `OutputOutside`, `NotWritten`.
 */
export async function writeCommandOutputs(
  { outputs, removed = [] }: Pick<JobResult, "outputs" | "removed">,
  roots: readonly string[],
  source: ObjectSource,
  files: Pick<FileSystem, "lstat">,
  signal?: AbortSignal,
): Promise<string[]> {
  const real = roots.map((root) => realOf(root, files));
  for (const path of [...outputs.map(({ path }) => path), ...removed]) {
    const parent = realOf(parentOf(path), files);
    const isRoot = roots.includes(path);
    if (isRoot || real.some((root) => isBelow(parent, root))) continue;
    throw new LlamaError(
      "OutputOutside",
      `Cannot write ${JSON.stringify(path)} as a link on the way leads to ${
        JSON.stringify(parent)
      }`,
    );
  }
  const wishes = roots.map((root) => ({ local: root, remote: root }));
  const written = await writeOutputs(outputs, wishes, source, signal);
  for (const path of removed) await removeIfThere(path);
  for (const output of outputs) {
    if (output.kind !== "file" || output.mtimeMs === undefined) continue;
    // The command set the time on purpose, as cp -p does.
    await Deno.utime(output.path, new Date(), new Date(output.mtimeMs));
  }
  return [...written, ...removed];
}

/** The real path of what exists of `path`, with the rest behind it. */
function realOf(path: string, files: Pick<FileSystem, "lstat">): string {
  if (files.lstat(path) !== undefined) return Deno.realPathSync(path);
  const parent = parentOf(path);
  const above = realOf(parent, files);
  return `${above === "/" ? "" : above}${path.slice(parent === "/" ? 0 : parent.length)}`;
}
