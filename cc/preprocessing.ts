/**
 * LLAMACC_LOCAL_PREPROCESS: the preprocessor runs here and its text is compiled elsewhere in place of
 * the source. GCC manual, "Preprocessor Options": -fdirectives-only expands includes and keeps macros,
 * and -fpreprocessed together with it compiles such text.
 *
 * Debug information may differ from a plain local run, as macros are expanded in another place.
 */
import type { Compilation } from "./decision.ts";
import { findOption, separateValues } from "./options.ts";

/** The two commands that stand for one, behind the compiler's name. */
export interface SplitCommand {
  /** Runs here; writes the text to the given file, and the dependency file. */
  readonly preprocess: readonly string[];
  /** Runs elsewhere, on the text under the source's own path. */
  readonly compile: readonly string[];
}

/** Splits a command; `full` expands macros here, too. */
export function splitCommand(
  compilation: Compilation,
  options: { readonly full: boolean; readonly textPath: string },
): SplitCommand {
  const { full, textPath } = options;
  const { args } = compilation;
  const kept: string[] = [];
  const depend: string[] = [];
  let namesTarget = false;
  let namesFile = false;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    const option = findOption(arg);
    const count = option ? separateValues(option, arg) : 0;
    const whole = args.slice(index, index + 1 + count);
    index += count;
    if (option === undefined) {
      kept.push(...whole);
    } else if (/^-M/.test(option.name)) {
      depend.push(...whole);
      namesTarget ||= option.name === "-MT" || option.name === "-MQ";
      namesFile ||= option.name === "-MF";
    } else if (option.effect === "preprocessor-words" && /^-Wp,-M/.test(arg)) {
      depend.push(...whole);
      namesTarget = namesFile = true;
    } else if (
      option.effect !== "output" && option.effect !== "compile" &&
      option.effect !== "assembly-output"
    ) {
      kept.push(...whole);
    }
  }
  const depends = compilation.dependFile !== undefined;
  const mode = args.some((arg) => findOption(arg)?.effect === "assembly-output") ? "-S" : "-c";
  return {
    preprocess: [
      ...kept,
      ...depend,
      ...(depends && !namesTarget ? ["-MQ", compilation.output] : []),
      ...(depends && !namesFile ? ["-MF", compilation.dependFile] : []),
      ...(full ? [] : ["-fdirectives-only"]),
      "-E",
      "-o",
      textPath,
    ],
    compile: [
      ...withoutIncludes(kept),
      "-fpreprocessed",
      ...(full ? [] : ["-fdirectives-only"]),
      mode,
      "-o",
      compilation.output,
    ],
  };
}

function withoutIncludes(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    const option = findOption(arg);
    if (option?.effect !== "include-file") kept.push(arg);
    else if (arg.length === option.name.length) index++;
  }
  return kept;
}
