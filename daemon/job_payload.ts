/** The message that a job goes out in. */
import { type Content, isInline } from "../job/content.ts";
import type { Digest } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { contentsOf, type Input } from "../job/manifest.ts";
import { type JobSpec, specToJson } from "../job/spec.ts";
import type { ObjectStore } from "../store/object_store.ts";

/** Lambda's limit is 6,291,556 bytes (AWS Lambda quotas, invocation payload). */
export const MAX_PAYLOAD_BYTES = 6_200_000;

/** The objects that a job names. */
export function objectsOf({ manifests, picked, inputs, stdin }: JobSpec): Digest[] {
  const ofStdin = stdin && !isInline(stdin) ? [stdin.digest] : [];
  const ofPicked = picked ? [picked.manifest] : [];
  return [...manifests, ...ofPicked, ...contentsOf(inputs), ...ofStdin];
}

/** The bytes of the message; `packs` are those that hold objects of the job. */
export function encodeSpec(spec: JobSpec, packs: readonly Digest[]): Uint8Array<ArrayBuffer> {
  const json = specToJson({ ...spec, packs: [...spec.packs, ...packs] });
  return new TextEncoder().encode(JSON.stringify(json));
}

/** Moves what the job holds itself to the store; `moved` gets the bytes, in case the store loses them. */
export async function withStoredInputs(
  spec: JobSpec,
  store: ObjectStore,
  moved: Map<Digest, Uint8Array<ArrayBuffer>>,
): Promise<JobSpec> {
  const stored = async (content: Content): Promise<Content> => {
    if (!isInline(content)) return content;
    const digest = await store.put(content.bytes);
    moved.set(digest, content.bytes);
    return { digest, size: content.bytes.length };
  };
  const inputs: Input[] = [];
  for (const input of spec.inputs) {
    inputs.push(
      input.kind === "file" ? { ...input, content: await stored(input.content) } : input,
    );
  }
  return { ...spec, inputs, ...(spec.stdin && { stdin: await stored(spec.stdin) }) };
}

/** The error of a message that is too long though inputs are in the store: names, arguments and variables are left. */
export function tooLong(bytes: number): LlamaError {
  return new LlamaError(
    "ArgumentsTooLong",
    `Cannot send the command as its arguments, variables and names of files have ${bytes} bytes, and ` +
      `${MAX_PAYLOAD_BYTES} is the most`,
    { hint: "give it a file, as .AsFile in a template does" },
  );
}
