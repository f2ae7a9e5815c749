/** Where a request goes: the configured endpoint, or the service's own in the account's region. */
import { LlamaError } from "../job/errors.ts";

/** What of a request its address depends on. */
export interface AddressParts {
  /** Service as signatures call it. */
  readonly service: string;
  /** Percent-encoded path with its first slash; for S3 below the bucket. */
  readonly path: string;
  /** Names and values of the query, not encoded. */
  readonly query?: readonly (readonly [string, string])[];
  /** S3 bucket. */
  readonly bucket?: string;
}

/** Host names that begin with something other than the service's name in signatures. */
const HOSTS: Readonly<Record<string, string | undefined>> = { ecr: "api.ecr" };

/** Buckets that can stand in a host name: others would not match the certificate, or not resolve. */
const HOST_BUCKET = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/**
 * The URL of a request.
 *
 * @param endpoint Configured endpoint without a slash at its end, undefined for AWS's own.
 * @throws {LlamaError} `BadAddress`, if URLs or the signature cannot express the path or the query.
 */
export function requestUrl(
  endpoint: string | undefined,
  region: string,
  parts: AddressParts,
): string {
  const { service, path, bucket } = parts;
  checkAddress(parts);
  let base = endpoint;
  let prefix = bucket === undefined ? "" : `/${encodePath(bucket)}`;
  if (base === undefined) {
    const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    let host = `${HOSTS[service] ?? service}.${region}.${domain}`;
    if (bucket !== undefined && HOST_BUCKET.test(bucket)) {
      host = `${bucket}.${host}`;
      prefix = "";
    }
    base = `https://${host}`;
  }
  const query = (parts.query ?? []).map((pair) => pair.map(encodeStrictly).join("=")).join("&");
  return `${base}${prefix}${path}${query === "" ? "" : `?${query}`}`;
}

/** What aws4fetch 1.0.20 would sign otherwise than it is sent, and what a URL would change. */
function checkAddress({ service, path, query = [] }: AddressParts): void {
  const bad = (problem: string) =>
    new LlamaError("BadAddress", `Cannot send a request to ${service} "${path}" as ${problem}`);
  if (!path.startsWith("/")) throw bad("its path does not begin with a slash");
  if (/[+?#\\\s]/.test(path)) throw bad("its path is not percent-encoded");
  if (/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) throw bad('its path has a "." or ".."');
  if (service !== "s3" && path.includes("//")) throw bad("its path has an empty part");
  const names = new Set(query.map(([name]) => name));
  if (names.has("")) throw bad("a name of its query is empty");
  if (service === "s3" && names.size < query.length) throw bad("a name of its query stands twice");
}

/** Percent-encodes all of a path but its slashes, as SigV4 does. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeStrictly).join("/");
}

/** Percent-encodes everything but the unreserved characters of RFC 3986, section 2.3. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
