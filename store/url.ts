/** The address of a store, `s3://bucket/prefix`. */
import { LlamaError } from "../job/errors.ts";

/** Where a store is. */
export interface StoreUrl {
  /** Bucket. */
  readonly bucket: string;
  /** What its keys begin with: nothing, or a path that ends in a slash. */
  readonly prefix: string;
}

/**
 * Reads the address of a store. A slash at the end says nothing.
 *
 * @throws {LlamaError} `BadStoreUrl`, if it is not one.
 */
export function parseStoreUrl(text: string): StoreUrl {
  // Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(text);
  const [, bucket, path = ""] = match ?? [];
  const parts = path.replace(/\/+$/, "").split("/");
  const isEmpty = parts.length === 1 && parts[0] === "";
  if (
    bucket === undefined || !isEmpty && parts.some((part) => part === "" || /^\.{1,2}$/.test(part))
  ) {
    throw new LlamaError("BadStoreUrl", `Cannot use "${text}" as a store`, {
      hint: "It must look like s3://bucket/prefix",
    });
  }
  return { bucket, prefix: isEmpty ? "" : `${parts.join("/")}/` };
}

/** The address in its shortest form, the same for the same store. */
export function formatStoreUrl({ bucket, prefix }: StoreUrl): string {
  return `s3://${bucket}${prefix === "" ? "" : `/${prefix.slice(0, -1)}`}`;
}
