/**
 * Makes a job carry the local program with its libraries and loader, so that it runs in any function.
 * Such a job is rooted: its folder is `/job` in a root of its own, beside the program's own paths.
 */
import { openKeptDigests } from "../daemon/kept_digests.ts";
import { realFiles } from "../daemon/real_files.ts";
import { openRealTools } from "../daemon/real_tools.ts";
import { keptShim } from "../daemon/shim_build.ts";
import { type ShippedProgram, shipProgram } from "../daemon/shipped_program.ts";
import { SHIM_PATH, shimInput } from "../daemon/toolchain_files.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import type { JobResult } from "../job/result.ts";
import type { JobSpec } from "../job/spec.ts";
import { missedBy } from "./ship_missed.ts";

/** What travels beside the program. */
export interface ShipOptions {
  /** Files and folders that the program opens by these absolute paths. */
  readonly files: readonly string[];
  /** PATH, where the program is looked for. */
  readonly path: string;
  /** The current folder. */
  readonly cwd: string;
  readonly llamaDir: string;
}

/** A program that can travel, with all that jobs which run it have in common. */
export interface Shipment {
  /** Everything that the program needs, by absolute paths, and the folders that it finds. */
  readonly inputs: readonly Input[];
  /** Makes a job that is not rooted run the program; it still needs {@linkcode Shipment.inputs}. */
  readonly root: (spec: JobSpec) => JobSpec;
  /** Gives inputs of a job that is not rooted the paths that they have in one that is. */
  readonly rooted: (inputs: readonly Input[]) => Input[];
  /** Bytes of what travels, `undefined` for those of a job's own files. */
  readonly read: (digest: Digest) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Gives outputs the paths that they have below the job's folder. */
  readonly unshipped: (outputs: readonly Input[]) => Input[];
  /** A line on what the program looked for in vain though it is here, as far as is known. */
  readonly missedBy: (result: JobResult) => string | undefined;
}

const FOLDER = "/job";
/** What a program finds in its environment, as it finds no login there. */
const ENV = { HOME: "/tmp", LANG: "C.UTF-8" };
const PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * Collects what the program `name` of this machine needs elsewhere.
 *
 * @throws {LlamaError} If the program is not found or cannot travel.
 */
export async function shipmentOf(name: string, options: ShipOptions): Promise<Shipment> {
  const digests = await openKeptDigests(`${options.llamaDir}/cache/digests`, realFiles);
  const tools = { ...openRealTools(), digests };
  const { files: data, path, cwd } = options;
  const shipped = await shipProgram({ name, data, path, cwd }, tools);
  await digests.keep();
  const own = new Map<Digest, Uint8Array<ArrayBuffer>>();
  const inputs: Input[] = [...shipped.inputs, ...scriptIn(shipped), {
    kind: "folder",
    path: FOLDER,
    mode: 0o755,
  }];
  if (!inputs.some(({ path }) => path === "/tmp")) {
    inputs.push({ kind: "folder", path: "/tmp", mode: 0o1777 });
  }
  // Only the path shim shows a program its files at paths that are not below the job's folder.
  const needsShim = shipped.opensFiles;
  if (needsShim) {
    if (!shipped.dynamic) throw staticProgram(shipped.program, data.length > 0);
    const shim = await keptShim(`${options.llamaDir}/cache`);
    const digest = await digestOf(shim);
    own.set(digest, shim);
    inputs.push(shimInput(digest, shim));
  }
  const folders = shipped.foundIn.filter((folder) => !PATH.includes(folder));
  return {
    inputs,
    root: (spec) => ({
      ...spec,
      args: [...shipped.args, ...spec.args.slice(1)],
      program: shipped.program,
      env: { ...ENV, PATH: [...folders, ...PATH].join(":"), ...spec.env },
      cwd: FOLDER,
      rooted: { libraryPath: shipped.libraryPath, ...(needsShim && { shim: SHIM_PATH }) },
      inputs: rooted(spec.inputs),
      wanted: spec.wanted.map((wanted) => ({
        ...wanted,
        path: wanted.path === "" ? FOLDER : `${FOLDER}/${wanted.path}`,
      })),
    }),
    rooted,
    read: async (digest) => {
      const path = tools.digests.pathOf(digest);
      if (path === undefined) return own.get(digest);
      const bytes = await Deno.readFile(path);
      if (await digestOf(bytes) === digest) return bytes;
      throw new LlamaError("FileChanged", `Cannot ship "${path}" as it changed meanwhile`, {
        hint: "run the command again",
      });
    },
    unshipped,
    missedBy: (result) => missedBy(result, { cwd, folder: FOLDER }, realFiles),
  };
}

function staticProgram(program: string, hasData: boolean): LlamaError {
  return hasData
    ? new LlamaError(
      "StaticProgram",
      `Cannot ship files to "${program}" as it is linked statically`,
      { hint: "send them with -f, below the job's folder" },
    )
    : new LlamaError(
      "StaticProgram",
      `Cannot ship the script as its interpreter "${program}" is linked statically`,
      { hint: "name the script by a path that begins at the current folder" },
    );
}

/** Gives outputs of a job that carries its program the paths that they have below its folder. */
export function unshipped(outputs: readonly Input[]): Input[] {
  return outputs.filter(({ path }) => path.startsWith(`${FOLDER}/`))
    .map((output) => ({ ...output, path: output.path.slice(FOLDER.length + 1) }));
}

/** The script once more, at the place that its relative path names there, beside the job's own files. */
function scriptIn({ script, inputs }: ShippedProgram): Input[] {
  return inputs.filter(({ path }) => path === script?.real)
    .map((input) => ({ ...input, path: `${FOLDER}/${script?.path}` }));
}

function rooted(inputs: readonly Input[]): Input[] {
  return inputs.map((input) => ({ ...input, path: `${FOLDER}/${input.path}` }));
}
