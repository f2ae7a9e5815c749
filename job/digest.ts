/** Objects are named by the SHA-256 (FIPS 180-4) of their bytes, in lower-case hexadecimal. */
import { FormatError } from "./errors.ts";

/** SHA-256 of an object's bytes: 64 lower-case hexadecimal digits. */
export type Digest = string;

const PATTERN = /^[0-9a-f]{64}$/;

/** The digest of `bytes`. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Digest> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * Checks that `value` is a digest.
 *
 * @throws {FormatError} If it is not.
 */
export function asDigest(value: unknown, what: string): Digest {
  if (typeof value === "string" && PATTERN.test(value)) return value;
  throw new FormatError(what, "it must be 64 lower-case hexadecimal digits");
}
