/** The job that one compilation becomes. */
import { compilerEnvironment, TEMPORARY_VARIABLES } from "../cc/environment.ts";
import type { FileSystem } from "../cc/file_system.ts";
import type { InputSet } from "../cc/inputs.ts";
import { type NativeProcessor, withProcessor } from "../cc/native_processor.ts";
import type { TimeZone } from "../cc/time_zone.ts";
import type { Input } from "../job/manifest.ts";
import { cleanPath } from "../job/path.ts";
import type { JobSpec } from "../job/spec.ts";
import type { OutputPlaces } from "./compile_outputs.ts";
import type { CompileRequest } from "./protocol.ts";
import { absolute, type RemoteRequest } from "./remote_request.ts";
import type { ReadyToolchain } from "./toolchains.ts";

/** What a job takes over from this machine beside files. */
export interface Here {
  readonly files: FileSystem;
  /** Names of the locales of this machine. */
  readonly locales: ReadonlySet<string>;
  readonly zone: TimeZone;
  /** What `-march=native` means, if the command says so. */
  readonly processor: NativeProcessor | undefined;
}

/** Where a job finds the specs that expand `-march=native`. */
const SPECS_PATH = "/.llama/native.specs";
const OWNER_ALL = 0o700;

/** The compiler's command, verbatim, with its inputs and outputs. */
export function jobSpec(
  { request, args, name, driver }: RemoteRequest,
  toolchain: ReadyToolchain,
  inputs: readonly Input[],
  outputs: OutputPlaces,
  { files, locales, zone, processor }: Here,
): JobSpec {
  const [logical] = logicalCwd(request, files);
  const laidOut = inputs.map((input) =>
    input.kind === "folder" && outputs.writtenFolders.has(input.path)
      ? { ...input, mode: input.mode | OWNER_ALL }
      : input
  );
  const sent = new Set(inputs.map(({ path }) => path));
  return {
    args: [name, ...processor ? withProcessor(args, processor, SPECS_PATH) : args],
    // An image finds its own by the name.
    ...(!toolchain.image && { program: cleanPath(driver) }),
    env: {
      ...compilerEnvironment(request.env, locales),
      ...zone.env,
      PWD: logical ?? request.cwd,
      // See runtime/path_shim.c.
      ...(request.stderrIsTerminal && { LLAMA_SHIM_TERMINAL: `${request.stdinColumns}` }),
    },
    cwd: request.cwd,
    rooted: {
      shim: toolchain.shim,
      libraryPath: toolchain.libraryPath,
      ...(toolchain.image && { image: true }),
    },
    manifests: toolchain.image ? [] : [toolchain.manifest],
    packs: [],
    inputs: [
      ...toolchain.sent ?? [],
      ...laidOut,
      ...outputs.standIns.values().filter(({ path }) => !sent.has(path)),
    ],
    wanted: outputs.wanted,
  };
}

/** Adds the specs that expand `-march=native`. */
export function addSpecs(set: InputSet, processor: NativeProcessor | undefined): void {
  if (processor?.specs === undefined) return;
  set.inputs.set(SPECS_PATH, {
    kind: "file",
    path: SPECS_PATH,
    mode: 0o644,
    content: { bytes: new TextEncoder().encode(processor.specs) },
  });
}

/** Folders for temporary files that the command is told of. */
export function temporaryFolders({ env, cwd }: CompileRequest): string[] {
  return TEMPORARY_VARIABLES.flatMap((name) => {
    const folder = env[name];
    // To clang an empty name means the working folder.
    return folder === undefined ? [] : folder === "" ? [cwd] : [absolute(folder, cwd)];
  });
}

/** PWD, where it names the working folder: GCC records it as the compilation's folder. */
export function logicalCwd({ env, cwd }: CompileRequest, files: FileSystem): string[] {
  const logical = env.PWD;
  if (logical === undefined || !logical.startsWith("/") || logical === cwd) return [];
  const a = files.stat(logical);
  const b = files.stat(cwd);
  return a && b && a.inode === b.inode && a.device === b.device ? [logical] : [];
}
