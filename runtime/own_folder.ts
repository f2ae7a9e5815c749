/**
 * A folder that no other worker uses. In Lambda each has a /tmp of its own; on a machine where workers
 * cannot be sealed they share one, and a worker empties its folder when it starts.
 */
import { LlamaError } from "../job/errors.ts";

/** A folder and the lock that makes it this process's own for as long as it lives. */
export interface OwnFolder extends Disposable {
  readonly path: string;
}

const MOST_WORKERS = 1000;

/**
 * Claims `path`, or where another process has that, `path` with the first number that is free. The
 * folder itself is neither made nor changed, only a lock file beside it.
 *
 * @throws {LlamaError} `WorkerFolder` if all are taken or none can be locked.
 */
export function claimFolder(path: string): OwnFolder {
  let cause: unknown;
  for (let number = 0; number < MOST_WORKERS; number++) {
    const candidate = number === 0 ? path : `${path}${number}`;
    try {
      const lock = Deno.openSync(`${candidate}.lock`, { write: true, create: true, mode: 0o600 });
      if (lock.tryLockSync(true)) {
        return { path: candidate, [Symbol.dispose]: () => lock.close() };
      }
      lock.close();
    } catch (error) {
      // Another user's.
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      cause = error;
    }
  }
  throw new LlamaError("WorkerFolder", `Cannot use "${path}" as all its numbers are taken`, {
    cause,
  });
}
