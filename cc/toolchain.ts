/**
 * What a compiler needs to run elsewhere. The list is where a toolchain begins, not where it ends:
 * what the proof of a result finds beside it (a linker plugin, a specs file) is added and remembered.
 */
import { LlamaError } from "../job/errors.ts";
import { siblingName } from "./compiler_name.ts";
import type { FileSystem, ProcessRunner } from "./file_system.ts";
import { foldersOf, librariesOf } from "./libraries.ts";

/** Files of a toolchain. */
export interface ToolchainFiles {
  /** Absolute path of the driver as PATH has it, links not followed. */
  readonly driver: string;
  /** Programs, libraries, loader, built-in headers and locale, as spelled, each with the reason. */
  readonly why: ReadonlyMap<string, string>;
  /** Folders for the loader. */
  readonly libraryPath: readonly string[];
}

/** Programs that a driver may start for -c and -S. */
const PROGRAMS = ["cc1", "cc1plus", "cc1obj", "cc1objplus", "as", "objcopy", "lto-wrapper"];
/** Folders of headers that belong to the compiler itself. */
const HEADER_FOLDERS = ["include", "include-fixed"];
/** The data of the locale C.UTF-8. */
export const LOCALE_FOLDER = "/usr/lib/locale/C.utf8";
/**
 * What setlocale(LC_CTYPE) and setlocale(LC_MESSAGES) read for C.UTF-8, the locale in which a compiler
 * quotes ‘so’ instead of 'so': glibc has it since 2.35, as files.
 */
const LOCALE_FILES = ["LC_CTYPE", "LC_MESSAGES/SYS_LC_MESSAGES"].map((name) =>
  `${LOCALE_FOLDER}/${name}`
);

/** A compiler, with all that decides which programs it runs. */
export interface CompilerParts {
  readonly driver: string;
  /** Arguments such as -B and -specs. */
  readonly flags: readonly string[];
  /** PATH, and the variables that GCC's manual names in "Environment Variables Affecting GCC". */
  readonly env: Readonly<Record<string, string>>;
  /** Working folder, which relative paths in both begin at. */
  readonly cwd: string;
}

/**
 * Finds the files of a compiler.
 *
 * @throws {LlamaError} `StaticCompiler` if the path shim cannot be loaded into it, `ScriptCompiler`,
 * `LibraryMissing`.
 */
export async function discoverToolchain(
  { driver, flags, env, cwd }: CompilerParts,
  { files, processes }: { readonly files: FileSystem; readonly processes: ProcessRunner },
): Promise<ToolchainFiles> {
  const path = env.PATH ?? "";
  const ask = async (question: string) => {
    const { code, stdout } = await processes.run(driver, [...flags, question], {
      cwd,
      env: { ...env, LC_ALL: "C" },
    });
    return code === 0 ? stdout.trim() : "";
  };
  const why = new Map([[driver, "the compiler"]]);
  // With the driver of the other language one toolchain serves both.
  const slash = driver.lastIndexOf("/") + 1;
  const sibling = siblingName(driver.slice(slash));
  if (sibling !== undefined) {
    const path = driver.slice(0, slash) + sibling;
    if (files.stat(path)?.kind === "file" && !isScript(path, files)) {
      why.set(path, "the compiler of the other language");
    }
  }
  for (const name of PROGRAMS) {
    const answer = await ask(`-print-prog-name=${name}`);
    const program = answer.startsWith("/")
      ? answer
      : answer.includes("/")
      ? `${cwd}/${answer}`
      : findProgram(answer, path, files);
    if (program === undefined || files.stat(program)?.kind !== "file") continue;
    if (!why.has(program)) why.set(program, `the compiler's ${name}`);
  }
  const libraries = new Set<string>();
  for (const program of [...why.keys()]) {
    const { paths, dynamic } = await librariesOf(program, processes);
    if (!dynamic && program === driver) {
      throw new LlamaError(
        "StaticCompiler",
        `Cannot run "${driver}" elsewhere as it is statically linked`,
        { hint: "use a function whose image has the compiler" },
      );
    }
    if (!dynamic) refuseScript(program, files);
    for (const library of paths) {
      libraries.add(library);
      const name = program.slice(program.lastIndexOf("/") + 1);
      if (!why.has(library)) why.set(library, `library of ${name}`);
    }
  }
  for (const name of HEADER_FOLDERS) {
    const folder = await ask(`-print-file-name=${name}`);
    const headers: string[] = [];
    if (folder.startsWith("/")) collect(folder, files, headers);
    for (const path of headers) why.set(path, "header of the compiler");
  }
  for (const path of LOCALE_FILES) {
    if (files.stat(path)?.kind === "file") why.set(path, "locale C.UTF-8, for quotation marks");
  }
  return { driver, why, libraryPath: foldersOf(libraries) };
}

function isScript(path: string, files: FileSystem): boolean {
  const head = files.read(path);
  return head?.[0] === 0x23 && head[1] === 0x21;
}

/**
 * Refuses a script in the place of a program.
 *
 * @throws {LlamaError} `ScriptCompiler`.
 */
export function refuseScript(path: string, files: FileSystem): void {
  if (!isScript(path, files)) return;
  throw new LlamaError(
    "ScriptCompiler",
    `Cannot run "${path}" elsewhere as it is a script, which may read what does not travel`,
  );
}

/** The file that a shell would run for `name`; `undefined` if PATH has none. */
export function findProgram(name: string, path: string, files: FileSystem): string | undefined {
  if (name.includes("/")) return name;
  for (const folder of path.split(":")) {
    if (!folder.startsWith("/")) continue;
    const candidate = `${folder}/${name}`;
    const state = files.stat(candidate);
    if (state?.kind === "file" && (state.mode & 0o111) !== 0) return candidate;
  }
  return undefined;
}

function collect(folder: string, files: FileSystem, into: string[]): void {
  for (const { name, kind } of files.list(folder) ?? []) {
    const path = `${folder}/${name}`;
    if (kind === "folder") collect(path, files, into);
    else if (files.stat(path)?.kind === "file") into.push(path);
  }
}
