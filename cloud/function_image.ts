/** The image of a function of the embedded Lambda: what is kept of it, and how requests and answers have it. */
import { asObject, asString, asTexts } from "../job/json.ts";

/** The image of a function, and what of it the function has otherwise. */
export interface FunctionImage {
  /** Its URI as it was asked for. */
  readonly uri: string;
  /** In place of the image's ENTRYPOINT. */
  readonly entryPoint?: readonly string[];
  /** In place of the image's CMD. */
  readonly command?: readonly string[];
  /** In place of the image's WORKDIR. */
  readonly workingDirectory?: string;
}

/** Reads it from a function's record. */
export function decodeImage(value: unknown, what: string): FunctionImage {
  const json = asObject(value, what);
  const { entryPoint, command, workingDirectory } = json;
  return {
    uri: asString(json["uri"], `${what}.uri`),
    ...(entryPoint !== undefined && { entryPoint: asTexts(entryPoint, `${what}.entryPoint`) }),
    ...(command !== undefined && { command: asTexts(command, `${what}.command`) }),
    ...(workingDirectory !== undefined && {
      workingDirectory: asString(workingDirectory, `${what}.workingDirectory`),
    }),
  };
}

/** What a request has a function do otherwise than its image says: ImageConfig of the API. */
export function readImageConfig(value: unknown): Omit<FunctionImage, "uri"> {
  const json = asObject(value ?? {}, "ImageConfig");
  // Empty and null give back what the image says.
  const texts = (name: string, as: string) => {
    const list = asTexts(json[name] ?? [], `ImageConfig.${name}`);
    return list.length > 0 ? { [as]: list } : {};
  };
  const folder = asString(json["WorkingDirectory"] ?? "", "ImageConfig.WorkingDirectory");
  return {
    ...texts("EntryPoint", "entryPoint"),
    ...texts("Command", "command"),
    ...(folder !== "" && { workingDirectory: folder }),
  };
}

/** The URI of a function's image that names its digest. */
export function resolvedUri(uri: string, digest: string): string {
  return `${uri.replace(/(?:@sha256:|:)[^/:]*$/, "")}@sha256:${digest}`;
}

/** The members of a configuration that tell of it. */
export function imageConfigOf(image: FunctionImage | undefined): Record<string, unknown> {
  const { entryPoint, command, workingDirectory } = image ?? {};
  const config = {
    ...(entryPoint && { EntryPoint: entryPoint }),
    ...(command && { Command: command }),
    ...(workingDirectory !== undefined && { WorkingDirectory: workingDirectory }),
  };
  return Object.keys(config).length === 0 ? {} : { ImageConfigResponse: { ImageConfig: config } };
}
