/**
 * The sub-resources of a bucket, such as its policy and its lifecycle: kept as they were put and
 * given back. They have no force here. A policy that demands TLS would shut out all of loopback, and
 * there is no public that access could be blocked for.
 */
import { readPayload } from "./payload.ts";
import { S3_NAMESPACE, xmlResponse } from "./rest_xml.ts";
import type { Bucket, Buckets } from "./s3_buckets.ts";
import type { S3Request } from "./s3_request.ts";
import { ServiceError } from "./service.ts";
import { document, element, textElement } from "./xml.ts";

const MAX_CONFIGURATION_BYTES = 64 * 1024;

interface Kind {
  /** Suffix of the actions: `s3:Get…`, `s3:Put…`. */
  readonly action: string;
  /** Error for a bucket that has none. */
  readonly absent: readonly [code: string, message: string];
  /** Status of a successful PUT. */
  readonly putStatus: number;
}

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["cors", {
    action: "BucketCORS",
    absent: ["NoSuchCORSConfiguration", "The CORS configuration does not exist"],
    putStatus: 200,
  }],
  ["encryption", {
    action: "EncryptionConfiguration",
    absent: [
      "ServerSideEncryptionConfigurationNotFoundError",
      "The server side encryption configuration was not found",
    ],
    putStatus: 200,
  }],
  ["lifecycle", {
    action: "LifecycleConfiguration",
    absent: ["NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"],
    putStatus: 200,
  }],
  ["ownershipControls", {
    action: "BucketOwnershipControls",
    absent: ["OwnershipControlsNotFoundError", "The bucket ownership controls were not found"],
    putStatus: 200,
  }],
  ["policy", {
    action: "BucketPolicy",
    absent: ["NoSuchBucketPolicy", "The bucket policy does not exist"],
    putStatus: 204,
  }],
  ["publicAccessBlock", {
    action: "BucketPublicAccessBlock",
    absent: [
      "NoSuchPublicAccessBlockConfiguration",
      "The public access block configuration was not found",
    ],
    putStatus: 200,
  }],
  ["tagging", {
    action: "BucketTagging",
    absent: ["NoSuchTagSet", "The TagSet does not exist"],
    putStatus: 204,
  }],
  ["versioning", { action: "BucketVersioning", absent: ["", ""], putStatus: 200 }],
]);

/** The sub-resource that a request is about, if it is one of those. */
export function configurationKind(query: URLSearchParams): string | undefined {
  return [...query.keys()].find((name) => KINDS.has(name));
}

/** The action on a sub-resource, as policies call it. */
export function configurationAction(kind: string, method: string): string {
  const deletes = method === "DELETE" && kind === "policy";
  const verb = method === "GET" ? "Get" : deletes ? "Delete" : "Put";
  return `s3:${verb}${KINDS.get(kind)?.action ?? ""}`;
}

/** Answers GET, PUT and DELETE of a sub-resource. */
export async function handleConfiguration(
  buckets: Buckets,
  request: S3Request,
  bucket: Bucket,
  name: string,
): Promise<Response> {
  const kind = KINDS.get(name);
  const { record } = bucket;
  if (kind === undefined) throw new TypeError(`No sub-resource '${name}'`);
  switch (request.method) {
    case "GET": {
      const text = record.configuration[name];
      if (text === undefined) {
        if (name === "versioning") {
          return xmlResponse(document("VersioningConfiguration", S3_NAMESPACE));
        }
        throw new ServiceError(404, kind.absent[0], kind.absent[1], {
          fields: { BucketName: record.name },
        });
      }
      return name === "policy"
        ? new Response(text, { headers: { "content-type": "application/json" } })
        : xmlResponse(text);
    }
    case "PUT": {
      const bytes = await readPayload(request.payload, MAX_CONFIGURATION_BYTES);
      await configure(buckets, bucket, { [name]: new TextDecoder().decode(bytes) });
      return new Response(null, { status: kind.putStatus });
    }
    case "DELETE": {
      await configure(buckets, bucket, { [name]: undefined });
      return new Response(null, { status: 204 });
    }
    default:
      throw methodNotAllowed(request.method);
  }
}

/** Changes sub-resources of a bucket; undefined removes one. */
export async function configure(
  buckets: Buckets,
  { record }: Bucket,
  changes: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const configuration = { ...record.configuration };
  for (const [name, text] of Object.entries(changes)) {
    if (text === undefined) delete configuration[name];
    else configuration[name] = text;
  }
  await buckets.put({ ...record, configuration });
}

/** What S3 gives every new bucket since April 2023. */
export function defaultConfiguration(): Record<string, string> {
  const yes = (name: string): string => textElement(name, true);
  return {
    publicAccessBlock: document(
      "PublicAccessBlockConfiguration",
      S3_NAMESPACE,
      yes("BlockPublicAcls"),
      yes("IgnorePublicAcls"),
      yes("BlockPublicPolicy"),
      yes("RestrictPublicBuckets"),
    ),
    ownershipControls: document(
      "OwnershipControls",
      S3_NAMESPACE,
      element("Rule", textElement("ObjectOwnership", "BucketOwnerEnforced")),
    ),
    encryption: document(
      "ServerSideEncryptionConfiguration",
      S3_NAMESPACE,
      element(
        "Rule",
        element("ApplyServerSideEncryptionByDefault", textElement("SSEAlgorithm", "AES256")),
        textElement("BucketKeyEnabled", false),
      ),
    ),
  };
}

/** The error for a method that a resource does not have. */
export function methodNotAllowed(method: string): ServiceError {
  return new ServiceError(
    405,
    "MethodNotAllowed",
    "The specified method is not allowed against this resource.",
    { fields: { Method: method } },
  );
}
