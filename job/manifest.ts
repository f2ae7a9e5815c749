/**
 * The inputs of a job. A manifest is a set of inputs that many jobs share, such as a toolchain; it is
 * an object itself, so a job names it by digest and a worker reads it once.
 */
import { type Content, contentFromJson, contentToJson, isInline } from "./content.ts";
import { asDigest, type Digest } from "./digest.ts";
import { FormatError } from "./errors.ts";
import { asArray, asInteger, asObject, asText, type Json } from "./json.ts";
import { asJobPath } from "./path.ts";

/** A regular file: its bytes, permission bits and modification time. */
export interface FileInput {
  /** Tells it from the other inputs. */
  readonly kind: "file";
  /** Absolute in a rooted job, otherwise relative to the job's folder. */
  readonly path: string;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** Modification time in milliseconds since 1970; the worker's own when absent. */
  readonly mtimeMs?: number;
  /** The file's bytes. */
  readonly content: Content;
}

/** A symbolic link, laid out with the target as it is here. */
export interface LinkInput {
  /** Tells it from the other inputs. */
  readonly kind: "link";
  /** Absolute in a rooted job, otherwise relative to the job's folder. */
  readonly path: string;
  /** What the link holds, absolute or relative to the link's folder. */
  readonly target: string;
}

/** A folder, needed where it may be empty or has other permissions than 0o755. */
export interface FolderInput {
  /** Tells it from the other inputs. */
  readonly kind: "folder";
  /** Absolute in a rooted job, otherwise relative to the job's folder. */
  readonly path: string;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** Modification time in milliseconds since 1970; any when absent. */
  readonly mtimeMs?: number;
}

/** Something that exists before the command starts. */
export type Input = FileInput | LinkInput | FolderInput;

/** A set of inputs and the packs in which their objects can be found. */
export interface Manifest {
  readonly packs: readonly Digest[];
  readonly inputs: readonly Input[];
}

const VERSION = 1;

/** The bytes of `manifest`, the same for equal manifests. */
export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({
    version: VERSION,
    packs: manifest.packs,
    inputs: manifest.inputs.map(inputToJson),
  }));
}

/**
 * Reads a manifest.
 *
 * @throws {FormatError} If the bytes are not a manifest of absolute paths, or of relative ones unless it is rooted.
 */
export function decodeManifest(bytes: Uint8Array, what: string, rooted = true): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FormatError(what, "it is not JSON", { cause });
  }
  const json = asObject(value, what);
  asInteger(json.version, `${what}.version`, VERSION, VERSION);
  return {
    packs: asArray(json.packs, `${what}.packs`).map((pack) => asDigest(pack, `${what}.packs`)),
    inputs: asArray(json.inputs, `${what}.inputs`).map((input, index) =>
      inputFromJson(input, `${what}.inputs[${index}]`, rooted)
    ),
  };
}

/** The objects that hold the contents of `inputs`. */
export function contentsOf(inputs: readonly Input[]): Digest[] {
  return inputs.flatMap((input) =>
    input.kind === "file" && !isInline(input.content) ? [input.content.digest] : []
  );
}

/** The JSON value of `input`. */
export function inputToJson(input: Input): unknown {
  return input.kind === "file" ? { ...input, content: contentToJson(input.content) } : input;
}

/**
 * Reads an input from its JSON value.
 *
 * @throws {FormatError} If it is malformed or its path could climb out.
 */
export function inputFromJson(value: unknown, what: string, rooted: boolean): Input {
  const json = asObject(value, what);
  const path = asJobPath(json.path, `${what}.path`, rooted);
  switch (json.kind) {
    case "file": {
      const mode = asInteger(json.mode, `${what}.mode`, 0, 0o7777);
      const content = contentFromJson(json.content, `${what}.content`);
      return { kind: "file", path, mode, ...mtimeFromJson(json, what), content };
    }
    case "link":
      return { kind: "link", path, target: asText(json.target, `${what}.target`) };
    case "folder": {
      const mode = asInteger(json.mode, `${what}.mode`, 0, 0o7777);
      return { kind: "folder", path, mode, ...mtimeFromJson(json, what) };
    }
    default:
      throw new FormatError(`${what}.kind`, 'it must be "file", "link" or "folder"');
  }
}

function mtimeFromJson({ mtimeMs }: Json, what: string): { mtimeMs?: number } {
  if (mtimeMs === undefined) return {};
  return { mtimeMs: asInteger(mtimeMs, `${what}.mtimeMs`, Number.MIN_SAFE_INTEGER) };
}
