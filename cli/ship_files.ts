/** What `-ship-file` names. */
import { resolve } from "@std/path/posix";
import type { CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";

/**
 * Its paths, made absolute.
 *
 * @throws {LlamaError} With code `Usage` for an empty one, which would be the whole current folder.
 */
export function shipFiles({ flags, cwd }: Pick<CommandContext, "flags" | "cwd">): string[] {
  return flags.list("ship-file").map((path) => {
    if (path === "") throw usageError("The flag -ship-file has an empty path");
    return resolve(cwd, path);
  });
}
