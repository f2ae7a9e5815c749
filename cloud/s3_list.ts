/** ListObjectsV2 and ListObjects of the embedded S3. */
import type { ObjectMetadata } from "./object_file.ts";
import { S3_NAMESPACE, xmlResponse } from "./rest_xml.ts";
import type { Bucket } from "./s3_buckets.ts";
import { compareKeys } from "./s3_keys.ts";
import { invalidArgument, isoTime, type S3Request } from "./s3_request.ts";
import { encodeUri } from "./uri.ts";
import { document, element, textElement } from "./xml.ts";

/** Most entries of one answer. */
const MAX_KEYS = 1000;
/** Files opened at once for a page's sizes and ETags. */
const OPEN_AT_ONCE = 32;

interface Page {
  keys: string[];
  commonPrefixes: string[];
  /** Where the next page begins: a key or a common prefix, undefined if this is the last. */
  next: string | undefined;
}

/** Answers ListObjectsV2, and ListObjects to who does not ask for the second version. */
export async function listObjects(request: S3Request, bucket: Bucket): Promise<Response> {
  const { query } = request;
  const second = query.get("list-type") === "2";
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const maxKeys = readMaxKeys(query.get("max-keys"));
  const encodingType = query.get("encoding-type");
  if (encodingType !== null && encodingType !== "url") {
    throw invalidArgument("encoding-type", encodingType, "Invalid Encoding Method specified");
  }
  const written = (text: string): string =>
    encodingType === null ? text : encodeUri(text, "/*").replaceAll("%20", "+");
  const token = query.get("continuation-token");
  const startAfter = query.get("start-after");
  const marker = query.get("marker");
  const after = second ? (token === null ? startAfter : readToken(token)) : marker;

  const page = await readPage(bucket, prefix, delimiter, maxKeys, after ?? "");
  const contents = await describe(bucket, page.keys);
  const owner = !second || query.get("fetch-owner") === "true"
    ? element("Owner", textElement("ID", request.principal.accountId))
    : "";
  const common = page.commonPrefixes.map((name) =>
    element("CommonPrefixes", textElement("Prefix", written(name)))
  );
  const entries = contents.map((object) =>
    element(
      "Contents",
      textElement("Key", written(object.key)),
      textElement("LastModified", isoTime(object.modifiedMs)),
      textElement("ETag", `"${object.etag}"`),
      textElement("Size", object.size),
      owner,
      textElement("StorageClass", "STANDARD"),
    )
  );
  const head = [
    textElement("Name", bucket.record.name),
    textElement("Prefix", written(prefix)),
    textElement("MaxKeys", maxKeys),
    textElement("Delimiter", delimiter === "" ? undefined : written(delimiter)),
    textElement("EncodingType", encodingType ?? undefined),
    textElement("IsTruncated", page.next !== undefined),
  ];
  if (second) {
    head.push(
      textElement("KeyCount", contents.length + common.length),
      textElement("ContinuationToken", token ?? undefined),
      textElement(
        "NextContinuationToken",
        page.next === undefined ? undefined : writeToken(page.next),
      ),
      textElement("StartAfter", startAfter === null ? undefined : written(startAfter)),
    );
  } else {
    head.push(
      textElement("Marker", written(marker ?? "")),
      textElement(
        "NextMarker",
        page.next === undefined || delimiter === "" ? undefined : written(page.next),
      ),
    );
  }
  return xmlResponse(document("ListBucketResult", S3_NAMESPACE, ...head, ...entries, ...common));
}

function readMaxKeys(text: string | null): number {
  if (text === null) return MAX_KEYS;
  if (!/^\d{1,10}$/.test(text)) {
    throw invalidArgument(
      "max-keys",
      text,
      "Provided max-keys not an integer or within integer range",
    );
  }
  return Math.min(MAX_KEYS, Number(text));
}

// The token is opaque to clients, and S3 has no promise to keep about what is in it.
function writeToken(next: string): string {
  return new TextEncoder().encode(next).toBase64({ alphabet: "base64url" });
}

function readToken(token: string): string {
  try {
    const bytes = Uint8Array.fromBase64(token, { alphabet: "base64url" });
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw invalidArgument(
      "continuation-token",
      token,
      "The continuation token provided is incorrect",
    );
  }
}

async function readPage(
  bucket: Bucket,
  prefix: string,
  delimiter: string,
  maxKeys: number,
  after: string,
): Promise<Page> {
  const index = await bucket.keys();
  const page: Page = { keys: [], commonPrefixes: [], next: undefined };
  if (maxKeys === 0) return page;
  let at = index.firstAt(compareKeys(after, prefix) > 0 ? after : prefix);
  if (index.at(at) === after) at++;
  // A page that ended with a common prefix goes on behind all that it stands for.
  const folded = delimiter !== "" && after.startsWith(prefix) && after.endsWith(delimiter) &&
    after.length > prefix.length;
  if (folded) at = placeBehind(after);

  function placeBehind(commonPrefix: string): number {
    let place = index.firstAt(`${commonPrefix}\u{10ffff}`);
    while (index.at(place)?.startsWith(commonPrefix)) place++;
    return place;
  }

  let last: string | undefined;
  for (;;) {
    const key = index.at(at);
    if (key === undefined || !key.startsWith(prefix)) return page;
    if (page.keys.length + page.commonPrefixes.length === maxKeys) {
      page.next = last;
      return page;
    }
    const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (cut < 0) {
      page.keys.push(last = key);
      at++;
    } else {
      const commonPrefix = key.slice(0, cut + delimiter.length);
      page.commonPrefixes.push(last = commonPrefix);
      at = placeBehind(commonPrefix);
    }
  }
}

async function describe(bucket: Bucket, keys: readonly string[]): Promise<ObjectMetadata[]> {
  const found: ObjectMetadata[] = [];
  for (let at = 0; at < keys.length; at += OPEN_AT_ONCE) {
    const batch = keys.slice(at, at + OPEN_AT_ONCE).map(async (key) => {
      using object = await bucket.open(key);
      return object?.metadata;
    });
    // An object may have been deleted since the keys were read.
    for (const metadata of await Promise.all(batch)) if (metadata) found.push(metadata);
  }
  return found;
}
