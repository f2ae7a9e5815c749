/** Standard input for a job. */
import type { Content } from "../job/content.ts";
import { digestOf } from "../job/digest.ts";

/** What was read, and how a job holds it. */
export interface JobStdin {
  readonly content: Content;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Larger input on stdin goes to the store. */
const MAX_INLINE_STDIN_BYTES = 256 * 1024;

/** Reads standard input to its end. */
export async function readStdin(): Promise<JobStdin> {
  const bytes = new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer());
  const content = bytes.length <= MAX_INLINE_STDIN_BYTES
    ? { bytes }
    : { digest: await digestOf(bytes), size: bytes.length };
  return { content, bytes };
}
