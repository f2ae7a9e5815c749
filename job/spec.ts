/** The request half of the wire format: one command and all it needs, as JSON. */
import { type Content, contentFromJson, contentToJson } from "./content.ts";
import { asDigest, type Digest } from "./digest.ts";
import { FormatError } from "./errors.ts";
import { asArray, asInteger, asObject, asText, asTexts, type Json } from "./json.ts";
import { type Input, inputFromJson, inputToJson } from "./manifest.ts";
import { asJobPath } from "./path.ts";
import { type Picked, pickedFromJson, pickedToJson } from "./picked.ts";

/** Version of the wire format; a runtime refuses any other. */
export const JOB_VERSION = 2;

/** How a command runs verbatim below a root that stands for `/`. */
export interface Rooted {
  /** Path of the path shim in the root; without it the job sees the worker's own files, too. */
  readonly shim?: string;
  /**
   * Whether the program is the image's own, found by its name alone; it finds in folders of the system what the
   * image has there and the job has not. With a shim only.
   */
  readonly image?: true;
  /** Folders of the root where the loader looks for libraries first. */
  readonly libraryPath: readonly string[];
}

/** What may come back: one path, a folder with all below it, or every file whose path begins so. */
export interface Wanted {
  /** How {@linkcode Wanted.path} is compared. */
  readonly match: "exact" | "tree" | "prefix";
  /** Absolute in a rooted job, otherwise relative to the job's folder; `` with `tree` for all of it. */
  readonly path: string;
}

/** One command to run elsewhere. */
export interface JobSpec {
  /** The command; `args[0]` is the program as the caller spelled it. */
  readonly args: readonly string[];
  /** Program file to execute if it is not to be found by `args[0]`. */
  readonly program?: string;
  /** The command's whole environment, but for what the runtime needs to run it. */
  readonly env: Readonly<Record<string, string>>;
  /** Working folder: absolute in a rooted job, otherwise relative to the job's folder, `` for itself. */
  readonly cwd: string;
  /** Standard input, none unless given. */
  readonly stdin?: Content;
  /** Present if paths are absolute ones of a root of the job's own. */
  readonly rooted?: Rooted;
  /** Manifests whose inputs come before {@linkcode JobSpec.inputs}. */
  readonly manifests: readonly Digest[];
  /** Some inputs of one more manifest, which come behind those. */
  readonly picked?: Picked;
  /** Packs that hold objects of {@linkcode JobSpec.inputs}. */
  readonly packs: readonly Digest[];
  /** Inputs of this job alone. */
  readonly inputs: readonly Input[];
  /** Outputs that may come back. */
  readonly wanted: readonly Wanted[];
  /** Most time that the command may run, in milliseconds; the function's own deadline when absent. */
  readonly timeoutMs?: number;
  /** Whether what the command prints is wanted as it comes (output_stream.ts). */
  readonly stream?: true;
  /** Name under which the store is to keep the answer, for who does not wait for it: 32 hexadecimal digits. */
  readonly keepAs?: string;
}

/** The JSON value of `spec`. */
export function specToJson(spec: JobSpec): unknown {
  const { stdin, picked, inputs, ...rest } = spec;
  return {
    version: JOB_VERSION,
    ...rest,
    ...(stdin && { stdin: contentToJson(stdin) }),
    ...(picked && { picked: pickedToJson(picked) }),
    inputs: inputs.map(inputToJson),
  };
}

/**
 * Reads a job from its JSON value.
 *
 * @throws {FormatError} If it is of another version, malformed, or has a path that could climb out.
 */
export function specFromJson(value: unknown): JobSpec {
  const json = asObject(value, "job");
  asInteger(json.version, "job.version", JOB_VERSION, JOB_VERSION);
  const rooted = json.rooted === undefined ? undefined : rootedFromJson(json.rooted);
  const isRooted = rooted !== undefined;
  const args = asTexts(json.args, "job.args");
  if (args.length === 0) throw new FormatError("job.args", "it must not be empty");
  const variables = Object.entries(asObject(json.env, "job.env")).map(([name, text]) => {
    if (name === "" || /[=\0]/.test(name)) {
      throw new FormatError("job.env", `the name ${JSON.stringify(name)} is not allowed`);
    }
    return [name, asText(text, `job.env.${name}`)] as const;
  });
  return {
    args,
    ...(json.program !== undefined && {
      program: asJobPath(json.program, "job.program", isRooted),
    }),
    env: Object.fromEntries(variables),
    cwd: json.cwd === "" && !isRooted ? "" : asJobPath(json.cwd, "job.cwd", isRooted),
    ...(json.stdin !== undefined && { stdin: contentFromJson(json.stdin, "job.stdin") }),
    ...(rooted && { rooted }),
    manifests: digests(json.manifests, "job.manifests"),
    ...(json.picked !== undefined && { picked: pickedFromJson(json.picked, "job.picked") }),
    packs: digests(json.packs, "job.packs"),
    inputs: asArray(json.inputs, "job.inputs").map((input, index) =>
      inputFromJson(input, `job.inputs[${index}]`, isRooted)
    ),
    wanted: asWanted(json.wanted, "job.wanted", isRooted),
    ...(json.timeoutMs !== undefined && {
      timeoutMs: asInteger(json.timeoutMs, "job.timeoutMs", 1),
    }),
    ...(json.stream !== undefined && { stream: streamFromJson(json.stream) }),
    ...(json.keepAs !== undefined && { keepAs: asAnswerName(json.keepAs, "job.keepAs") }),
  };
}

/** Whether `path` may come back from a job that wants `wanted`. */
export function isWanted(path: string, wanted: readonly Wanted[]): boolean {
  return wanted.some(({ match, path: wish }) =>
    path === wish ||
    (match === "tree" &&
      (wish === "" || path.startsWith(wish.endsWith("/") ? wish : wish + "/"))) ||
    (match === "prefix" && path.startsWith(wish) && !path.slice(wish.length).includes("/"))
  );
}

/**
 * Reads the name of a kept answer.
 *
 * @throws {FormatError} If it is none.
 */
export function asAnswerName(value: unknown, what: string): string {
  if (typeof value === "string" && /^[0-9a-f]{32}$/.test(value)) return value;
  throw new FormatError(what, "it must be 32 hexadecimal digits");
}

/**
 * Reads a list of what may come back.
 *
 * @throws {FormatError} If it is malformed or has a path that could climb out.
 */
export function asWanted(value: unknown, what: string, rooted: boolean): Wanted[] {
  return asArray(value, what).map((item, index) =>
    wantedFromJson(item, `${what}[${index}]`, rooted)
  );
}

function digests(value: unknown, what: string): Digest[] {
  return asArray(value, what).map((item, index) => asDigest(item, `${what}[${index}]`));
}

function rootedFromJson(value: unknown): Rooted {
  const json = asObject(value, "job.rooted");
  return {
    ...(json.shim !== undefined && { shim: asJobPath(json.shim, "job.rooted.shim", true) }),
    ...(json.image !== undefined && imageFromJson(json)),
    libraryPath: asArray(json.libraryPath, "job.rooted.libraryPath").map((path, index) =>
      asJobPath(path, `job.rooted.libraryPath[${index}]`, true)
    ),
  };
}

function streamFromJson(value: unknown): true {
  if (value === true) return value;
  throw new FormatError("job.stream", "it must be true where it is given");
}

function imageFromJson({ image, shim }: Json): { image: true } {
  if (image === true && shim !== undefined) return { image };
  throw new FormatError("job.rooted.image", "it must be true, beside a shim");
}

function wantedFromJson(value: unknown, what: string, rooted: boolean): Wanted {
  const json = asObject(value, what);
  if (json.match !== "exact" && json.match !== "tree" && json.match !== "prefix") {
    throw new FormatError(`${what}.match`, 'it must be "exact", "tree" or "prefix"');
  }
  const wholeFolder = json.match === "tree" && !rooted && json.path === "";
  return {
    match: json.match,
    path: wholeFolder ? "" : asJobPath(json.path, `${what}.path`, rooted),
  };
}
