/**
 * Some of a manifest's inputs. Headers of a project are one manifest, of which each job needs others, so a job
 * names them by a bit each: 50 bytes for what takes 60 KB when 400 inputs are spelled out.
 */
import { asDigest, type Digest } from "./digest.ts";
import { FormatError } from "./errors.ts";
import { asBase64, asObject } from "./json.ts";
import type { Input } from "./manifest.ts";

/** Which inputs of a manifest a job has. */
export interface Picked {
  /** The manifest. */
  readonly manifest: Digest;
  /** Bit N % 8, counted from the least, of byte N / 8 is set if the job has the manifest's input N. */
  readonly bits: Uint8Array<ArrayBuffer>;
}

/** The JSON value of `picked`: `{"manifest": hex, "bits": base64}`. */
export function pickedToJson({ manifest, bits }: Picked): unknown {
  return { manifest, bits: bits.toBase64() };
}

/**
 * Reads which inputs are picked.
 *
 * @throws {FormatError} If it is malformed.
 */
export function pickedFromJson(value: unknown, what: string): Picked {
  const json = asObject(value, what);
  return {
    manifest: asDigest(json.manifest, `${what}.manifest`),
    bits: asBase64(json.bits, `${what}.bits`),
  };
}

/**
 * Those of `inputs` whose bit is set, in their order.
 *
 * @throws {FormatError} If a bit is set for which there is no input.
 */
export function pickInputs(inputs: readonly Input[], { bits }: Picked): Input[] {
  const found: Input[] = [];
  for (const [at, byte] of bits.entries()) {
    for (let bit = 0; byte >> bit !== 0; bit++) {
      if ((byte >> bit & 1) === 0) continue;
      const input = inputs[at * 8 + bit];
      if (!input) {
        throw new FormatError("job.picked.bits", `there is no input ${at * 8 + bit}`);
      }
      found.push(input);
    }
  }
  return found;
}
