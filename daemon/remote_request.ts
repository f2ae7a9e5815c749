/** One compilation that is to run elsewhere, and what becomes of it. */
import type { CommandLine } from "../cc/command_line.ts";
import type { Compilation } from "../cc/decision.ts";
import type { Settings } from "../cc/settings.ts";
import type { CompileRequest } from "./protocol.ts";

/** A compilation to run elsewhere. */
export interface RemoteRequest {
  readonly request: CompileRequest;
  readonly settings: Settings;
  /** Path of the compiler here. */
  readonly driver: string;
  /** The compiler as its command shall spell it. */
  readonly name: string;
  /** Arguments behind the name. */
  readonly args: readonly string[];
  readonly line: CommandLine;
  readonly compilation: Compilation;
  readonly signal: AbortSignal;
  /** Stands for the source where it was preprocessed here. */
  readonly text?: Uint8Array<ArrayBuffer>;
}

/** What the compiler printed and how it ended, once its outputs are written. */
export interface Compiled {
  readonly kind: "compiled";
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly code: number;
}

/** `path` as an absolute one. */
export function absolute(path: string, cwd: string): string {
  return path.startsWith("/") ? path : `${cwd}/${path}`;
}
