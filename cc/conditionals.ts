/** The conditionals around a line of a text, of which most are never looked at. */
import { type Needs, needsOf, NOTHING } from "./conditions.ts";
import { readLine } from "./directive_lines.ts";

/** Conditionals as they are opened and closed. */
export interface Conditionals {
  /** `#if`, `#ifdef` or `#ifndef` stands at this position. */
  open(at: number): void;
  /** `#elif` or `#else` stands there. */
  turn(at: number): void;
  /** `#endif` stands there. */
  close(): void;
  /** What all that are open need. */
  needs(): Needs;
  /** Whether each was closed that was opened; where not, something was taken for a conditional that is none. */
  readonly balanced: boolean;
}

interface Conditional {
  readonly opened: number;
  branch: number;
  needs: Needs | undefined;
}

/** Creates conditionals with none open; positions are those of `#` in `text`. */
export function createConditionals(text: string): Conditionals {
  const open: Conditional[] = [];
  let strayed = false;
  const lineAt = (at: number) => readLine(text, at)[0];
  const needsOfOne = ({ opened, branch }: Conditional): Needs => {
    // Most are guards against a second inclusion.
    if (opened === branch && text.startsWith("#ifndef", opened)) return NOTHING;
    return needsOf(lineAt(branch), branch === opened ? "" : lineAt(opened));
  };
  return {
    open: (at) => void open.push({ opened: at, branch: at, needs: undefined }),
    turn: (at) => {
      const last = open.at(-1);
      if (!last) strayed = true;
      else {
        last.branch = at;
        last.needs = undefined;
      }
    },
    close: () => {
      if (!open.pop()) strayed = true;
    },
    needs: () => {
      let all = NOTHING;
      for (const one of open) {
        const needs = one.needs ??= needsOfOne(one);
        if (needs.length > 0) all = [...all, ...needs];
      }
      return all;
    },
    get balanced() {
      return !strayed && open.length === 0;
    },
  };
}
