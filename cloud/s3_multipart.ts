/**
 * Multipart uploads of the embedded S3. An upload is a folder with `upload.json` and one object file
 * (object_file.ts) a part; completing it copies the parts into one new object.
 */
import { createHash } from "node:crypto";
import { asInteger, asObject, asString, parseJson } from "../job/json.ts";
import { createObjectFile, type ObjectMetadata, openObjectFile } from "./object_file.ts";
import { readPayload } from "./payload.ts";
import { S3_NAMESPACE, xmlResponse } from "./rest_xml.ts";
import { checkWriteConditions, keptHeaders, requireLength } from "./s3_objects.ts";
import {
  invalidArgument,
  isoTime,
  type S3Context,
  type S3Request,
  type S3Target,
} from "./s3_request.ts";
import { ServiceError } from "./service.ts";
import { filesUnder, readIfThere, removeIfThere, syncFolder, writeDurably } from "./state.ts";
import { childrenOf, document, element, malformedXml, parseXml, textElement } from "./xml.ts";

/** Least bytes of every part but the last: 5 MiB. */
const MIN_PART_BYTES = 5 * 1024 * 1024;
const MAX_PARTS = 10_000;
const MAX_XML_BYTES = 4 * 1024 * 1024;

interface Upload {
  readonly id: string;
  readonly bucket: string;
  readonly key: string;
  readonly createdMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers CreateMultipartUpload. */
export async function createUpload(
  context: S3Context,
  request: S3Request,
  { bucket, key }: S3Target,
): Promise<Response> {
  const upload: Upload = {
    id: crypto.randomUUID().replaceAll("-", ""),
    bucket: bucket.record.name,
    key,
    createdMs: context.now(),
    headers: keptHeaders(request.headers),
  };
  const directory = `${context.uploadsDirectory}/${upload.id}`;
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  await writeDurably(
    `${directory}/upload.json`,
    new TextEncoder().encode(JSON.stringify(upload)),
  );
  await syncFolder(context.uploadsDirectory);
  return xmlResponse(document(
    "InitiateMultipartUploadResult",
    S3_NAMESPACE,
    textElement("Bucket", upload.bucket),
    textElement("Key", key),
    textElement("UploadId", upload.id),
  ));
}

async function findUpload(context: S3Context, id: string, target?: S3Target): Promise<Upload> {
  // The id becomes part of a path.
  const path = /^[0-9a-f]{32}$/.test(id) ? `${context.uploadsDirectory}/${id}/upload.json` : "";
  const bytes = path === "" ? undefined : await readIfThere(path);
  if (bytes !== undefined) {
    const json = asObject(parseJson(new TextDecoder().decode(bytes), path), path);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(asObject(json["headers"], "headers"))) {
      headers[name] = asString(value, name);
    }
    const upload: Upload = {
      id,
      bucket: asString(json["bucket"], "bucket"),
      key: asString(json["key"], "key"),
      createdMs: asInteger(json["createdMs"], "createdMs"),
      headers,
    };
    if (
      target === undefined ||
      (target.key === upload.key && target.bucket.record.name === upload.bucket)
    ) return upload;
  }
  throw new ServiceError(
    404,
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { fields: { UploadId: id } },
  );
}

function partPath(context: S3Context, upload: Upload, part: number): string {
  return `${context.uploadsDirectory}/${upload.id}/${part}`;
}

/** Answers UploadPart. */
export async function uploadPart(
  context: S3Context,
  request: S3Request,
  target: S3Target,
): Promise<Response> {
  const number = request.query.get("partNumber") ?? "";
  const part = /^\d{1,5}$/.test(number) ? Number(number) : 0;
  if (part < 1 || part > MAX_PARTS) {
    throw invalidArgument(
      "partNumber",
      number,
      "Part number must be an integer between 1 and 10000, inclusive",
    );
  }
  if (request.headers.has("x-amz-copy-source")) {
    throw new ServiceError(501, "NotImplemented", "UploadPartCopy is not implemented");
  }
  requireLength(request.headers);
  const upload = await findUpload(context, request.query.get("uploadId") ?? "", target);
  await using writer = await createObjectFile(`${context.uploadsDirectory}/${upload.id}`);
  for await (const chunk of request.payload.chunks) await writer.write(chunk);
  const checksum = request.payload.checksum();
  await writer.finish({
    key: String(part),
    size: writer.size,
    etag: request.payload.md5(),
    modifiedMs: context.now(),
    headers: {},
    ...(checksum && { checksum }),
  });
  await writer.publish(partPath(context, upload, part));
  return new Response(null, {
    headers: {
      etag: `"${request.payload.md5()}"`,
      ...(checksum && { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value }),
    },
  });
}

/** Answers CompleteMultipartUpload. */
export async function completeUpload(
  context: S3Context,
  request: S3Request,
  target: S3Target,
): Promise<Response> {
  const { bucket, key } = target;
  const upload = await findUpload(context, request.query.get("uploadId") ?? "", target);
  const body = new TextDecoder().decode(await readPayload(request.payload, MAX_XML_BYTES));
  const parts = childrenOf(parseXml(body, "CompleteMultipartUpload"), "Part").map((item) => {
    const json = asObject(item, "Part");
    return {
      number: Number(asString(json["PartNumber"], "PartNumber")),
      etag: asString(json["ETag"], "ETag").trim().replaceAll('"', ""),
    };
  });
  if (parts.length === 0) {
    throw malformedXml();
  }
  if (parts.some(({ number }, index) => !(number > (parts[index - 1]?.number ?? 0)))) {
    throw new ServiceError(
      400,
      "InvalidPartOrder",
      "The list of parts was not in ascending order. Parts must be ordered by part number.",
    );
  }
  const md5 = createHash("md5");
  await using writer = await bucket.write();
  for (const [index, { number, etag }] of parts.entries()) {
    using part = await openObjectFile(partPath(context, upload, number));
    if (part === undefined || part.metadata.etag !== etag) {
      throw new ServiceError(
        400,
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { fields: { PartNumber: String(number), ETag: etag } },
      );
    }
    if (index < parts.length - 1 && part.metadata.size < MIN_PART_BYTES) {
      throw new ServiceError(
        400,
        "EntityTooSmall",
        "Your proposed upload is smaller than the minimum allowed size",
        { fields: { PartNumber: String(number), ProposedSize: String(part.metadata.size) } },
      );
    }
    for await (const chunk of part.stream(0, part.metadata.size)) await writer.write(chunk);
    md5.update(Uint8Array.fromHex(part.metadata.etag));
  }
  const metadata: ObjectMetadata = {
    key,
    size: writer.size,
    etag: `${md5.digest("hex")}-${parts.length}`,
    modifiedMs: context.now(),
    headers: upload.headers,
  };
  await writer.finish(metadata);
  await bucket.publish(
    key,
    writer,
    (present) => checkWriteConditions(request.headers, key, present),
  );
  await removeUpload(context, upload);
  return xmlResponse(document(
    "CompleteMultipartUploadResult",
    S3_NAMESPACE,
    textElement("Location", `http://${request.headers.get("host")}/${upload.bucket}/${key}`),
    textElement("Bucket", upload.bucket),
    textElement("Key", key),
    textElement("ETag", `"${metadata.etag}"`),
  ));
}

async function removeUpload(context: S3Context, upload: Upload): Promise<void> {
  const directory = `${context.uploadsDirectory}/${upload.id}`;
  // Its record first: parts without a record belong to no upload.
  await removeIfThere(`${directory}/upload.json`);
  await removeIfThere(directory, { recursive: true });
}

/** Answers AbortMultipartUpload. */
export async function abortUpload(
  context: S3Context,
  request: S3Request,
  target: S3Target,
): Promise<Response> {
  const upload = await findUpload(context, request.query.get("uploadId") ?? "", target);
  await removeUpload(context, upload);
  return new Response(null, { status: 204 });
}

/** Answers ListParts, all in one page. */
export async function listParts(
  context: S3Context,
  request: S3Request,
  target: S3Target,
): Promise<Response> {
  const upload = await findUpload(context, request.query.get("uploadId") ?? "", target);
  const names = await filesUnder(`${context.uploadsDirectory}/${upload.id}`);
  const numbers = names.map(Number).filter(Number.isInteger).sort((a, b) => a - b);
  const parts: string[] = [];
  for (const number of numbers) {
    using part = await openObjectFile(partPath(context, upload, number));
    if (part === undefined) continue;
    parts.push(element(
      "Part",
      textElement("PartNumber", number),
      textElement("LastModified", isoTime(part.metadata.modifiedMs)),
      textElement("ETag", `"${part.metadata.etag}"`),
      textElement("Size", part.metadata.size),
    ));
  }
  return xmlResponse(document(
    "ListPartsResult",
    S3_NAMESPACE,
    textElement("Bucket", upload.bucket),
    textElement("Key", upload.key),
    textElement("UploadId", upload.id),
    textElement("StorageClass", "STANDARD"),
    textElement("MaxParts", MAX_PARTS),
    textElement("IsTruncated", false),
    ...parts,
  ));
}

/** Answers ListMultipartUploads, all in one page. */
export async function listUploads(context: S3Context, { bucket }: S3Target): Promise<Response> {
  const uploads: Upload[] = [];
  for await (const entry of Deno.readDir(context.uploadsDirectory)) {
    if (!entry.isDirectory) continue;
    try {
      const upload = await findUpload(context, entry.name);
      if (upload.bucket === bucket.record.name) uploads.push(upload);
    } catch (error) {
      // Half removed, or finished while we look.
      if (!(error instanceof ServiceError)) throw error;
    }
  }
  return xmlResponse(document(
    "ListMultipartUploadsResult",
    S3_NAMESPACE,
    textElement("Bucket", bucket.record.name),
    textElement("MaxUploads", uploads.length),
    textElement("IsTruncated", false),
    ...uploads.map((upload) =>
      element(
        "Upload",
        textElement("Key", upload.key),
        textElement("UploadId", upload.id),
        textElement("StorageClass", "STANDARD"),
        textElement("Initiated", isoTime(upload.createdMs)),
      )
    ),
  ));
}
