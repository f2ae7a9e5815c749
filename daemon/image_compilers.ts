/**
 * The compilers of functions that are container images. LLAMACC_FUNCTION naming one means: compile with the
 * compiler of that name in it. No toolchain is sent, but the headers of this machine are what it reads.
 */
import type { AwsClient } from "../aws/client.ts";
import type { ProcessRunner } from "../cc/file_system.ts";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import { addFoldersAbove } from "../job/path.ts";
import type { JobSpec } from "../job/spec.ts";
import type { AskFunction } from "./function_info.ts";
import { readContent, runJob } from "./run_job.ts";
import type { Session } from "./session.ts";
import { SHIM_PATH } from "./toolchain_files.ts";
import type { ReadyToolchain } from "./toolchains.ts";

/** Where a compiler is looked for. */
export interface ImageQuestion {
  readonly session: Session;
  readonly functionName: string;
  /** The compiler here, and how its command spells it. */
  readonly driver: string;
  readonly name: string;
}

/** Compilers of images. */
export interface ImageCompilers {
  /** Whether a function is an image; no, for one that this user may not look at. */
  isImage(client: AwsClient, functionName: string): Promise<boolean>;
  /**
   * How the image's compiler differs from the one here, undefined if it does not.
   *
   * @throws {LlamaError} `ImageWithoutCompiler`; `ImageWithoutShim` if that was found before.
   */
  difference(question: ImageQuestion): Promise<string | undefined>;
  /** The path shim cannot be loaded there; returns the error that says so from now on. */
  refuse(question: ImageQuestion, reason: string): LlamaError;
}

/** What `cc -v` says of the compiler's version and target: GCC manual, "Overall Options"; Clang's help. */
const VERSION_LINES = /^(?:Target: .*|.*\bversion .*)$/gm;

/** Creates compilers of which nothing is known. */
export function createImageCompilers(
  processes: ProcessRunner,
  about: AskFunction,
): ImageCompilers {
  const differences = new Map<string, Promise<string | undefined>>();

  const keyOf = ({ session, functionName, driver, name }: ImageQuestion) =>
    JSON.stringify([session.account.region, functionName, driver, name]);

  const compare = async (question: ImageQuestion): Promise<string | undefined> => {
    const { session, functionName, driver, name } = question;
    const base = name.slice(name.lastIndexOf("/") + 1);
    const spec: JobSpec = {
      ...{ args: [base, "-v"], env: { LC_ALL: "C" }, cwd: "" },
      ...{ manifests: [], packs: [], inputs: [], wanted: [] },
    };
    const there = await runJob(spec, {
      session,
      functionName,
      read: () => Promise.resolve(undefined),
    }).catch((error: unknown) => {
      if (!(error instanceof LlamaError) || !/^CommandNot/.test(error.code)) throw error;
      throw new LlamaError(
        "ImageWithoutCompiler",
        `The image of the function "${functionName}" has no compiler "${base}"`,
        { cause: error, hint: "LLAMACC_LOCAL_CC names the compiler to use" },
      );
    });
    const text = new TextDecoder().decode(await readContent(there.result.stderr, session.store));
    const here = await processes.run(driver, ["-v"], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    });
    const [a, b] = [versionOf(text), versionOf(here.stderr)];
    if (a === b) return undefined;
    return `the function "${functionName}" compiles with its own ${base} (${a}), ` +
      `which differs from the one here (${b})`;
  };

  return {
    isImage: async (client, functionName) =>
      (await about(client, functionName))?.packageType === "Image",
    difference: (question) => {
      const key = keyOf(question);
      let known = differences.get(key);
      if (!known) {
        differences.set(key, known = compare(question));
        known.catch((error) => {
          // What else went wrong may be mended by the next compilation.
          if (!(error instanceof LlamaError) || error.code !== "ImageWithoutCompiler") {
            differences.delete(key);
          }
        });
      }
      return known;
    },
    refuse: (question, reason) => {
      const error = new LlamaError(
        "ImageWithoutShim",
        `The image of the function "${question.functionName}" cannot show its compiler the files ` +
          `of this machine: ${reason}`,
        { hint: "an image with the C library of this machine, or a newer one, can" },
      );
      const refused = Promise.reject(error);
      refused.catch(() => undefined);
      differences.set(keyOf(question), refused);
      return error;
    },
  };
}

/** One line of what `cc -v` prints. */
function versionOf(text: string): string {
  return [...text.matchAll(VERSION_LINES)].map(([line]) => line.trim()).toSorted().toReversed()
    .join(", ");
}

/** Headers of the system: those of this machine are read, whatever the image has. */
const SYSTEM_HEADERS = /^\/usr\/(?:local\/)?include\//;

const ofImages = new WeakMap<ReadyToolchain, ReadyToolchain>();

/** What stands for a toolchain of this machine in an image: its programs and their own headers are there. */
export function imageToolchain(toolchain: ReadyToolchain): ReadyToolchain {
  let ofImage = ofImages.get(toolchain);
  if (!ofImage) ofImages.set(toolchain, ofImage = withoutPrograms(toolchain));
  return ofImage;
}

function withoutPrograms(toolchain: ReadyToolchain): ReadyToolchain {
  const shim = toolchain.inputs.get(toolchain.shim);
  const inputs = new Map<string, Input>();
  const folders = new Set<string>();
  for (const [path, input] of toolchain.inputs) {
    if (SYSTEM_HEADERS.test(path) || path === SHIM_PATH) continue;
    inputs.set(path, input);
    addFoldersAbove(path, folders);
  }
  return {
    ...toolchain,
    image: true,
    sent: shim ? [shim] : [],
    libraryPath: [],
    inputs,
    folders,
    states: new Map([...toolchain.states].filter(([path]) => inputs.has(path))),
  };
}
