/** What a program that was shipped looked for in vain, though it is here: said when it fails, as that may be why. */
import { relative } from "@std/path/posix";
import type { FileSystem } from "../cc/file_system.ts";
import { SPECIAL } from "../daemon/command_guess.ts";
import { cleanPath } from "../job/path.ts";
import type { JobResult } from "../job/result.ts";

/** Most names that are said. */
const MAX_NAMES = 5;

/**
 * A line about it; undefined if there is nothing to say. Without the path shim there is no record, and nothing is
 * known. The job's `folder` stood for `cwd`.
 */
export function missedBy(
  { proof }: Pick<JobResult, "proof">,
  { cwd, folder }: { readonly cwd: string; readonly folder: string },
  files: Pick<FileSystem, "lstat" | "stat">,
): string | undefined {
  const names = new Map<string, string>();
  for (const path of (proof?.absent ?? []).map(cleanPath)) {
    const isOwn = path.startsWith(`${folder}/`);
    const here = isOwn ? `${cwd}/${relative(folder, path)}` : path;
    if (SPECIAL.test(path) || files.lstat(here) === undefined) continue;
    // /bin/x and /usr/bin/x are mostly one file.
    const state = files.stat(here);
    const key = state === undefined ? here : `${state.device}:${state.inode}`;
    if (!names.has(key)) names.set(key, isOwn ? relative(folder, path) : path);
  }
  if (names.size === 0) return undefined;
  const said = [...names.values()].slice(0, MAX_NAMES).map((name) => JSON.stringify(name));
  const more = names.size > said.length ? ` and ${names.size - said.length} more` : "";
  return `llama: It looked for what is here and did not travel: ${said.join(", ")}${more} ` +
    "(-f sends what is in the current folder, -ship-file other paths; llama run finds all by itself)";
}
