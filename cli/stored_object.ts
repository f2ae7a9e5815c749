/** Objects of the store as the command line names and writes them. */
import { MAX_OBJECT_BYTES } from "../job/content.ts";
import { asDigest, type Digest } from "../job/digest.ts";
import { FormatError } from "../job/errors.ts";
import type { ObjectStore } from "../store/object_store.ts";
import { usageError } from "./flags.ts";
import { writeOutputs } from "./job_outputs.ts";

/**
 * Reads the ID of an object.
 *
 * @throws {LlamaError} With code `Usage`, if it is none.
 */
export function readId(text: string): Digest {
  try {
    return asDigest(text, "ID");
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw usageError(`${JSON.stringify(text)} is not an ID`, "an ID has 64 hexadecimal digits");
  }
}

/** Writes an object to the file `target`, in place of what may be there; returns its size in bytes. */
export async function fetchTo(
  store: ObjectStore,
  id: Digest,
  target: string,
  signal: AbortSignal,
): Promise<number> {
  let size = 0;
  // As large as any may be: how large it is shows when it comes.
  const content = { digest: id, size: MAX_OBJECT_BYTES };
  const file = { kind: "file", path: id, mode: 0o666, content } as const;
  const source = {
    read: (digest: Digest) => store.get(digest),
    take: async (digest: Digest, take: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>) => {
      size = await store.take(digest, take);
    },
  };
  await writeOutputs([file], [{ local: target, remote: id }], source, signal);
  return size;
}
