/**
 * The images that functions of the embedded cloud run, unpacked.
 *
 *     images/DIGEST/root           file system of the image whose manifest has this SHA-256
 *     images/DIGEST/config.json    its configuration, as "OCI Image Configuration" has it
 *     images/tags/REPOSITORY:TAG=  digest that a tag stands for
 *
 * Who makes an image puts its folder there under another name, calls {@linkcode prepareRoot}, renames
 * it, and writes the tag last. A folder is never changed, as workers run in it; what it means for a
 * file system to be read-only is up to the seal.
 */
import { FormatError } from "../job/errors.ts";
import { asArray, asObject, asString, asTexts, parseJson } from "../job/json.ts";
import { fileNameOf } from "./file_name.ts";
import { readIfThere } from "./state.ts";

/** How an image wants to be run. */
export interface ImageConfig {
  /** The command and its first arguments; empty if the image names none. */
  readonly entryPoint: readonly string[];
  /** Further arguments. */
  readonly command: readonly string[];
  /** Absolute path of the working folder. */
  readonly workingDirectory: string;
  /** Its variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** `x86_64` or `arm64`, as Lambda calls them. */
  readonly architecture: string;
}

/** An image that is there. */
export interface Image {
  /** SHA-256 of its manifest in hexadecimal digits. */
  readonly digest: string;
  /** Folder of its file system. */
  readonly root: string;
  readonly config: ImageConfig;
}

/** All images. */
export interface Images {
  /**
   * The image of a repository that `reference` names, a tag or `sha256:…`; undefined if there is none.
   *
   * @throws {FormatError} If its configuration cannot be read.
   */
  find(repository: string, reference: string): Promise<Image | undefined>;
  /** The image with this digest. */
  open(digest: string): Promise<Image | undefined>;
}

/** The parts of an image's name in a registry. */
export interface ImageUri {
  readonly registry: string;
  readonly repository: string;
  /** A tag, or `sha256:…`. */
  readonly reference: string;
}

const DIGEST = /^sha256:([0-9a-f]{64})$/;
/** GOARCH, in which "OCI Image Configuration" names an architecture. */
const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: "x86_64", arm64: "arm64" };

/** Opens the images in `directory`, of which there may be none. */
export function openImages(directory: string): Images {
  const open = async (digest: string): Promise<Image | undefined> => {
    const folder = `${directory}/${digest}`;
    const config = await readIfThere(`${folder}/config.json`);
    if (config === undefined) return undefined;
    const text = new TextDecoder().decode(config);
    return { digest, root: `${folder}/root`, config: decodeConfig(text, `image ${digest}`) };
  };
  return {
    open,
    async find(repository, reference) {
      const [, given] = DIGEST.exec(reference) ?? [];
      if (given !== undefined) return await open(given);
      const tag = await readIfThere(
        `${directory}/tags/${fileNameOf(`${repository}:${reference}`)}`,
      );
      const [, digest] = tag === undefined ? [] : DIGEST.exec(new TextDecoder().decode(tag)) ?? [];
      return digest === undefined ? undefined : await open(digest);
    },
  };
}

/** Takes an image's URI apart; undefined if it names no repository, or neither a tag nor a digest. */
export function parseImageUri(uri: string): ImageUri | undefined {
  const [, registry, repository, tag, digest] =
    /^([\w.-]+(?::\d+)?)\/([a-z0-9]+(?:[._/-][a-z0-9]+)*)(?::([\w][\w.-]{0,127})|@(sha256:[0-9a-f]{64}))$/
      .exec(uri) ?? [];
  const reference = tag ?? digest;
  if (registry === undefined || repository === undefined || reference === undefined) {
    return undefined;
  }
  return { registry, repository, reference };
}

function decodeConfig(text: string, what: string): ImageConfig {
  const json = asObject(parseJson(text, what), what);
  const named = asString(json["architecture"], `${what}.architecture`);
  const architecture = ARCHITECTURES[named];
  if (architecture === undefined) {
    throw new FormatError(`${what}.architecture`, `it is ${JSON.stringify(named)}`);
  }
  // Absent and null mean the same, as Go's encoder writes an empty list.
  const config = asObject(json["config"] ?? {}, `${what}.config`);
  const texts = (name: string) => asTexts(config[name] ?? [], `${what}.config.${name}`);
  const environment: Record<string, string> = {};
  for (const item of asArray(config["Env"] ?? [], `${what}.config.Env`)) {
    const [name = "", ...value] = asString(item, `${what}.config.Env`).split("=");
    environment[name] = value.join("=");
  }
  return {
    entryPoint: texts("Entrypoint"),
    command: texts("Cmd"),
    workingDirectory: asString(config["WorkingDir"] ?? "", `${what}.config.WorkingDir`) || "/",
    environment,
    architecture,
  };
}

/** What a seal mounts something on, whether the image has it or not. */
const FOLDERS = ["dev", "etc", "proc", "tmp"];
const FILES = [
  ...["null", "zero", "full", "random", "urandom"].map((name) => `dev/${name}`),
  "etc/resolv.conf",
];

/** Makes a folder ready to be the root of a worker: nothing that is mounted in it follows a link. */
export async function prepareRoot(root: string): Promise<void> {
  for (const path of FOLDERS) {
    const info = await lstatIfThere(`${root}/${path}`);
    if (info?.isDirectory) continue;
    if (info) await Deno.remove(`${root}/${path}`);
    await Deno.mkdir(`${root}/${path}`);
    await Deno.chmod(`${root}/${path}`, 0o755);
  }
  for (const path of FILES) {
    const info = await lstatIfThere(`${root}/${path}`);
    if (info?.isFile) continue;
    if (info) await Deno.remove(`${root}/${path}`, { recursive: true });
    await Deno.writeTextFile(`${root}/${path}`, "");
    await Deno.chmod(`${root}/${path}`, 0o644);
  }
}

async function lstatIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
