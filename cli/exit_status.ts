/** How the end of a remote command becomes this process's exit status. */
import type { ExitStatus } from "../job/result.ts";

/** Numbers of signals on Linux, signal(7); x86 and ARM agree. */
const SIGNALS: Readonly<Record<string, number | undefined>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
};

/** The exit status as a shell has it: the command's own, or 128 + N if signal N ended it. */
export function exitCodeOf(status: ExitStatus): number {
  if (status.kind === "exit") return status.code;
  return 128 + (SIGNALS[status.signal] ?? 0);
}
