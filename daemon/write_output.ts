/** Puts a compiler's output where the local compiler would have put it. */
import type { Input } from "../job/manifest.ts";

/** How the compiler makes a file that is there already. */
export type Replacement =
  /** Removes it and makes a new one, as `as` does with an object. */
  | "unlink"
  /** Writes into it, so that it keeps its mode, as cc1 does with a dependency file. */
  | "truncate";

/**
 * Writes `bytes` to a file beside `path` and renames it. Throws what the system throws, and leaves
 * nothing behind then.
 */
export async function writeOutput(
  path: string,
  bytes: Uint8Array,
  options: { readonly umask: number; readonly replacement: Replacement },
): Promise<void> {
  const { umask, replacement } = options;
  const slash = path.lastIndexOf("/");
  const beside = `${path.slice(0, slash + 1)}.llama-${crypto.randomUUID()}`;
  let mode = 0o666 & ~umask;
  const existing = await existingFile(path);
  // `as` removes an object only if it is not empty.
  if (existing && (replacement === "truncate" || existing.size === 0)) {
    mode = (existing.mode ?? 0o666) & 0o777;
    // Renaming would replace a file that the compiler could not have written into.
    (await Deno.open(path, { write: true })).close();
  }
  try {
    await Deno.writeFile(beside, bytes, { createNew: true });
    await Deno.chmod(beside, mode);
    await Deno.rename(beside, path);
  } catch (error) {
    await removeIfThere(beside);
    throw error;
  }
}

/** Removes a file that may not be there. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether the compiler would replace what is at `path` by a regular file. */
export function isReplaceable(state: { readonly kind: string } | undefined): boolean {
  return state === undefined || state.kind === "file";
}

/** The outputs that are regular files, by path. */
export function filesOf(outputs: readonly Input[]): Map<string, Extract<Input, { kind: "file" }>> {
  const files = new Map<string, Extract<Input, { kind: "file" }>>();
  for (const output of outputs) if (output.kind === "file") files.set(output.path, output);
  return files;
}

async function existingFile(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
