import { assert } from "@std/assert";
import { readCommandLine } from "../cc/command_line.ts";
import { decide } from "../cc/decision.ts";
import { familyOf } from "../cc/family.ts";
import { realFiles } from "./real_files.ts";
import { readSettings } from "../cc/settings.ts";
import type { RemoteRequest } from "./remote_request.ts";

/** What a test may choose of its requests. */
export interface RequestOptions {
  /** Path of the compiler. */
  readonly driver?: string;
  /** The compiler as its command spells it. */
  readonly name?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The requests, one for each source, of a command that must be one to run elsewhere. */
export function remoteRequestsOf(command: string, options: RequestOptions = {}): RemoteRequest[] {
  const { driver = "/usr/bin/gcc", name = "gcc", cwd = "/", env = {} } = options;
  const args = command.split(" ");
  const line = readCommandLine(args);
  const decision = decide(line, { cxx: false, remoteAssemble: false });
  assert(decision.kind === "remote", JSON.stringify(decision));
  return decision.compilations.map((compilation) => ({
    request: {
      umask: 0o22,
      stderrIsTerminal: false,
      stdoutIsTerminal: false,
      stdinColumns: 0,
      argv: ["llamacc", ...args],
      rawArgv: [],
      cwd,
      env,
      notUtf8: false,
      notUtf8Env: new Set(),
    },
    settings: readSettings(env),
    driver,
    name,
    family: familyOf(driver, realFiles),
    args: compilation.args,
    line,
    compilation,
    signal: options.signal ?? new AbortController().signal,
  }));
}
