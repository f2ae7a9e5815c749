/**
 * The answer of InvokeWithResponseStream: events of the format "application/vnd.amazon.eventstream" (Smithy,
 * "Amazon Event Stream Specification"): lengths of all and of the headers, a CRC-32 of these, headers, payload, and a
 * CRC-32 of everything.
 */
import { crc32 } from "node:zlib";
import type { TakeChunk } from "./runtime_response.ts";
import type { PoolResult } from "./worker_pool.ts";

/** Most bytes of the payload of one event here; the format allows 16 MB. */
const MAX_CHUNK_BYTES = 256 * 1024;
/** Type 7 of a header's value: text. */
const TEXT = 7;

/**
 * Runs an invocation and streams what it answers; returns when there is something to stream.
 *
 * @param logOf The log's end in base64 where it is wanted.
 * @param background Looks after what nobody waits for.
 * @throws What `run` rejects with before there is an answer.
 */
export async function streamAnswer(
  run: (take: TakeChunk) => Promise<PoolResult>,
  logOf: (result: PoolResult) => string | undefined,
  background: (work: Promise<unknown>) => void,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { readable, writable } = new TransformStream<
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>
  >();
  const writer = writable.getWriter();
  const begun = Promise.withResolvers<void>();
  let isGone = false;
  const write = async (bytes: Uint8Array<ArrayBuffer>) => {
    if (isGone) return;
    try {
      await writer.write(bytes);
    } catch {
      // The client has gone. As in Lambda the function runs on, and what it says is dropped.
      isGone = true;
    }
  };
  const writePayload = async (payload: Uint8Array<ArrayBuffer>) => {
    for (let at = 0; at < payload.length; at += MAX_CHUNK_BYTES) {
      const part = payload.subarray(at, at + MAX_CHUNK_BYTES);
      await write(encodeEvent("PayloadChunk", "application/octet-stream", part));
    }
  };
  const result = run(async (chunk) => {
    begun.resolve();
    await writePayload(chunk);
  });
  const finish = async () => {
    const ended = await result;
    if (!ended.failed) await writePayload(ended.payload);
    const log = logOf(ended);
    const complete = {
      ...(ended.failed && errorOf(ended)),
      ...(log && { LogResult: log }),
    };
    const json = new TextEncoder().encode(JSON.stringify(complete));
    await write(encodeEvent("InvokeComplete", "application/json", json));
    if (!isGone) await writer.close().catch(() => isGone = true);
  };
  await Promise.race([begun.promise, result]);
  background(finish());
  return readable;
}

/** How the end of a stream tells of an error. */
function errorOf(
  { payload, errorType }: PoolResult,
): { ErrorCode: string; ErrorDetails: string } {
  const details = new TextDecoder().decode(payload);
  const type = errorType ?? /"errorType":"([^"]*)"/.exec(details)?.[1];
  return { ErrorCode: type ?? "Unhandled", ErrorDetails: details };
}

/** The bytes of an event. */
export function encodeEvent(
  type: string,
  contentType: string,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const headers = [
    ...header(":event-type", type),
    ...header(":content-type", contentType),
    ...header(":message-type", "event"),
  ];
  const bytes = new Uint8Array(16 + headers.length + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length);
  view.setUint32(4, headers.length);
  view.setUint32(8, crc32(bytes.subarray(0, 8)));
  bytes.set(headers, 12);
  bytes.set(payload, 12 + headers.length);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, bytes.length - 4)));
  return bytes;
}

function header(name: string, value: string): number[] {
  const encoder = new TextEncoder();
  const [nameBytes, valueBytes] = [encoder.encode(name), encoder.encode(value)];
  const size = valueBytes.length;
  return [nameBytes.length, ...nameBytes, TEXT, size >> 8, size & 0xff, ...valueBytes];
}
