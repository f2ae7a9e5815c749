/** S3's REST API of 2006-03-01. */
import { FormatError, LlamaError } from "../job/errors.ts";
import type { AwsClient } from "./client.ts";
import { encodePath } from "./endpoint.ts";
import { AwsError } from "./error.ts";
import { encodeEntities, parseXml } from "./xml.ts";

/** Names an object. */
export interface ObjectName {
  /** Bucket. */
  readonly bucket: string;
  /** Key within the bucket, not encoded. */
  readonly key: string;
  /** Gives the request up. */
  readonly signal?: AbortSignal;
}

/** An object to write. */
export interface NewObject extends ObjectName {
  /** The bytes. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Writes only where the key is free; false unless given. */
  readonly ifAbsent?: boolean;
  /** User metadata: ASCII, names in lower case without `x-amz-meta-`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Media type, `application/octet-stream` unless given. */
  readonly contentType?: string;
  /** SHA-256 of `body` in hexadecimal: S3 refuses the object if other bytes arrive. */
  readonly sha256?: string;
}

/** An object that was read. */
export interface ReadObject {
  /** The bytes. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** User metadata, names in lower case without `x-amz-meta-`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** What HEAD says of an object. */
export interface ObjectHead {
  /** Size in bytes. */
  readonly size: number;
  /** User metadata, names in lower case without `x-amz-meta-`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** An entry of a listing. */
export interface ListedObject {
  /** Key, not encoded. */
  readonly key: string;
  /** Size in bytes. */
  readonly size: number;
  /** When it was written, in milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** Objects have up to hundreds of megabytes, and how many is not known before. */
const READ_DEADLINE_MS = 900_000;

const META = "x-amz-meta-";

/** The part of a request that names an object. */
export function nameOf(
  { bucket, key }: ObjectName,
): { service: string; bucket: string; path: string } {
  return { service: "s3", bucket, path: `/${encodePath(key)}` };
}

function optional<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value };
}

/**
 * Creates a bucket in the account's region.
 *
 * @returns Whether it is new; false if the account has it already.
 * @throws {AwsError} If the name belongs to somebody else, among others.
 */
export async function createBucket(
  client: AwsClient,
  bucket: string,
): Promise<{ created: boolean }> {
  const { region } = client.account;
  // us-east-1 has no name of its own here.
  const body = region === "us-east-1"
    ? ""
    : '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      `<LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
  try {
    await client.send({
      service: "s3",
      operation: "CreateBucket",
      method: "PUT",
      bucket,
      path: "/",
      ...(body !== "" && { body, headers: { "content-type": "application/xml" } }),
    });
    return { created: true };
  } catch (error) {
    if (error instanceof AwsError && error.awsCode === "BucketAlreadyOwnedByYou") {
      return { created: false };
    }
    throw error;
  }
}

/** Whether a bucket exists and can be reached. */
export async function headBucket(client: AwsClient, bucket: string): Promise<boolean> {
  try {
    await client.send({
      service: "s3",
      operation: "HeadBucket",
      method: "HEAD",
      bucket,
      path: "/",
    });
    return true;
  } catch (error) {
    if (error instanceof AwsError && error.status === 404) return false;
    throw error;
  }
}

/**
 * Writes an object.
 *
 * @returns Whether it was written; false if `ifAbsent` is set and the key was taken.
 */
export async function putObject(
  client: AwsClient,
  object: NewObject,
): Promise<{ created: boolean }> {
  const headers: Record<string, string> = {
    "content-type": object.contentType ?? "application/octet-stream",
  };
  if (object.ifAbsent === true) headers["if-none-match"] = "*";
  if (object.sha256 !== undefined) headers["x-amz-content-sha256"] = object.sha256;
  for (const [name, value] of Object.entries(object.metadata ?? {})) {
    headers[`${META}${name}`] = value;
  }
  try {
    await client.send({
      ...nameOf(object),
      operation: "PutObject",
      method: "PUT",
      headers,
      body: object.body,
      ...optional("signal", object.signal),
    });
    return { created: true };
  } catch (error) {
    // 412 means that the key is taken: by an earlier attempt whose answer was lost, too.
    if (object.ifAbsent === true && error instanceof AwsError && error.status === 412) {
      return { created: false };
    }
    throw error;
  }
}

/**
 * Reads an object.
 *
 * @throws {AwsError} `NoSuchKey`, or `AccessDenied` where the caller may not list the bucket.
 */
export async function getObject(client: AwsClient, object: ObjectName): Promise<ReadObject> {
  const { body, headers } = await client.send({
    ...nameOf(object),
    operation: "GetObject",
    method: "GET",
    deadlineMs: READ_DEADLINE_MS,
    ...optional("signal", object.signal),
  });
  return { body, metadata: metadataOf(headers) };
}

/** What is known of an object, undefined if there is none. */
export async function headObject(
  client: AwsClient,
  object: ObjectName,
): Promise<ObjectHead | undefined> {
  try {
    const { headers } = await client.send({
      ...nameOf(object),
      operation: "HeadObject",
      method: "HEAD",
      ...optional("signal", object.signal),
    });
    return { size: sizeOf(headers.get("content-length")), metadata: metadataOf(headers) };
  } catch (error) {
    if (error instanceof AwsError && error.status === 404) return undefined;
    throw error;
  }
}

/** Deletes an object; nothing happens if there is none. */
export async function deleteObject(client: AwsClient, object: ObjectName): Promise<void> {
  await client.send({
    ...nameOf(object),
    operation: "DeleteObject",
    method: "DELETE",
    ...optional("signal", object.signal),
  });
}

/** Most keys of one DeleteObjects request. */
const MAX_DELETED = 1_000;

/**
 * Deletes objects, a thousand in a request.
 *
 * @throws {LlamaError} `DeleteFailed`, if one of them cannot be deleted.
 */
export async function deleteObjects(
  client: AwsClient,
  bucket: string,
  keys: readonly string[],
): Promise<void> {
  for (let start = 0; start < keys.length; start += MAX_DELETED) {
    const entries = keys.slice(start, start + MAX_DELETED)
      .map((key) => `<Object><Key>${encodeEntities(key)}</Key></Object>`);
    const body = new TextEncoder().encode(
      '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
        `${entries.join("")}<Quiet>true</Quiet></Delete>`,
    );
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
    const answer = await client.send({
      service: "s3",
      operation: "DeleteObjects",
      method: "POST",
      bucket,
      path: "/",
      query: [["delete", ""]],
      headers: {
        "content-type": "application/xml",
        "x-amz-checksum-sha256": sha256.toBase64(),
        "x-amz-content-sha256": sha256.toHex(),
      },
      body,
    });
    const result = await parseXml(
      new TextDecoder().decode(answer.body),
      "DeleteResult",
      "answer of S3 DeleteObjects",
    );
    const failed = result.child("Error");
    if (failed !== undefined) {
      throw new LlamaError(
        "DeleteFailed",
        `Cannot delete "s3://${bucket}/${failed.text("Key")}" as S3 answered ` +
          `${failed.text("Code")}: ${failed.text("Message")}`,
      );
    }
  }
}

/** Lists the objects whose key begins with `prefix`, in the order of their keys' bytes. */
export async function* listObjects(
  client: AwsClient,
  bucket: string,
  prefix = "",
): AsyncGenerator<ListedObject> {
  const what = "answer of S3 ListObjectsV2";
  let token: string | undefined;
  do {
    const answer = await client.send({
      service: "s3",
      operation: "ListObjectsV2",
      method: "GET",
      bucket,
      path: "/",
      query: [
        ["list-type", "2"],
        // Keys may hold characters that XML cannot.
        ["encoding-type", "url"],
        ["prefix", prefix],
        ...(token === undefined ? [] : [["continuation-token", token] as const]),
      ],
    });
    const result = await parseXml(new TextDecoder().decode(answer.body), "ListBucketResult", what);
    for (const entry of result.children("Contents")) {
      const key = entry.text("Key");
      if (key === undefined) throw new FormatError(what, "an entry has no key");
      yield {
        key: decodeURIComponent(key.replaceAll("+", " ")),
        size: sizeOf(entry.text("Size")),
        modifiedMs: Date.parse(entry.text("LastModified") ?? ""),
      };
    }
    token = result.text("IsTruncated") === "true"
      ? result.text("NextContinuationToken")
      : undefined;
  } while (token !== undefined);
}

/** The user metadata in the headers of an answer. */
export function metadataOf(headers: Headers): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  for (const [name, value] of headers) {
    if (name.startsWith(META)) metadata.set(name.slice(META.length), value);
  }
  return metadata;
}

function sizeOf(text: string | null | undefined): number {
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  throw new FormatError("size of an object in S3's answer", `it is "${text}"`);
}
