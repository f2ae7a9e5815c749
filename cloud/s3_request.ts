/** What every part of the embedded S3 works with. */
import type { Payload } from "./payload.ts";
import type { Authorizer } from "./policy.ts";
import type { Bucket, Buckets } from "./s3_buckets.ts";
import { ServiceError, type ServiceRequest } from "./service.ts";

/** A verified request whose body is still on the way. */
export interface S3Request extends Omit<ServiceRequest, "body"> {
  /** The body, checked while it is read. */
  readonly payload: Payload;
}

/** The parts that S3's operations share. */
export interface S3Context {
  /** All buckets. */
  readonly buckets: Buckets;
  /** Who may do what. */
  readonly authorizer: Authorizer;
  /** The region. */
  readonly region: string;
  /** Folder of unfinished multipart uploads. */
  readonly uploadsDirectory: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** An operation on a bucket or on an object of it. */
export interface S3Target {
  /** The bucket. */
  readonly bucket: Bucket;
  /** The key; empty if the bucket itself is meant. */
  readonly key: string;
}

/** The bucket `name`. @throws {ServiceError} `NoSuchBucket` */
export function bucketOf(context: S3Context, name: string): Bucket {
  const bucket = context.buckets.find(name);
  if (bucket !== undefined) return bucket;
  throw new ServiceError(404, "NoSuchBucket", "The specified bucket does not exist", {
    fields: { BucketName: name },
  });
}

/** The ARN of a bucket, or of an object in it. */
export function arnOf(bucket: string, key?: string): string {
  return `arn:aws:s3:::${bucket}${key === undefined ? "" : `/${key}`}`;
}

/** The error for a key that is not there. */
export function noSuchKey(key: string): ServiceError {
  return new ServiceError(404, "NoSuchKey", "The specified key does not exist.", {
    fields: { Key: key },
  });
}

/** The error for a condition that does not hold. */
export function preconditionFailed(condition: string): ServiceError {
  return new ServiceError(
    412,
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    { fields: { Condition: condition } },
  );
}

/** A time as S3 writes it in XML. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** The error for an argument that cannot be. */
export function invalidArgument(name: string, value: string, message: string): ServiceError {
  return new ServiceError(400, "InvalidArgument", message, {
    fields: { ArgumentName: name, ArgumentValue: value },
  });
}
