/** Puts a compiler's output where the local compiler would have put it. */

/**
 * Makes a file of `mode`, in place of what may be at `path`, by a file beside it that is renamed. Throws
 * what the system throws, and leaves nothing behind then.
 */
export async function replaceFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const beside = `${path.slice(0, path.lastIndexOf("/") + 1)}.llama-${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(beside, bytes, { createNew: true });
    await Deno.chmod(beside, mode);
    await Deno.rename(beside, path);
  } catch (error) {
    await removeIfThere(beside);
    throw error;
  }
}

/** Replaces the content of the file at `path`, which keeps its mode and its other names. */
export async function writeInto(path: string, bytes: Uint8Array): Promise<void> {
  await Deno.writeFile(path, bytes, { create: false });
}

/** Removes a file that may not be there. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
