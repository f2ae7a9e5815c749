/**
 * The code of the default function. Its zip takes 3 s of a core, so its digest is remembered under that
 * of its parts: a bootstrap that changes nothing makes no zip.
 */
import { type Digest, digestOf } from "../job/digest.ts";
import { BOOTSTRAP, buildFunctionZip, checkFunctionZip } from "./function_zip.ts";
import { findDeno, runtimeBundle } from "./runtime_bundle.ts";

/** The code of a zip function. */
export interface FunctionCode {
  /** Digest of the zip. */
  readonly sha256: Digest;
  /** The zip itself. */
  readonly bytes: () => Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Makes the code of the default function.
 *
 * @param llamaDir Folder in whose `cache` the digest is remembered.
 * @throws {LlamaError} If there is no deno or no runtime for it, or it is too large for Lambda.
 */
export async function functionCode(
  env: Readonly<Record<string, string | undefined>>,
  llamaDir: string,
): Promise<FunctionCode> {
  const [denoPath, bundle] = await Promise.all([findDeno(env), runtimeBundle()]);
  const deno = await Deno.readFile(denoPath);
  const build = async () => {
    const zip = await buildFunctionZip({ deno, bundle });
    checkFunctionZip(zip, "s3");
    return zip.bytes;
  };
  const parts = await digestOf(
    new TextEncoder().encode(
      [BOOTSTRAP, await digestOf(deno), await digestOf(bundle)].join("\n"),
    ),
  );
  const path = `${llamaDir}/cache/function-zip`;
  const known = await readKnown(path, parts);
  if (known !== undefined) return { sha256: known, bytes: build };
  const bytes = await build();
  const sha256 = await digestOf(bytes);
  await Deno.mkdir(`${llamaDir}/cache`, { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(`${path}.tmp`, `${parts} ${sha256}\n`);
  await Deno.rename(`${path}.tmp`, path);
  return { sha256, bytes: () => Promise.resolve(bytes) };
}

/** The digest of the zip of `parts`; what cannot be read is not known. */
async function readKnown(path: string, parts: Digest): Promise<Digest | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const match = /^([0-9a-f]{64}) ([0-9a-f]{64})\n$/.exec(text);
  return match?.[1] === parts ? match[2] : undefined;
}
