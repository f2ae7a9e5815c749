/**
 * LLAMACC_LOCAL_PREPROCESS: the preprocessor runs here and its text is compiled elsewhere in place of
 * the source.
 *
 * GCC manual, "Preprocessor Options": -fdirectives-only expands includes and keeps macros, and
 * -fpreprocessed together with it compiles such text. The text has a place of its own there, since GCC
 * shows lines of the files that the text names: the source and the headers, which the proof asks for where
 * there is something to be shown. clang's counterpart is -frewrite-includes, whose text is an ordinary
 * source and stands in its place, as clang shows lines of the text itself. What is to be assembled
 * has no use for macros that are kept.
 *
 * What differs from a plain local run: debug information, as GCC's names -fdirectives-only as an option
 * and clang's holds a checksum of the source, or has other columns where all macros are expanded; what is
 * said of an expanded macro; and the order of what the preprocessor and the compiler say.
 */
import { Buffer } from "node:buffer";
import type { Compilation } from "./decision.ts";
import type { Language } from "./language.ts";
import { type Effect, type Family, findOption, wholeOptions } from "./options.ts";

/** The two commands that stand for one, behind the compiler's name. */
export interface SplitCommand {
  /** Runs here; writes the text to the given file, and the dependency file. */
  readonly preprocess: readonly string[];
  /** Runs elsewhere, on the text. */
  readonly compile: readonly string[];
  /** Where the text is to be there, as the command spells it. */
  readonly place: string;
}

/** Where a job has the text for GCC, under the source's own name. */
const PLACE = "/.llama/text/";

/** GCC manual, "Options Controlling the Kind of Output"; clang knows the same names. */
const PREPROCESSED: Readonly<Partial<Record<Language["name"], string>>> = {
  "c": "cpp-output",
  "c++": "c++-cpp-output",
  "objective-c": "objective-c-cpp-output",
  "objective-c++": "objective-c++-cpp-output",
  "assembler-with-cpp": "assembler",
};

/** What only the preprocessor reads. */
const IDLE: ReadonlySet<Effect> = new Set<Effect>([
  "quote-folder",
  "bracket-folder",
  "system-folder",
  "after-folder",
]);

/** Splits a command; `full` expands macros here, too. */
export function splitCommand(
  compilation: Compilation,
  options: { readonly full: boolean; readonly textPath: string; readonly family: Family },
): SplitCommand {
  const { family, textPath } = options;
  const { args, source, language } = compilation;
  const full = options.full || language.assembler;
  const gcc = family === "gcc";
  const place = gcc ? `${PLACE}${source.slice(source.lastIndexOf("/") + 1)}` : source;
  const kept: string[] = [];
  const compile: string[] = [];
  const depend: string[] = [];
  let namesTarget = false;
  let namesFile = false;
  for (const { option, arg, whole } of wholeOptions(args)) {
    if (option === undefined) {
      kept.push(...whole);
      const isSource = arg === source && !arg.startsWith("-");
      const other = full && (!gcc || language.assembler) ? PREPROCESSED[language.name] : undefined;
      compile.push(
        ...(isSource ? [...(other === undefined ? [] : ["-x", other]), place] : whole),
      );
    } else if (/^-M/.test(option.name)) {
      depend.push(...whole);
      namesTarget ||= option.name === "-MT" || option.name === "-MQ";
      namesFile ||= option.name === "-MF";
    } else if (option.effect === "preprocessor-words" && /^-Wp,-M/.test(arg)) {
      depend.push(...whole);
      // GCC's preprocessor proper derives the target from the source.
      namesTarget ||= gcc;
      namesFile = true;
    } else if (
      option.effect !== "output" && option.effect !== "compile" &&
      option.effect !== "assembly-output"
    ) {
      kept.push(...whole);
      // clang complains of what nobody uses any more.
      const isIdle = full && !gcc &&
        (IDLE.has(option.effect) || option.name === "-D" || option.name === "-U");
      if (option.effect !== "include-file" && !isIdle) compile.push(...whole);
    }
  }
  const depends = compilation.dependFile !== undefined;
  const mode = args.some((arg) => findOption(arg)?.effect === "assembly-output") ? "-S" : "-c";
  const keepsMacros = full ? [] : [gcc ? "-fdirectives-only" : "-frewrite-includes"];
  return {
    preprocess: [
      ...kept,
      ...depend,
      ...(depends && !namesTarget ? ["-MQ", compilation.output] : []),
      ...(depends && !namesFile ? ["-MF", compilation.dependFile] : []),
      ...keepsMacros,
      "-E",
      "-o",
      textPath,
    ],
    compile: [
      ...compile,
      ...(gcc && !language.assembler ? ["-fpreprocessed", ...keepsMacros] : []),
      mode,
      "-o",
      compilation.output,
    ],
    place,
  };
}

const ONCE = /^[ \t]*(?:#[ \t]*pragma[ \t]+once|_Pragma[ \t]*\([ \t]*"once"[ \t]*\))[ \t]*\r?$/gm;
/** ISO C++ [lex.string]: a raw string, with any prefix. */
const RAW_STRING = /(?<![0-9A-Za-z_])(?:u8|[uUL])?R"/;

/**
 * Empties lines that say `#pragma once`: GCC and clang leave them in a text with macros, and
 * then complain of them there. A raw string could hold one, so then they stay.
 */
export function withoutOnce(text: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  // Each byte is a character, as the text may be in any character set.
  const whole = Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("latin1");
  if (!whole.includes("once") || RAW_STRING.test(whole)) return text;
  return new Uint8Array(Buffer.from(whole.replaceAll(ONCE, ""), "latin1"));
}
