/** One compilation that is to run elsewhere, and what becomes of it. */
import type { CommandLine } from "../cc/command_line.ts";
import type { Compilation } from "../cc/decision.ts";
import type { Family } from "../cc/options.ts";
import { explainReason, type LocalReason } from "../cc/reasons.ts";
import type { Settings } from "../cc/settings.ts";
import { LlamaError } from "../job/errors.ts";
import type { LeftFile } from "./differences.ts";
import type { CompileRequest } from "./protocol.ts";

/** A compilation to run elsewhere. */
export interface RemoteRequest {
  readonly request: CompileRequest;
  readonly settings: Settings;
  /** Path of the compiler here. */
  readonly driver: string;
  /** The compiler as its command shall spell it. */
  readonly name: string;
  readonly family: Family;
  /** Arguments behind the name. */
  readonly args: readonly string[];
  readonly line: CommandLine;
  readonly compilation: Compilation;
  readonly signal: AbortSignal;
  /** Gets what the compilation made, which is not written then. */
  readonly keep?: (kept: KeptOutputs) => void;
  /** Says a line of the daemon's own to the build, once for each `key`. */
  readonly say?: (key: string, line: string) => void;
  /** Stands for the source where it was preprocessed here. */
  readonly text?: SourceText;
}

/** Text in place of a source. */
export interface SourceText {
  /** Absolute path in the job's root. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What a compilation elsewhere made, not written. */
export interface KeptOutputs {
  /** Files that it made, with the modes that they would have. */
  readonly files: ReadonlyMap<string, LeftFile>;
  /** Files that it removed. */
  readonly removed: readonly string[];
  /** All outputs that the command names, and those others that are here now. */
  readonly list: () => Iterable<string>;
}

/** What the compiler printed and how it ended, once its outputs are written. */
export interface Compiled {
  readonly kind: "compiled";
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly code: number;
}

/** A compilation that must run here, as more than its command shows: no failure, but a late decision. */
export class StaysHere extends LlamaError {
  /** Name of the class. */
  override readonly name = "StaysHere";
  /** As decide() would have given it. */
  readonly reason: LocalReason;

  /** Keeps the reason. */
  constructor(reason: LocalReason) {
    super(reason, explainReason(reason));
    this.reason = reason;
  }
}

/** `path` as an absolute one. */
export function absolute(path: string, cwd: string): string {
  return path.startsWith("/") ? path : `${cwd}/${path}`;
}
