/**
 * What a rooted job asked of its file system, as the path shim saw it. The three lists hold the paths
 * in the form in which the caller's machine can check them; they may be long (616 opened and 1,989
 * absent for one C++ unit, 72 KB), so they travel as sorted text, NUL-separated and compressed.
 */
import { contentFromJson, contentToJson, isInline } from "./content.ts";
import { FormatError } from "./errors.ts";
import { asObject, asTexts } from "./json.ts";

/** Paths that a job's processes asked for; absolute, links and `..` not resolved. */
export interface Proof {
  /** Files that were opened, read, executed, or whose state was asked for, and that existed. */
  readonly opened: readonly string[];
  /** Folders that were listed. */
  readonly listed: readonly string[];
  /** Names that were looked for and were not there. */
  readonly absent: readonly string[];
  /** Why the lists may be incomplete, such as a statically linked program; empty when whole. */
  readonly blind: readonly string[];
  /** Names that were not there and that the function's image has; only of jobs that run an image's program. */
  readonly image?: readonly string[];
}

/** The JSON value of `proof`. */
export function proofToJson(proof: Proof): unknown {
  return {
    opened: listToJson(proof.opened),
    listed: listToJson(proof.listed),
    absent: listToJson(proof.absent),
    blind: proof.blind,
    ...(proof.image && { image: listToJson(proof.image) }),
  };
}

/**
 * Reads a proof from its JSON value.
 *
 * @throws {FormatError} If it is malformed.
 */
export function proofFromJson(value: unknown): Proof {
  const json = asObject(value, "answer.proof");
  return {
    opened: listFromJson(json.opened, "answer.proof.opened"),
    listed: listFromJson(json.listed, "answer.proof.listed"),
    absent: listFromJson(json.absent, "answer.proof.absent"),
    blind: asTexts(json.blind, "answer.proof.blind"),
    ...(json.image !== undefined && { image: listFromJson(json.image, "answer.proof.image") }),
  };
}

function listToJson(paths: readonly string[]): unknown {
  return contentToJson({ bytes: new TextEncoder().encode(paths.toSorted().join("\0")) });
}

function listFromJson(value: unknown, what: string): string[] {
  const content = contentFromJson(value, what);
  if (!isInline(content)) throw new FormatError(what, "it must be inline");
  if (content.bytes.length === 0) return [];
  const paths = new TextDecoder("utf-8", { fatal: false }).decode(content.bytes).split("\0");
  for (const path of paths) {
    if (!path.startsWith("/")) {
      throw new FormatError(what, `the path ${JSON.stringify(path)} is not absolute`);
    }
  }
  return paths;
}
