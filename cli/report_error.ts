/** What a person or a program reads of an error, and the exit status that it stands for. */
import { LlamaError, messageOf } from "../job/errors.ts";

/** An error as it is reported. */
export interface ErrorReport {
  /** Stable name, such as `NotBootstrapped`. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** 1 for a failure, 2 for a wrong call; a command may name another. */
  readonly exitCode: number;
}

/** Exit status of a command that ^C stopped: 128 + SIGINT. */
export const INTERRUPTED = 130;

/** What to report of anything that was thrown. */
export function reportOf(error: unknown): ErrorReport {
  if (error instanceof LlamaError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.hint !== undefined && { hint: error.hint }),
      exitCode: error.exitCode,
    };
  }
  if (isSystemError(error)) {
    return { code: error.name, message: systemMessage(messageOf(error)), exitCode: 1 };
  }
  return {
    code: "Internal",
    message: `Internal error: ${messageOf(error)}`,
    hint: "set LLAMA_DEBUG=1 for the stack and report it",
    exitCode: 1,
  };
}

/** The report as one line. */
export function reportLine({ message, hint }: ErrorReport): string {
  const line = hint === undefined ? message : `${message} (${hint})`;
  return `llama: ${line.replaceAll(/\s*\n\s*/g, "; ")}`;
}

/** The report as the JSON value that -json prints. */
export function reportJson({ code, message, hint }: ErrorReport): { readonly error: unknown } {
  return { error: { code, message, ...(hint !== undefined && { hint }) } };
}

/** Whether the reader of stdout has gone, which is no failure to speak of. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe;
}

/** What the system said of an error, without its number and the call. */
export function reasonOf(error: unknown): string {
  return messageOf(error).replace(/ \(os error \d+\).*$/s, "");
}

/** What Deno's names of system calls mean to a person; any other stands for itself. */
const ACTS: Readonly<Record<string, string | undefined>> = {
  copy: "copy",
  mkdir: "make the folder",
  open: "open",
  readdir: "read the folder",
  readfile: "read",
  remove: "remove",
  rename: "write",
  symlink: "make the link",
  writefile: "write",
};

/** Deno says `REASON (os error N): CALL 'PATH' -> 'PATH'`; people read what was tried first. */
function systemMessage(text: string): string {
  const match = /^(.*) \(os error \d+\): (\w+) '(.*)'$/s.exec(text);
  if (match === null) return text;
  const [, reason = "", call = "", paths = ""] = match;
  const path = paths.split("' -> '").at(-1);
  return `Cannot ${ACTS[call] ?? call} ${JSON.stringify(path)}: ${reason}`;
}

/** Errors of the operating system are the caller's business, not defects of this program. */
function isSystemError(error: unknown): error is Error {
  if (Object.values(Deno.errors).some((kind) => error instanceof kind)) return true;
  // Deno has no class for some, such as that of a full disk.
  return error instanceof Error && / \(os error \d+\)/.test(error.message);
}
