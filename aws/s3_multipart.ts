/** Objects that go to S3 in parts, and come from it so (S3 API Reference, "Multipart upload overview"). */
import { FormatError } from "../job/errors.ts";
import type { AwsClient } from "./client.ts";
import { AwsError } from "./error.ts";
import { metadataOf, nameOf, type NewObject, type ObjectName, type ReadObject } from "./s3.ts";
import { parseXml } from "./xml.ts";

/** A part that is to be sent. */
export interface Part {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes in hexadecimal. */
  readonly sha256: string;
  /** Is called when the bytes are no longer needed. */
  readonly release: () => void;
}

/** Where parts come from, in their order; all but the last have 5 MiB or more. */
export type Parts = AsyncIterable<Part>;

/** Parts that are under way at the same time. */
export const PARTS_AT_ONCE = 3;

/**
 * Writes an object of any size up to 5 TiB. What was sent of an upload that fails is removed.
 *
 * @returns Whether it was written; false if `ifAbsent` is set and the key was taken.
 * @throws What `parts` throws.
 */
export async function putObjectParts(
  client: AwsClient,
  object: Omit<NewObject, "body" | "sha256">,
  parts: Parts,
): Promise<{ created: boolean }> {
  const signal = object.signal && { signal: object.signal };
  const common = { ...nameOf(object), ...signal };
  const { body } = await client.send({
    ...common,
    operation: "CreateMultipartUpload",
    method: "POST",
    query: [["uploads", ""]],
    headers: { "content-type": object.contentType ?? "application/octet-stream" },
  });
  const answer = await read(body, "InitiateMultipartUploadResult");
  const uploadId = answer.text("UploadId");
  if (uploadId === undefined) throw new FormatError("answer of S3", "it has no UploadId");
  try {
    const etags = await sendParts(client, common, uploadId, parts);
    const list = etags.map((etag, index) =>
      `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`
    );
    const completed = await client.send({
      ...common,
      operation: "CompleteMultipartUpload",
      method: "POST",
      query: [["uploadId", uploadId]],
      headers: {
        "content-type": "application/xml",
        ...(object.ifAbsent === true && { "if-none-match": "*" }),
      },
      body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
        list.join("")
      }</CompleteMultipartUpload>`,
    });
    // S3 answers 200 before it knows, and an error may follow in the body.
    await read(completed.body, "CompleteMultipartUploadResult");
    return { created: true };
  } catch (error) {
    const isTaken = object.ifAbsent === true && error instanceof AwsError && error.status === 412;
    await abort(client, object, uploadId, isTaken ? undefined : error);
    return { created: false };
  }
}

async function sendParts(
  client: AwsClient,
  common: { service: string; bucket: string; path: string; signal?: AbortSignal },
  uploadId: string,
  parts: Parts,
): Promise<string[]> {
  const etags: string[] = [];
  const underway = new Set<Promise<void>>();
  let failure: unknown;
  const send = async (number: number, { bytes, sha256, release }: Part) => {
    const { headers } = await client.send({
      ...common,
      operation: "UploadPart",
      method: "PUT",
      query: [["partNumber", String(number)], ["uploadId", uploadId]],
      headers: { "x-amz-content-sha256": sha256 },
      body: bytes,
    });
    etags[number - 1] = headers.get("etag") ?? "";
    release();
  };
  let number = 0;
  try {
    for await (const part of parts) {
      const sent: Promise<void> = send(++number, part).catch((error) => failure ??= error)
        .finally(() => underway.delete(sent));
      underway.add(sent);
      if (underway.size >= PARTS_AT_ONCE) await Promise.race(underway);
      if (failure !== undefined) break;
    }
  } finally {
    // A part that comes after its upload was given up would stay.
    await Promise.all(underway);
  }
  if (failure !== undefined) throw failure;
  return etags;
}

/**
 * Removes the parts of an upload that is not completed, and throws what it failed by, if anything. What cannot be removed a
 * rule of the bucket removes.
 */
async function abort(
  client: AwsClient,
  object: ObjectName,
  uploadId: string,
  cause: unknown,
): Promise<void> {
  try {
    // Not with the object's signal, which may be what ended the upload.
    await client.send({
      ...nameOf(object),
      operation: "AbortMultipartUpload",
      method: "DELETE",
      query: [["uploadId", uploadId]],
    });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
  }
  if (cause !== undefined) throw cause;
}

/** A part of an object that was read. */
export interface ReadRange extends ReadObject {
  /** Size of the whole object in bytes. */
  readonly size: number;
}

/** Milliseconds that a range may take, however slow the line is. */
const RANGE_DEADLINE_MS = 900_000;

/**
 * Reads bytes of an object from `start` into `buffer`, fewer than it has room for at the object's end. Nothing else is
 * allocated that has the size of the range: such memory is given back late.
 *
 * @throws {AwsError} `NoSuchKey`, `InvalidRange` if the object is empty or ends before `start`, and others.
 */
export async function getObjectRange(
  client: AwsClient,
  object: ObjectName,
  start: number,
  buffer: Uint8Array<ArrayBuffer>,
): Promise<ReadRange> {
  let length = 0;
  const { headers } = await client.send({
    ...nameOf(object),
    operation: "GetObject",
    method: "GET",
    headers: { range: `bytes=${start}-${start + buffer.length - 1}` },
    deadlineMs: RANGE_DEADLINE_MS,
    onAttempt: () => {
      length = 0;
    },
    onBody: (bytes) => {
      if (length + bytes.length > buffer.length) {
        return Promise.reject(new FormatError("answer of S3", "it is longer than the range"));
      }
      buffer.set(bytes, length);
      length += bytes.length;
      return Promise.resolve();
    },
    ...(object.signal && { signal: object.signal }),
  });
  const range = headers.get("content-range");
  const size = /^bytes \d+-\d+\/(\d{1,15})$/.exec(range ?? "")?.[1];
  if (size === undefined) throw new FormatError("answer of S3", `its range is "${range}"`);
  return { body: buffer.subarray(0, length), metadata: metadataOf(headers), size: Number(size) };
}

async function read(body: Uint8Array, root: string) {
  return await parseXml(new TextDecoder().decode(body), root, "answer of S3");
}
