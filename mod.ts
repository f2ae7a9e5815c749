/**
 * Llama runs UNIX commands in AWS Lambda. This module is for programs that speak to a function that
 * carries the llama runtime: the wire format of a job, which is the function's payload and its answer,
 * and the error that every part throws. Importing it does nothing; as the main module it is the command
 * `llama`.
 *
 * @example The payload of a job, and what its answer says
 * ```ts
 * import { answerFromJson, type JobSpec, specToJson } from "@llama/cli";
 *
 * const job: JobSpec = {
 *   args: ["sort", "names.txt"],
 *   env: { LC_ALL: "C" },
 *   cwd: "",
 *   manifests: [],
 *   packs: [],
 *   inputs: [{
 *     kind: "file",
 *     path: "names.txt",
 *     mode: 0o644,
 *     content: { bytes: new TextEncoder().encode("Carl\nAda\n") },
 *   }],
 *   wanted: [],
 * };
 * const payload = JSON.stringify(specToJson(job));
 *
 * // What the function answered to the payload.
 * export function read(text: string): string {
 *   const answer = answerFromJson(JSON.parse(text), job);
 *   return answer.kind === "done" ? `ended with ${answer.status.kind}` : answer.kind;
 * }
 * ```
 *
 * @module
 */
export { type Content, type InlineContent, isInline, type StoredContent } from "./job/content.ts";
export { type Digest, digestOf } from "./job/digest.ts";
export { FormatError, LlamaError, type LlamaErrorOptions } from "./job/errors.ts";
export { type FileInput, type FolderInput, type Input, type LinkInput } from "./job/manifest.ts";
export { type Picked } from "./job/picked.ts";
export { type Proof } from "./job/proof.ts";
export {
  answerFromJson,
  answerToJson,
  type ExitStatus,
  type JobAnswer,
  type JobFailure,
  type JobMissing,
  type JobResult,
  type Timings,
  type Usage,
} from "./job/result.ts";
export {
  JOB_VERSION,
  type JobSpec,
  type Rooted,
  specFromJson,
  specToJson,
  type Wanted,
} from "./job/spec.ts";

if (import.meta.main) {
  const { main } = await import("./cli/llama.ts");
  Deno.exit(await main(Deno.args));
}
