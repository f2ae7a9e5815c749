/** The command line of `xargs`, held together. */
import { resolve } from "@std/path/posix";
import type { CommandContext } from "../command.ts";
import { usageError } from "../flags.ts";
import { type Halt, parseHalt } from "./halt.ts";
import type { Resume } from "./joblog.ts";

/** A command line that makes sense. */
export interface Plan {
  /** Undefined for the default function, with `-run`. */
  readonly functionName: string | undefined;
  /** The command, not expanded. */
  readonly args: readonly string[];
  /** Lines of the command line, undefined if they are read. */
  readonly given: readonly string[] | undefined;
  readonly halt: Halt | undefined;
  readonly joblog: string | undefined;
  readonly resume: Resume | undefined;
  readonly results: string | undefined;
}

/** Separates the command from lines that are given with it, as parallel(1) has it. */
const SEPARATOR = ":::";

/**
 * Reads it.
 *
 * @throws {LlamaError} With code `Usage`, if it makes no sense.
 */
export function planOf({ flags, operands, cwd }: CommandContext): Plan {
  const at = operands.indexOf(SEPARATOR);
  const command = at < 0 ? operands : operands.slice(0, at);
  const given = at < 0 ? undefined : operands.slice(at + 1);
  if (given?.includes(SEPARATOR)) {
    throw usageError(`There may be one ${SEPARATOR}`, "make the combinations before llama xargs");
  }
  const isRun = flags.has("run");
  const [functionName, ...rest] = isRun ? [flags.value("function"), ...command] : command;
  if (!isRun && functionName === undefined) {
    throw usageError("The function is missing", "see llama help xargs");
  }
  if (rest.length === 0) throw usageError("The command is missing", "see llama help xargs");
  refuseTogether(flags, isRun, given !== undefined);
  const joblog = flags.value("joblog");
  const resume = flags.has("resume-failed") ? "succeeded" : flags.has("resume") ? "all" : undefined;
  if (resume !== undefined && joblog === undefined) {
    throw usageError("-resume and -resume-failed need -joblog FILE");
  }
  const results = flags.value("results");
  const halt = flags.value("halt");
  return {
    functionName,
    args: rest.map((arg) => arg ?? ""),
    given,
    halt: halt === undefined ? undefined : parseHalt(halt),
    joblog: joblog === undefined ? undefined : resolve(cwd, joblog),
    resume,
    results: results === undefined ? undefined : resolve(cwd, results),
  };
}

function refuseTogether(
  { has, value, list }: CommandContext["flags"],
  isRun: boolean,
  isGiven: boolean,
): void {
  const refuse = (one: string, other: string) => {
    throw usageError(`${one} and ${other} exclude each other`);
  };
  const ends = [...has("null") ? ["-0"] : [], ...value("delimiter") !== undefined ? ["-d"] : []];
  if (ends.length > 1) refuse("-0", "-d");
  if (isGiven && value("arg-file") !== undefined) refuse("-a", SEPARATOR);
  if (isGiven && ends[0] !== undefined) refuse(ends[0], SEPARATOR);
  if (isRun && (has("ship") || list("ship-file").length > 0)) refuse("-run", "-ship");
  if (!isRun && value("function") !== undefined) {
    throw usageError("-function is for -run; otherwise the function is the first operand");
  }
}
