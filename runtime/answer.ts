/**
 * Decides which bytes of an answer stand in the message and which in the store. An answer is JSON of
 * at most 6,291,556 bytes (Lambda quotas, "Invocation payload"), and an object in the store costs a
 * request on either side, so the small ones come first.
 */
import { type Content, contentToJson, LARGE_BYTES } from "../job/content.ts";
import { LlamaError } from "../job/errors.ts";
import { answerToJson, type JobResult } from "../job/result.ts";
import { eachAtOnce } from "./fetch_inputs.ts";
import type { Objects } from "./objects.ts";

/** Bytes that are read when they are needed. */
export interface Source {
  readonly size: number;
  /** Reads all bytes. */
  read(): Uint8Array<ArrayBuffer>;
  /** The file of a source that is too large for memory; it can be read. */
  file?(): string;
}

/** Most bytes of an answer's JSON, with room for what carries it. */
export const MAX_ANSWER_BYTES = 6_291_556 - 4096;

/** Above this size compression is not tried just to learn whether the result is small. */
const MAX_TRIED_BYTES = 16 * 1024 * 1024;
/** Text around one content in JSON: `{"zstd":"","size":1234567}`. */
const AROUND_BYTES = 48;
const EMPTY: Content = { bytes: new Uint8Array() };

/** Bytes of the JSON of `result` when its contents are empty. */
export function frameBytes(result: JobResult): number {
  const empty: JobResult = {
    ...result,
    stdout: EMPTY,
    stderr: EMPTY,
    outputs: result.outputs.map((output) =>
      output.kind === "file" ? { ...output, content: EMPTY } : output
    ),
  };
  return new TextEncoder().encode(JSON.stringify(answerToJson(empty))).length;
}

/**
 * Turns sources into contents that together take at most `budgetBytes` of JSON.
 *
 * @throws {LlamaError} `OutputTooLarge` if not even their digests fit; what `objects` throws.
 */
export async function placeContents(
  sources: readonly Source[],
  budgetBytes: number,
  objects: Objects,
): Promise<Content[]> {
  const order = sources.map((source, index) => ({ source, index }));
  order.sort((a, b) => a.source.size - b.source.size);
  // Every content can at least stand as a digest.
  const asDigest = 96;
  let left = budgetBytes - asDigest * sources.length;
  if (left < 0) {
    throw new LlamaError(
      "OutputTooLarge",
      `Cannot answer with ${sources.length} outputs as the answer would be too long`,
    );
  }
  const contents: Content[] = sources.map(() => EMPTY);
  const toStore: typeof order = [];
  for (const item of order) {
    const { source, index } = item;
    if (source.size === 0) continue;
    const plain = Math.ceil(source.size / 3) * 4 + AROUND_BYTES;
    if (plain <= left + asDigest) {
      contents[index] = { bytes: source.read() };
      left -= plain - asDigest;
      continue;
    }
    const content = source.size <= MAX_TRIED_BYTES ? { bytes: source.read() } : undefined;
    const packed = content && JSON.stringify(contentToJson(content)).length;
    if (content && packed !== undefined && packed <= left + asDigest) {
      contents[index] = content;
      left -= packed - asDigest;
    } else {
      toStore.push(item);
    }
  }
  await eachAtOnce(toStore, 2, async ({ source, index }) => {
    const file = source.size < LARGE_BYTES ? undefined : source.file?.();
    const digest = await (file === undefined ? objects.put(source.read()) : objects.putFile(file));
    contents[index] = { digest, size: source.size };
  });
  return contents;
}
