/** The bar of `xargs` on a terminal: what is done of what is known, what it costs, and when it may end. */
import type { Meter } from "./meter.ts";

/** What the bar shows. */
export interface Progress
  extends Pick<Meter, "running" | "succeeded" | "failed" | "skipped" | "throttles" | "usd"> {
  /** Lines that are known of so far, and whether there are no more. */
  readonly total: { readonly count: number; readonly isAll: boolean };
  readonly elapsedMs: number;
}

const WIDTH = 20;

/** The bar as one line of at most `columns` characters. */
export function barLine(progress: Progress, columns: number): string {
  const { running, succeeded, failed, skipped, throttles, usd, total, elapsedMs } = progress;
  const done = succeeded + failed;
  const ended = done + skipped;
  const share = total.count === 0 ? 0 : Math.min(1, ended / total.count);
  const full = Math.floor(share * WIDTH);
  const left = total.isAll && done > 0 && total.count > ended
    ? [`ETA ${time((total.count - ended) * elapsedMs / done)}`]
    : [];
  const line = [
    `[${"#".repeat(full)}${"-".repeat(WIDTH - full)}]`,
    `${ended}/${total.count}${total.isAll ? "" : "+"}`,
    `${failed} failed`,
    `${running} running`,
    ...(throttles > 0 ? [`${throttles} throttled`] : []),
    dollars(usd),
    ...left,
  ].join("  ");
  // A line that fills the terminal would wrap.
  return line.slice(0, Math.max(0, columns - 1));
}

/** A time as people say it: `1h02m`, `3m04s`, `5.1s`. */
export function time(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}m${two(seconds % 60)}s`
    : `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
}

/** An amount: cents, or the first two digits of less. */
export function dollars(usd: number): string {
  const places = usd > 0 ? Math.ceil(-Math.log10(usd)) + 1 : 2;
  return `$${usd.toFixed(Math.min(Math.max(places, 2), 9))}`;
}
