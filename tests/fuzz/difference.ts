/** What differs between two runs, and what of it the compiler itself does not repeat. */
import type { Outcome } from "./replica.ts";

/** Something that differs. */
export interface Difference {
  /** Such as `stderr of command 1`. */
  readonly where: string;
  /** What the compiler did, and what llamacc did; undefined where there is nothing of the kind. */
  readonly here: string | undefined;
  readonly there: string | undefined;
}

/** All that differs, in the order in which it was noted. */
export function differencesOf(here: Outcome, there: Outcome): Difference[] {
  return [...new Set([...here.keys(), ...there.keys()])]
    .map((where) => ({ where, here: here.get(where), there: there.get(where) }))
    .filter((difference) => difference.here !== difference.there);
}

/** Whether the runs of the compiler differ there as well, and llamacc's only in what they differ in. */
export function isUnstable({ where, there }: Difference, runs: readonly Outcome[]): boolean {
  const seen = runs.map((run) => run.get(where));
  if (seen.includes(there)) return true;
  if (new Set(seen).size < 2) return false;
  const texts = seen.filter((text) => text !== undefined);
  if (texts.length < seen.length || there === undefined) return texts.length < seen.length;
  if (new Set([...texts, there].map(withoutFigures)).size === 1) return true;
  const [first = ""] = texts;
  // GCC's precompiled headers are full of addresses (gcc/c-family/c-pch.cc, get_ident()).
  if (texts.every((text) => text.startsWith("gpch"))) return true;
  // What has another length each time, as what is compressed, cannot be compared.
  if (texts.some((text) => text.length !== first.length)) return true;
  if (there.length !== first.length) return false;
  const mayDiffer = unstablePlaces(texts);
  for (let at = 0; at < first.length; at++) {
    if (first[at] !== there[at] && !mayDiffer.has(at)) return false;
  }
  return true;
}

/** Bytes of a random number, such as the id of a .dwo, may be the same by chance. */
const NUMBER_BYTES = 8;

function unstablePlaces(texts: readonly string[]): ReadonlySet<number> {
  const [first = "", ...others] = texts;
  const places = new Set<number>();
  for (let at = 0; at < first.length; at++) {
    if (others.every((text) => text[at] === first[at])) continue;
    for (let near = 1 - NUMBER_BYTES; near < NUMBER_BYTES; near++) places.add(at + near);
  }
  return places;
}

/** GCC's time reports leave out what took no time. */
function withoutFigures(text: string): string {
  return text.replaceAll(/^ [^\n]*:[^\n]*%\)[^\n]*\n/gm, "").replaceAll(/[0-9]+(?:\.[0-9]+)?/g, "0")
    .replaceAll(/ +/g, " ");
}

/** A difference in words: for bytes, where they begin to differ. */
export function describe({ where, here, there }: Difference): string {
  if (here === undefined || there === undefined || where.startsWith("mode") || /^st/.test(where)) {
    return `${where}\n  compiler: ${shorten(here)}\n  llamacc:  ${shorten(there)}`;
  }
  let at = 0;
  while (here[at] === there[at]) at++;
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 60), at + 60));
  return `${where} at byte ${at} of ${here.length} and ${there.length}\n` +
    `  compiler: ${around(here)}\n  llamacc:  ${around(there)}`;
}

function shorten(text: string | undefined): string {
  if (text === undefined) return "nothing";
  return text.length > 3000 ? `${JSON.stringify(text.slice(0, 3000))}...` : JSON.stringify(text);
}
