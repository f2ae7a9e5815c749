/** The embedded S3: finds the operation of a request, asks whether the caller may, and answers. */
import type { Authorizer } from "./policy.ts";
import { readPayload } from "./payload.ts";
import { S3_NAMESPACE, xmlResponse } from "./rest_xml.ts";
import { type Buckets, openBuckets } from "./s3_buckets.ts";
import {
  configurationAction,
  configurationKind,
  defaultConfiguration,
  handleConfiguration,
  methodNotAllowed,
} from "./s3_configuration.ts";
import { listObjects } from "./s3_list.ts";
import {
  abortUpload,
  completeUpload,
  createUpload,
  listParts,
  listUploads,
  uploadPart,
} from "./s3_multipart.ts";
import { copyObject, deleteObject, deleteObjects, getObject, putObject } from "./s3_objects.ts";
import {
  arnOf,
  bucketOf,
  isoTime,
  type S3Context,
  type S3Request,
  type S3Target,
} from "./s3_request.ts";
import { type CloudSettings, ServiceError } from "./service.ts";
import { decodeUri } from "./uri.ts";
import { document, element, parseXml, textElement } from "./xml.ts";

/** Longest key in bytes. */
const MAX_KEY_BYTES = 1024;
const MAX_XML_BYTES = 64 * 1024;

/** The embedded S3. */
export interface S3 {
  /** Answers a verified request. */
  handle(request: S3Request): Promise<Response>;
  /** The bytes of an object, undefined if there is none. */
  readObject(bucket: string, key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The buckets, for CloudFormation. */
  readonly buckets: Buckets;
  /** Makes a bucket with what S3 gives every new one; one that is there stays. */
  createBucket(name: string): Promise<void>;
}

/** Opens the embedded S3 over `settings.directory`. */
export async function openS3(settings: CloudSettings, authorizer: Authorizer): Promise<S3> {
  const directory = `${settings.directory}/s3`;
  const uploadsDirectory = `${directory}/uploads`;
  await Deno.mkdir(uploadsDirectory, { recursive: true, mode: 0o700 });
  const buckets = await openBuckets(directory);
  const context: S3Context = {
    buckets,
    authorizer,
    region: settings.region,
    uploadsDirectory,
    now: settings.now,
  };

  async function createBucket(name: string): Promise<void> {
    if (buckets.records.has(name)) return;
    checkBucketName(name);
    await buckets.put({
      name,
      createdMs: settings.now(),
      configuration: defaultConfiguration(),
    });
  }

  return {
    buckets,
    createBucket,
    async readObject(name, key) {
      const reader = await buckets.find(name)?.open(key);
      if (reader === undefined) return undefined;
      const { size } = reader.metadata;
      return await new Response(reader.stream(0, size)).bytes();
    },
    async handle(request) {
      const path = request.path.replace(/^\//, "");
      const slash = path.indexOf("/");
      const name = decodeUri(slash < 0 ? path : path.slice(0, slash));
      const key = slash < 0 ? "" : decodeUri(path.slice(slash + 1));
      if (name === undefined || key === undefined) {
        throw new ServiceError(400, "InvalidURI", "Couldn't parse the specified URI.");
      }
      if (name === "") return handleService(context, request);
      if (key === "") {
        const { method, query } = request;
        if (method === "PUT" && configurationKind(query) === undefined) {
          authorizer.check(request.principal, {
            action: "s3:CreateBucket",
            resource: arnOf(name),
          });
          await checkLocation(context, request);
          if (buckets.records.has(name) && context.region !== "us-east-1") {
            throw new ServiceError(
              409,
              "BucketAlreadyOwnedByYou",
              "Your previous request to create the named bucket succeeded and you already own it.",
              { fields: { BucketName: name } },
            );
          }
          await createBucket(name);
          return new Response(null, { headers: { location: `/${name}` } });
        }
        return await handleBucket(context, request, name);
      }
      if (new TextEncoder().encode(key).length > MAX_KEY_BYTES) {
        throw new ServiceError(400, "KeyTooLongError", "Your key is too long", {
          fields: { MaxSizeAllowed: String(MAX_KEY_BYTES) },
        });
      }
      return await handleObject(context, request, name, key);
    },
  };
}

function checkBucketName(name: string): void {
  const good = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes("..") &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name);
  if (good) return;
  throw new ServiceError(400, "InvalidBucketName", "The specified bucket is not valid.", {
    fields: { BucketName: name },
  });
}

async function checkLocation(context: S3Context, request: S3Request): Promise<void> {
  const body = new TextDecoder().decode(await readPayload(request.payload, MAX_XML_BYTES));
  const stated = body.trim() === ""
    ? undefined
    : parseXml(body, "CreateBucketConfiguration")["LocationConstraint"];
  const location = typeof stated === "string" ? stated.trim() : "us-east-1";
  if (location === context.region) return;
  throw new ServiceError(
    400,
    "IllegalLocationConstraintException",
    `The ${
      stated === undefined ? "unspecified" : location
    } location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}

function handleService(context: S3Context, request: S3Request): Response {
  if (request.method !== "GET") throw methodNotAllowed(request.method);
  context.authorizer.check(request.principal, {
    action: "s3:ListAllMyBuckets",
    resource: "arn:aws:s3:::*",
  });
  const { accountId } = request.principal;
  const records = [...context.buckets.records.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  return xmlResponse(document(
    "ListAllMyBucketsResult",
    S3_NAMESPACE,
    element("Owner", textElement("ID", accountId)),
    element(
      "Buckets",
      ...records.map((record) =>
        element(
          "Bucket",
          textElement("Name", record.name),
          textElement("CreationDate", isoTime(record.createdMs)),
        )
      ),
    ),
  ));
}

async function handleBucket(
  context: S3Context,
  request: S3Request,
  name: string,
): Promise<Response> {
  const { method, query } = request;
  const kind = configurationKind(query);

  function allow(action: string): S3Target {
    const prefix = query.get("prefix");
    context.authorizer.check(request.principal, {
      action,
      resource: arnOf(name),
      ...(prefix !== null && { context: { "s3:prefix": prefix } }),
    });
    return { bucket: bucketOf(context, name), key: "" };
  }

  if (kind !== undefined) {
    const { bucket } = allow(configurationAction(kind, method));
    return await handleConfiguration(context.buckets, request, bucket, kind);
  }
  switch (method) {
    case "HEAD":
      allow("s3:ListBucket");
      return new Response(null, {
        headers: { "content-type": "application/xml", "x-amz-bucket-region": context.region },
      });
    case "GET": {
      if (query.has("location")) {
        allow("s3:GetBucketLocation");
        const region = context.region === "us-east-1" ? "" : context.region;
        return xmlResponse(document("LocationConstraint", S3_NAMESPACE, region));
      }
      if (query.has("uploads")) {
        return await listUploads(context, allow("s3:ListBucketMultipartUploads"));
      }
      refuseOthers(query, LIST_PARAMETERS);
      return await listObjects(request, allow("s3:ListBucket").bucket);
    }
    case "POST":
      if (query.has("delete")) {
        // Each key is asked for by itself.
        const bucket = bucketOf(context, name);
        return await deleteObjects(context, request, { bucket, key: "" });
      }
      throw methodNotAllowed(method);
    case "DELETE":
      allow("s3:DeleteBucket");
      await context.buckets.remove(name);
      return new Response(null, { status: 204 });
    default:
      throw methodNotAllowed(method);
  }
}

const LIST_PARAMETERS: ReadonlySet<string> = new Set([
  "continuation-token",
  "delimiter",
  "encoding-type",
  "fetch-owner",
  "list-type",
  "marker",
  "max-keys",
  "prefix",
  "start-after",
]);

/** A sub-resource that is not known must not be taken for the resource itself. */
function refuseOthers(query: URLSearchParams, known: ReadonlySet<string>): void {
  for (const name of query.keys()) {
    if (known.has(name) || /^x-(id|amz-)/i.test(name) || name.startsWith("response-")) continue;
    throw new ServiceError(
      501,
      "NotImplemented",
      `The query parameter '${name}' implies functionality that is not implemented`,
    );
  }
}

const NO_PARAMETERS: ReadonlySet<string> = new Set();

async function handleObject(
  context: S3Context,
  request: S3Request,
  name: string,
  key: string,
): Promise<Response> {
  const { method, query } = request;

  function allow(action: string): S3Target {
    context.authorizer.check(request.principal, { action, resource: arnOf(name, key) });
    return { bucket: bucketOf(context, name), key };
  }

  switch (method) {
    case "PUT":
      if (query.has("uploadId")) return await uploadPart(context, request, allow("s3:PutObject"));
      refuseOthers(query, NO_PARAMETERS);
      if (request.headers.has("x-amz-copy-source")) {
        return await copyObject(context, request, allow("s3:PutObject"));
      }
      return await putObject(context, request, allow("s3:PutObject"));
    case "GET":
    case "HEAD":
      if (query.has("uploadId")) {
        return await listParts(context, request, allow("s3:ListMultipartUploadParts"));
      }
      refuseOthers(query, NO_PARAMETERS);
      return await getObject(context, request, allow("s3:GetObject"));
    case "POST":
      if (query.has("uploads")) {
        return await createUpload(context, request, allow("s3:PutObject"));
      }
      if (query.has("uploadId")) {
        return await completeUpload(context, request, allow("s3:PutObject"));
      }
      throw methodNotAllowed(method);
    case "DELETE":
      if (query.has("uploadId")) {
        return await abortUpload(context, request, allow("s3:AbortMultipartUpload"));
      }
      refuseOthers(query, NO_PARAMETERS);
      return await deleteObject(allow("s3:DeleteObject"));
    default:
      throw methodNotAllowed(method);
  }
}
