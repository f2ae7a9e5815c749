/** The answer half of the wire format: what became of a job, as JSON. */
import { type Content, contentFromJson, contentToJson } from "./content.ts";
import { asDigest, type Digest } from "./digest.ts";
import { FormatError } from "./errors.ts";
import {
  asArray,
  asBoolean,
  asInteger,
  asNumber,
  asObject,
  asString,
  asText,
  asTexts,
  type Json,
} from "./json.ts";
import { type Input, inputFromJson, inputToJson } from "./manifest.ts";
import { isWanted, JOB_VERSION, type JobSpec } from "./spec.ts";
import { asJobPath } from "./path.ts";
import { type Proof, proofFromJson, proofToJson } from "./proof.ts";

/** How a command ended. */
export type ExitStatus =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: string };

/** Where the time of a job went on the worker, in milliseconds. */
export interface Timings {
  /** Reading manifests, objects and packs from the store. */
  readonly fetchMs: number;
  /** Laying out the inputs. */
  readonly layoutMs: number;
  /** The command itself. */
  readonly runMs: number;
  /** Reading, hashing and storing outputs. */
  readonly collectMs: number;
}

/** What the command used, its children included. */
export interface Usage {
  /** CPU time in user mode, in milliseconds. */
  readonly userMs: number;
  /** CPU time in the kernel, in milliseconds. */
  readonly systemMs: number;
  /** Largest resident set that a process of this worker has had so far, in bytes. */
  readonly maxRssBytes: number;
}

/** A command that ran. */
export interface JobResult {
  /** Tells it from the other answers. */
  readonly kind: "done";
  /** How the command ended. */
  readonly status: ExitStatus;
  /** All that it wrote to standard output. */
  readonly stdout: Content;
  /** All that it wrote to standard error. */
  readonly stderr: Content;
  /** Wanted files, links and folders that exist now and were not there before, or are changed. */
  readonly outputs: readonly Input[];
  /** Wanted files and links among the inputs that no longer exist; none when absent. */
  readonly removed?: readonly string[];
  /** Where the time went. */
  readonly timings: Timings;
  /** What the command used. */
  readonly usage: Usage;
  /** Present for rooted jobs that ran under the path shim. */
  readonly proof?: Proof;
  /** Whether this was the worker's first job. */
  readonly cold: boolean;
}

/** The worker could not get some objects; it has run nothing. */
export interface JobMissing {
  /** Tells it from the other answers. */
  readonly kind: "missing";
  /** The objects that are neither with the worker nor in the store. */
  readonly digests: readonly Digest[];
}

/** The job could not be run, or was stopped; `code` says why. */
export interface JobFailure {
  /** Tells it from the other answers. */
  readonly kind: "failed";
  /** `BadJob`, `CommandNotFound`, `CommandNotExecutable`, `TimedOut`, `DiskFull`, `OutputTooLarge`, … */
  readonly code: string;
  /** One line for people. */
  readonly message: string;
}

/** What a function that carries the llama runtime answers. */
export type JobAnswer = JobResult | JobMissing | JobFailure;

/** The JSON value of `answer`. */
export function answerToJson(answer: JobAnswer): unknown {
  if (answer.kind !== "done") return { version: JOB_VERSION, ...answer };
  const { stdout, stderr, outputs, proof, ...rest } = answer;
  return {
    version: JOB_VERSION,
    ...rest,
    stdout: contentToJson(stdout),
    stderr: contentToJson(stderr),
    outputs: outputs.map(inputToJson),
    ...(proof && { proof: proofToJson(proof) }),
  };
}

/**
 * Reads the answer to `spec` from its JSON value. The worker is not trusted: an output that the job
 * did not want is an error.
 *
 * @throws {FormatError} If it is of another version, malformed, or has an output that is not wanted.
 */
export function answerFromJson(
  value: unknown,
  spec: Pick<JobSpec, "rooted" | "wanted">,
): JobAnswer {
  const json = asObject(value, "answer");
  asInteger(json.version, "answer.version", JOB_VERSION, JOB_VERSION);
  switch (json.kind) {
    case "done":
      return resultFromJson(json, spec);
    case "missing":
      return {
        kind: "missing",
        digests: asArray(json.digests, "answer.digests").map((digest) =>
          asDigest(digest, "answer.digests")
        ),
      };
    case "failed":
      return {
        kind: "failed",
        code: asString(json.code, "answer.code"),
        message: asString(json.message, "answer.message"),
      };
    default:
      throw new FormatError("answer.kind", 'it must be "done", "missing" or "failed"');
  }
}

function resultFromJson(json: Json, spec: Pick<JobSpec, "rooted" | "wanted">): JobResult {
  const rooted = spec.rooted !== undefined;
  const timings = asObject(json.timings, "answer.timings");
  const usage = asObject(json.usage, "answer.usage");
  const outputs = asArray(json.outputs, "answer.outputs").map((value, index) => {
    const output = inputFromJson(value, `answer.outputs[${index}]`, rooted);
    if (isWanted(output.path, spec.wanted)) return output;
    throw new FormatError("answer.outputs", `${JSON.stringify(output.path)} was not wanted`);
  });
  refuseOutputsBelowLinks(outputs);
  const removed = json.removed === undefined ? [] : asTexts(json.removed, "answer.removed");
  for (const path of removed) {
    if (isWanted(asJobPath(path, "answer.removed", rooted), spec.wanted)) continue;
    throw new FormatError("answer.removed", `${JSON.stringify(path)} was not wanted`);
  }
  return {
    kind: "done",
    status: statusFromJson(json.status),
    stdout: contentFromJson(json.stdout, "answer.stdout"),
    stderr: contentFromJson(json.stderr, "answer.stderr"),
    outputs,
    ...(removed.length > 0 && { removed }),
    timings: {
      fetchMs: asNumber(timings.fetchMs, "answer.timings.fetchMs"),
      layoutMs: asNumber(timings.layoutMs, "answer.timings.layoutMs"),
      runMs: asNumber(timings.runMs, "answer.timings.runMs"),
      collectMs: asNumber(timings.collectMs, "answer.timings.collectMs"),
    },
    usage: {
      userMs: asNumber(usage.userMs, "answer.usage.userMs"),
      systemMs: asNumber(usage.systemMs, "answer.usage.systemMs"),
      maxRssBytes: asNumber(usage.maxRssBytes, "answer.usage.maxRssBytes"),
    },
    ...(json.proof !== undefined && { proof: proofFromJson(json.proof) }),
    cold: asBoolean(json.cold, "answer.cold"),
  };
}

/** A link that the worker made must not decide where a later output lands on this side. */
function refuseOutputsBelowLinks(outputs: readonly Input[]): void {
  const links = outputs.filter((output) => output.kind === "link").map(({ path }) => path + "/");
  if (links.length === 0) return;
  for (const { path } of outputs) {
    const link = links.find((link) => path.startsWith(link));
    if (link !== undefined) {
      throw new FormatError("answer.outputs", `${JSON.stringify(path)} lies below a link`);
    }
  }
}

function statusFromJson(value: unknown): ExitStatus {
  const json = asObject(value, "answer.status");
  if (json.kind === "signal") {
    return { kind: "signal", signal: asText(json.signal, "answer.status.signal") };
  }
  if (json.kind !== "exit") {
    throw new FormatError("answer.status.kind", 'it must be "exit" or "signal"');
  }
  return { kind: "exit", code: asInteger(json.code, "answer.status.code", 0, 255) };
}
