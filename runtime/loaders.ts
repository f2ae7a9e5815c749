/**
 * Loaders of shipped programs. The kernel takes `PT_INTERP` of a program as a path on the worker,
 * whose loader and C library may be others than those the program was shipped with. So the path in
 * the program is replaced by one that is no longer than the shortest usual path of a loader
 * (`/lib64/ld-linux-x86-64.so.2`, 27 bytes), where the shipped loader stands for as long as the worker
 * lives: `/tmp/.ld/` and 12 digits of the loader's digest, fewer where the old path is shorter.
 */
import type { Digest } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { type Fingerprint, fingerprint, type Libc, sameFingerprint } from "./libc.ts";

/** Puts shipped loaders where patched programs look for them. */
export interface Loaders {
  /**
   * Makes a copy of the loader in `file` and returns its path, of at most `maxLength` bytes;
   * undefined if no path is that short.
   */
  ship(digest: Digest, file: string, maxLength: number): string | undefined;
}

const MOST_DIGITS = 12;
const FEWEST_DIGITS = 6;
const MODE = 0o755;

/** Loaders in `folder`, `/tmp/.ld` but for tests. */
export function openLoaders(folder: string, libc: Libc | undefined): Loaders {
  const shipped = new Map<string, Fingerprint | undefined>();
  return {
    ship(digest, file, maxLength) {
      const digits = Math.min(MOST_DIGITS, maxLength - folder.length - 1);
      if (digits < FEWEST_DIGITS) return undefined;
      const path = `${folder}/${digest.slice(0, digits)}`;
      // A job could have changed it, as it runs as the same user.
      if (sameFingerprint(shipped.get(path), fingerprint(libc, path))) return path;
      makeOwnFolder(folder);
      // Another worker may have put the same there.
      if (sameBytes(path, file)) {
        shipped.set(path, fingerprint(libc, path));
        return path;
      }
      const fresh = `${folder}/${crypto.randomUUID()}`;
      Deno.copyFileSync(file, fresh);
      Deno.chmodSync(fresh, MODE);
      Deno.renameSync(fresh, path);
      shipped.set(path, fingerprint(libc, path));
      return path;
    },
  };
}

function sameBytes(path: string, file: string): boolean {
  let there: Uint8Array;
  try {
    const { isFile, mode } = Deno.lstatSync(path);
    if (!isFile || ((mode ?? 0) & 0o7777) !== MODE) return false;
    there = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  const here = Deno.readFileSync(file);
  return here.length === there.length && here.every((byte, index) => byte === there[index]);
}

function makeOwnFolder(path: string): void {
  Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  const { isDirectory, uid } = Deno.lstatSync(path);
  if (isDirectory && uid === Deno.uid()) return;
  throw new LlamaError(
    "LoaderFolder",
    `Cannot keep loaders in "${path}" as it is not a folder of this user's own`,
  );
}
