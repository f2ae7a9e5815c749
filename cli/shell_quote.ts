/** Words as a shell reads them. */

/** Quotes `text` for a POSIX shell. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What has a letter of its own between `$'` and `'` (POSIX.1-2024, 2.2.4, Dollar-Single-Quotes). */
const LETTERS: Readonly<Record<string, string | undefined>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "'": "\\'",
  "\\": "\\\\",
};

/** A command as one line that bash reads back as the same words, whatever is in them. */
export function commandLine(args: readonly string[]): string {
  return args.map(oneLine).join(" ");
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f]/;
// deno-lint-ignore no-control-regex
const ESCAPED = /[\x00-\x1f\x7f'\\]/g;

function oneLine(text: string): string {
  if (!CONTROL.test(text)) return shellQuote(text);
  const escaped = text.replaceAll(ESCAPED, (character) => LETTERS[character] ?? octal(character));
  return `$'${escaped}'`;
}

function octal(character: string): string {
  return `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`;
}
