/** Reads what a compilation left. */
import type { LeftFile } from "./differences.ts";

/** The file at `path`, links followed; undefined if there is none that can be read. */
export function leftFile(path: string): LeftFile | undefined {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile ? { bytes: Deno.readFileSync(path), mode: (mode ?? 0) & 0o7777 } : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    throw error;
  }
}
