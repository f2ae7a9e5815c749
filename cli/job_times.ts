/** Where the time of a job went, for people. */
import type { RanJob } from "../daemon/run_job.ts";

/** Lines that tell it; `totalMs` is the time that passed here. */
export function jobTimes({ result, invocations }: RanJob, totalMs: number): string {
  const { fetchMs, layoutMs, runMs, collectMs } = result.timings;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(3)}s`;
  return [
    `total     ${seconds(totalMs)}  (${invocations} invocation${invocations === 1 ? "" : "s"}, ` +
    `${result.cold ? "cold" : "warm"} worker)`,
    `  fetch   ${seconds(fetchMs)}`,
    `  layout  ${seconds(layoutMs)}`,
    `  run     ${seconds(runMs)}  (user ${seconds(result.usage.userMs)}, ` +
    `system ${seconds(result.usage.systemMs)})`,
    `  collect ${seconds(collectMs)}`,
  ].join("\n");
}
