/** Whether a client's command runs here, and the jobs that it becomes if not. */
import { type CommandLine, readCommandLine } from "../cc/command_line.ts";
import { decide, type Decision } from "../cc/decision.ts";
import { forwardedNames, localizedBy, localOnlyVariable } from "../cc/environment.ts";
import { familyOf } from "../cc/family.ts";
import type { FileSystem } from "../cc/file_system.ts";
import type { Family } from "../cc/options.ts";
import { expandResponseFiles } from "../cc/response_files.ts";
import type { Settings } from "../cc/settings.ts";
import type { FoundCompiler } from "./compiler_lookup.ts";
import type { CompileRequest } from "./protocol.ts";
import { absolute, type RemoteRequest } from "./remote_request.ts";

/** What {@linkcode decideRequest} asks about this machine. */
export interface DecideTools {
  readonly files: FileSystem;
  /** Names of the locales of this machine. */
  readonly locales: () => Promise<ReadonlySet<string>>;
}

/** A command with its compiler. */
export interface FoundRequest {
  readonly request: CompileRequest;
  readonly settings: Settings;
  readonly compiler: FoundCompiler;
  /** All arguments behind the compiler's name, without filtered warnings. */
  readonly args: readonly string[];
}

/** A command, and where it runs. */
export interface DecidedRequest extends FoundRequest {
  readonly family: Family;
  readonly line: CommandLine;
  /** Response files as the command spells them. */
  readonly responseFiles: readonly string[];
  readonly decision: Decision;
}

/** Decides. */
export async function decideRequest(
  found: FoundRequest,
  { files, locales }: DecideTools,
): Promise<DecidedRequest> {
  const { request, settings, compiler, args } = found;
  const family = familyOf(compiler.driver, files);
  const expanded = expandResponseFiles(args, family, (name) => {
    const path = absolute(name, request.cwd);
    return files.stat(path) ? files.read(path) ?? "unreadable" : "absent";
  });
  const line = readCommandLine(expanded.args, family);
  const reason = localReason(request, settings) ??
    localizedBy(
      request.env,
      await locales(),
      (language) => hasCompilerMessages(language, files),
    ) ?? (expanded.unreadable ? "response-file" : undefined);
  const wanted: Decision = reason === undefined
    ? decide(line, { cxx: compiler.cxx, remoteAssemble: settings.remoteAssemble, family })
    : { kind: "local", reason };
  const there: Decision = compiler.localReason === undefined || wanted.kind === "local"
    ? wanted
    : { kind: "local", reason: compiler.localReason };
  return {
    ...found,
    family,
    line,
    responseFiles: expanded.files,
    decision: withoutMissing(there, request, files),
  };
}

/** The jobs of a command that runs elsewhere, one for each source. */
export function remoteRequests(
  { request, settings, compiler, args, family, line, responseFiles, decision }: DecidedRequest,
  signal: AbortSignal,
): RemoteRequest[] {
  if (decision.kind === "local") return [];
  const { driver, name, path } = compiler;
  const parts = {
    request: path === request.env.PATH
      ? request
      : { ...request, env: { ...request.env, PATH: path } },
    settings,
    driver,
    name,
    family,
    line,
    signal,
  };
  const [only, ...others] = decision.compilations;
  if (only !== undefined && others.length === 0) {
    const reads = [...responseFiles, ...only.reads];
    return [{ ...parts, args, compilation: { ...only, reads } }];
  }
  return decision.compilations.map((compilation) => ({
    ...parts,
    args: compilation.args,
    compilation,
  }));
}

/** Only here can the compiler say why it cannot open a file. */
function withoutMissing(decision: Decision, request: CompileRequest, files: FileSystem): Decision {
  if (decision.kind === "local") return decision;
  const isThere = decision.compilations.every(({ source, reads }) =>
    files.stat(absolute(source, request.cwd))?.kind === "file" &&
    reads.every((path) => files.stat(absolute(path, request.cwd)) !== undefined)
  );
  return isThere ? decision : { kind: "local", reason: "no-such-source" };
}

/**
 * GNU gettext manual, "Locating Message Catalog Files"; GCC's text domains carry its version, libc's
 * holds what strerror() says.
 */
function hasCompilerMessages(language: string, files: FileSystem): boolean {
  const folder = `/usr/share/locale/${language}/LC_MESSAGES`;
  return (files.list(folder) ?? []).some(({ name }) =>
    /^(?:gcc|cpplib|gas|bfd|opcodes|libc)\b/.test(name)
  );
}

function localReason(request: CompileRequest, settings: Settings): string | undefined {
  if (settings.local) return "LLAMACC_LOCAL";
  if (request.clientReason !== undefined) return request.clientReason;
  if (request.notUtf8) return "not-utf8";
  if (forwardedNames(request.env).some((name) => request.notUtf8Env.has(name))) return "not-utf8";
  return localOnlyVariable(request.env);
}
