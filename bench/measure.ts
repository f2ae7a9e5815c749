/** How the bench measures: CPU, not time, as other work on the machine drifts into times. */
import { run } from "../scripts/demo/tools.ts";

/** CPU of a process, its user and system time together. */
export interface Row {
  readonly what: string;
  readonly cpuMs: number;
  readonly note: string;
}

/** How commands are run. */
export interface Options {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Clock ticks a second in /proc/PID/stat: 100 on every Linux that Deno runs on (proc(5), sysconf). */
const TICK_MS = 10;

/** Whether a program is in PATH. */
export async function isInstalled(program: string, options: Options): Promise<boolean> {
  return await run(["sh", "-c", `command -v ${program} || :`], options) !== "";
}

/** Watches the greatest resident set, in kB, of the process whose id comes to stand in `pidFile`; proc(5), status. */
export function peakOf(pidFile: string): { end(): Promise<number> } {
  let peakKb = 0;
  let isOver = false;
  const watching = (async () => {
    await Deno.writeTextFile(pidFile, "");
    while (!isOver) {
      const pid = (await Deno.readTextFile(pidFile)).trim();
      const status = pid && await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
      peakKb = Math.max(peakKb, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return peakKb;
  })();
  return {
    end: () => {
      isOver = true;
      return watching;
    },
  };
}

/** CPU of all processes that a shell script starts and waits for; bash(1), `times`. */
export async function childrenCpu(
  script: string,
  options: Options,
): Promise<number> {
  const path = `${options.cwd}/script.sh`;
  await Deno.writeTextFile(path, `{\n${script}\n} >/dev/null 2>&1\ntimes\n`);
  const text = await run(["bash", path], options);
  const [user, system] = (text.trim().split("\n").at(-1) ?? "").split(" ").map((part) => {
    const [minutes, seconds] = part.replace("s", "").split("m").map(Number);
    return ((minutes ?? NaN) * 60 + (seconds ?? NaN)) * 1000;
  });
  return (user ?? NaN) + (system ?? NaN);
}

/** CPU of one process so far, and of its ended children; proc(5), /proc/PID/stat, fields 14 to 17. */
export async function processCpu(pid: number, withChildren = false): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const [user, system, ...children] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    .slice(11, 15).map(Number);
  const counted = [user, system, ...(withChildren ? children : [])];
  return counted.reduce<number>((sum, ticks) => sum + (ticks ?? NaN), 0) * TICK_MS;
}
