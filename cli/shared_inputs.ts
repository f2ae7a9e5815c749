/** Inputs that many jobs have in common: they travel once, as a manifest, and each job only names that. */
import { type Digest, digestOf } from "../job/digest.ts";
import { contentsOf, encodeManifest, type Input } from "../job/manifest.ts";
import type { JobSpec } from "../job/spec.ts";
import type { FileOf, ReadObject, Uploads } from "../daemon/uploads.ts";

/** Inputs that jobs name by a manifest. */
export interface SharedInputs {
  readonly inputs: readonly Input[];
  /** Makes a job have them before its own. */
  readonly share: (spec: JobSpec) => JobSpec;
  /** Bytes of the manifest and of the inputs, undefined for any other. */
  readonly read: ReadObject;
  /** The files of those that are too large for memory. */
  readonly fileOf: FileOf;
}

/** Sends `inputs`, whose bytes `read` gives, and names them for jobs. */
export async function shareInputs(
  inputs: readonly Input[],
  read: ReadObject,
  uploads: Uploads,
  fileOf: FileOf = () => undefined,
): Promise<SharedInputs> {
  if (inputs.length === 0) return { inputs, share: (spec) => spec, read, fileOf };
  const packs = await uploads.ensure(contentsOf(inputs), read, fileOf);
  const bytes = encodeManifest({ packs, inputs });
  const manifest: Digest = await digestOf(bytes);
  return {
    inputs,
    fileOf,
    share: (spec) => ({ ...spec, manifests: [manifest, ...spec.manifests] }),
    read: async (digest) => digest === manifest ? bytes : await read(digest),
  };
}
