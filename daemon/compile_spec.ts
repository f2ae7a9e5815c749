/** The job that one compilation becomes. */
import { compilerEnvironment } from "../cc/environment.ts";
import type { CommandLine } from "../cc/command_line.ts";
import type { FileSystem } from "../cc/file_system.ts";
import { timeZoneFor } from "../cc/time_zone.ts";
import type { Input } from "../job/manifest.ts";
import { cleanPath } from "../job/path.ts";
import type { JobSpec } from "../job/spec.ts";
import type { OutputPlaces } from "./compile_outputs.ts";
import type { CompileRequest } from "./protocol.ts";
import type { RemoteRequest } from "./remote_request.ts";
import type { ReadyToolchain } from "./toolchains.ts";

/** The compiler's command, verbatim, with its inputs and outputs. */
export function jobSpec(
  { request, args, name, driver, line }: RemoteRequest,
  toolchain: ReadyToolchain,
  inputs: readonly Input[],
  outputs: OutputPlaces,
  here: { readonly files: FileSystem; readonly locales: ReadonlySet<string> },
): JobSpec {
  const [logical] = logicalCwd(request, here.files);
  const env = compilerEnvironment(request.env, here.locales);
  // GCC asks whether stderr is a terminal; there it never is.
  const color =
    request.stderrIsTerminal && !line.colorChosen && (request.env.TERM ?? "dumb") !== "dumb"
      ? ["-fdiagnostics-color=always"]
      : [];
  if (request.stderrIsTerminal && showsLinks(request.env) && makesLinks(toolchain, line)) {
    color.push("-fdiagnostics-urls=always");
  }
  return {
    args: [name, ...color, ...args],
    program: cleanPath(driver),
    env: { ...env, PWD: logical ?? request.cwd, TZ: timeZoneFor(request.env.TZ, here.files) },
    cwd: request.cwd,
    rooted: { shim: toolchain.shim, libraryPath: toolchain.libraryPath },
    manifests: [toolchain.manifest],
    packs: [],
    inputs,
    wanted: outputs.list.map(({ path }) => ({ match: "exact", path })),
  };
}

/** Terminals that GCC's auto_enable_urls() (gcc/diagnostic-color.cc) trusts with links. */
function showsLinks({ TERM = "dumb", COLORTERM }: Readonly<Record<string, string>>): boolean {
  if (COLORTERM === "gnome-terminal" || COLORTERM === "xfce4-terminal") return false;
  return !["", "dumb", "linux"].includes(TERM) && (TERM !== "xterm" || COLORTERM !== undefined);
}

/** GCC makes links since version 10; its folder carries the version. Clang does not know the option. */
function makesLinks({ inputs }: ReadyToolchain, { flags }: CommandLine): boolean {
  if ([...flags].some((flag) => /^-fdiagnostics-(?:urls=|plain-output)/.test(flag))) return false;
  return inputs.keys().some((path) =>
    Number(/\/gcc[^/]*\/[^/]+\/(\d+)[^/]*\/cc1$/.exec(path)?.[1] ?? 0) >= 10
  );
}

/** PWD, where it names the working folder: GCC records it as the compilation's folder. */
export function logicalCwd({ env, cwd }: CompileRequest, files: FileSystem): string[] {
  const logical = env.PWD;
  if (logical === undefined || !logical.startsWith("/") || logical === cwd) return [];
  const a = files.stat(logical);
  const b = files.stat(cwd);
  return a && b && a.inode === b.inode && a.device === b.device ? [logical] : [];
}
