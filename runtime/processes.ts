/**
 * Ends all that a command has started. Killing its process group is not enough, as a process can
 * leave it; but with this process as subreaper (prctl(2)), whatever the command started stays among
 * our descendants, however often it forked. They are stopped first, all of them, so that none can
 * fork away from under our eyes, then killed.
 */
import type { Libc } from "./libc.ts";

/** Processes that are older than the job, and so are not its. */
export type Bystanders = ReadonlySet<number>;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly ended: boolean;
}

const MOST_ROUNDS = 200;

/** The children that this process has now. */
export function bystanders(libc: Libc | undefined): Bystanders {
  if (libc && !libc.hasChildren()) return new Set();
  return new Set(descendants(processes(), new Set()).map(({ pid }) => pid));
}

/**
 * Kills the process group `group` and every descendant that is no bystander, and takes leave of those
 * that ended. Returns how many were still alive.
 */
export function killJob(group: number, before: Bystanders, libc: Libc | undefined): number {
  signal(-group, "SIGKILL");
  if (libc && !libc.hasChildren()) return 0;
  const killed = new Set<number>();
  const stopped = new Set<number>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const found = descendants(processes(), before).filter(({ pid }) => pid !== group);
    for (const { pid } of found.filter(({ ended }) => ended)) libc?.reap(pid);
    const alive = found.filter(({ ended }) => !ended);
    if (found.length === 0) break;
    const running = alive.filter(({ pid }) => !stopped.has(pid));
    for (const { pid } of running) {
      stopped.add(pid);
      signal(pid, "SIGSTOP");
    }
    if (running.length > 0) continue;
    for (const { pid } of alive) {
      killed.add(pid);
      signal(pid, "SIGKILL");
    }
    if (!libc) break;
  }
  return killed.size;
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    // It has ended meanwhile, or changed its user, which only a privileged job can.
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied)) {
      // ESRCH has no class of its own in every version.
      if (!(error instanceof Error && /os error 3\b|ESRCH/.test(error.message))) throw error;
    }
  }
}

function descendants(all: readonly Process[], before: Bystanders): Process[] {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const found: Process[] = [];
  const queue = [Deno.pid];
  for (const pid of queue) {
    for (const child of children.get(pid) ?? []) {
      if (before.has(child.pid)) continue;
      found.push(child);
      queue.push(child.pid);
    }
  }
  return found;
}

/** All processes, from the files of proc(5). */
function processes(): Process[] {
  const all: Process[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const stat = readStat(name);
    if (stat === undefined) continue;
    // The command's name stands in parentheses and may hold any byte.
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    all.push({
      pid: Number(name),
      parent: Number(parent),
      ended: state === "Z" || state === "X",
    });
  }
  return all;
}

function readStat(pid: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
