/** What a command of `llama` is, and what it gets. */
import type { Flag, Flags } from "./flags.ts";
import type { Output } from "./output.ts";

/** What a command gets from the executable; it reads no environment of its own. */
export interface CommandContext {
  readonly flags: Flags;
  /** Arguments that are not flags. */
  readonly operands: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The current folder. */
  readonly cwd: string;
  /** Folder of llama.json, the daemon's socket and the embedded cloud. */
  readonly llamaDir: string;
  readonly output: Output;
  /** Aborted by ^C and by SIGTERM. */
  readonly signal: AbortSignal;
}

/** Operands of a command: files, programs of this machine, a function with its command, or one of these words. */
export type Operands = "files" | "programs" | "job" | readonly string[];

/** A command, loaded. */
export interface Command {
  /** Its help: one literal text of 80 columns with two examples. */
  readonly usage: string;
  /** Flags beside the global ones. */
  readonly flags: readonly Flag[];
  /** What follows the flags, for completion; nothing unless given. */
  readonly operands?: Operands;
  /** Whether flags after the first operand belong to another command that follows. */
  readonly endAtOperand?: boolean;
  /** Runs it and returns its exit status. */
  readonly run: (context: CommandContext) => Promise<number>;
}

/** A line of the table of commands. Its module is loaded when it runs, so that others stay quick. */
export interface CommandEntry {
  readonly name: string;
  /** What it does, in at most 60 columns. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}
