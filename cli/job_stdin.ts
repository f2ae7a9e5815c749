/** Standard input for a job, or for the store. */
import { type Content, LARGE_BYTES } from "../job/content.ts";
import { digestOf } from "../job/digest.ts";
import { removeIfThere } from "../daemon/write_output.ts";
import { createDigest } from "../store/large_object.ts";
import { refuseTooLarge } from "./job_inputs.ts";
import { writeAll } from "./output.ts";

/** What was read, and how a job holds it. What does not fit into memory is in a file until this is disposed of. */
export interface JobStdin extends AsyncDisposable {
  readonly content: Content;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly file?: string;
}

/** Larger input on stdin goes to the store. */
const MAX_INLINE_STDIN_BYTES = 256 * 1024;

/**
 * Reads standard input to its end; much of it goes to a private file in `LLAMA_DIR/tmp`.
 *
 * @throws {LlamaError} `FileTooLarge`
 */
export async function readStdin(llamaDir: string, signal: AbortSignal): Promise<JobStdin> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = Deno.stdin.readable.getReader();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  // Whoever reads is told.
  aborted.catch(() => undefined);
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  const next = async () => (await Promise.race([reader.read(), aborted])).value;
  for (let chunk = await next(); chunk !== undefined; chunk = await next()) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= LARGE_BYTES) return await spool(chunks, next, llamaDir);
  }
  const bytes = await new Response(new Blob(chunks)).bytes();
  const content = size <= MAX_INLINE_STDIN_BYTES
    ? { bytes }
    : { digest: await digestOf(bytes), size };
  return { content, bytes, [Symbol.asyncDispose]: () => Promise.resolve() };
}

async function spool(
  early: Uint8Array<ArrayBuffer>[],
  next: () => Promise<Uint8Array<ArrayBuffer> | undefined>,
  llamaDir: string,
): Promise<JobStdin> {
  const folder = `${llamaDir}/tmp`;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const path = `${folder}/stdin-${crypto.randomUUID()}`;
  const dispose = () => removeIfThere(path);
  try {
    const hash = await createDigest();
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    let size = 0;
    for (
      let chunk = early.shift();
      chunk !== undefined;
      chunk = early.shift() ?? await next()
    ) {
      size += chunk.length;
      refuseTooLarge("standard input", size);
      hash.update(chunk);
      await writeAll(file, chunk);
    }
    return { content: { digest: hash.digest(), size }, file: path, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
