/** Where two runs of one compilation differ, as people look for it: by file, section and byte. */
import { type ElfSection, elfSections } from "./elf_sections.ts";

/** A file that a compilation left. */
export interface LeftFile {
  readonly bytes: Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

/** All that a compilation left and said. */
export interface Outcome {
  /** How it ended, such as `exit status 1` or `SIGSEGV`. */
  readonly end: string;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** Its outputs by path; undefined for one that is not there. */
  readonly files: ReadonlyMap<string, LeftFile | undefined>;
}

/** A difference between two outcomes. */
export interface Difference {
  /** What differs, the same for differences of the same place. */
  readonly place: string;
  /** A sentence's end: what differs and how. */
  readonly text: string;
}

/** What is told of two outcomes; an empty list if they are the same. `there` and `here` name them. */
export function differencesOf(there: Outcome, here: Outcome): readonly Difference[] {
  const found: Difference[] = [];
  for (const path of new Set([...there.files.keys(), ...here.files.keys()])) {
    found.push(...inFile(path, there.files.get(path), here.files.get(path)));
  }
  if (there.end !== here.end) {
    found.push({ place: "end", text: `it ended with ${there.end} elsewhere, ${here.end} here` });
  }
  for (const name of ["stdout", "stderr"] as const) {
    const [a, b] = [withoutTemporary(there[name]), withoutTemporary(here[name])];
    const text = a === b ? undefined : inLines(a, b);
    if (text !== undefined) found.push({ place: name, text: `${name} differs in ${text}` });
  }
  return found;
}

function inFile(
  path: string,
  there: LeftFile | undefined,
  here: LeftFile | undefined,
): readonly Difference[] {
  if (!there || !here) {
    if (there === here) return [];
    const side = there ? "elsewhere" : "here";
    return [{ place: path, text: `"${path}" is made ${side} alone` }];
  }
  const found = inBytes(there.bytes, here.bytes).map(({ place, text }) => ({
    place: `${path}: ${place}`,
    text: `"${path}" differs in ${text}`,
  }));
  if (there.mode !== here.mode) {
    const [a, b] = [there.mode.toString(8), here.mode.toString(8)];
    found.push({ place: `${path}: mode`, text: `"${path}" has mode ${a} elsewhere, ${b} here` });
  }
  return found;
}

function inBytes(there: Uint8Array, here: Uint8Array): readonly Difference[] {
  const at = firstDifference(there, here);
  if (at === undefined) return [];
  const [a, b] = [elfSections(there), elfSections(here)];
  if (a && b) {
    const found = inSections(a, b);
    // What no section holds: the ELF header, section headers, and padding.
    return found.length > 0 ? found : [{ place: "file", text: `byte ${at} outside of sections` }];
  }
  const [aText, bText] = [textOf(there), textOf(here)];
  const text = aText === undefined || bText === undefined
    ? `byte ${at}${sizes(there.length, here.length)}`
    : inLines(aText, bText);
  return [{ place: "file", text }];
}

function inSections(there: readonly ElfSection[], here: readonly ElfSection[]): Difference[] {
  const [a, b] = [byPlace(there), byPlace(here)];
  const found: Difference[] = [];
  for (const place of new Set([...a.keys(), ...b.keys()])) {
    const [one, other] = [a.get(place), b.get(place)];
    const name = `section ${(one ?? other)?.name}`;
    if (!one || !other) {
      found.push({ place, text: `${name}, which is ${one ? "elsewhere" : "here"} alone` });
      continue;
    }
    const at = firstDifference(one.bytes, other.bytes);
    if (at !== undefined || one.size !== other.size) {
      const where = at === undefined ? "" : ` at byte ${at}`;
      found.push({ place, text: `${name}${where}${sizes(one.size, other.size)}` });
    } else if (one.attributes !== other.attributes) {
      found.push({ place, text: `the attributes of ${name}` });
    }
  }
  return found;
}

/** Sections by their names; those of one name are numbered, and GCC's random suffixes of LTO's do not count. */
function byPlace(sections: readonly ElfSection[]): ReadonlyMap<string, ElfSection> {
  const places = new Map<string, ElfSection>();
  const seen = new Map<string, number>();
  for (const section of sections) {
    const name = section.name.replace(/^(\.gnu\.lto_.*)\.[0-9a-f]+$/, "$1");
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    places.set(nth === 0 ? name : `${name} (${nth})`, section);
  }
  return places;
}

function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at++) if (a[at] !== b[at]) return at;
  return a.length === b.length ? undefined : common;
}

function sizes(there: number, here: number): string {
  return there === here ? "" : ` (${there} bytes elsewhere, ${here} here)`;
}

function inLines(there: string, here: string): string {
  const [a, b] = [there.split("\n"), here.split("\n")];
  const at = a.findIndex((line, index) => line !== b[index]);
  const index = at < 0 ? a.length : at;
  const quote = (line: string | undefined) =>
    line === undefined ? "no such line" : JSON.stringify(line.slice(0, 100));
  return `line ${index + 1}: ${quote(a[index])} elsewhere, ${quote(b[index])} here`;
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // The decoder says no more than that it is no text.
    return undefined;
  }
}

/** GCC's make_temp_file() (libiberty/make-temp-file.c) gives the assembler a file of another name each time. */
function withoutTemporary(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll(/\/cc[A-Za-z0-9]{6}(?=\.\w)/g, "/ccXXXXXX");
}
