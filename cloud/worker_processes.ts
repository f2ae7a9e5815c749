/**
 * The processes of a worker, as Linux's /proc tells them; on other systems only its first is known.
 *
 * A job runs in a session of its own, and when the runtime is killed it becomes a child of process 1:
 * neither the tree nor the process group leads from the worker to it. Where nothing seals a worker, its
 * environment does: the runtime and its jobs have the worker's folder in one of these variables.
 */
const MARKS = /^(HOME|TMPDIR|LLAMA_SHIM_ROOT|LLAMA_WORKER_FOLDER|LD_LIBRARY_PATH)=/;

/** What is killed may have forked just before; each round finds what the last one missed. */
const MOST_ROUNDS = 100;

/** Kills processes, and process groups if their id is negative. */
export function killAll(ids: readonly number[]): void {
  for (const id of ids) {
    try {
      Deno.kill(id, "SIGKILL");
    } catch (error) {
      // ESRCH: it ended by itself just now.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Kills all processes that have `folder`, or what is below it, in a variable that marks a worker's. */
export function killThoseOf(folder: string): void {
  const killed = new Set<number>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const found = processIds().filter((id) => !killed.has(id) && isOf(id, folder));
    if (found.length === 0) return;
    killAll(found);
    for (const id of found) killed.add(id);
  }
}

function processIds(): number[] {
  if (Deno.build.os !== "linux") return [];
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name))
    .filter((id) => Number.isInteger(id) && id !== Deno.pid);
}

function isOf(pid: number, folder: string): boolean {
  return readProc(`/proc/${pid}/environ`).split("\0").some((variable) => {
    const mark = MARKS.exec(variable);
    return mark !== null && variable.slice(mark[0].length).split(":")
      .some((path) => path === folder || path.startsWith(`${folder}/`));
  });
}

/** The ids of `pid` and all processes below it; `[pid]` on other systems. */
export function treeOf(pid: number): number[] {
  const ids = [pid];
  for (const id of ids) {
    const text = readProc(`/proc/${id}/task/${id}/children`);
    ids.push(...text.split(" ").filter((word) => word !== "").map(Number));
  }
  return ids;
}

/** The most bytes of memory that a process had. */
export function peakOf(pid: number): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`))?.[1] ?? 0);
}

function readProc(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    // It is gone or another user's, or this system has no such file: there is nothing to tell of it.
    return "";
  }
}
