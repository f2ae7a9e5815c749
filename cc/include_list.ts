/**
 * The files that a source includes, as the compiler's own preprocessor lists them: -M, GCC manual, "Preprocessor
 * Options". It costs more than a job, so it is asked only where macros compute what two guesses have missed.
 */
import type { Compilation } from "./decision.ts";
import { wholeOptions } from "./options.ts";

/** Arguments behind the compiler's name that write the list for a compilation to `path`, and nothing else. */
export function listCommand({ args }: Pick<Compilation, "args">, path: string): string[] {
  const kept: string[] = [];
  for (const { option, arg, whole } of wholeOptions(args)) {
    const isDropped = option !== undefined &&
      (/^-M/.test(option.name) || /^-Wp,-M/.test(arg) || option.effect === "output" ||
        option.effect === "compile" || option.effect === "assembly-output");
    if (!isDropped) kept.push(...whole);
  }
  return [...kept, "-w", "-M", "-MF", path];
}

/** The prerequisites of a rule of make(1), as compilers write it. */
export function parseIncludeList(text: string): string[] {
  const joined = text.replaceAll(/\\\r?\n/g, " ");
  const [, list = ""] = /^(?:[^:\\]|\\.|:(?!\s))*:(?=\s)(.*)$/s.exec(joined) ?? [];
  // GCC writes a space as "\ ", "#" as "\#" and "$" as "$$".
  return [...list.matchAll(/(?:\\[ #]|[^\s])+/g)]
    .map(([name]) => name.replaceAll(/\\([ #])/g, "$1").replaceAll("$$", "$"));
}
