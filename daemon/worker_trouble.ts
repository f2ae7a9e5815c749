/**
 * Tells a compiler that the worker failed from a compiler that refused its source. The first may do well
 * on another worker or here; the second never gets another try.
 */
import { LlamaError } from "../job/errors.ts";
import type { JobResult } from "../job/result.ts";

/**
 * What the drivers say when a program of theirs did not end by itself: GCC's execute() (gcc/gcc.cc) of
 * signals that come from outside, clang's Command::Execute() (clang/lib/Driver/Job.cpp) of all.
 */
const KILLED =
  /^[^\n]*: fatal error: [^\n]* signal terminated program |^[^\n]*: error: unable to execute command: /m;

/**
 * libiberty's xmalloc_failed(), GCC's ggc-page.cc, LLVM's report_bad_alloc_error(), libstdc++ without a
 * handler, and the assembler of binutils.
 */
const OUT_OF_MEMORY = new RegExp(
  [
    String.raw`^(?:[^\s:]+: )?out of memory allocating \d+ bytes`,
    "^virtual memory exhausted: ",
    "^LLVM ERROR: out of memory",
    "^terminate called after throwing an instance of 'std::bad_alloc'",
    "^[^\n]*[Ee]rror: [^\n]*: Cannot allocate memory$",
  ].join("|"),
  "m",
);

/**
 * What may be the worker's doing, and is rare enough to see for oneself: GCC's internal_error()
 * (gcc/diagnostic.cc), gt_pch_restore() (gcc/ggc-common.cc), clang's CrashRecovery and the assembler's
 * own checks. After a crash drivers also leave files for a report, which should be on this machine.
 */
const CRASHED = new RegExp(
  [
    "^(?:[^\n]*: )?internal compiler error: ",
    "^[^\n]*: fatal error: had to relocate PCH$",
    "^PLEASE submit a bug report to ",
    "^(?:[^\n]*: )?Internal error[ ,:(]",
  ].join("|"),
  "m",
);

/** strerror() of what a worker has less of than this machine: ENOSPC, EDQUOT, EAGAIN, EMFILE. */
const EXHAUSTED =
  /^[^\n]*[Ee]rror: [^\n]*: (?:No space left on device|Disk quota exceeded|Resource temporarily unavailable|Too many open files)$/m;

/** What kept a worker from compiling; undefined if the compiler ended by itself, well or not. */
export function workerTrouble(
  status: JobResult["status"],
  stderr: Uint8Array,
): LlamaError | undefined {
  if (status.kind === "signal") {
    return killed(`The compiler was killed by ${status.signal}`);
  }
  if (status.code === 0) return undefined;
  const text = new TextDecoder().decode(stderr);
  if (KILLED.test(text)) return killed("A program of the compiler was killed");
  if (OUT_OF_MEMORY.test(text)) {
    return new LlamaError("OutOfMemory", "The compiler ran out of memory", { hint: MORE_MEMORY });
  }
  if (CRASHED.test(text)) {
    return new LlamaError("CompilerCrashed", "The compiler crashed");
  }
  if (EXHAUSTED.test(text)) {
    return new LlamaError(
      "WorkerExhausted",
      "The compiler ran out of something that the worker has little of: " +
        (EXHAUSTED.exec(text)?.[0] ?? ""),
    );
  }
  return undefined;
}

/** Codes of what may go better on another worker. */
const PASSING: ReadonlySet<string> = new Set([
  "CompilerKilled",
  "DiskFull",
  "OutOfMemory",
  "TimedOut",
  "WorkerExhausted",
]);

/** Whether a job that ended in `error` is worth a second worker. */
export function mayPass(error: unknown): error is LlamaError {
  return error instanceof LlamaError && PASSING.has(error.code);
}

const MORE_MEMORY = "give the function more memory with llama bootstrap -memory";

/** The kernel kills for want of memory, and so does Lambda. */
function killed(message: string): LlamaError {
  return new LlamaError("CompilerKilled", message, { hint: MORE_MEMORY });
}
