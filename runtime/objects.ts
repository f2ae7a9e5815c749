/** What the runtime asks of the store. */
import type { Digest } from "../job/digest.ts";

/** Objects by digest; the store behind it checks every read against its digest. */
export interface Objects {
  /** The bytes of an object; throws a `LlamaError` with code `ObjectMissing` if there is none. */
  get(digest: Digest): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Reads a large object piece by piece; throws a `LlamaError` with code `CorruptObject` at the end if the pieces were
   * not its own, and `ObjectMissing` as {@linkcode Objects.get} does.
   */
  take(digest: Digest, take: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>): Promise<number>;
  /** Keeps a large file and returns its digest. */
  putFile(path: string): Promise<Digest>;
  /** Keeps `bytes` and returns their digest. */
  put(bytes: Uint8Array<ArrayBuffer>): Promise<Digest>;
  /** Keeps the answer of a job under the name that the job gives it. */
  putAnswer(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}
