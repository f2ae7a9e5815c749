/** GetObject, HeadObject, PutObject, CopyObject, DeleteObject and DeleteObjects of the embedded S3. */
import { asObject, asString } from "../job/json.ts";
import type { ObjectMetadata, ObjectReader, ObjectWriter } from "./object_file.ts";
import { readPayload } from "./payload.ts";
import { S3_NAMESPACE, xmlResponse } from "./rest_xml.ts";
import {
  arnOf,
  bucketOf,
  invalidArgument,
  isoTime,
  noSuchKey,
  preconditionFailed,
  type S3Context,
  type S3Request,
  type S3Target,
} from "./s3_request.ts";
import { ServiceError } from "./service.ts";
import { decodeUri } from "./uri.ts";
import { childrenOf, document, element, malformedXml, parseXml, textElement } from "./xml.ts";

const KEPT_HEADERS = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
];
/** S3's limit of user metadata, names and values together, in bytes. */
const MAX_USER_METADATA_BYTES = 2048;
/** Most keys of one DeleteObjects. */
const MAX_DELETED_KEYS = 1000;
const MAX_XML_BYTES = 2 * 1024 * 1024;

/** The headers of an upload that the object keeps. */
export function keptHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {};
  let userBytes = 0;
  for (const [name, value] of headers) {
    if (name.startsWith("x-amz-meta-")) {
      userBytes += name.length - "x-amz-meta-".length + value.length;
      kept[name] = value;
    } else if (KEPT_HEADERS.includes(name)) kept[name] = value;
  }
  if (userBytes > MAX_USER_METADATA_BYTES) {
    throw new ServiceError(
      400,
      "MetadataTooLarge",
      "Your metadata headers exceed the maximum allowed metadata size",
      { fields: { Size: String(userBytes), MaxSizeAllowed: String(MAX_USER_METADATA_BYTES) } },
    );
  }
  // The encoding of the transfer is none of the object's.
  const encodings = (kept["content-encoding"] ?? "").split(",")
    .map((word) => word.trim()).filter((word) => word !== "" && word !== "aws-chunked");
  if (encodings.length > 0) kept["content-encoding"] = encodings.join(",");
  else delete kept["content-encoding"];
  kept["content-type"] ??= "binary/octet-stream";
  return kept;
}

/** Checks the conditions under which an upload may take a key. */
export function checkWriteConditions(
  headers: Headers,
  key: string,
  present: ObjectReader | undefined,
): void {
  const ifNoneMatch = headers.get("if-none-match");
  if (ifNoneMatch !== null) {
    if (ifNoneMatch.trim() !== "*") {
      throw new ServiceError(
        501,
        "NotImplemented",
        "A header you provided implies functionality that is not implemented",
        { fields: { Header: "If-None-Match" } },
      );
    }
    if (present !== undefined) throw preconditionFailed("If-None-Match");
  }
  const ifMatch = headers.get("if-match");
  if (ifMatch !== null) {
    if (present === undefined) throw noSuchKey(key);
    if (!etagMatches(ifMatch, present.metadata.etag)) throw preconditionFailed("If-Match");
  }
}

/** Answers PutObject. */
export async function putObject(
  context: S3Context,
  request: S3Request,
  { bucket, key }: S3Target,
): Promise<Response> {
  const { headers, payload } = request;
  requireLength(headers);
  const kept = keptHeaders(headers);
  {
    // Before the body comes: who asks only whether the object is there need not send it.
    using present = await bucket.open(key);
    checkWriteConditions(headers, key, present);
  }
  await using writer = await bucket.write();
  for await (const chunk of payload.chunks) await writer.write(chunk);
  const checksum = payload.checksum();
  const metadata: ObjectMetadata = {
    key,
    size: writer.size,
    etag: payload.md5(),
    modifiedMs: context.now(),
    headers: kept,
    ...(checksum && { checksum }),
  };
  await writer.finish(metadata);
  await bucket.publish(key, writer, (present) => checkWriteConditions(headers, key, present));
  return new Response(null, { headers: { ...entityTag(metadata), ...checksumHeaders(metadata) } });
}

/** Refuses a body of unknown length, as S3 does. */
export function requireLength(headers: Headers): void {
  if (headers.has("content-length") || headers.has("x-amz-decoded-content-length")) return;
  if (!headers.has("transfer-encoding")) return;
  throw new ServiceError(
    411,
    "MissingContentLength",
    "You must provide the Content-Length HTTP header.",
  );
}

/** Answers GetObject and HeadObject. */
export async function getObject(
  context: S3Context,
  request: S3Request,
  { bucket, key }: S3Target,
): Promise<Response> {
  const reader = await bucket.open(key);
  if (reader === undefined) {
    // Who may not list must not learn what is not there.
    const list = { action: "s3:ListBucket", resource: arnOf(bucket.record.name) };
    if (context.authorizer.allows(request.principal, list)) throw noSuchKey(key);
    throw new ServiceError(403, "AccessDenied", "Access Denied");
  }
  try {
    return objectResponse(request, reader);
  } catch (error) {
    reader[Symbol.dispose]();
    throw error;
  }
}

function objectResponse(request: S3Request, reader: ObjectReader): Response {
  const { metadata } = reader;
  checkReadConditions(request.headers, metadata);
  const headers = new Headers({
    ...metadata.headers,
    ...entityTag(metadata),
    "accept-ranges": "bytes",
    "last-modified": new Date(metadata.modifiedMs).toUTCString(),
  });
  for (const [name, value] of request.query) {
    const header = name.startsWith("response-") ? name.slice("response-".length) : "";
    if (KEPT_HEADERS.includes(header)) headers.set(header, value);
  }
  const range = parseRange(request.headers.get("range"), metadata.size);
  if (range === undefined && request.headers.get("x-amz-checksum-mode") === "ENABLED") {
    for (const [name, value] of Object.entries(checksumHeaders(metadata))) headers.set(name, value);
  }
  const { start, length } = range ?? { start: 0, length: metadata.size };
  headers.set("content-length", String(length));
  if (range !== undefined) {
    headers.set("content-range", `bytes ${start}-${start + length - 1}/${metadata.size}`);
  }
  const status = range === undefined ? 200 : 206;
  if (request.method === "HEAD") {
    reader[Symbol.dispose]();
    return new Response(null, { status, headers });
  }
  return new Response(reader.stream(start, length), { status, headers });
}

/** RFC 9110, section 13.2.2, and S3 on two conditions at once. */
function checkReadConditions(headers: Headers, { etag, modifiedMs }: ObjectMetadata): void {
  const ifMatch = headers.get("if-match");
  const seconds = Math.floor(modifiedMs / 1000);
  if (ifMatch !== null) {
    if (!etagMatches(ifMatch, etag)) throw preconditionFailed("If-Match");
  } else {
    const unmodified = Date.parse(headers.get("if-unmodified-since") ?? "");
    if (seconds > unmodified / 1000) throw preconditionFailed("If-Unmodified-Since");
  }
  const ifNoneMatch = headers.get("if-none-match");
  const modified = Date.parse(headers.get("if-modified-since") ?? "");
  const same = ifNoneMatch === null ? seconds <= modified / 1000 : etagMatches(ifNoneMatch, etag);
  if (same) {
    throw new ServiceError(304, "NotModified", "Not Modified", {
      headers: {
        etag: `"${etag}"`,
        "last-modified": new Date(modifiedMs).toUTCString(),
      },
    });
  }
}

function etagMatches(header: string, etag: string): boolean {
  return header.split(",").some((word) => {
    const bare = word.trim().replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
    return bare === "*" || bare === etag;
  });
}

interface ByteRange {
  start: number;
  length: number;
}

/** One range of bytes; S3 gives all to who asks for several, or for what is no range. */
function parseRange(header: string | null, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (header === null || match === null) return undefined;
  const [, from = "", to = ""] = match;
  if (from === "" && to === "") return undefined;
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size : Math.min(size, Number(to) + 1);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  if (start >= size || end <= start) {
    throw new ServiceError(416, "InvalidRange", "The requested range is not satisfiable", {
      headers: { "content-range": `bytes */${size}` },
      fields: { RangeRequested: header, ActualObjectSize: String(size) },
    });
  }
  return { start, length: end - start };
}

function entityTag({ etag }: ObjectMetadata): Record<string, string> {
  return { etag: `"${etag}"`, "x-amz-server-side-encryption": "AES256" };
}

function checksumHeaders({ checksum }: ObjectMetadata): Record<string, string> {
  if (checksum === undefined) return {};
  return {
    [`x-amz-checksum-${checksum.algorithm}`]: checksum.value,
    "x-amz-checksum-type": "FULL_OBJECT",
  };
}

/** Answers CopyObject. */
export async function copyObject(
  context: S3Context,
  request: S3Request,
  { bucket, key }: S3Target,
): Promise<Response> {
  const source = decodeUri((request.headers.get("x-amz-copy-source") ?? "").replace(/^\//, ""));
  const slash = source?.indexOf("/") ?? -1;
  if (source === undefined || slash < 1) {
    throw invalidArgument("x-amz-copy-source", source ?? "", "Invalid copy source object key");
  }
  const fromBucket = source.slice(0, slash);
  const fromKey = source.slice(slash + 1);
  context.authorizer.check(request.principal, {
    action: "s3:GetObject",
    resource: arnOf(fromBucket, fromKey),
  });
  const reader = await bucketOf(context, fromBucket).open(fromKey);
  if (reader === undefined) throw noSuchKey(fromKey);
  await using writer: ObjectWriter = await bucket.write();
  for await (const chunk of reader.stream(0, reader.metadata.size)) await writer.write(chunk);
  const replace = request.headers.get("x-amz-metadata-directive") === "REPLACE";
  const metadata: ObjectMetadata = {
    ...reader.metadata,
    key,
    modifiedMs: context.now(),
    headers: replace ? keptHeaders(request.headers) : reader.metadata.headers,
  };
  await writer.finish(metadata);
  await bucket.publish(key, writer, () => {});
  return xmlResponse(document(
    "CopyObjectResult",
    S3_NAMESPACE,
    textElement("LastModified", isoTime(metadata.modifiedMs)),
    textElement("ETag", `"${metadata.etag}"`),
  ));
}

/** Answers DeleteObject: that there was nothing is no error. */
export async function deleteObject({ bucket, key }: S3Target): Promise<Response> {
  await bucket.remove(key);
  return new Response(null, { status: 204 });
}

/** Answers DeleteObjects. */
export async function deleteObjects(
  context: S3Context,
  request: S3Request,
  { bucket }: S3Target,
): Promise<Response> {
  const body = new TextDecoder().decode(await readPayload(request.payload, MAX_XML_BYTES));
  const wanted = parseXml(body, "Delete");
  const objects = childrenOf(wanted, "Object");
  if (objects.length === 0 || objects.length > MAX_DELETED_KEYS) {
    throw malformedXml();
  }
  const { Quiet: quiet } = wanted;
  const isQuiet = typeof quiet === "string" && quiet.trim() === "true";
  const answers: string[] = [];
  for (const item of objects) {
    const key = asString(asObject(item, "Object")["Key"], "Key");
    const resource = arnOf(bucket.record.name, key);
    if (!context.authorizer.allows(request.principal, { action: "s3:DeleteObject", resource })) {
      answers.push(element(
        "Error",
        textElement("Key", key),
        textElement("Code", "AccessDenied"),
        textElement("Message", "Access Denied"),
      ));
      continue;
    }
    await bucket.remove(key);
    if (!isQuiet) answers.push(element("Deleted", textElement("Key", key)));
  }
  return xmlResponse(document("DeleteResult", S3_NAMESPACE, ...answers));
}
