/**
 * The order in which this machine's file system lists folders, for jobs: an archive, say, has files in that order. The
 * path shim reads it (runtime/path_shim.c, "The order of folders").
 */
import type { FileSystem } from "../cc/file_system.ts";
import type { FileInput, Input } from "../job/manifest.ts";

const PATH = "/.llama/order";
/** A folder with more names is listed in the worker's order. */
const MAX_NAMES = 10_000;

/** The file that holds the order of all folders among `inputs`; undefined if there is none. */
export function folderOrder(
  inputs: readonly Input[],
  files: Pick<FileSystem, "list">,
): FileInput | undefined {
  let text = "";
  for (const { kind, path } of inputs) {
    if (kind !== "folder") continue;
    const names = files.list(path) ?? [];
    // One name has no order.
    if (names.length < 2 || names.length > MAX_NAMES) continue;
    text += [path, ...names.map(({ name }) => name), "", ""].join("\0");
  }
  if (text === "") return undefined;
  return {
    kind: "file",
    path: PATH,
    mode: 0o644,
    content: { bytes: new TextEncoder().encode(text) },
  };
}
