/**
 * Headers that macros name, for `#include NAME`: FreeType and Boost have one in nearly every unit. No macro is
 * expanded: whatever a header or the command line defines a name as is guessed, and the proof finds the rest.
 */
import type { SpelledOption } from "./auxiliary_names.ts";
import { ownText } from "./own_text.ts";

/** A header as an include spells it. */
export interface NamedHeader {
  readonly name: string;
  /** `"x"` rather than `<x>`. */
  readonly quoted: boolean;
}

/** What each macro may name. */
export type HeaderMacros = ReadonlyMap<string, readonly NamedHeader[]>;

const DEFINE =
  /^[ \t]*(?:#|%:)[ \t]*define[ \t]+(\w+)(?:[ \t]|\\\r?\n)+(?:"([^"\n]+)"|<([^>\n]+)>)/gm;
const NAME = /^(?:-D|--define-macro=)?(\w+)/;
const OPTION = /^(?:-D|--define-macro=)?(\w+)=(?:"([^"]+)"|<([^>]+)>)$/;

/** The macros of a text that are defined as a header. */
export function headerMacrosIn(text: string): HeaderMacros {
  return collect(text.matchAll(DEFINE));
}

/** The macros of a command line that are defined as a header. */
export function headerMacrosOf(options: readonly SpelledOption[]): HeaderMacros {
  return collect(options.flatMap(({ argument, value }) => {
    if (!isDefinition(argument)) return [];
    const match = OPTION.exec(value ?? argument);
    return match ? [match] : [];
  }));
}

/** The names of all macros that a command line defines. */
export function macrosDefinedBy(options: readonly SpelledOption[]): string[] {
  return options.flatMap(({ argument, value }) => {
    if (!isDefinition(argument)) return [];
    return NAME.exec(value ?? argument)?.[1] ?? [];
  });
}

function isDefinition(argument: string): boolean {
  return argument.startsWith("-D") || argument.startsWith("--define-macro");
}

function collect(matches: Iterable<RegExpExecArray>): HeaderMacros {
  const macros = new Map<string, NamedHeader[]>();
  for (const [, macro = "", quoted, angled] of matches) {
    const header = { name: ownText(quoted ?? angled ?? ""), quoted: quoted !== undefined };
    const known = macros.get(macro);
    if (!known) macros.set(ownText(macro), [header]);
    else if (!known.some(({ name }) => name === header.name)) known.push(header);
  }
  return macros;
}
