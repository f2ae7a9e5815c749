/**
 * The zip of the default function, for `provided.al2023`: a deno executable, the bundled runtime and
 * the script that Lambda starts. deno 2.9.6 is 96 MB, 42 MB in the zip.
 *
 * The same parts give the same bytes, so that a function is updated only when something changed:
 * Lambda tells the SHA-256 of a function's zip. So members have one order and one date.
 */
import { crc32, deflateRaw } from "node:zlib";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { LlamaError } from "../job/errors.ts";

/** What goes into a function's zip. */
export interface FunctionZipParts {
  /** The deno executable for the function's architecture: its path, or its bytes. */
  readonly deno: string | Uint8Array<ArrayBuffer>;
  /** The bundled runtime: its path, or its bytes. */
  readonly bundle: string | Uint8Array<ArrayBuffer>;
}

/** A zip and what it takes up once unpacked. */
export interface FunctionZip {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of all members. */
  readonly unpackedBytes: number;
}

/** How a zip gets to Lambda: inside the request, or by way of S3. */
export type ZipRoute = "direct" | "s3";

/** Most bytes of a zip inside the request (Lambda quotas, "Deployment package size"). */
export const MAX_DIRECT_ZIP_BYTES = 50 * 1024 * 1024;
/** Most bytes of a function once unpacked, its layers included (same place). */
export const MAX_UNPACKED_BYTES = 250 * 1024 * 1024;

/**
 * The script that Lambda starts, beside deno and the runtime.
 *
 * HOME is not writable there, so deno's folder is under /tmp, which a worker in Lambda has for itself;
 * one of the embedded cloud says so where it has. That folder is empty at each cold start, so a code
 * cache would be written (15 ms) and never read. An image whose C library cannot run deno has the one
 * that can in lib/, with its loader.
 */
export const BOOTSTRAP = `#!/bin/sh
here="\${0%/*}"
export DENO_DIR="\${DENO_DIR:-/tmp/.deno}" DENO_NO_UPDATE_CHECK=1 NO_COLOR=1
[ -n "$AWS_ENDPOINT_URL" ] || export LLAMA_PRIVATE_TMP=1
set -- run -A --no-config --no-lock --cached-only --no-check --no-code-cache "$here/runtime.js" "$@"
[ ! -e "$here/lib/loader" ] ||
  exec "$here/lib/loader" --library-path "$here/lib" "$here/deno" "$@"
exec "$here/deno" "$@"
`;

const EXECUTABLE = 0o100755;
const READABLE = 0o100644;
/**
 * Makes the zip. It takes about 3 s of CPU.
 *
 * @throws {LlamaError} `RuntimeMissing` if a part cannot be read.
 */
export async function buildFunctionZip(parts: FunctionZipParts): Promise<FunctionZip> {
  const deno = await readPart("deno executable", parts.deno);
  const bundle = await readPart("bundled runtime", parts.bundle);
  const bootstrap = new TextEncoder().encode(BOOTSTRAP);
  const zip = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  const members: readonly [string, number, Uint8Array<ArrayBuffer>][] = [
    ["bootstrap", EXECUTABLE, bootstrap],
    ["deno", EXECUTABLE, deno],
    ["runtime.js", READABLE, bundle],
  ];
  for (const [name, mode, content] of members) {
    await zip.add(name, new Uint8ArrayReader(await deflate(content)), {
      // Compressed here: the archiver would need 6.7 s for deno where zlib needs 2.3 s.
      passThrough: true,
      compressionMethod: DEFLATED,
      uncompressedSize: content.length,
      crc32: crc32(content),
      rawLastModDate: EARLIEST_DATE,
      extendedTimestamp: false,
      dataDescriptor: false,
      versionMadeBy: UNIX_VERSION,
      externalFileAttributes: mode * 0x10000,
    });
  }
  const bytes = await zip.close();
  return {
    bytes: new Uint8Array(bytes),
    unpackedBytes: bootstrap.length + deno.length + bundle.length,
  };
}

/**
 * Checks a zip before any call is made.
 *
 * @throws {LlamaError} `FunctionTooLarge` if Lambda would refuse it on this route.
 */
export function checkFunctionZip(
  { bytes, unpackedBytes }: Pick<FunctionZip, "unpackedBytes"> & {
    readonly bytes: { readonly length: number };
  },
  route: ZipRoute,
): void {
  if (unpackedBytes > MAX_UNPACKED_BYTES) {
    throw new LlamaError(
      "FunctionTooLarge",
      `Cannot make a function of ${unpackedBytes} bytes as the limit is ${MAX_UNPACKED_BYTES}`,
      { hint: "Use a container image" },
    );
  }
  if (route === "direct" && bytes.length > MAX_DIRECT_ZIP_BYTES) {
    throw new LlamaError(
      "FunctionTooLarge",
      `Cannot send a zip of ${bytes.length} bytes in a request as the limit is ` +
        `${MAX_DIRECT_ZIP_BYTES}`,
      { hint: "Send it by way of S3" },
    );
  }
}

/** Made on Unix (3), by version 2.0 of the format (APPNOTE.TXT 4.4.2). */
const UNIX_VERSION = (3 << 8) | 20;
/** 1 January 1980, 0:00, in the form of MS-DOS (APPNOTE.TXT 4.4.6): it has no time zone. */
const EARLIEST_DATE = 0x0021_0000;
/** APPNOTE.TXT 4.4.5. */
const DEFLATED = 8;
/** 43.0 MB in 2.2 s, where level 6 makes 42.6 MB in 3.0 s. */
const LEVEL = 4;

function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    deflateRaw(bytes, { level: LEVEL }, (error, packed) => error ? reject(error) : resolve(packed));
  });
}

async function readPart(
  what: string,
  part: string | Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof part !== "string") return part;
  try {
    return await Deno.readFile(part);
  } catch (cause) {
    throw new LlamaError("RuntimeMissing", `Cannot read the ${what} "${part}"`, { cause });
  }
}
