/** When `xargs` stops early, as parallel(1) has it: `-halt WHEN,WHY=N`. */
import { usageError } from "../flags.ts";

/** What stops it. */
export interface Halt {
  /** `now` gives up what runs, `soon` only starts nothing more. */
  readonly when: "now" | "soon";
  readonly why: "fail" | "success" | "done";
  readonly count: number;
}

/** How many jobs have ended. */
export interface Ended {
  readonly succeeded: number;
  readonly failed: number;
}

/**
 * Reads `-halt`; undefined for `never`.
 *
 * @throws {LlamaError} With code `Usage`, if it is anything else.
 */
export function parseHalt(text: string): Halt | undefined {
  if (text === "never") return undefined;
  const match = /^(now|soon),(fail|success|done)=([1-9]\d{0,8})$/.exec(text);
  const [, when, why, count] = match ?? [];
  if ((when !== "now" && when !== "soon") || !isWhy(why)) {
    throw usageError(
      `The flag -halt takes never, or soon or now, then fail, success or done with a number, such as ` +
        `soon,fail=1, not ${JSON.stringify(text)}`,
    );
  }
  return { when, why, count: Number(count) };
}

/** Whether it is time to stop. */
export function isHalted({ why, count }: Halt, { succeeded, failed }: Ended): boolean {
  const reached = { fail: failed, success: succeeded, done: succeeded + failed }[why];
  return reached >= count;
}

function isWhy(text: string | undefined): text is Halt["why"] {
  return text === "fail" || text === "success" || text === "done";
}
