/**
 * The format of `~/.aws/config` and `~/.aws/credentials`, as the AWS CLI reads it: Python's
 * configparser, where names are in lower case, `=` or `:` ends a name, a line that begins with `#` or
 * `;` is a comment, and a line that is indented deeper than its name goes on with the value. A value
 * that begins on the next line is a group of names and values of its own.
 */
import { FormatError } from "../job/errors.ts";

/** A value: text, or a group of names and texts. */
export type IniValue = string | ReadonlyMap<string, string>;

/** Names and values of one section. */
export type IniSection = ReadonlyMap<string, IniValue>;

/**
 * Reads the sections of a file.
 *
 * @param what Name of the file in messages.
 * @throws {FormatError} If a line is neither section, setting nor comment, or stands twice.
 */
export function parseIni(text: string, what: string): ReadonlyMap<string, IniSection> {
  const sections = new Map<string, Map<string, string[]>>();
  let section: Map<string, string[]> | undefined;
  let value: string[] | undefined;
  let indent = 0;
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    // A byte order mark counts as white space here.
    const content = line.trim();
    if (/^[#;]/.test(content)) continue;
    if (content === "") {
      value?.push("");
      continue;
    }
    const depth = line.length - line.trimStart().length;
    if (value !== undefined && depth > indent) {
      value.push(content);
      continue;
    }
    indent = depth;
    value = undefined;
    const bad = (problem: string) => new FormatError(what, `line ${index + 1}: ${problem}`);
    const header = /^\[(.+)\]/.exec(content)?.[1];
    if (header !== undefined) {
      if (sections.has(header)) throw bad(`the section "${header}" stands twice`);
      section = new Map();
      sections.set(header, section);
      continue;
    }
    if (section === undefined) throw bad("a setting stands before the first section");
    const setting = /^([^=:]*?)\s*[=:]\s*(.*)$/.exec(content);
    const name = setting?.[1]?.toLowerCase();
    if (name === undefined || name === "") throw bad("it is neither a section nor a setting");
    if (section.has(name)) throw bad(`"${name}" stands twice in its section`);
    value = [setting?.[2] ?? ""];
    section.set(name, value);
  }
  const read = new Map<string, IniSection>();
  for (const [name, settings] of sections) {
    read.set(
      name,
      new Map([...settings].map(([key, lines]) => [key, valueOf(lines, what, key)])),
    );
  }
  return read;
}

function valueOf(lines: readonly string[], what: string, name: string): IniValue {
  const whole = lines.join("\n").trimEnd();
  if (!whole.startsWith("\n")) return whole;
  const group = new Map<string, string>();
  for (const line of whole.split("\n")) {
    if (line === "") continue;
    const at = line.indexOf("=");
    if (at < 0) throw new FormatError(what, `"${line}" in "${name}" is not a setting`);
    group.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return group;
}

/**
 * Splits a command or a section's name into words as a POSIX shell does, without expansions.
 *
 * @throws {FormatError} If a quotation or an escape does not end.
 */
export function splitWords(text: string, what: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (quote === "'") {
      if (character === "'") quote = "";
      else word += character;
    } else if (character === "\\" && (quote === "" || /["\\]/.test(text.charAt(index + 1)))) {
      if (index + 1 >= text.length) throw new FormatError(what, "it ends in a backslash");
      word = (word ?? "") + text.charAt(++index);
    } else if (quote === '"') {
      if (character === '"') quote = "";
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= "";
    } else if (/[ \t\r\n]/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== "") throw new FormatError(what, `a ${quote} is not closed`);
  if (word !== undefined) words.push(word);
  return words;
}
