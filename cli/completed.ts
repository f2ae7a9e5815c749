/** What completion scripts are made from. */
import type { Command, Operands } from "./command.ts";
import type { Flag } from "./flags.ts";

/** A command as completion sees it. */
export interface Completed {
  readonly name: string;
  readonly summary: string;
  /** Its own flags. */
  readonly flags: readonly Flag[];
  readonly operands: Operands;
}

/** The command line of `llama` as completion sees it. */
export interface CompletedLine {
  readonly commands: readonly Completed[];
  /** Flags of every command. */
  readonly globals: readonly Flag[];
  /** Flags that may stand before the command. */
  readonly leading: readonly Flag[];
}

/** A flag of one spelling. */
export interface Spelling {
  /** Without dashes. */
  readonly name: string;
  /** What its value is, `none` for a switch. */
  readonly value: "none" | "file" | "folder" | "other";
}

/** What completion sees of a command. */
export function completed(name: string, summary: string, command: Command): Completed {
  return { name, summary, flags: command.flags, operands: command.operands ?? [] };
}

/** Each spelling of `flags`. */
export function spellingsOf(flags: readonly Flag[]): Spelling[] {
  return flags.flatMap((flag) => {
    const value = flag.kind === "switch" ? "none" : valueOf(flag.takes);
    return [flag.name, ...flag.aliases ?? []].map((name) => ({ name, value }));
  });
}

/** `takes` is what usage calls the value. */
function valueOf(takes: string): "file" | "folder" | "other" {
  if (/^(?:FILE|PATH|LOCAL)\b/.test(takes)) return "file";
  return /^DIR\b/.test(takes) ? "folder" : "other";
}
